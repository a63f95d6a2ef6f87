//! Tables whose first row names the columns: CSV, TSV and Markdown, in one record or a row a record.
//!
//! Invariants: a row is claimed only when it has exactly as many cells as the heading; one table a record;
//! the rows are read once, after all names of the heading are known ([`below`]).

use super::carry::{Carry, Open};
use super::columns::{Column, Columns, Table};
use super::cursor::KeyCursor;
use super::kind::{self, ValueKind};
use super::labels::Labels;
use super::quoted;
use super::reader::Reader;
use super::scalar;
use super::scope::Scope;
use crate::redact::finding::Finding;
use crate::redact::rule::RuleIndex;
use std::ops::Range;

/// Bytes of a heading that are looked at on either side of a name.
const LONGEST_HEADING: usize = 1024;
const LONGEST_NAME: usize = 40;

/// Notes the column that the name at `start..end` heads; false when it stands in no heading.
pub(crate) fn heading(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize, end: usize) -> bool {
    let Some(sign) = sign_beside(scope, start, end).filter(|_| !is_value(scope, start)) else { return false };
    // A line of many names is read once, not once a name.
    if reader.cursor.is_plain_row(sign, scope.nested, start) {
        return false;
    }
    let found = row_around(scope, start, end);
    // Of a row that begins out of reach, the rest is no heading either.
    let row = found.clone().unwrap_or_else(|| start..line_end(within_reach(scope, start), start));
    if !reader.paid(row.start, row.end) {
        return true;
    }
    let placed = found.and_then(|row| place(scope, &row, sign, start));
    let Some((index, cells)) = placed else {
        reader.cursor.set_plain_row(sign, scope.nested, row);
        return false;
    };
    let column = Column { rule: reader.rule, kind: reader.kind, index };
    match reader.cursor.table_mut() {
        Some(table) if table.start == row.start => table.columns.add(column),
        Some(_) => return false,
        None => {
            let columns = Columns::new(sign, cells, &scope.text[row.clone()], column);
            let Scope { nested, limit, .. } = scope;
            reader.cursor.set_table(Table { start: row.start, end: row.end, nested, limit, columns });
        }
    }
    true
}

/// Claims the cells under the heading that was noted; what goes on in the next record is left open.
pub(crate) fn below(reader: &mut Reader<'_>, whole: Scope<'_>, table: Table) {
    let scope = Scope { limit: table.limit, nested: table.nested, ..whole };
    let goes_on = claim_rows(reader, scope, table.end, table.columns);
    if goes_on && !table.nested {
        let open = Open::Columns(table.columns);
        reader.cursor.set_carry(Carry { rule: reader.rule, kind: reader.kind, indent: 0, open, records: 0 });
    }
}

/// Claims the cells of a record that follows the heading's; true when it was such a row.
pub(crate) fn resume(reader: &mut Reader<'_>, scope: Scope<'_>, columns: Columns) -> bool {
    claim_rows(reader, scope, scope.floor, columns)
}

/// Claims row after row from `at` on; true when nothing but rows stands there.
fn claim_rows(reader: &mut Reader<'_>, scope: Scope<'_>, mut at: usize, columns: Columns) -> bool {
    while at < scope.limit {
        let from = skip_line_end(scope, at);
        let end = line_end(scope, from);
        let row = &scope.text[from..end.max(from)];
        if !row.is_empty() && !is_rule(row) && !columns.is_heading(row) {
            let inside = Scope { limit: end, ..scope };
            let cells = Cells { scope: inside, at: Some(from), sign: columns.sign };
            if !is_row(cells, &columns) || !reader.paid(from, end) {
                return false;
            }
            let cells = Cells { scope: inside, at: Some(from), sign: columns.sign };
            cells.enumerate().for_each(|(index, cell)| claim(reader, inside, &columns, index, cell));
        }
        at = end.max(at + 1);
    }
    true
}

/// Whether a line has the cells of the heading, written as its kind of table writes them.
fn is_row(cells: Cells<'_>, columns: &Columns) -> bool {
    let (text, listed) = (cells.scope.text, matches!(columns.sign, b',' | b';'));
    let mut count = 0;
    let plain = cells.enumerate().all(|(index, cell)| {
        count += 1;
        !(listed && index > 0 && text[cell].first().is_some_and(|byte| matches!(byte, b' ' | b'\t')))
    });
    plain && count == usize::from(columns.cells)
}

fn claim(reader: &mut Reader<'_>, scope: Scope<'_>, columns: &Columns, index: usize, cell: Range<usize>) {
    for column in columns.of(index) {
        reader.cursor.set_cell(cell.clone());
        let mut from = cell.start;
        if index == 0 && columns.sign != b'|' {
            // What a logger writes before a line ends in white space.
            let blank = scope.text[cell.clone()].iter().rposition(|byte| matches!(byte, b' ' | b'\t'));
            from += blank.map_or(0, |at| at + 1);
        }
        let within = Scope { limit: cell.end, ..scope };
        scalar::item(&mut reader.of(column.rule, column.kind), within, from, cell.end);
    }
}

/// `api_key,x` as a whole line: a name and its value. Only a random-looking value is one.
pub(crate) fn pair(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize, end: usize) -> bool {
    let Some(sign @ (b',' | b';')) = scope.byte(end) else { return false };
    if start > scope.floor && !matches!(scope.text[start - 1], b'\n' | b'n' | b'"') {
        return false;
    }
    let Some(row) = row_around(scope, start, end) else { return false };
    let value = end + 1..row.end;
    let text = &scope.text[value.clone()];
    let alone = row.start == start && !text.contains(&sign) && text.len() <= LONGEST_HEADING;
    alone && kind::is_opaque(text) && reader.paid(start, row.end) && reader.claim(scope, value, false)
}

/// An empty reader of a table's cells.
pub(crate) fn reader<'r>(labels: &'r Labels, cursor: &'r mut KeyCursor, out: &'r mut Vec<Finding>) -> Reader<'r> {
    Reader { rule: RuleIndex(0), kind: ValueKind::Any, plural: false, labels, cursor, out }
}

/// The sign that parts the cell of a name from the next, or from the one before.
fn sign_beside(scope: Scope<'_>, start: usize, end: usize) -> Option<u8> {
    let blank = |byte: &u8| *byte == b' ';
    let after = end + scope.text[end.min(scope.limit)..scope.limit].iter().take_while(|byte| blank(byte)).count();
    let before = start - scope.text[scope.floor..start].iter().rev().take_while(|byte| blank(byte)).count();
    let sign = |byte: u8| matches!(byte, b'|' | b',' | b';' | b'\t').then_some(byte);
    let spaced = |byte: u8| byte == b'|';
    let next = scope.byte(after).and_then(sign).filter(|byte| spaced(*byte) || after == end);
    next.or_else(|| {
        let last = match scope.byte(after) {
            Some(b'\\') => line_ends_escaped(scope, after),
            other => other.is_none_or(|byte| matches!(byte, b'\n' | b'\r' | b'"')),
        };
        let previous = (before > scope.floor).then(|| scope.text[before - 1]).and_then(sign);
        previous.filter(|byte| last && (spaced(*byte) || before == start))
    })
}

/// Whether the backslashes at `at` write a line end, and not a quote.
fn line_ends_escaped(scope: Scope<'_>, at: usize) -> bool {
    let rest = &scope.text[at..scope.limit];
    let letter = rest.iter().take(8).find(|byte| **byte != b'\\');
    letter.is_some_and(|byte| matches!(byte, b'n' | b'r'))
}

/// Whether a sign of assignment stands before a name: then it is no cell.
fn is_value(scope: Scope<'_>, start: usize) -> bool {
    let before = scope.text[scope.floor..start].iter().rev().find(|byte| **byte != b' ');
    matches!(before, Some(b':' | b'='))
}

/// The row that holds a name; `None` when it begins too far away.
fn row_around(scope: Scope<'_>, start: usize, end: usize) -> Option<Range<usize>> {
    let floor = scope.floor.max(start.saturating_sub(LONGEST_HEADING));
    let before = &scope.text[floor..start];
    let escaped = if scope.nested { memchr::memmem::rfind(before, b"\\n").map(|at| at + 2) } else { None };
    // A nested scope knows its end only: the string begins behind the nearest quote.
    let opened = if scope.nested { memchr::memrchr(b'"', before).map(|at| at + 1) } else { None };
    let line = memchr::memrchr(b'\n', before).map(|at| at + 1);
    let begins = [escaped, opened, line].into_iter().flatten().max().or((floor == scope.floor).then_some(0))?;
    Some(floor + begins..line_end(within_reach(scope, end), end))
}

fn within_reach(scope: Scope<'_>, at: usize) -> Scope<'_> {
    Scope { limit: scope.limit.min(at + LONGEST_HEADING), ..scope }
}

/// The end of the line that goes on at `at`: a line end, written out or escaped inside a string.
fn line_end(scope: Scope<'_>, at: usize) -> usize {
    let rest = &scope.text[at.min(scope.limit)..scope.limit];
    let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    let escaped = if scope.nested { escaped_line_end(&rest[..end]) } else { None };
    at + escaped.unwrap_or(end)
}

fn escaped_line_end(rest: &[u8]) -> Option<usize> {
    let newline = memchr::memmem::find(rest, b"\\n");
    let carriage = newline.filter(|at| *at >= 2 && rest[at - 2..].starts_with(b"\\r"));
    carriage.map(|at| at - 2).or(newline)
}

fn skip_line_end(scope: Scope<'_>, mut at: usize) -> usize {
    while let Some(byte) = scope.byte(at) {
        match byte {
            b'\n' | b'\r' => at += 1,
            b'\\' if scope.nested && matches!(scope.byte(at + 1), Some(b'n' | b'r')) => at += 2,
            _ => break,
        }
    }
    at
}

/// `|---|:--:|`, `-----+-----`: what stands between a heading and its rows.
fn is_rule(line: &[u8]) -> bool {
    line.iter().all(|byte| b"-=+|: \t".contains(byte)) && line.iter().any(|byte| matches!(byte, b'-' | b'='))
}

/// The number of the cell that holds `start`, and of all cells, when every cell of the row reads as a name.
fn place(scope: Scope<'_>, row: &Range<usize>, sign: u8, start: usize) -> Option<(u8, u8)> {
    let inside = Scope { limit: row.end, ..scope };
    let (mut index, mut count) = (None, 0usize);
    let last = || Cells { scope: inside, at: Some(row.start), sign }.count() - 1;
    for (at, cell) in (Cells { scope: inside, at: Some(row.start), sign }).enumerate() {
        let text = unquoted(&scope.text[cell.clone()]);
        let outer = sign == b'|' && text.is_empty() && (at == 0 || at == last());
        // A logger's prefix may stand before the first name.
        if !outer && at > 0 && !is_name(text, sign) {
            return None;
        }
        if cell.contains(&start) {
            index = Some(at);
        }
        count += 1;
    }
    let fewest = if sign == b'|' { 2 } else { 3 };
    let fits = count >= fewest && count <= usize::from(u8::MAX);
    Some((u8::try_from(index?).ok()?, count as u8)).filter(|_| fits)
}

fn unquoted(cell: &[u8]) -> &[u8] {
    let quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\' | b'`');
    let from = cell.iter().take_while(|byte| quote(byte)).count();
    let to = cell.len() - cell.iter().rev().take_while(|byte| quote(byte)).count();
    &cell[from.min(to)..to.max(from.min(to))]
}

/// Whether a cell reads as the name of a column.
fn is_name(cell: &[u8], sign: u8) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80;
    let first = cell.first().is_some_and(|byte| letter(*byte) || matches!(byte, b'#' | b'_'));
    let spaced = |byte: u8| byte == b' ' && (sign != b',' || !cell.starts_with(b" "));
    let named = |byte: &u8| letter(*byte) || byte.is_ascii_digit() || b"_-./()".contains(byte) || spaced(*byte);
    let digits = cell.iter().filter(|byte| byte.is_ascii_digit()).count();
    first && cell.len() <= LONGEST_NAME && digits <= 2 && cell.iter().all(named)
}

/// The cells of a row, without the blanks around them; a quoted cell may hold the sign.
struct Cells<'t> {
    scope: Scope<'t>,
    at: Option<usize>,
    sign: u8,
}

impl Iterator for Cells<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let from = self.at?;
        let limit = self.scope.limit;
        let mut search = from;
        if let Some(quote) = quoted::open(self.scope, from) {
            let inner = quoted::read(self.scope, quote);
            search = if inner.closed { inner.after } else { from };
        }
        let end = memchr::memchr(self.sign, &self.scope.text[search.min(limit)..limit]).map_or(limit, |it| search + it);
        self.at = (end < limit).then_some(end + 1);
        let text = &self.scope.text[from..end];
        if self.sign != b'|' {
            return Some(from..end);
        }
        let lead = text.iter().take_while(|byte| **byte == b' ').count();
        let tail = text[lead..].iter().rev().take_while(|byte| **byte == b' ').count();
        Some(from + lead..end - tail)
    }
}
