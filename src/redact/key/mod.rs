//! Keyed values: from a hit of a key word to the value that is masked.
//!
//! The prefilter reports where a spelling of a key stands ([`KeyTable::literals`]); [`find`] decides
//! whether it is a whole key name ([`name`]), where the name stands ([`spot`]), and hands the place behind
//! it to the value grammar of [`super::carrier`]. Nothing is decoded here: escaped quotes of JSON inside
//! JSON are told apart by their number of backslashes, other encodings arrive as views.
//!
//! Linear: every byte read beyond the key's own name is paid from the record's fuel (a small multiple of its
//! length); a record that would need more is masked from there to its end.

#[cfg(any(test, fuzzing))]
mod fuzz;
mod name;
#[cfg(any(test, fuzzing))]
mod sample;
mod spot;
mod table;

pub use crate::redact::carrier::carry::Carry;
pub use crate::redact::carrier::cursor::KeyCursor;
pub use crate::redact::carrier::kind::ValueKind;
pub use crate::redact::carrier::labels::Labels;
#[cfg(any(test, fuzzing))]
pub use fuzz::fuzz_keyed;
pub use table::{KeyError, KeyFind, KeyTable, Place};

use super::carrier::bare::Style;
use super::carrier::call;
use super::carrier::markup;
use super::carrier::reader::Reader;
use super::carrier::scope::Scope;
use super::carrier::section;
use super::carrier::sibling;
use super::carrier::value;
use super::carrier::{
    column, command, full_name, grid, json_rows, multipart, owner, prose, resume as continued, rows, scheme,
};
use super::finding::Finding;
use name::Name;
use spot::Spot;
use std::ops::Range;
use table::Use;

/// A key word the prefilter saw in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WordHit {
    /// First byte of the word.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
    /// The literal's number in [`KeyTable::literals`].
    pub word: u16,
}

/// Reads the values that belong to one key word and appends a finding for each scalar.
///
/// `text` holds the record that `cursor` was last told of by [`KeyCursor::begin`]; hits of a record come in
/// order of their start, of equal starts the longer first. Spans are offsets into `text`.
pub fn find(text: &[u8], hit: WordHit, table: &KeyTable, cursor: &mut KeyCursor, out: &mut Vec<Finding>) {
    if cursor.closed() {
        return;
    }
    let record = cursor.record();
    let range = hit.start as usize..hit.end as usize;
    let Some(name) = name::around(text, &record, range.clone()) else { return };
    let whole = Scope { text, floor: record.start, limit: record.end, nested: false };
    // The longest key that a name ends in speaks for it: `Set-Cookie` is no `cookie`. Nor is a name what a heading says
    // is a value.
    if cursor.name_end() == name.end || cursor.in_cell(name.start) || is_padded_end(text, &record, &range) {
        return;
    }
    let string_end = cursor.string_end(text, name.start);
    let word = table.word(hit.word);
    let scope = scope_of(whole, name, string_end);
    let spot = spot::of(scope, name);
    let reopened = matches!(spot, Spot::Pair { at, .. } if opens_value(scope, at));
    let (scope, spot) = if reopened { (whole, spot::of(whole, name)) } else { (scope, spot) };
    if is_masked(scope, name, &range, table.labels(), cursor) {
        return;
    }
    let dotted =
        matches!(spot, Spot::Text { .. }) || matches!(spot, Spot::Pair { style, .. } if style.member || !style.colon);
    let line = matches!(spot, Spot::Pair { style, .. } if style.line);
    for used in &word.uses {
        // `sonar.login: x`: at a line's start a random value tells the key from a file name.
        let told = dotted || line && matches!(used.value, ValueKind::Opaque | ValueKind::Random);
        if word.dotted && !told {
            continue;
        }
        if used.place == Place::Compound && name.start == range.start
            || name::ends_in(text, name.start..name.end - usize::from(name.plural), &used.not)
        {
            continue;
        }
        let (rule, kind) = (used.rule, used.value);
        let mut reader = Reader { rule, kind, plural: name.plural, labels: table.labels(), cursor, out };
        if follow(&mut reader, scope, name, spot, used) {
            cursor.set_name_end(name.end);
        }
    }
}

/// Reads what `carry`, left by the record before, expects at the start of the record that `cursor` was last
/// told of by [`KeyCursor::begin`]. Call it before the record's hits; afterwards [`KeyCursor::carry`] tells
/// whether the next record is concerned too.
pub fn resume(text: &[u8], carry: Carry, table: &KeyTable, cursor: &mut KeyCursor, out: &mut Vec<Finding>) {
    let record = cursor.record();
    let scope = Scope { text, floor: record.start, limit: record.end, nested: false };
    let mut reader = Reader { rule: carry.rule, kind: carry.kind, plural: false, labels: table.labels(), cursor, out };
    continued::resume(&mut reader, scope, carry);
}

/// Reads the rows of a table whose heading stood in the record; call it after the record's hits. Returns what
/// the next record is expected to go on with.
pub fn finish(text: &[u8], keys: &KeyTable, cursor: &mut KeyCursor, out: &mut Vec<Finding>) -> Option<Carry> {
    if let Some(found) = cursor.table().filter(|_| !cursor.closed()) {
        let record = cursor.record();
        let whole = Scope { text, floor: record.start, limit: record.end, nested: false };
        rows::below(&mut rows::reader(keys.labels(), cursor, out), whole, found);
    }
    let record = &text[cursor.record()];
    let expected = cursor.expected().and_then(Carry::bound);
    let section = || keys.service().and_then(|rule| section::opened(record, rule));
    cursor.carry().or(expected).or_else(section)
}

/// Whether a record without a hit may name what a later one goes on with.
pub fn may_open(record: &[u8]) -> bool {
    section::may_open(record)
}

/// Reads what stands at `spot`; false when the rule does not look at such places.
fn follow(reader: &mut Reader<'_>, scope: Scope<'_>, name: Name, spot: Spot, used: &Use) -> bool {
    if used.place == Place::Query && !matches!(spot, Spot::Pair { style, .. } if style.query) {
        return false;
    }
    match used.value {
        ValueKind::Scheme | ValueKind::Basic if scheme::is_type(scope, name.start) => return false,
        ValueKind::Scheme => return scheme::opaque(reader, scope, name.end),
        ValueKind::Basic => return scheme::basic(reader, scope, name.end),
        ValueKind::Person | ValueKind::NamePart if !is_capital(scope, spot) => return false,
        ValueKind::Person if !is_persons_name(reader, scope, name, spot) => return false,
        ValueKind::Service if !owner::is_service(scope, name.start) => return false,
        ValueKind::NamePart if !owner::is_name(scope, name.start..name.end) && !has_details(reader, scope, name) => {
            return false;
        }
        ValueKind::FullName | ValueKind::GivenName => match spot {
            Spot::Loose { at } => {
                return prose::person(reader, scope, at) || rows::heading(reader, scope, name.start, at);
            }
            _ if !is_capital(scope, spot) => return false,
            _ => {}
        },
        ValueKind::Command => return command::read(reader, scope, name.start..name.end),
        ValueKind::Vendor => {
            return match spot {
                Spot::Text { open, after } => sibling::vendor(reader, scope, open, after),
                _ => false,
            };
        }
        _ => {}
    }
    match spot {
        // The name is the user of an address: its password ends before the host.
        Spot::Pair { .. } if scope.text[scope.floor..name.start].ends_with(b"://") => false,
        Spot::Pair { at, .. } if is_directory(scope, name, at) || is_tally(scope, name, at) => false,
        Spot::Pair { at, .. } if is_compared(scope, at) => false,
        Spot::Pair { at, style } => {
            let end = value::read(reader, scope, at, style);
            changed(reader, scope, end, style);
            true
        }
        Spot::Text { open, after } => {
            multipart::part(reader, scope, open, after)
                || sibling::paired(reader, scope, open, after)
                || sibling::siblings(reader, scope, open, after)
                || sibling::block(reader, scope, open, after)
                || column::values(reader, scope, name.start..name.end)
                || json_rows::below(reader, scope, open, after)
                || sibling::following(reader, scope, open, after)
                || call::written(reader, scope, open, name.end)
                || prose::named(reader, scope, after, used.prose)
                || rows::heading(reader, scope, open, after)
        }
        Spot::Element { at } => markup::element(reader, scope, at),
        Spot::Content { at } => markup::next_element(reader, scope, at),
        Spot::Flag { at } => flag_value(reader, scope, at),
        Spot::Loose { at } => {
            let (open, after) = sibling::pointer(scope, name.start, at);
            call::written(reader, scope, name.start, at)
                || sibling::siblings(reader, scope, open, after)
                || column::values(reader, scope, name.start..at)
                || column::aliased(reader, scope, name.start)
                || sibling::paired(reader, scope, name.start, at)
                || grid::cell(reader, scope, name.start, at)
                || sibling::field(reader, scope, at)
                || rows::heading(reader, scope, name.start, at)
                || rows::pair(reader, scope, name.start, at)
                || call::read(reader, scope, at)
                || prose::read(reader, scope, name.start, at, used.prose)
        }
    }
}

/// Whether the name is the label of a mask of ours: the value of the key before it, or a label of more words than
/// the key. `[password] => x` is a member as PHP dumps it.
fn is_masked(scope: Scope<'_>, name: Name, word: &Range<usize>, labels: &Labels, cursor: &KeyCursor) -> bool {
    if scope.byte(name.end) != Some(b']') || scope.has(scope.skip_blank(name.end + 1), b"=>") {
        return false;
    }
    let Some(open) = labels.closed_at(scope.text, scope.floor, name.end) else { return false };
    let glued = is_index(scope, open, labels);
    // `login[password]=x`, `"login[password]": x`: an index, also where `login` is a key whose brackets have been read.
    let index = open + 1 == word.start && glued && scope.text[open - 1] != b']';
    let behind = name.end + 1 + scope.backslashes(name.end + 1);
    let listed = || scope.has(behind, b": ") && is_word_before(scope, open);
    if index && (matches!(scope.byte(behind), Some(b'=' | b'"' | b'\'')) || listed()) {
        return false;
    }
    // `"…\n[private-key]": 1`: a key of several lines, of which the last was masked.
    let last = ends_line(scope, open) && matches!(scope.byte(behind), Some(b'"' | b'\''));
    cursor.in_mask(name.start) || (!glued && (last || open + 1 < word.start))
}

/// Whether a line end as a string writes it stands before `at`.
fn ends_line(scope: Scope<'_>, at: usize) -> bool {
    matches!(scope.text[scope.floor..at], [.., b'\\', b'n' | b'r' | b't'])
}

/// Whether the bracket at `open` is glued to a name, or to the brackets behind one; not to a mask of ours.
fn is_index(scope: Scope<'_>, mut open: usize, labels: &Labels) -> bool {
    for _ in 0..4 {
        match &scope.text[scope.floor..open] {
            [.., b']'] => match labels.closed_at(scope.text, scope.floor, open - 1) {
                Some(before) => open = before,
                None => return true,
            },
            [.., last] => return last.is_ascii_alphanumeric() && !ends_line(scope, open),
            [] => return false,
        }
    }
    true
}

/// Whether the word is the end of base64 that padding follows: `'ojL5…15pw=', n`.
fn is_padded_end(text: &[u8], record: &Range<usize>, word: &Range<usize>) -> bool {
    const SHORTEST: usize = 20;
    let Range { start, end } = *word;
    if text.get(end) != Some(&b'=') || start == record.start || !text[start - 1].is_ascii_alphanumeric() {
        return false;
    }
    let alphabet = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'+' | b'/');
    let length = text[record.start..end].iter().rev().take(4096).take_while(alphabet).count();
    let padding = text[end..record.end].iter().take(2).take_while(|byte| **byte == b'=').count();
    let run = &text[end - length..end];
    let count = |kind: fn(&u8) -> bool| run.iter().filter(|byte| kind(byte)).take(4).count();
    let mixed =
        [u8::is_ascii_digit, u8::is_ascii_uppercase, u8::is_ascii_lowercase].into_iter().all(|kind| count(kind) >= 4);
    let ends = text[..record.end].get(end + padding).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    length >= SHORTEST && (length + padding) % 4 == 0 && mixed && ends
}

/// Whether a whole word of small letters ends at `end`: `credentials[password]: x`.
fn is_word_before(scope: Scope<'_>, end: usize) -> bool {
    const SHORTEST: usize = 4;
    let before = &scope.text[scope.floor..end];
    let letters = before.iter().rev().take_while(|byte| byte.is_ascii_lowercase()).count();
    let first = before.len() - letters;
    letters >= SHORTEST && (first == 0 || before[first - 1].is_ascii_whitespace())
}

/// Whether the object, a known given name or contact details beside it say that a `name` is a person's.
fn is_persons_name(reader: &mut Reader<'_>, scope: Scope<'_>, name: Name, spot: Spot) -> bool {
    if owner::is_person(scope, name.start..name.end) {
        return true;
    }
    let Some(from) = value_start(scope, spot).filter(|from| !full_name::is_title(scope, *from)) else { return false };
    let spoken = || full_name::spoken_end(scope, from).is_some() && !owner::is_thing(scope, name.start..name.end);
    spoken() || has_details(reader, scope, name)
}

/// Whether contact details stand beside a name.
fn has_details(reader: &mut Reader<'_>, scope: Scope<'_>, name: Name) -> bool {
    let found = full_name::has_details_beside(scope, name.start..name.end);
    reader.cursor.spend(name.end - name.start) && found
}

/// Whether the value begins with a capital, as names do.
fn is_capital(scope: Scope<'_>, spot: Spot) -> bool {
    let first = value_start(scope, spot).and_then(|at| scope.byte(at));
    // Of a column or a cell the values stand elsewhere.
    let elsewhere = matches!(spot, Spot::Loose { .. } | Spot::Text { .. });
    first.map_or(elsewhere, |byte| byte.is_ascii_uppercase() || byte >= 0x80 || byte == b'<')
}

/// The first byte of a value behind its quotes.
fn value_start(scope: Scope<'_>, spot: Spot) -> Option<usize> {
    let (Spot::Pair { at, .. } | Spot::Element { at }) = spot else { return None };
    let quote = |byte: &&u8| matches!(**byte, b' ' | b'"' | b'\'' | b'\\' | b'>' | b'[');
    let at = if matches!(spot, Spot::Element { .. }) { markup::attribute(scope, at).unwrap_or(at) } else { at };
    let value = &scope.text[at.min(scope.limit)..scope.limit];
    Some(at + value.iter().take(12).take_while(quote).count())
}

/// `password = "old" -> "new"`, `password: old => new`: a plan of changes shows both.
fn changed(reader: &mut Reader<'_>, scope: Scope<'_>, end: usize, style: Style) {
    let arrow = scope.skip_blank(end);
    let from = scope.skip_blank(arrow + 2);
    if scope.has(arrow, b"=>") || scope.has(arrow, b"->") && scope.byte(from) == Some(b'"') {
        value::read(reader, scope, from, style);
    }
}

/// `--password x`; what looks like the next flag is none.
fn flag_value(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) -> bool {
    let from = scope.skip_blank(at);
    let value = scope.byte(from).is_some_and(|byte| byte != b'-');
    if value {
        value::read(reader, scope, from, Style::default());
    }
    value
}

/// `pass=12 fail=0`: a count of tests.
fn is_tally(scope: Scope<'_>, name: Name, at: usize) -> bool {
    let from = scope.skip_blank(at);
    let rest = &scope.text[from.min(scope.limit)..scope.limit];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ends = rest.get(digits).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    // `--- PASS: TestLogin`, as test runners write.
    let runner = &scope.text[name.start..name.end] == b"PASS" && scope.text[at - 1] == b':';
    runner || (1..=5).contains(&digits) && ends && scope.text[name.start..name.end].eq_ignore_ascii_case(b"pass")
}

/// `token == expected_token`: a comparison with another variable.
fn is_compared(scope: Scope<'_>, at: usize) -> bool {
    let from = scope.skip_blank(at);
    let rest = &scope.text[from.min(scope.limit)..scope.limit];
    let length = rest.iter().take(64).take_while(|byte| byte.is_ascii_lowercase() || **byte == b'_').count();
    let variable =
        rest[..length].contains(&b'_') && matches!(rest.get(length), None | Some(b';' | b' ' | b')' | b',' | b'{'));
    scope.text[scope.floor..at].ends_with(b"==") && from > at && variable
}

/// `PWD=/srv/app`: the shell's working directory.
fn is_directory(scope: Scope<'_>, name: Name, at: usize) -> bool {
    let value = &scope.text[at.min(scope.limit)..scope.limit];
    let path = matches!(value, [b'/' | b'~', ..] | [b'A'..=b'Z' | b'a'..=b'z', b':', b'\\', ..]);
    path && &scope.text[name.start..name.end] == b"PWD"
}

/// `"card[cvc]"`: nothing but brackets between the name and the end of its string.
fn closes_brackets(whole: Scope<'_>, name: Name, end: usize) -> bool {
    let between = &whole.text[name.end..end];
    between.len() <= 2 && between.iter().all(|byte| *byte == b']') && spot::is_indexed(whole, name.start)
}

/// `{"m":"password="x" refused"}`, as a view of escapes reads it: the quote that seems to close the string around the
/// name opens its value.
fn opens_value(scope: Scope<'_>, at: usize) -> bool {
    let behind = scope.text.get(scope.limit + 1);
    let opens = scope.nested && scope.skip_blank(at) == scope.limit && scope.text.get(scope.limit) == Some(&b'"');
    opens && behind.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-.+/$!@#%^&*~".contains(byte))
}

/// The bounds of the key's value: the string around the key, unless the key is that whole string.
fn scope_of<'t>(whole: Scope<'t>, name: Name, string_end: Option<usize>) -> Scope<'t> {
    match string_end {
        Some(end) if end != name.end && !closes_brackets(whole, name, end) => {
            Scope { limit: end, nested: true, ..whole }
        }
        _ => whole,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
