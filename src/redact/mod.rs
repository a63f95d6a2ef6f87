//! The redaction engine: bytes in, spans found, edits out. Pure.
//!
//! One visit of a block of whole records by the prefilter finds literals, key words and class
//! triggers; each hit is verified in a bounded window by one of five forms (anchor, short anchor, key,
//! shape, regex), on the raw record and on every decoded view the bytes ask for; the union of all
//! findings, mapped back to raw bytes, becomes masks. A record is never parsed into a tree and printed
//! again: bytes outside masks are the bytes that were read.

mod anchor;
mod automaton;
pub(crate) mod bits;
mod boundary;
pub mod builtin;
pub mod carrier;
pub mod catalogue;
pub mod census;
mod claims;
mod context;
mod digit_filter;
mod digit_index;
pub mod draft;
pub(crate) mod eight;
pub mod explain;
mod expression;
pub mod filler;
pub mod finding;
mod gate;
mod json_borders;
mod json_number;
mod keep;
pub mod key;
mod letters;
mod long_record;
mod long_runs;
#[cfg(any(test, fuzzing))]
pub mod oracle;
pub mod policy;
mod prefilter;
pub mod reason;
mod redacted;
pub mod redactor;
pub mod rule;
pub mod rule_file;
pub mod rule_lint;
pub mod rule_test;
pub mod ruleset;
mod search;
pub mod selftest;
pub mod shape;
mod simd;
mod steps;
mod trigger;
mod union;
pub mod validate;
pub mod view;
mod words;

#[cfg(test)]
mod engine_tests;
#[cfg(test)]
mod hostile_tests;

pub use long_runs::long_runs;
pub use redactor::{Piece, RawLine, Redacted, Redactor, StreamState, Withheld};
pub use ruleset::RuleSet;
