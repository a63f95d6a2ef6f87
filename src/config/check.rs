//! From written to checked: what the values mean together. Looks at no file and no network; the
//! environment comes in through [`Surroundings`].

use super::schema::{At, Datadog, Output, Source, Written};
use super::secret::SecretRef;
use super::settings::{Config, PackRef, Redaction};
use super::site::{self, Region};
use super::system::Kind;
use crate::agent::{self, SourceKind, SourceSettings, TokenSettings};
use crate::batch::EncoderSettings;
use crate::redact::policy::Policy;
use crate::sink::http::{ProxyChoice, Timeouts, is_loopback};
use crate::sink::{datadog, key::KeySource};
use crate::source::file;
use crate::strict_yaml::Problems;
use crate::telemetry::apm;
use reqwest::Url;
use std::cell::Cell;
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Longest retention without `allow_longer`, days.
pub const LONGEST_RETENTION: u32 = 90;
/// Where state is kept unless the configuration says otherwise.
pub const STATE_DIR: &str = "/var/lib/logveil";
const ADMIN: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 8741);
const LONGEST_TAG: usize = 200;

/// What a configuration depends on beside its text.
pub struct Surroundings<'a> {
    /// Reads an environment variable.
    pub var: &'a dyn Fn(&str) -> Option<String>,
    /// This host's name.
    pub hostname: String,
    /// Secrets are resolved; otherwise a reference need not lead anywhere.
    pub resolve: bool,
}

/// Checks one file.
pub struct Checker<'a, 'p, 't> {
    around: &'a Surroundings<'a>,
    problems: &'p Problems<'t>,
    /// Errors that are refusals of a policy, not mistakes.
    refusals: Cell<usize>,
}

impl<'a, 'p, 't> Checker<'a, 'p, 't> {
    /// A checker that notes into `problems`.
    pub fn new(around: &'a Surroundings<'a>, problems: &'p Problems<'t>) -> Checker<'a, 'p, 't> {
        Checker { around, problems, refusals: Cell::new(0) }
    }

    /// Number of errors that are refusals: region, retention, unencrypted delivery.
    pub fn refusals(&self) -> usize {
        self.refusals.get()
    }

    /// The settings. Everything is looked at, whatever went wrong before; none when any part failed.
    pub fn check(&self, written: &Written, redaction: &Redaction) -> Option<Config> {
        let retention = self.retention(written);
        let state_dir = self.state_dir(written);
        let sources: Vec<_> = written.sources.iter().map(|source| self.source(source, &state_dir)).collect();
        self.one_standard_input(written);
        let tags = self.tags(&written.tags);
        let output = self.output(written);
        let admin = self.admin(written);
        let apm = self.apm(written);
        let tokens = self.tokens(written);
        let (output, site, batch, batch_age) = output?;
        let (retention, retention_days) = retention?;
        let agent = agent::Settings {
            state_dir,
            hostname: written.hostname.as_ref().map_or_else(|| self.around.hostname.clone(), |at| at.value.clone()),
            tags,
            retention,
            sources: sources.into_iter().collect::<Option<_>>()?,
            output,
            batch,
            batch_age,
            spool: written.spool.clone(),
            tokens,
            in_flight: match &written.output {
                Some(Output::Datadog(datadog)) => datadog.in_flight,
                _ => 1,
            },
            workers: written.threads,
            apm: apm?,
        };
        Some(Config {
            region: written.region.as_ref()?.value,
            site,
            retention_days,
            agent,
            redaction: redaction.clone(),
            allow_loosening: written.redaction.allow_loosening.iter().map(|at| at.value.clone()).collect(),
            admin: admin?,
            log_level: written.log.level,
            log_format: written.log.format,
        })
    }

    fn refuse(&self, span: &std::ops::Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.refusals.set(self.refusals.get() + 1);
        self.problems.error_with_help(span, message, help);
    }

    fn retention(&self, written: &Written) -> Option<(String, u32)> {
        let Some(tag) = &written.retention.tag else { return Some(("retention:90d".to_owned(), LONGEST_RETENTION)) };
        let digits = tag.value.strip_prefix("retention:").and_then(|rest| rest.strip_suffix('d'));
        let plain = digits.filter(|d| (1..=5).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_digit()));
        let Some(days) = plain.and_then(|d| d.parse::<u32>().ok()).filter(|days| *days > 0) else {
            let help = "write it as 'retention:90d'";
            self.problems.error_with_help(&tag.span, format!("'{}' is no retention tag", tag.value), help);
            return None;
        };
        if days > LONGEST_RETENTION && !written.retention.allow_longer {
            let help = "keep records for 90 days at most, or add allow_longer: true";
            self.refuse(&tag.span, format!("{days} days is longer than {LONGEST_RETENTION}"), help);
            return None;
        }
        Some((tag.value.clone(), days))
    }

    fn state_dir(&self, written: &Written) -> PathBuf {
        let Some(at) = &written.state_dir else { return PathBuf::from(STATE_DIR) };
        self.absolute(at);
        PathBuf::from(&at.value)
    }

    fn absolute(&self, at: &At<String>) -> bool {
        let absolute = at.value.starts_with('/');
        if !absolute {
            self.problems.error_with_help(&at.span, "the path is not absolute", "begin it with /");
        }
        absolute
    }

    fn tags(&self, tags: &[At<String>]) -> Vec<String> {
        for tag in tags {
            self.tag(tag);
        }
        tags.iter().map(|tag| tag.value.clone()).collect()
    }

    fn tag(&self, tag: &At<String>) {
        let text = tag.value.as_str();
        let name = text.split(':').next().unwrap_or_default();
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.' | '/');
        if name.trim().eq_ignore_ascii_case("retention") {
            let help = "the retention tag has one place: retention: {tag: 'retention:90d'}";
            self.problems.error_with_help(&tag.span, "a retention tag among other tags", help);
        } else if text.is_empty() || text.len() > LONGEST_TAG {
            self.problems.error(&tag.span, format!("a tag has 1 to {LONGEST_TAG} bytes"));
        } else if !text.starts_with(char::is_alphabetic) || text.ends_with(':') || !text.chars().all(allowed) {
            let help =
                "a tag starts with a letter, goes on with letters, digits or _ - : . / and does not end with ':'";
            self.problems.error_with_help(&tag.span, format!("'{text}' would be changed by the intake"), help);
        } else if text.chars().any(char::is_uppercase) {
            let help = format!("write '{}'", text.to_lowercase());
            self.problems.warning(&tag.span, "the intake turns tags into lower case", help);
        }
    }

    fn source(&self, source: &Source, state_dir: &std::path::Path) -> Option<SourceSettings> {
        let name = &source.name;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.value.is_empty() || name.value.len() > 64 || !name.value.chars().all(fits) {
            let help = "letters, digits, '-', '_' and '.', 64 at most";
            self.problems.error_with_help(&name.span, format!("'{}' is no source name", name.value), help);
        }
        let files = matches!(source.reading.kind, Kind::File);
        let mut usable = !files || !source.include.is_empty();
        for pattern in &source.include {
            usable &= self.absolute(pattern) && self.pattern(pattern);
            if std::path::Path::new(&pattern.value).starts_with(state_dir) {
                let help = "logveil never reads its own files; choose another pattern or state_dir";
                self.problems.error_with_help(&pattern.span, "the pattern lies in the state directory", help);
            }
        }
        usable &= source.exclude.iter().all(|pattern| self.pattern(pattern));
        let kind = match &source.reading.kind {
            Kind::File => SourceKind::File(file::Settings {
                include: source.include.iter().map(|at| at.value.clone()).collect(),
                exclude: source.exclude.iter().map(|at| at.value.clone()).collect(),
                start_at: source.start_at,
            }),
            Kind::Journald(settings) => SourceKind::Journald(settings.clone()),
            Kind::Syslog(settings) => SourceKind::Syslog(settings.clone()),
            Kind::Stdin => SourceKind::Stdin,
        };
        let named =
            |at: &Option<At<String>>, default: &str| at.as_ref().map_or(default.to_owned(), |a| a.value.clone());
        usable.then(|| SourceSettings {
            name: name.value.clone(),
            service: named(&source.service, &name.value),
            ddsource: named(&source.ddsource, "logveil"),
            tags: self.tags(&source.tags),
            trust_origin: source.trust_origin,
            kind,
            records: source.reading.records.clone(),
        })
    }

    /// Two readers of one input would each get a part of its lines.
    fn one_standard_input(&self, written: &Written) {
        let mut readers = written.sources.iter().filter(|source| matches!(source.reading.kind, Kind::Stdin));
        let Some(first) = readers.next() else { return };
        for source in readers {
            let help = format!("it is the input of '{}' already; remove one of them", first.name.value);
            self.problems.error_with_help(&source.name.span, "standard input is read by two sources", help);
        }
    }

    fn pattern(&self, at: &At<String>) -> bool {
        match globset::Glob::new(&at.value) {
            Ok(_) => true,
            Err(error) => {
                self.problems.error(&at.span, format!("'{}' is no pattern: {}", at.value, error.kind()));
                false
            }
        }
    }

    fn output(&self, written: &Written) -> Option<(agent::Output, Option<String>, EncoderSettings, Duration)> {
        match written.output.as_ref()? {
            Output::Stdout => {
                let age = Duration::from_secs(2);
                Some((agent::Output::Stdout, None, EncoderSettings::default(), age))
            }
            Output::Datadog(datadog) => {
                let (settings, site) = self.datadog(datadog, written)?;
                let batch = EncoderSettings {
                    encoding: datadog.compression,
                    max_entries: datadog.events,
                    max_json: datadog.bytes,
                    max_entry: EncoderSettings::default().max_entry.min(datadog.bytes),
                };
                Some((agent::Output::Datadog(Box::new(settings)), site, batch, datadog.age))
            }
        }
    }

    fn datadog(&self, datadog: &Datadog, written: &Written) -> Option<(datadog::Settings, Option<String>)> {
        let region = written.region.as_ref().map(|at| at.value);
        let site = datadog.site.as_ref().map(|at| (at, self.site(at, region, written)));
        let origin = match &datadog.url {
            Some(at) => self.url(at, region, written),
            None => {
                let site = match site {
                    Some((at, known)) => known.then(|| at.value.clone()),
                    None => region.map(|region| region.default_site().to_owned()),
                };
                site.and_then(|site| Url::parse(&site::intake(&site)).ok().map(|url| (url, Some(site))))
            }
        };
        let key = self.key(datadog);
        let ca_file = datadog.ca_file.as_ref().filter(|at| self.absolute(at)).map(|at| PathBuf::from(&at.value));
        let proxy = self.proxy(datadog);
        let (origin, site) = origin?;
        let timeouts = Timeouts::default();
        Some((datadog::Settings { origin, key: key?, ca_file, proxy: proxy?, timeouts }, site))
    }

    /// True when the site is known and agrees with the region.
    fn site(&self, at: &At<String>, region: Option<Region>, written: &Written) -> bool {
        let Some(lies_in) = site::region_of(&at.value) else {
            let names = site::SITES.iter().map(|(name, _)| *name);
            let help = match crate::strict_yaml::nearest(&at.value, names.clone()) {
                Some(name) => format!("did you mean '{name}'?"),
                None => format!("one of: {}; anything else goes into url", names.collect::<Vec<_>>().join(", ")),
            };
            self.problems.error_with_help(&at.span, format!("'{}' is no known site", at.value), help);
            return false;
        };
        let allowed = written.residency_allow.iter().any(|extra| extra.value == at.value);
        match region {
            Some(region) if lies_in != Some(region) && !allowed => {
                let message = format!("site {} does not lie in region {}", at.value, region.name());
                let help =
                    format!("sites of {}: {}; or name it in residency: {{allow: […]}}", region.name(), region.sites());
                self.refuse(&at.span, message, help);
                false
            }
            _ => true,
        }
    }

    fn url(&self, at: &At<String>, region: Option<Region>, written: &Written) -> Option<(Url, Option<String>)> {
        let url = Url::parse(&at.value).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
        let Some(url) = url else {
            let help = "expected https://host or https://host:port";
            self.problems.error_with_help(&at.span, "no URL of an intake", help);
            return None;
        };
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            let help = "only scheme, host and port; /api/v2/logs is appended";
            self.problems.error_with_help(&at.span, "more than an origin", help);
            return None;
        }
        if is_loopback(&url) {
            return Some((url, None));
        }
        if url.scheme() == "http" {
            self.refuse(&at.span, "unencrypted delivery to another host", "use https; http is for loopback only");
            return None;
        }
        let host = url.host_str().unwrap_or_default();
        match site::site_of_host(host) {
            Some(site) => {
                let named = At { value: site.to_owned(), span: at.span.clone() };
                self.site(&named, region, written).then(|| (url, Some(site.to_owned())))
            }
            None if written.residency_allow.iter().any(|extra| extra.value == host) => Some((url, None)),
            None => {
                let message = format!("nothing says in which region {host} lies");
                let help = format!("if it is right, add residency: {{allow: ['{host}']}}");
                self.refuse(&at.span, message, help);
                None
            }
        }
    }

    fn key(&self, datadog: &Datadog) -> Option<KeySource> {
        let at = datadog.api_key.as_ref()?;
        let reference = self.secret(Some(at))?;
        match reference.key_source(self.around.var) {
            Ok(source) => Some(source),
            Err(_) if !self.around.resolve => Some(KeySource::File(PathBuf::from(&at.value))),
            Err(message) => {
                self.problems.error(&at.span, message);
                None
            }
        }
    }

    fn secret(&self, at: Option<&At<String>>) -> Option<SecretRef> {
        let at = at?;
        SecretRef::parse(&at.value).map_err(|message| self.problems.error(&at.span, message)).ok()
    }

    fn tokens(&self, written: &Written) -> Option<TokenSettings> {
        let at = written.keyring.as_ref()?;
        let path = match self.secret(Some(at))? {
            SecretRef::Env(_) => Err("a keyring changes while logveil runs; expected file: or credential:".to_owned()),
            SecretRef::Credential(name) if !self.around.resolve => Ok(Some(PathBuf::from(name))),
            reference => reference.path(self.around.var),
        };
        match path {
            Ok(path) => {
                let region = written.region.as_ref()?.value.name();
                Some(TokenSettings { path: path?, region, country: written.country })
            }
            Err(message) => {
                self.problems.error(&at.span, message);
                None
            }
        }
    }

    fn proxy(&self, datadog: &Datadog) -> Option<ProxyChoice> {
        let Some(at) = &datadog.proxy else { return Some(ProxyChoice::Environment) };
        if at.value == "none" {
            return Some(ProxyChoice::Never);
        }
        let url = Url::parse(&at.value).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
        match url {
            Some(url) if url.password().is_some() => {
                self.problems.error(&at.span, "a proxy's password does not belong here; use HTTPS_PROXY");
                None
            }
            Some(_) => Some(ProxyChoice::Url(at.value.clone())),
            None => {
                self.problems.error(&at.span, "expected http://host:port, or none");
                None
            }
        }
    }

    fn admin(&self, written: &Written) -> Option<SocketAddr> {
        let Some(at) = &written.admin.listen else { return Some(ADMIN.into()) };
        let Ok(address) = at.value.parse::<SocketAddr>() else {
            self.problems.error_with_help(&at.span, "no address", "expected ip:port, such as 127.0.0.1:8741");
            return None;
        };
        if !address.ip().is_loopback() && !written.admin.expose {
            let help = "listen on 127.0.0.1, or add expose: true";
            self.refuse(&at.span, "the admin endpoints would be open to other hosts", help);
            return None;
        }
        Some(address)
    }

    /// Spans go to this host only, never beside records on standard output: the crate that makes them prints there.
    fn apm(&self, written: &Written) -> Option<Option<apm::Settings>> {
        let default = apm::Settings::default();
        let mut settings = apm::Settings { every: written.apm.sample.unwrap_or(default.every), ..default };
        if let Some(at) = &written.apm.agent {
            let Ok(address) = at.value.parse::<SocketAddr>() else {
                self.problems.error_with_help(&at.span, "no address", "expected ip:port, such as 127.0.0.1:8126");
                return None;
            };
            if !address.ip().is_loopback() {
                let help = "run the Datadog Agent on this host and name its loopback address";
                self.refuse(&at.span, "spans would leave this host unencrypted", help);
                return None;
            }
            settings.agent = address;
        }
        let Some(place) = &written.apm.enabled else { return Some(None) };
        if !apm::BUILT {
            self.problems.error_with_help(place, "this build makes no spans", "build it with the feature apm");
            return None;
        }
        if matches!(written.output, Some(Output::Stdout)) {
            let help = "use output: {datadog: …}, or enabled: false";
            self.problems.error_with_help(place, "spans cannot be made beside output: stdout", help);
            return None;
        }
        Some(Some(settings))
    }

    /// The rules that are asked for, also where something else is wrong. A pack that cannot be told is left out, and
    /// the decisions with it: they may be about rules of that pack.
    pub fn redaction(&self, written: &Written) -> Redaction {
        let (mut packs, mut whole) = (Vec::new(), true);
        let mut seen = HashSet::new();
        for at in &written.redaction.packs {
            if !seen.insert(at.value.as_str()) {
                self.problems.error(&at.span, "this pack is named twice");
            } else if at.value == "builtin" {
                packs.push(PackRef::Builtin);
            } else if at.value.starts_with('/') {
                packs.push(PackRef::Folder(PathBuf::from(&at.value)));
            } else {
                let help = "builtin, or the absolute path of a folder of rule files";
                self.problems.error_with_help(&at.span, format!("'{}' is no pack", at.value), help);
                whole = false;
            }
        }
        if written.redaction.packs.is_empty() {
            packs.push(PackRef::Builtin);
        }
        let policy = if whole { written.redaction.policy.clone() } else { Policy::default() };
        Redaction { packs, policy }
    }
}
