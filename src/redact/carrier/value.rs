//! The value behind a key: quoted, bare, an array or object, a block of lines.

use super::bare::{self, Style};
use super::carry::{Carry, Open};
use super::container;
use super::kind::ValueKind;
use super::plain;
use super::quoted;
use super::reader::Reader;
use super::scalar::scalar;
use super::scope::Scope;

/// Reads the value that begins at or after `at`; returns the first byte after it.
pub(crate) fn read(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize, style: Style) -> usize {
    let from = skip_to_value(scope, at, style);
    if from >= scope.limit {
        leave_open(reader, scope, at, Open::Value);
        return scope.limit;
    }
    let end = read_at(reader, scope, from, style);
    if reader.paid(from, end) { end } else { scope.limit }
}

fn skip_to_value(scope: Scope<'_>, at: usize, style: Style) -> usize {
    let blank = scope.skip_blank(at);
    // Only a quoted key's value may stand on the next line of the same record.
    if style.member { scope.skip_space(blank) } else { blank }
}

fn read_at(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, style: Style) -> usize {
    if let Some(quote) = quoted::open(scope, wrapper_end(scope, from)) {
        let inner = quoted::read(scope, quote);
        scalar(reader, scope, inner.start..inner.end, true);
        return inner.after;
    }
    match scope.text[from] {
        b'[' | b'{' => bracketed(reader, scope, from, style),
        b'|' | b'>' if style.colon && line_ends(scope, from) => block(reader, scope, from),
        b'\r' | b'\n' if style.colon => block(reader, scope, from),
        b'&' | b'*' if style.member => container::read(reader, scope, from + 1),
        _ => bare_value(reader, scope, from, style),
    }
}

/// What stands between a separator and the quote of a value: `b'…'`, `string(5) "…"`, `Some("…")`.
fn wrapper_end(scope: Scope<'_>, from: usize) -> usize {
    let name = scope.text[from..scope.limit.min(from + 24)]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b':' | b'.'))
        .count();
    if name == 0 {
        return from;
    }
    let after = from + name;
    match scope.byte(after) {
        Some(b'"' | b'\'') if name <= 2 => after,
        Some(b'\\') if name <= 2 && quoted::open(scope, after).is_some() => after,
        Some(b'(') => {
            let digits = scope.text[after + 1..scope.limit.min(after + 12)]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let closed = scope.byte(after + 1 + digits) == Some(b')');
            let inner = if digits > 0 && closed { scope.skip_blank(after + 2 + digits) } else { after + 1 };
            if quoted::open(scope, inner).is_some() { inner } else { from }
        }
        _ => from,
    }
}

/// `[` or `{`: an own mask or a template, an ODBC value in braces, an array or object.
fn bracketed(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, style: Style) -> usize {
    if !style.member {
        let end = bare::end(scope, from, style);
        if super::keep::secret_part(&scope.text[from..end], false).is_none() {
            return end;
        }
        let odbc = scope.text[from] == b'{' && !style.colon && from > scope.floor;
        if odbc && scope.text[from - 1] == b'=' {
            if let Some(close) = brace_end(scope, from + 1) {
                reader.claim(scope, from + 1..close, true);
                return close + 1;
            }
        }
        if scope.has(from, b"{{") {
            reader.claim(scope, from..end, false);
            return end;
        }
    }
    container::read(reader, scope, from)
}

/// The brace that ends `{…}` of a connection string, where `}}` is one brace of the value.
fn brace_end(scope: Scope<'_>, mut at: usize) -> Option<usize> {
    while at < scope.limit {
        let close = at + memchr::memchr(b'}', &scope.text[at..scope.limit])?;
        match scope.byte(close + 1) {
            Some(b'}') => at = close + 2,
            Some(b';') | None => return Some(close),
            Some(byte) if byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'') => return Some(close),
            _ => return None,
        }
    }
    None
}

fn bare_value(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, style: Style) -> usize {
    let end = match reader.kind {
        _ if style.member => plain::member_end(scope, from),
        ValueKind::Authorization => return super::header::authorization(reader, scope, from, false),
        ValueKind::Cookie => return super::header::cookies(reader, scope, from, false),
        ValueKind::SetCookie => return super::header::cookies(reader, scope, from, true),
        ValueKind::Text if style.colon => plain::words_end(scope, from),
        ValueKind::Digits | ValueKind::Code => plain::groups_end(scope, from, style),
        ValueKind::Date => plain::date_end(scope, from, style),
        _ if style.line => plain::line_end(scope, from, style),
        _ => bare::end(scope, from, style),
    };
    if style.colon && reader.kind == ValueKind::Any && plain::is_count(scope, from, end) {
        return end;
    }
    scalar(reader, scope, from..end, false);
    end
}

/// True when nothing but an indicator (`|`, `>-`, `|2+`) stands from `from` to the line's end.
fn line_ends(scope: Scope<'_>, from: usize) -> bool {
    let mut at = from + 1;
    while matches!(scope.byte(at), Some(b'-' | b'+' | b'1'..=b'9')) {
        at += 1;
    }
    matches!(scope.byte(scope.skip_blank(at)), None | Some(b'\r' | b'\n' | b'#'))
}

/// A YAML block: the lines of this record that are indented deeper than the key's own line.
fn block(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize) -> usize {
    let indent = indent_of_line(scope, from);
    let mut at = match memchr::memchr(b'\n', &scope.text[from..scope.limit]) {
        Some(line_end) => from + line_end + 1,
        None => {
            leave_open(reader, scope, from, Open::Block);
            return scope.limit;
        }
    };
    while at < scope.limit {
        let end = memchr::memchr(b'\n', &scope.text[at..scope.limit]).map_or(scope.limit, |n| at + n);
        let first = scope.skip_blank(at).min(end);
        if first < end && first - at <= indent {
            return at;
        }
        plain::claim_line(reader, scope, first, end);
        at = end + 1;
    }
    leave_open(reader, scope, from, Open::Block);
    scope.limit
}

/// Notes that the value goes on in the next record.
fn leave_open(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize, open: Open) {
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
