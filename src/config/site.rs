//! Regions and the vendor's sites: what lies where, and what follows from a region.

/// Where the records of this host may be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Region {
    /// The European Union.
    Eu,
    /// The United States.
    Us,
}

/// Names of the regions as written.
pub const REGIONS: &[(&str, Region)] = &[("eu", Region::Eu), ("us", Region::Us)];

/// Every known site and the region it lies in; none: in neither of ours.
pub const SITES: &[(&str, Option<Region>)] = &[
    ("datadoghq.eu", Some(Region::Eu)),
    ("us3.datadoghq.com", Some(Region::Us)),
    ("us5.datadoghq.com", Some(Region::Us)),
    ("datadoghq.com", Some(Region::Us)),
    ("us2.ddog-gov.com", Some(Region::Us)),
    ("ddog-gov.com", Some(Region::Us)),
    ("ap1.datadoghq.com", None),
    ("ap2.datadoghq.com", None),
    ("uk1.datadoghq.com", None),
];

impl Region {
    /// As written in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Region::Eu => "eu",
            Region::Us => "us",
        }
    }

    /// The site that is used when none is written.
    pub fn default_site(self) -> &'static str {
        match self {
            Region::Eu => "datadoghq.eu",
            Region::Us => "us3.datadoghq.com",
        }
    }

    /// The known sites in this region, for messages.
    pub fn sites(self) -> String {
        let here = SITES.iter().filter(|(_, region)| *region == Some(self));
        here.map(|(site, _)| *site).collect::<Vec<_>>().join(", ")
    }
}

/// The site a host belongs to (the host itself, or a name under it).
pub fn site_of_host(host: &str) -> Option<&'static str> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    // The longest first: us3.datadoghq.com is also a name under datadoghq.com.
    let under = |site: &str| host.strip_suffix(site).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    SITES.iter().map(|(site, _)| *site).filter(|site| under(site)).max_by_key(|site| site.len())
}

/// The region of a known site.
pub fn region_of(site: &str) -> Option<Option<Region>> {
    SITES.iter().find(|(known, _)| *known == site).map(|(_, region)| *region)
}

/// The logs intake of a site.
pub fn intake(site: &str) -> String {
    format!("https://http-intake.logs.{site}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_belong_to_the_longest_site() {
        for (host, site) in [
            ("http-intake.logs.datadoghq.eu", Some("datadoghq.eu")),
            ("http-intake.logs.us3.datadoghq.com", Some("us3.datadoghq.com")),
            ("HTTP-INTAKE.LOGS.DATADOGHQ.COM.", Some("datadoghq.com")),
            ("evildatadoghq.eu", None),
            ("datadoghq.eu.example.net", None),
        ] {
            assert_eq!(site_of_host(host), site, "{host}");
        }
    }

    #[test]
    fn a_regions_default_lies_in_it() {
        for (_, region) in REGIONS {
            assert_eq!(region_of(region.default_site()), Some(Some(*region)));
        }
    }
}
