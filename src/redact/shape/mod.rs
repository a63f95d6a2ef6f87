//! Shapes: finders for values without a literal of their own (addresses, digit groups, identifiers) and
//! for structures with a telling literal (URL user info). One file a shape family, one row each in
//! [`by_name`].
//!
//! A shape is asked once per trigger the prefilter saw, left to right. To stay linear it never looks left
//! of `floor`, reads a bounded window (or a run that has one trigger only), and what it read to the right
//! of a hit it reports as `resume`: triggers before that are skipped. A prefilter may ask too often, never
//! too rarely: every shape checks the whole structure itself, the cheapest look-alike first.

mod birth_date;
mod card;
mod coins;
mod digit_ids;
mod edge;
mod email;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod groups;
mod iban;
mod ipv4;
mod ipv6;
pub(crate) mod key_block;
mod letter_ids;
mod mac;
mod named_token;
mod names;
mod otp;
mod phone;
mod places;
mod postal;
mod prefixed_token;
mod refuted;
mod services;
mod spelled_email;
pub(in crate::redact) mod start;
#[cfg(test)]
mod tests;
mod tokens;
mod tracks;
mod user_path;
mod userinfo;

pub(in crate::redact) use refuted::refuted;

use super::finding::Span;
use super::validate::Verdict;

/// What in a text makes the prefilter ask a shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// An at-sign. `at`: the at-sign.
    At,
    /// A dot between two digits, with two more such dots at most eight bytes on. `at`: the first dot.
    DottedDigits,
    /// The first digit of a group of digits (the byte before it is no digit) such that at least this many
    /// of the next 32 bytes are digits. Groups may be joined by spaces, dashes, dots, slashes, no-break
    /// spaces, letters: the shape sorts that out. `at`: that first digit; every group start is asked.
    DigitRun(u8),
    /// A colon with another colon at most five bytes on, and a hexadecimal digit next to either. `at`: the
    /// colon; every such colon is asked, so that `addr:00:00:5e…` is not missed by its label's colon.
    HexColon,
    /// Three dashes with two hexadecimal digits between each two (`00-00-5e-00-…`), or two dots with four
    /// hexadecimal digits between them (`0000.5e00.5301`). `at`: the first dash or dot.
    HexPairs,
    /// First byte of a run of at least 16 token characters `[0-9A-Za-z_-]` (plus `+/=.` inside).
    OpaqueRun,
    /// Any of these literals, exact case. `at`: the literal's first byte.
    Literals(&'static [&'static str]),
    /// Any of these literals, ASCII case folded. `at`: the literal's first byte.
    Words(&'static [&'static str]),
}

/// What a shape answers to one trigger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShapeHit {
    /// What to mask.
    pub span: Span,
    /// How sure the shape is by itself: `Proves` needs nothing more, `Silent` needs one of the rule's `near`
    /// words or a key. Never `Refutes`: what contradicts its own check is no hit.
    pub verdict: Verdict,
    /// Triggers of this shape before this offset need not be asked.
    pub resume: u32,
    /// What stands beside it names it, as a key would: no `keep` rule speaks against it.
    pub named: bool,
}

/// `find(text, at, floor)`: `at` is the trigger's offset, nothing left of `floor` may be read.
pub type FindShape = fn(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit>;

/// A named shape.
#[derive(Clone, Copy)]
pub struct Shape {
    /// As rule files spell it.
    pub name: &'static str,
    /// When to ask: any of these.
    pub triggers: &'static [Trigger],
    /// Lengths of the first run of digits at a [`Trigger::DigitRun`] for which the shape is asked, one bit each.
    pub first_runs: u32,
    /// Whom to ask.
    pub find: FindShape,
}

/// The shape of that name, as rule files spell it.
pub fn by_name(name: &str) -> Option<&'static Shape> {
    TABLE.iter().find(|shape| shape.name == name)
}

/// Every known name, for error messages and the catalogue.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|shape| shape.name)
}

impl ShapeHit {
    /// A hit on `start..end`; the shape need not be asked again before `end`.
    fn new(start: usize, end: usize, verdict: Verdict) -> ShapeHit {
        ShapeHit { span: Span::new(start, end), verdict, resume: end as u32, named: false }
    }
}

/// The first run of digits says nothing.
const ANY_RUN: u32 = u32::MAX;

const TABLE: &[Shape] = &[
    Shape {
        name: "key-block",
        triggers: &[Trigger::Literals(key_block::LITERALS)],
        first_runs: ANY_RUN,
        find: key_block::find,
    },
    // Addresses of people and machines.
    Shape { name: "email", triggers: &[Trigger::At], first_runs: ANY_RUN, find: email::find },
    Shape {
        name: "email-spelled",
        triggers: &[Trigger::Words(spelled_email::SIGNS)],
        first_runs: ANY_RUN,
        find: spelled_email::find,
    },
    Shape { name: "ipv4", triggers: &[Trigger::DottedDigits], first_runs: ANY_RUN, find: ipv4::find },
    Shape { name: "ipv6", triggers: &[Trigger::HexColon], first_runs: ANY_RUN, find: ipv6::find },
    Shape { name: "mac", triggers: &[Trigger::HexColon, Trigger::HexPairs], first_runs: ANY_RUN, find: mac::find },
    Shape {
        name: "ip-hostname",
        triggers: &[Trigger::Literals(places::HOST_PREFIXES)],
        first_runs: ANY_RUN,
        find: places::ip_hostname,
    },
    // Money.
    Shape { name: "card", triggers: &[Trigger::DigitRun(12)], first_runs: ANY_RUN, find: card::find },
    Shape { name: "track-data", triggers: &[Trigger::DigitRun(16)], first_runs: ANY_RUN, find: tracks::find },
    Shape { name: "bitcoin-address", triggers: &[Trigger::OpaqueRun], first_runs: ANY_RUN, find: coins::bitcoin },
    Shape { name: "iban", triggers: &[Trigger::DigitRun(10)], first_runs: ANY_RUN, find: iban::find },
    Shape {
        name: "nrb",
        triggers: &[Trigger::DigitRun(26)],
        first_runs: digit_ids::NRB.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::NRB, text, at, floor),
    },
    Shape {
        name: "aba-routing",
        triggers: &[Trigger::DigitRun(9)],
        first_runs: digit_ids::ABA.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::ABA, text, at, floor),
    },
    Shape { name: "vat", triggers: &[Trigger::DigitRun(8)], first_runs: ANY_RUN, find: letter_ids::vat },
    // Contact.
    Shape { name: "phone-e164", triggers: &[Trigger::DigitRun(8)], first_runs: ANY_RUN, find: phone::e164 },
    Shape { name: "phone-national", triggers: &[Trigger::DigitRun(7)], first_runs: ANY_RUN, find: phone::national },
    Shape {
        name: "postal-address",
        triggers: &[Trigger::Literals(postal::BEFORE), Trigger::Literals(postal::WITHIN)],
        first_runs: ANY_RUN,
        find: postal::address,
    },
    Shape {
        name: "postcode-city",
        triggers: &[Trigger::DigitRun(5)],
        first_runs: ANY_RUN,
        find: postal::postcode_city,
    },
    Shape { name: "uk-postcode", triggers: &[Trigger::DigitRun(2)], first_runs: ANY_RUN, find: postal::uk_postcode },
    Shape {
        name: "geo-coordinates",
        triggers: &[Trigger::Words(&["geo:"]), Trigger::DigitRun(8)],
        first_runs: ANY_RUN,
        find: places::coordinates,
    },
    // Persons.
    Shape {
        name: "salutation-name",
        triggers: &[Trigger::Literals(names::SALUTATIONS)],
        first_runs: ANY_RUN,
        find: names::salutation,
    },
    Shape { name: "name-beside", triggers: &[], first_runs: ANY_RUN, find: names::beside_data },
    Shape { name: "display-name", triggers: &[Trigger::At], first_runs: ANY_RUN, find: names::display },
    Shape { name: "birth-date", triggers: &[Trigger::DigitRun(5)], first_runs: ANY_RUN, find: birth_date::find },
    Shape {
        name: "user-path",
        triggers: &[Trigger::Literals(user_path::HOMES)],
        first_runs: ANY_RUN,
        find: user_path::find,
    },
    // Poland.
    Shape {
        name: "pesel",
        triggers: &[Trigger::DigitRun(11)],
        first_runs: digit_ids::PESEL.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::PESEL, text, at, floor),
    },
    Shape { name: "nip", triggers: &[Trigger::DigitRun(10)], first_runs: ANY_RUN, find: digit_ids::nip },
    Shape {
        name: "regon",
        triggers: &[Trigger::DigitRun(9)],
        first_runs: digit_ids::REGON.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::REGON, text, at, floor),
    },
    Shape {
        name: "pl-id-card",
        triggers: &[Trigger::DigitRun(6)],
        first_runs: ANY_RUN,
        find: letter_ids::polish_id_card,
    },
    Shape {
        name: "pl-passport",
        triggers: &[Trigger::DigitRun(7)],
        first_runs: ANY_RUN,
        find: letter_ids::polish_passport,
    },
    // Western Europe.
    Shape {
        name: "de-tax-id",
        triggers: &[Trigger::DigitRun(11)],
        first_runs: digit_ids::DE_TAX_ID.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::DE_TAX_ID, text, at, floor),
    },
    Shape {
        name: "de-id-card",
        triggers: &[Trigger::DigitRun(5)],
        first_runs: ANY_RUN,
        find: letter_ids::german_id_card,
    },
    Shape {
        name: "fr-nir",
        triggers: &[Trigger::DigitRun(15)],
        first_runs: digit_ids::FR_NIR.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::FR_NIR, text, at, floor),
    },
    Shape { name: "es-dni", triggers: &[Trigger::DigitRun(8)], first_runs: ANY_RUN, find: letter_ids::spanish_dni },
    Shape { name: "es-nie", triggers: &[Trigger::DigitRun(7)], first_runs: ANY_RUN, find: letter_ids::spanish_nie },
    Shape { name: "es-cif", triggers: &[Trigger::DigitRun(7)], first_runs: ANY_RUN, find: letter_ids::spanish_cif },
    Shape {
        name: "it-codice-fiscale",
        triggers: &[Trigger::DigitRun(7)],
        first_runs: ANY_RUN,
        find: letter_ids::codice_fiscale,
    },
    Shape {
        name: "it-partita-iva",
        triggers: &[Trigger::DigitRun(11)],
        first_runs: digit_ids::IT_PIVA.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::IT_PIVA, text, at, floor),
    },
    Shape {
        name: "nl-bsn",
        triggers: &[Trigger::DigitRun(9)],
        first_runs: digit_ids::NL_BSN.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::NL_BSN, text, at, floor),
    },
    Shape {
        name: "be-national-number",
        triggers: &[Trigger::DigitRun(11)],
        first_runs: digit_ids::BE_NATIONAL.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::BE_NATIONAL, text, at, floor),
    },
    Shape {
        name: "pt-nif",
        triggers: &[Trigger::DigitRun(9)],
        first_runs: digit_ids::PT_NIF.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::PT_NIF, text, at, floor),
    },
    Shape {
        name: "at-svnr",
        triggers: &[Trigger::DigitRun(10)],
        first_runs: digit_ids::AT_SVNR.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::AT_SVNR, text, at, floor),
    },
    Shape {
        name: "ch-ahv",
        triggers: &[Trigger::DigitRun(13)],
        first_runs: digit_ids::CH_AHV.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::CH_AHV, text, at, floor),
    },
    // Northern and eastern Europe, India.
    Shape {
        name: "dk-cpr",
        triggers: &[Trigger::DigitRun(10)],
        first_runs: digit_ids::DK_CPR.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::DK_CPR, text, at, floor),
    },
    Shape {
        name: "se-personnummer",
        triggers: &[Trigger::DigitRun(10)],
        first_runs: digit_ids::SE_PERSONNUMMER.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::SE_PERSONNUMMER, text, at, floor),
    },
    Shape {
        name: "no-fnr",
        triggers: &[Trigger::DigitRun(11)],
        first_runs: digit_ids::NO_FNR.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::NO_FNR, text, at, floor),
    },
    Shape { name: "fi-hetu", triggers: &[Trigger::DigitRun(9)], first_runs: ANY_RUN, find: letter_ids::finnish_hetu },
    Shape {
        name: "cz-birth-number",
        triggers: &[Trigger::DigitRun(9)],
        first_runs: digit_ids::CZ_BIRTH_NUMBER.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::CZ_BIRTH_NUMBER, text, at, floor),
    },
    Shape {
        name: "ro-cnp",
        triggers: &[Trigger::DigitRun(13)],
        first_runs: digit_ids::RO_CNP.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::RO_CNP, text, at, floor),
    },
    Shape {
        name: "gr-afm",
        triggers: &[Trigger::DigitRun(9)],
        first_runs: digit_ids::GR_AFM.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::GR_AFM, text, at, floor),
    },
    Shape {
        name: "in-aadhaar",
        triggers: &[Trigger::DigitRun(12)],
        first_runs: digit_ids::IN_AADHAAR.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::IN_AADHAAR, text, at, floor),
    },
    // English-speaking countries.
    Shape {
        name: "uk-nhs",
        triggers: &[Trigger::DigitRun(10)],
        first_runs: digit_ids::NHS.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::NHS, text, at, floor),
    },
    Shape { name: "uk-nino", triggers: &[Trigger::DigitRun(6)], first_runs: ANY_RUN, find: letter_ids::nino },
    Shape { name: "ie-pps", triggers: &[Trigger::DigitRun(7)], first_runs: ANY_RUN, find: letter_ids::irish_pps },
    Shape {
        name: "us-ssn",
        triggers: &[Trigger::DigitRun(9)],
        first_runs: digit_ids::SSN.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::SSN, text, at, floor),
    },
    Shape {
        name: "us-itin",
        triggers: &[Trigger::DigitRun(9)],
        first_runs: digit_ids::ITIN.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::ITIN, text, at, floor),
    },
    Shape {
        name: "us-ein",
        triggers: &[Trigger::DigitRun(9)],
        first_runs: digit_ids::EIN.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::EIN, text, at, floor),
    },
    Shape {
        name: "us-npi",
        triggers: &[Trigger::DigitRun(10)],
        first_runs: digit_ids::NPI.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::NPI, text, at, floor),
    },
    // Devices and tokens.
    Shape {
        name: "imei",
        triggers: &[Trigger::DigitRun(15)],
        first_runs: digit_ids::IMEI.first_runs(),
        find: |text, at, floor| digit_ids::find(&digit_ids::IMEI, text, at, floor),
    },
    Shape { name: "uuid", triggers: &[Trigger::OpaqueRun], first_runs: ANY_RUN, find: tokens::uuid },
    Shape { name: "prefixed-token", triggers: &[Trigger::OpaqueRun], first_runs: ANY_RUN, find: prefixed_token::find },
    Shape { name: "named-token", triggers: &[Trigger::OpaqueRun], first_runs: ANY_RUN, find: named_token::find },
    Shape { name: "jwt", triggers: &[Trigger::Literals(tokens::HEADERS)], first_runs: ANY_RUN, find: tokens::json_web },
    Shape { name: "otp-code", triggers: &[Trigger::Words(otp::PHRASES)], first_runs: ANY_RUN, find: otp::find },
    // Passwords in addresses of services.
    Shape {
        name: "url-password",
        triggers: &[Trigger::Literals(userinfo::SCHEME_ENDS)],
        first_runs: ANY_RUN,
        find: userinfo::url,
    },
    Shape {
        name: "dsn-password",
        triggers: &[Trigger::Literals(userinfo::DSN_HOSTS)],
        first_runs: ANY_RUN,
        find: userinfo::dsn,
    },
    Shape {
        name: "pgpass-password",
        triggers: &[Trigger::Literals(userinfo::PGPASS_PORTS)],
        first_runs: ANY_RUN,
        find: userinfo::pgpass,
    },
];
