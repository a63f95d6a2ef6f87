//! Values of several lines, as YAML writes them: texts and mappings indented deeper than their key.

use super::carry::{Carry, Open};
use super::member;
use super::quoted;
use super::reader::Reader;
use super::scalar::scalar;
use super::scope::Scope;

/// True when a block indicator (`|`, `>-`, `|2+`) stands from `from` to the line's end.
pub(crate) fn block_begins(scope: Scope<'_>, from: usize) -> bool {
    let mut at = from + 1;
    while matches!(scope.byte(at), Some(b'-' | b'+' | b'1'..=b'9')) {
        at += 1;
    }
    matches!(scope.byte(scope.skip_blank(at)), None | Some(b'\r' | b'\n' | b'#'))
}

/// Reads the lines of this record below `from` that are indented deeper than the key's own line.
pub(crate) fn block(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, open: Open) -> usize {
    let indent = indent_of_line(scope, from);
    let mut at = match memchr::memchr(b'\n', &scope.text[from..scope.limit]) {
        Some(line_end) => from + line_end + 1,
        None => {
            leave_open(reader, scope, from, open);
            return scope.limit;
        }
    };
    while at < scope.limit {
        let end = memchr::memchr(b'\n', &scope.text[at..scope.limit]).map_or(scope.limit, |n| at + n);
        let first = scope.skip_blank(at).min(end);
        if first < end && !belongs(scope, at, first, indent) {
            return at;
        }
        match open {
            Open::Mapping => claim_member(reader, scope, first, end),
            _ => claim_text(reader, scope, first, end),
        }
        at = end + 1;
    }
    leave_open(reader, scope, from, open);
    scope.limit
}

/// Whether the line from `line` with its first byte at `first` lies below a key indented by `indent`; items
/// of a list may stand as far left as their key.
pub(crate) fn belongs(scope: Scope<'_>, line: usize, first: usize, indent: usize) -> bool {
    let own = first - line;
    own > indent || (own == indent && scope.has(first, b"- "))
}

/// One line of a text: what it holds without its quotes and list dash.
pub(crate) fn claim_text(reader: &mut Reader<'_>, scope: Scope<'_>, first: usize, end: usize) {
    let from = item_start(scope, first);
    claim_scalar(reader, Scope { limit: end, ..scope }, from);
}

/// One line of a mapping: its value, unless the name only describes; a list item as it is.
pub(crate) fn claim_member(reader: &mut Reader<'_>, scope: Scope<'_>, first: usize, end: usize) {
    let line = Scope { limit: end, ..scope };
    let from = item_start(line, first);
    match member::at_start(line, from) {
        Some(member) if !member::describes(&scope.text[member.name.clone()]) => {
            claim_scalar(reader, line, line.skip_blank(member.value));
        }
        Some(_) => {}
        None if from > first || scope.byte(first) == Some(b'"') => claim_scalar(reader, line, from),
        None => {}
    }
}

/// Whether a line is itself `name: value` or an item of a list.
pub(crate) fn is_member(scope: Scope<'_>, first: usize) -> bool {
    scope.has(first, b"- ") || member::at_start(scope, item_start(scope, first)).is_some()
}

fn item_start(scope: Scope<'_>, first: usize) -> usize {
    if scope.has(first, b"- ") { scope.skip_blank(first + 1) } else { first }
}

/// The scalar from `from` to the line's end.
fn claim_scalar(reader: &mut Reader<'_>, line: Scope<'_>, from: usize) {
    match quoted::open(line, from) {
        Some(quote) => {
            let inner = quoted::read(line, quote);
            scalar(reader, line, inner.start..inner.end, true);
        }
        None => {
            let trimmed = line.text[from.min(line.limit)..line.limit].trim_ascii_end().len();
            scalar(reader, line, from..from + trimmed, false);
        }
    }
}

/// Notes that the value goes on in the next record.
pub(crate) fn leave_open(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize, open: Open) {
    if !scope.nested {
        let indent = indent_of_line(scope, at).min(usize::from(u16::MAX)) as u16;
        reader.cursor.set_carry(Carry { rule: reader.rule, kind: reader.kind, indent, open, records: 0 });
    }
}

/// White space at the start of the line that holds `at`; `- ` of a list counts as white space.
fn indent_of_line(scope: Scope<'_>, at: usize) -> usize {
    let before = &scope.text[scope.floor..at.min(scope.limit)];
    let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    before[line..].iter().take_while(|byte| matches!(**byte, b' ' | b'\t' | b'-')).count()
}
