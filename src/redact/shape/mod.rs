//! Shapes: finders for values without a literal of their own (addresses, digit groups, identifiers) and
//! for structures with a telling literal (URL user info). One file a shape, one row each in [`by_name`].
//!
//! A shape is asked once per trigger the prefilter saw, left to right. To stay linear it never looks left
//! of `floor`, and what it read to the right it reports as `resume`: triggers before that are skipped.

use super::finding::Span;
use super::validate::Verdict;

/// What in a text makes the prefilter ask a shape.
#[derive(Clone, Copy, Debug)]
pub enum Trigger {
    /// An at-sign.
    At,
    /// A dot between two digits.
    DottedDigits,
    /// First digit of a run of digits (single `-`, space, dot or slash may join runs) with at least that
    /// many digits in all.
    DigitRun(u8),
    /// A colon next to a hexadecimal digit and within four of another colon.
    HexColon,
    /// First byte of a run of at least 16 token characters `[0-9A-Za-z_-]` (plus `+/=.` inside).
    OpaqueRun,
    /// Any of these literals, exact case.
    Literals(&'static [&'static str]),
    /// Any of these literals, ASCII case folded.
    Words(&'static [&'static str]),
}

/// What a shape answers to one trigger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShapeHit {
    /// What to mask.
    pub span: Span,
    /// How sure the shape is by itself; `Silent` needs the rule's `near` words, `Proves` does not.
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
    /// When to ask.
    pub trigger: Trigger,
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

const TABLE: &[Shape] = &[];
