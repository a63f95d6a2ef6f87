//! SQL: values whose column is named elsewhere, `INSERT INTO t (email, password) VALUES ('a', 'b')`.

use super::bound;
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

/// `SELECT 'x' AS password`, `assert "x" == token`: the literal before a name.
pub(crate) fn aliased(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize) -> bool {
    const LONGEST: usize = 512;
    const JOINTS: [&[u8]; 5] = [b"as", b"===", b"==", b"!==", b"!="];
    let word = scope.back_over_space(start);
    let before = &scope.text[scope.floor..word];
    let joint = JOINTS
        .iter()
        .find(|joint| before.len() > joint.len() && before[before.len() - joint.len()..].eq_ignore_ascii_case(joint));
    let Some(joint) = joint.map(|joint| word - joint.len()) else { return false };
    let close = scope.back_over_space(joint);
    if close == joint || close == scope.floor || !matches!(scope.text[close - 1], b'\'' | b'"') {
        return false;
    }
    let quote = scope.text[close - 1];
    let lowest = scope.floor.max(close.saturating_sub(LONGEST));
    let Some(open) = memchr::memrchr(quote, &scope.text[lowest..close - 1]) else { return false };
    reader.paid(lowest + open, start) && reader.claim(scope, lowest + open + 1..close - 1, true)
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
        None if bound::read(reader, scope, from..end.max(from)) => {}
        None => scalar(reader, scope, from..end.max(from), false),
    }
}
