//! SQL values that stand apart from their statement: `VALUES ($1, ?) -- PARAMETERS: ["x", 7]`, `args=('x', 7)`,
//! `[@p0='x' (Size = 9)]`, `parameters: $1 = 'x'`.
//!
//! A placeholder is counted (`?`, `%s`, `$2`, `:2`) or named (`@p0`). Its value is looked for behind the statement, then
//! before it; where a statement's list begins is looked up once for all its placeholders.

use super::columns::{Column, Columns};
use super::labels::Labels;
use super::member;
use super::quoted;
use super::reader::Reader;
use super::scalar::{self, scalar};
use super::scope::Scope;
use std::ops::Range;

/// Bytes on either side of a placeholder that are looked at.
const REACH: usize = 4096;

/// Records behind a statement that may hold its values.
pub(crate) const MOST_RECORDS: u16 = 2;

/// Words before a list of bound values.
#[rustfmt::skip]
const ANNOUNCE: &[&str] = &[
    "arguments", "args", "bind", "binding", "bindings", "binds", "parameters", "params", "variables", "vars",
];

/// What a statement writes in the place of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Placeholder {
    /// The number of its value in a list, from zero.
    Counted(usize),
    /// Its own text tells the value: `@p0='x'`.
    Named,
}

/// Reads the value that is bound to the placeholder at `place`; false when there is no placeholder.
pub(crate) fn read(reader: &mut Reader<'_>, scope: Scope<'_>, place: Range<usize>) -> bool {
    let Some(placeholder) = placeholder(scope, &place) else { return false };
    if named(reader, scope, &place) {
        return true;
    }
    if let Placeholder::Counted(number) = placeholder {
        let found = list(reader, scope, place.end).is_some_and(|open| item(reader, scope, open, number));
        if !found {
            expect(reader, scope, number);
        }
    }
    true
}

/// Notes that the values of the statement may stand in a record behind it.
fn expect(reader: &mut Reader<'_>, scope: Scope<'_>, number: usize) {
    let Ok(index) = u8::try_from(number) else { return };
    let column = Column { rule: reader.rule, kind: reader.kind, index };
    if !scope.nested {
        reader.cursor.expect(column, || Columns::new(b'?', 0, b"", column));
    }
}

/// Claims the values that a record holds for placeholders of a statement before it; false when it holds none.
pub(crate) fn resume(reader: &mut Reader<'_>, scope: Scope<'_>, columns: Columns) -> bool {
    let from = scope.floor;
    let mut found = false;
    let open = list(reader, scope, from).or_else(|| generated(scope));
    for column in columns.all() {
        let mut own = reader.of(column.rule, column.kind);
        let number = usize::from(column.index);
        let dollar = format_dollar(number);
        found |= dollar_value(&mut own, scope, from, &dollar)
            || open.is_some_and(|open| item(&mut own, scope, open, number));
    }
    found
}

/// `$2`, for the value of number 1.
fn format_dollar(number: usize) -> [u8; 3] {
    let shown = number + 1;
    let digit = |value: usize| b'0' + (value % 10) as u8;
    if shown < 10 { [b'$', digit(shown), b' '] } else { [b'$', digit(shown / 10), digit(shown)] }
}

fn dollar_value(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, dollar: &[u8; 3]) -> bool {
    assigned(reader, scope, from..scope.limit.min(from + REACH), dollar.trim_ascii_end())
}

/// `[generated in 0.00031s] ('x', 7)`, `[cached since 2s ago] ('x', 7)`.
fn generated(scope: Scope<'_>) -> Option<usize> {
    let window = &scope.text[scope.floor..scope.limit.min(scope.floor + REACH)];
    let told = [&b"[generated in "[..], b"[cached since ", b"[raw sql] "];
    let at = told.iter().find_map(|known| memchr::memmem::find(window, known))?;
    let close = at + memchr::memchr(b']', &window[at..])?;
    let open = scope.skip_blank(scope.floor + close + 1);
    matches!(scope.byte(open), Some(b'(' | b'[')).then_some(open + 1)
}

fn placeholder(scope: Scope<'_>, place: &Range<usize>) -> Option<Placeholder> {
    let text = &scope.text[place.clone()];
    let count = |sign: &[u8]| {
        let before = &scope.text[scope.floor.max(place.start.saturating_sub(REACH / 2))..place.start];
        let alone = |at: &usize| {
            let next = before.get(at + sign.len());
            (*at == 0 || b" (,=\t\n".contains(&before[at - 1])) && next.is_none_or(|byte| !byte.is_ascii_alphanumeric())
        };
        Placeholder::Counted(memchr::memmem::find_iter(before, sign).filter(alone).count())
    };
    let number = |digits: &[u8]| {
        let number: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
        (1..=99).contains(&number).then(|| Placeholder::Counted(number - 1))
    };
    match text {
        b"?" => Some(count(b"?")),
        b"%s" => Some(count(b"%s")),
        [b'?' | b'$' | b':', digits @ ..] if digits.len() <= 2 && !digits.is_empty() => number(digits),
        [b'@', b'p' | b'P' | b'_', rest @ ..] if rest.len() <= 16 => {
            // `@p0`, `@__email_0`: a password may begin alike.
            let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let stem = &rest[..rest.len() - digits];
            let name = stem.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            let parted = stem.is_empty() || stem.ends_with(b"_");
            ((1..=3).contains(&digits) && name && parted).then_some(Placeholder::Named)
        }
        _ => None,
    }
}

/// `$1 = 'x'` or `@p0='x'`: the placeholder's own text and its value, behind the statement or before it.
fn named(reader: &mut Reader<'_>, scope: Scope<'_>, place: &Range<usize>) -> bool {
    let name = &scope.text[place.clone()];
    if !matches!(name[0], b'$' | b'@') {
        return false;
    }
    let behind = place.end..scope.limit.min(place.end + REACH);
    let before = scope.floor.max(place.start.saturating_sub(REACH))..place.start;
    assigned(reader, scope, behind, name) || assigned(reader, scope, before, name)
}

fn assigned(reader: &mut Reader<'_>, scope: Scope<'_>, window: Range<usize>, name: &[u8]) -> bool {
    let mut at = window.start;
    while let Some(found) = memchr::memmem::find(&scope.text[at..window.end], name) {
        let behind = at + found + name.len();
        let sign = scope.skip_blank(behind);
        at = behind;
        if scope.byte(sign) != Some(b'=') {
            continue;
        }
        let from = scope.skip_blank(sign + 1);
        let from = from + usize::from(matches!(scope.byte(from), Some(b'N' | b'E')));
        let Some(quote) = quoted::open(scope, from) else { continue };
        let inner = quoted::read(scope, quote);
        if reader.paid(window.start, inner.after) {
            scalar(reader, scope, inner.start..inner.end, true);
        }
        return true;
    }
    reader.paid(window.start, window.end);
    false
}

/// The first item of the list of values that belongs to a statement which goes on at `at`.
fn list(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) -> Option<usize> {
    if let Some(known) = reader.cursor.bound_list(at) {
        return known;
    }
    let behind = at..scope.limit.min(at + REACH);
    let before = scope.floor.max(at.saturating_sub(REACH))..at;
    reader.cursor.spend(behind.len() + before.len());
    let labels = reader.labels;
    let open = first_list(labels, scope, behind.clone()).or_else(|| last_list(labels, scope, before));
    reader.cursor.set_bound_list(at..behind.end.max(at + 1), open);
    open
}

fn first_list(labels: &Labels, scope: Scope<'_>, window: Range<usize>) -> Option<usize> {
    let text = &scope.text[window.clone()];
    let ahead = memchr::memchr3_iter(b'[', b'(', b':', text).map(|at| window.start + at);
    ahead.filter_map(|at| begins_list(labels, scope, at)).next()
}

fn last_list(labels: &Labels, scope: Scope<'_>, window: Range<usize>) -> Option<usize> {
    let text = &scope.text[window.clone()];
    let back = memchr::memrchr2_iter(b'[', b'(', text).map(|at| window.start + at);
    back.filter_map(|at| begins_list(labels, scope, at)).next()
}

/// The first item of the list that the sign at `at` begins: `Parameters: [`, `args=(`, `Parameters: 'x', …`, and a list
/// right behind the statement: `VALUES ($1, $2) ["x", 7]`.
fn begins_list(labels: &Labels, scope: Scope<'_>, at: usize) -> Option<usize> {
    const LONGEST: usize = 16;
    let sign = scope.text[at];
    let mut end = at;
    while end > scope.floor && (b" :=\"'\\".contains(&scope.text[end - 1])) {
        end -= 1;
    }
    let before = &scope.text[scope.floor..end];
    let length = before.iter().rev().take(LONGEST).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = &before[before.len() - length..];
    let told = ANNOUNCE.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    if sign == b':' {
        // Items without brackets around them.
        let from = scope.skip_blank(at + 1);
        let bare = told && from > at + 1 && !matches!(scope.byte(from), Some(b'[' | b'(' | b'{' | b'$') | None);
        return bare.then_some(from);
    }
    // A mask of ours is no list: it stands in the place of the first item without brackets.
    let masked = labels.mask_end(&scope.text[..scope.limit], at).is_some();
    let from = if masked { at } else { scope.skip_space(at + 1) };
    let item = quoted::open(scope, from).is_some();
    let follows = sign == b'[' && item && end < at && matches!(before.last(), Some(b')' | b';' | b'0'..=b'9'));
    (told || follows).then_some(from)
}

/// Claims the item of the list that begins at `at`; false when the list is shorter.
fn item(reader: &mut Reader<'_>, scope: Scope<'_>, mut at: usize, number: usize) -> bool {
    let start = at;
    for _ in 0..number {
        let comma = scope.skip_space(item_end(scope, scope.skip_space(at)));
        if scope.byte(comma) != Some(b',') || comma > start + REACH {
            return false;
        }
        at = comma + 1;
    }
    let from = scope.skip_space(at);
    // `["email", "x"]`: the pair of a column and its value is read by its own name.
    if matches!(scope.byte(from), Some(b'[' | b'{' | b'(' | b']' | b')' | b'$' | b'@') | None) {
        return false;
    }
    let end = item_end(scope, from);
    if !reader.paid(start, end) {
        return true;
    }
    scalar::item(reader, scope, from, without_type(scope, from..end));
    true
}

/// End of a quoted item, or of a bare one, which may hold spaces.
fn item_end(scope: Scope<'_>, from: usize) -> usize {
    if quoted::open(scope, from).is_some() || matches!(scope.byte(from), Some(b'[' | b'{')) {
        return member::value_end(scope, from);
    }
    let rest = &scope.text[from.min(scope.limit)..scope.limit];
    let ends = |at: &usize| match rest[*at] {
        b',' | b']' | b'}' | b'"' | b'\n' => true,
        b')' => type_start(&rest[..*at]).is_none(),
        b' ' => rest[*at..].starts_with(b"  ") || rest[*at..].starts_with(b" <"),
        _ => false,
    };
    from + (0..rest.len()).find(ends).unwrap_or(rest.len())
}

/// The bracket before the name of a type at the end of `text`: `x(String`.
fn type_start(text: &[u8]) -> Option<usize> {
    const LONGEST: usize = 16;
    let letters = text.iter().rev().take(LONGEST).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let open = text.len().checked_sub(letters + 1)?;
    (letters > 0 && text[open] == b'(').then_some(open)
}

/// `x(String)` without its type.
fn without_type(scope: Scope<'_>, item: Range<usize>) -> usize {
    let text = scope.text[item.clone()].trim_ascii_end();
    item.start + text.strip_suffix(b")").and_then(type_start).unwrap_or(text.len())
}
