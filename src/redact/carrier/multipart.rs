//! Form data: `Content-Disposition: form-data; name="password"`, an empty line, the value up to the line's end.
//!
//! Logs write the line ends as they are or as escapes, at any depth of escaping: `\\r\\n\\r\\n`.

use super::carry::{Carry, Open};
use super::member;
use super::reader::Reader;
use super::scalar::scalar;
use super::scope::Scope;

/// Header lines of a part that are skipped, and how long one may be.
pub(crate) const MOST_HEADERS: usize = 4;
const LONGEST_HEADER: usize = 160;

/// Reads the part whose name is the text at `open..after`; false when it is none.
pub(crate) fn part(reader: &mut Reader<'_>, scope: Scope<'_>, open: usize, after: usize) -> bool {
    let named = member::owner(scope, open).is_some_and(|owner| scope.text[owner.name].eq_ignore_ascii_case(b"name"));
    if !named {
        return false;
    }
    let Some(from) = body(scope, after) else { return goes_on(reader, scope, open, after) };
    let end = line_end(scope, from);
    if reader.paid(from, end) {
        scalar(reader, scope, from..end, true);
    }
    true
}

/// `Content-Disposition: form-data; name="password"` at the end of a record: the value stands in a later one.
fn goes_on(reader: &mut Reader<'_>, scope: Scope<'_>, open: usize, after: usize) -> bool {
    const HEADER: &[u8] = b"form-data;";
    let before = &scope.text[scope.floor.max(open.saturating_sub(LONGEST_HEADER))..open];
    let ends = scope.text[after..scope.limit].trim_ascii().is_empty() && !scope.nested;
    let part = ends && memchr::memmem::find(before, HEADER).is_some();
    if part {
        reader.cursor.set_carry(Carry {
            rule: reader.rule,
            kind: reader.kind,
            indent: 0,
            open: Open::Part,
            records: 0,
        });
    }
    part
}

/// The place behind the empty line that ends the headers which go on at `at`.
fn body(scope: Scope<'_>, mut at: usize) -> Option<usize> {
    for _ in 0..MOST_HEADERS {
        let line = Scope { limit: scope.limit.min(at + LONGEST_HEADER), ..scope };
        at = after_break(scope, line_end(line, at))?;
        if let Some(body) = after_break(scope, at) {
            return Some(body);
        }
    }
    None
}

/// The place behind the line end at `at`, written out or as an escape.
fn after_break(scope: Scope<'_>, at: usize) -> Option<usize> {
    let at = after_one(scope, at, b'\r').unwrap_or(at);
    after_one(scope, at, b'\n')
}

fn after_one(scope: Scope<'_>, at: usize, control: u8) -> Option<usize> {
    if scope.byte(at) == Some(control) {
        return Some(at + 1);
    }
    let slashes = scope.backslashes(at);
    let letter = if control == b'\n' { b'n' } else { b'r' };
    (slashes > 0 && scope.byte(at + slashes) == Some(letter)).then_some(at + slashes + 1)
}

/// Where the line that holds `from` ends.
fn line_end(scope: Scope<'_>, from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = scope.byte(at) {
        match byte {
            b'\r' | b'\n' => return at,
            b'\\' => {
                if after_one(scope, at, b'\r').or(after_one(scope, at, b'\n')).is_some() {
                    return at;
                }
                at += scope.backslashes(at);
            }
            _ => at += 1,
        }
    }
    scope.limit
}
