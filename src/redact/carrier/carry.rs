//! A value that is expected in the next record: pretty-printed JSON and YAML blocks that a line-wise source
//! cuts into records.
//!
//! The engine may keep a [`Carry`] per stream and offer it to the next record. It ends by itself: at the
//! first record that is not indented deeper than the key, when the container closes, or after
//! [`LONGEST`] records.

use super::columns::Columns;
use crate::redact::rule::RuleIndex;

/// Records a carried value may reach over.
pub const LONGEST: u16 = 256;

/// What a record left open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Carry {
    /// The rule whose key was seen.
    pub rule: RuleIndex,
    /// How the rule reads its values.
    pub(crate) kind: super::kind::ValueKind,
    /// Bytes of white space before the key's line.
    pub(crate) indent: u16,
    /// What is open.
    pub(crate) open: Open,
    /// Records it has reached over so far.
    pub(crate) records: u16,
}

/// What kind of value a record left open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Open {
    /// Nothing of the value has been seen.
    Value,
    /// The key was a value of `name`: its sibling `value` is expected.
    Sibling,
    /// The headers of a part of form data: its value is the first line behind an empty one.
    Part,
    /// As [`Open::Part`], the empty line has been seen.
    Body,
    /// A text of deeper indented lines.
    Block,
    /// `name: value` lines, deeper indented.
    Mapping,
    /// This many unclosed brackets of an array or object.
    Container(u16),
    /// Values of the placeholders of a statement.
    Bound(Columns),
    /// Settings of a service, deeper indented: its `key` is secret.
    Section,
    /// Rows of a table whose heading was read.
    Columns(Columns),
}

impl Carry {
    /// Placeholders whose values are expected; each has its own rule.
    pub(crate) fn bound(columns: Columns) -> Option<Carry> {
        let first = columns.all().next()?;
        let (rule, kind) = (first.rule, first.kind);
        Some(Carry { rule, kind, indent: 0, open: Open::Bound(columns), records: 0 })
    }

    /// The same under another rule set, in which `number` finds a rule again; nothing if its rules are gone.
    pub(in crate::redact) fn renumbered(self, number: impl Fn(RuleIndex) -> Option<RuleIndex>) -> Option<Carry> {
        let columns = match self.open {
            Open::Bound(columns) | Open::Columns(columns) => columns.renumbered(&number)?,
            _ => return Some(Carry { rule: number(self.rule)?, ..self }),
        };
        let first = columns.all().next()?;
        let open = if matches!(self.open, Open::Bound(_)) { Open::Bound(columns) } else { Open::Columns(columns) };
        Some(Carry { rule: first.rule, kind: first.kind, open, ..self })
    }

    /// Whether a container is open whose scalars are all claimed.
    pub(in crate::redact) fn is_container(&self) -> bool {
        matches!(self.open, Open::Container(_))
    }

    /// Whether a saved position must wait for the end of what is open. The rows of a table have no bound, so they
    /// hold it back for [`LONGEST`] records only.
    pub(in crate::redact) fn holds(&self) -> bool {
        !matches!(self.open, Open::Columns(_)) || self.records < LONGEST
    }
}
