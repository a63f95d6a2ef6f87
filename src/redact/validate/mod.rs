//! Named checks: one file a checksum or a family of them, one row each in [`by_name`].
//!
//! A check gets the candidate as found (separators included) and answers three-valued. A refutation
//! lowers confidence; it never un-masks what a key or strong context claims. Which checks may prove was
//! decided by how often random ids, times and hashes pass them: modulus 10, 11 and 23 over plain digits
//! never do.

pub(in crate::redact) mod card;
pub(in crate::redact) mod coin;
pub(in crate::redact) mod content;
pub(in crate::redact) mod date;
pub(in crate::redact) mod device;
mod digits;
pub(in crate::redact) mod english_ids;
pub(in crate::redact) mod iban;
pub(in crate::redact) mod jwt;
pub(in crate::redact) mod luhn;
pub(in crate::redact) mod nip;
pub(in crate::redact) mod northern_eastern_ids;
pub(in crate::redact) mod pesel;
pub(in crate::redact) mod polish_documents;
pub(in crate::redact) mod regon;
pub(in crate::redact) mod token_suffix;
pub(in crate::redact) mod vat;
pub(in crate::redact) mod western_ids;

/// What a check says of a candidate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The structure proves it.
    Proves,
    /// The structure contradicts it.
    Refutes,
    /// The check cannot tell: it fits, but so would too many other values, or the form is not known.
    Silent,
}

/// A named check over candidate bytes; pure, allocation-free, linear.
pub type Check = fn(&[u8]) -> Verdict;

/// The check of that name, as rule files spell it.
pub fn by_name(name: &str) -> Option<Check> {
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
}

/// True for a demand on what a value is made of. A value that fails a demand is none, however strong its
/// anchor; a failed checksum only lowers confidence.
pub fn is_demand(name: &str) -> bool {
    const DEMANDS: &[&str] = &[
        "entropy",
        "has-digit",
        "has-letter",
        "chosen",
        "mixed-case",
        "hex",
        "not-hex",
        "digits",
        "not-digits",
        "not-uuid",
        "uuid-suffix",
        "random-part",
        "ip-integer",
    ];
    DEMANDS.contains(&name)
}

/// Every known name, for error messages and the catalogue.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

const TABLE: &[(&str, Check)] = &[
    // Money.
    ("luhn", luhn::check),
    ("card", card::check),
    ("iban", iban::check),
    ("nrb", iban::domestic_polish),
    ("aba-routing", english_ids::aba_routing),
    ("vat", vat::check),
    ("bitcoin", coin::bitcoin),
    // Poland.
    ("pesel", pesel::check),
    ("nip", nip::check),
    ("regon", regon::check),
    ("pl-id-card", polish_documents::identity_card),
    ("pl-passport", polish_documents::passport),
    // Western Europe.
    ("de-tax-id", western_ids::german_tax_id),
    ("de-id-card", western_ids::german_identity_card),
    ("fr-nir", western_ids::french_nir),
    ("es-dni", western_ids::spanish_dni),
    ("es-nie", western_ids::spanish_nie),
    ("es-cif", western_ids::spanish_cif),
    ("it-codice-fiscale", western_ids::codice_fiscale),
    ("it-partita-iva", western_ids::partita_iva),
    ("nl-bsn", western_ids::dutch_bsn),
    ("be-national-number", western_ids::belgian_national_number),
    ("pt-nif", western_ids::portuguese_nif),
    ("at-svnr", western_ids::austrian_svnr),
    ("ch-ahv", western_ids::swiss_ahv),
    // Northern and eastern Europe, India.
    ("dk-cpr", northern_eastern_ids::danish_cpr),
    ("se-personnummer", northern_eastern_ids::swedish_personnummer),
    ("no-fnr", northern_eastern_ids::norwegian_fnr),
    ("fi-hetu", northern_eastern_ids::finnish_hetu),
    ("cz-birth-number", northern_eastern_ids::birth_number),
    ("ro-cnp", northern_eastern_ids::romanian_cnp),
    ("gr-afm", northern_eastern_ids::greek_afm),
    ("in-aadhaar", northern_eastern_ids::aadhaar),
    // English-speaking countries.
    ("uk-nhs", english_ids::nhs),
    ("uk-nino", english_ids::nino),
    ("ie-pps", english_ids::irish_pps),
    ("us-ssn", english_ids::ssn),
    ("us-itin", english_ids::itin),
    ("us-ein", english_ids::ein),
    ("us-npi", english_ids::npi),
    ("us-dea", english_ids::dea),
    // Devices, vehicles, documents.
    ("imei", device::imei),
    ("vin", device::vin),
    ("mrz", device::machine_readable_zone),
    ("mac", content::mac),
    ("ip-integer", content::ip_integer),
    ("uuid", content::uuid),
    ("not-uuid", content::not_uuid),
    ("uuid-suffix", content::uuid_suffix),
    ("random-part", content::random_part),
    // Tokens.
    ("github-crc", token_suffix::github),
    ("atlassian-crc", token_suffix::atlassian),
    ("jwt", jwt::check),
    ("entropy", content::entropy),
    ("has-digit", content::has_digit),
    ("chosen", content::chosen),
    ("has-letter", content::has_letter),
    ("mixed-case", content::mixed_case),
    ("hex", content::hex),
    ("not-hex", content::not_hex),
    ("digits", content::digits),
    ("not-digits", content::not_digits),
    // Dates and places.
    ("date", date::check),
    ("degree", content::degree),
];

/// Asserts one verdict over a list of candidates; the tables of good and bad values use it.
#[cfg(test)]
fn assert_verdicts(check: Check, wanted: Verdict, candidates: &[&str]) {
    for candidate in candidates {
        assert_eq!(check(candidate.as_bytes()), wanted, "{candidate}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_unique() {
        let mut all: Vec<_> = names().collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(by_name("pesel").is_some() && by_name("nonsense").is_none());
    }

    proptest! {
        #[test]
        fn no_check_panics(candidate in proptest::collection::vec(any::<u8>(), 0..64)) {
            for (_, check) in TABLE {
                check(&candidate);
            }
        }

        #[test]
        fn no_check_panics_on_likely_text(candidate in "[A-Z0-9a-z<. /+-]{0,44}") {
            for (_, check) in TABLE {
                check(candidate.as_bytes());
            }
        }
    }
}
