//! SQL: values whose column is named elsewhere, `INSERT INTO t (email, password) VALUES ('a', 'b')`.

use super::columns::{Column, Columns, Table};
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
    if opened && scope.byte(end) == Some(b')') && scope.has(keyword, b"from stdin") {
        return copied(reader, scope, list..end, name.start);
    }
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

/// `COPY t (id, token) FROM stdin;`: rows of the same columns follow, parted by tabs.
fn copied(reader: &mut Reader<'_>, scope: Scope<'_>, list: std::ops::Range<usize>, start: usize) -> bool {
    let commas = |range: std::ops::Range<usize>| memchr::memchr_iter(b',', &scope.text[range]).count();
    let (index, cells) = (commas(list.start..start), commas(list.clone()) + 1);
    let (Ok(index), Ok(cells)) = (u8::try_from(index), u8::try_from(cells)) else { return false };
    if !reader.paid(list.start, list.end) {
        return true;
    }
    let column = Column { rule: reader.rule, kind: reader.kind, index };
    match reader.cursor.table_mut() {
        Some(table) if table.start == list.start => table.columns.add(column),
        Some(_) => return false,
        None => {
            let line = memchr::memchr(b'\n', &scope.text[list.end..scope.limit]);
            let end = line.map_or(scope.limit, |at| list.end + at);
            let columns = Columns::new(b'\t', cells, &scope.text[list.clone()], column);
            let Scope { nested, limit, .. } = scope;
            reader.cursor.set_table(Table { start: list.start, end, nested, limit, columns });
        }
    }
    true
}

fn is_list_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte >= 0x80 || byte.is_ascii_whitespace() || b"_,.\"`[]\\".contains(byte)
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

/// The number, from zero, of the placeholder `$2` or `?` at `at`.
fn place_of(scope: Scope<'_>, at: usize, name: &[u8]) -> Option<usize> {
    if name == b"?" {
        let before = &scope.text[scope.floor.max(at.saturating_sub(LONGEST_LIST))..at];
        return Some(memchr::memchr_iter(b'?', before).count());
    }
    let digits = name.strip_prefix(b"$")?;
    let number: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (1..=99).contains(&number).then(|| number - 1)
}

/// `… VALUES ($1, $2) -- PARAMETERS: ["x", 7]`: claims the item of the list that is bound to a placeholder.
fn listed(reader: &mut Reader<'_>, scope: Scope<'_>, (place, after): (usize, usize), reach: usize) -> bool {
    const LISTS: [&[u8]; 6] = [b"parameters: [", b"params [", b"params: [", b"bindings: [", b"args [", b"parameters=["];
    let window = &scope.text[after..scope.limit.min(after + reach)];
    let list = memchr::memchr_iter(b'[', window).find(|at| {
        let end = at + 1;
        LISTS.iter().any(|known| end >= known.len() && window[end - known.len()..end].eq_ignore_ascii_case(known))
    });
    let Some(open) = list else { return false };
    let mut at = after + open + 1;
    for _ in 0..place {
        let comma = scope.skip_space(member::value_end(scope, at));
        if scope.byte(comma) != Some(b',') {
            return false;
        }
        at = comma + 1;
    }
    let from = scope.skip_space(at);
    let Some(quote) = quoted::open(scope, from) else { return false };
    let inner = quoted::read(scope, quote);
    if reader.paid(after, inner.after) {
        scalar(reader, scope, inner.start..inner.end, true);
    }
    true
}

/// `token = $1 … parameters: $1 = 'x'`: reads the value that is bound to the placeholder; false when it is none.
pub(crate) fn bound(reader: &mut Reader<'_>, scope: Scope<'_>, place: std::ops::Range<usize>) -> bool {
    const REACH: usize = 4096;
    let name = &scope.text[place.clone()];
    let digits = name.strip_prefix(b"$").unwrap_or_default();
    if let Some(number) = place_of(scope, place.start, name) {
        if listed(reader, scope, (number, place.end), REACH) {
            return true;
        }
        if digits.is_empty() {
            return false;
        }
    }
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
