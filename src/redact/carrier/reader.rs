//! The pen of all readers: one rule's claims on one record.

use super::cursor::KeyCursor;
use super::keep;
use super::kind::ValueKind;
use super::labels::Labels;
use super::scope::Scope;
use crate::redact::finding::{Finding, Span};
use crate::redact::rule::RuleIndex;
use std::ops::Range;

/// What a reader needs beside the text: whose value it reads, and where to put what it finds.
pub(crate) struct Reader<'r> {
    /// The rule that asks.
    pub(crate) rule: RuleIndex,
    /// What it asks for.
    pub(crate) kind: ValueKind,
    /// The key was written in the plural: plain numbers are counts.
    pub(crate) plural: bool,
    /// What our own masks look like.
    pub(crate) labels: &'r Labels,
    /// The record's memory.
    pub(crate) cursor: &'r mut KeyCursor,
    /// Where findings go.
    pub(crate) out: &'r mut Vec<Finding>,
}

impl Reader<'_> {
    /// The same pen for values of another rule, or of another kind.
    pub(crate) fn of(&mut self, rule: RuleIndex, kind: ValueKind) -> Reader<'_> {
        Reader { rule, kind, plural: false, labels: self.labels, cursor: self.cursor, out: self.out }
    }

    /// Claims what is secret in a scalar; false when nothing is.
    pub(crate) fn claim(&mut self, scope: Scope<'_>, scalar: Range<usize>, quoted: bool) -> bool {
        let value = &scope.text[scalar.clone()];
        let Some(part) = keep::secret_part(value, quoted, self.labels) else {
            if value.first() == Some(&b'[') {
                self.cursor.set_mask(scalar);
            }
            return false;
        };
        if self.plural && value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
            return false;
        }
        if !self.kind.accepts(&value[part.clone()]) {
            return false;
        }
        self.mask(scalar.start + part.start..scalar.start + part.end);
        true
    }

    /// Claims a range as it is.
    pub(crate) fn mask(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.out.push(Finding { rule: self.rule, span: Span::new(range.start, range.end) });
        }
    }

    /// Pays for what was read from `from` to `to`; a record out of fuel is masked from `from` on.
    pub(crate) fn paid(&mut self, from: usize, to: usize) -> bool {
        let paid = self.cursor.spend(to.saturating_sub(from) + 1);
        if !paid {
            let end = self.cursor.record().end;
            self.mask(from..end);
        }
        paid
    }
}
