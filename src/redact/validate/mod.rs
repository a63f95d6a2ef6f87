//! Named checks: one file a checksum, one row each in [`by_name`].
//!
//! A check gets the candidate as found (separators included) and answers three-valued. A refutation
//! lowers confidence; it never un-masks what a key or strong context claims.

pub(in crate::redact) mod card;
mod digits;
pub(in crate::redact) mod luhn;

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

/// Every known name, for error messages and the catalogue.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

const TABLE: &[(&str, Check)] = &[("card", card::check), ("luhn", luhn::check)];
