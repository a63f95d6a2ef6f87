//! Tables as JSON: `{"columns":["email","token"],"rows":[["a","x"],…]}`: the heading is a list of names, rows are lists.

use super::member;
use super::quoted;
use super::reader::Reader;
use super::scalar;
use super::scope::Scope;

/// Names of the member that holds the rows.
const ROWS: &[&str] = &["data", "items", "records", "result", "rows", "values"];

/// Bytes of a heading that are looked at on either side of a name, and members between it and its rows.
const LONGEST_HEADING: usize = 1024;
const BETWEEN: usize = 3;

/// Reads the cells below the name that is the text at `open..after`; false when it heads no rows.
pub(crate) fn below(reader: &mut Reader<'_>, scope: Scope<'_>, open: usize, after: usize) -> bool {
    let Some(first) = first_row(scope, after) else { return false };
    let Some(index) = place(scope, open) else { return false };
    let mut at = first;
    while scope.byte(at) == Some(b'[') {
        let end = member::value_end(scope, at);
        if !reader.paid(at, end) {
            return true;
        }
        claim(reader, Scope { limit: end, ..scope }, at + 1, index);
        let comma = scope.skip_space(end);
        if scope.byte(comma) != Some(b',') {
            break;
        }
        at = scope.skip_space(comma + 1);
    }
    true
}

fn claim(reader: &mut Reader<'_>, row: Scope<'_>, mut at: usize, index: usize) {
    for _ in 0..index {
        let comma = row.skip_space(member::value_end(row, at));
        if row.byte(comma) != Some(b',') {
            return;
        }
        at = comma + 1;
    }
    let from = row.skip_space(at);
    if !matches!(row.byte(from), Some(b'[' | b'{') | None) {
        scalar::item(reader, row, from, member::value_end(row, from));
    }
}

/// The number of the text at `open` in the list of texts around it.
fn place(scope: Scope<'_>, open: usize) -> Option<usize> {
    let lowest = scope.floor.max(open.saturating_sub(LONGEST_HEADING));
    let bracket = lowest + memchr::memrchr(b'[', &scope.text[lowest..open])?;
    let mut at = scope.skip_space(bracket + 1);
    let mut index = 0;
    while at < open {
        at = next_text(Scope { limit: open, ..scope }, at)?;
        index += 1;
    }
    (at == open).then_some(index)
}

/// Where the text behind the one at `at` begins.
fn next_text(scope: Scope<'_>, at: usize) -> Option<usize> {
    let comma = scope.skip_space(quoted::read(scope, quoted::open(scope, at)?).after);
    (scope.byte(comma) == Some(b',')).then(|| scope.skip_space(comma + 1))
}

/// The bracket of the first row below the heading that goes on at `after`.
fn first_row(scope: Scope<'_>, after: usize) -> Option<usize> {
    let near = Scope { limit: scope.limit.min(after + LONGEST_HEADING), ..scope };
    let mut at = near.skip_space(after);
    while near.byte(at) == Some(b',') {
        at = near.skip_space(quoted::read(near, quoted::open(near, near.skip_space(at + 1))?).after);
    }
    let mut end = (near.byte(at) == Some(b']')).then_some(at + 1)?;
    for _ in 0..BETWEEN {
        let next = member::next(near, end)?;
        let value = scope.skip_space(next.value);
        if member::is_one_of(scope, &next.name, ROWS) && scope.byte(value) == Some(b'[') {
            let row = scope.skip_space(value + 1);
            return (scope.byte(row) == Some(b'[')).then_some(row);
        }
        end = member::value_end(near, next.value);
    }
    None
}
