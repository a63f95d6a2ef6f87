//! A rule as checked: what the loader (`rule_file`) produces and the compiler (`ruleset`) consumes.
//!
//! Invariants the loader has already established: ids are unique within a pack and kebab-case; every
//! rule that masks has at least one positive and one negative test; windows are bounded; anchors are
//! at least four bytes; named checks and shapes exist. Nothing downstream re-checks them.

/// Index of a rule in its compiled set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RuleIndex(pub u16);

/// What kind of thing a rule finds; decides label precedence and policy switches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Passwords, keys, tokens.
    Credential,
    /// Names, e-mail, national ids, customer ids.
    Identity,
    /// IP and MAC addresses.
    Network,
    /// Cards, accounts, tax numbers.
    Financial,
    /// Phones and postal addresses.
    Contact,
    /// Device and advertising identifiers.
    Device,
}

/// How bad a leak would be; the label of a union is the most severe finding's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Pseudonymous or weak evidence.
    Low,
    /// Personal data.
    Medium,
    /// Credentials and financial data.
    High,
}

/// Whether a rule masks or only counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Counts and keeps masked samples; masks nothing.
    Shadow,
    /// Masks.
    Enforce,
}

/// Characters a token may consist of; a span is extended to the end of its run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alphabet {
    /// `0-9`
    Digits,
    /// `0-9a-f`
    Hex,
    /// `0-9A-Fa-f`
    HexAny,
    /// `0-9a-z`
    Base36,
    /// `0-9A-Z`
    Base36Upper,
    /// `A-Z2-7`
    Base32,
    /// `0-9A-Za-z`
    Base62,
    /// `0-9A-Za-z_-`
    Base64Url,
    /// `0-9A-Za-z+/` and trailing `=`
    Base64,
    /// `0-9A-Za-z_-.`: segments joined by dots
    TokenDots,
    /// `0-9A-Za-z_-.~+/=%:`: anything a token may be made of
    Token,
}
