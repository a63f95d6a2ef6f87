//! Shapes: finders for values without a literal of their own (addresses, digit groups, identifiers) and
//! for structures with a telling literal (URL user info). One file a shape family, one row each in
//! [`by_name`].
//!
//! A shape is asked once per trigger the prefilter saw, left to right. To stay linear it never looks left
//! of `floor`, reads a bounded window (or a run that has one trigger only), and what it read to the right
//! of a hit it reports as `resume`: triggers before that are skipped. A prefilter may ask too often, never
//! too rarely: every shape checks the whole structure itself, the cheapest look-alike first.

mod card;
mod edge;
mod email;
mod groups;
mod ipv4;
mod ipv6;
mod mac;
#[cfg(test)]
mod tests;

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
    /// How sure the shape is by itself. `Proves` needs nothing more; `Silent` needs one of the rule's `near`
    /// words or a key; `Refutes` (the form fits, its checksum does not) needs a key, or a `near` word with
    /// nothing but separators between it and the span.
    pub verdict: Verdict,
    /// Triggers of this shape before this offset need not be asked.
    pub resume: u32,
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
        ShapeHit { span: Span::new(start, end), verdict, resume: end as u32 }
    }
}

const TABLE: &[Shape] = &[
    Shape { name: "email", triggers: &[Trigger::At], find: email::find },
    Shape { name: "ipv4", triggers: &[Trigger::DottedDigits], find: ipv4::find },
    Shape { name: "ipv6", triggers: &[Trigger::HexColon], find: ipv6::find },
    Shape { name: "mac", triggers: &[Trigger::HexColon, Trigger::HexPairs], find: mac::find },
    Shape { name: "card", triggers: &[Trigger::DigitRun(12)], find: card::find },
];
