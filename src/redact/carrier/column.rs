//! SQL: values whose column is named elsewhere, `INSERT INTO t (email, password) VALUES ('a', 'b')`.

use super::member;
use super::quoted;
use super::reader::Reader;
use super::scalar::scalar;
use super::scope::Scope;

/// Bytes of a column list that are looked at.
const LONGEST_LIST: usize = 2048;

/// Reads the values of the column whose name stands at `name`; false when it is no column.
pub(crate) fn values(reader: &mut Reader<'_>, scope: Scope<'_>, name: std::ops::Range<usize>) -> bool {
    if reader.cursor.is_plain_list(name.start) {
        return false;
    }
    let window = scope.floor.max(name.start.saturating_sub(LONGEST_LIST));
    let before = &scope.text[window..name.start];
    let list = name.start - before.iter().rev().take_while(|byte| is_list_byte(byte)).count();
    let after = &scope.text[name.end..scope.limit.min(name.end + LONGEST_LIST)];
    let end = name.end + after.iter().take_while(|byte| is_list_byte(byte)).count();
    let opened = list > window && scope.text[list - 1] == b'(';
    let keyword = scope.skip_space(end + 1);
    // `Key (email, api_key)=(x, y) already exists`
    let compared = scope.has(end, b")=(");
    if !opened || scope.byte(end) != Some(b')') || !(compared || scope.has(keyword, b"values")) {
        reader.cursor.set_plain_list(list..end);
        reader.paid(list, end);
        return false;
    }
    let index = memchr::memchr_iter(b',', &scope.text[list..name.start]).count();
    if reader.paid(list, end) {
        let first = if compared { end + 2 } else { keyword + b"values".len() };
        tuples(reader, scope, first, index);
    }
    true
}

fn is_list_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"_,.\"`[]\\".contains(byte)
}

/// Claims item `index` of every tuple from `at` on.
fn tuples(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize, index: usize) {
    let mut at = scope.skip_space(at);
    while scope.byte(at) == Some(b'(') {
        let tuple = at;
        at += 1;
        let mut item = 0;
        while let Some(byte) = scope.byte(at) {
            if byte == b')' {
                break;
            }
            let from = scope.skip_space(at);
            let end = member::value_end(scope, from);
            if item == index {
                claim_item(reader, scope, from, end);
            }
            let next = scope.skip_space(end);
            if scope.byte(next) == Some(b',') {
                item += 1;
                at = next + 1;
            } else {
                at = next.max(at + 1);
            }
        }
        if !reader.paid(tuple, at) {
            return;
        }
        let comma = scope.skip_space(at + 1);
        at = if scope.byte(comma) == Some(b',') { scope.skip_space(comma + 1) } else { scope.limit };
    }
}

fn claim_item(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, end: usize) {
    // National literals: N'…', E'…'.
    let prefix = usize::from(matches!(scope.byte(from), Some(b'N' | b'E' | b'n' | b'e')));
    match quoted::open(scope, from + prefix).or(quoted::open(scope, from)) {
        Some(quote) => {
            let inner = quoted::read(scope, quote);
            scalar(reader, scope, inner.start..inner.end, true);
        }
        None if bound(reader, scope, from..end.max(from)) => {}
        None => scalar(reader, scope, from..end.max(from), false),
    }
}

/// `token = $1 … parameters: $1 = 'x'`: reads the value that is bound to the placeholder; false when it is none.
pub(crate) fn bound(reader: &mut Reader<'_>, scope: Scope<'_>, place: std::ops::Range<usize>) -> bool {
    const REACH: usize = 4096;
    let name = &scope.text[place.clone()];
    let digits = name.strip_prefix(b"$").unwrap_or_default();
    if digits.is_empty() || digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let window = &scope.text[place.end..scope.limit.min(place.end + REACH)];
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&window[at..], name) {
        at += found + name.len();
        let quote = window[at..].strip_prefix(b" = ").and_then(|_| quoted::open(scope, place.end + at + 3));
        if let Some(quote) = quote {
            let inner = quoted::read(scope, quote);
            if reader.paid(place.end, inner.after) {
                scalar(reader, scope, inner.start..inner.end, true);
            }
            return true;
        }
    }
    reader.paid(place.end, place.end + window.len());
    true
}
