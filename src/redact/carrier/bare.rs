//! Bare values: where an unquoted value ends.
//!
//! White space ends it, and so does a separator behind which something new begins: a pair (`,x=1`), white
//! space, a quote, a bracket. A separator inside a secret (`p;w,d&x`) does not.

use super::scope::Scope;

/// What stands around a bare value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Style {
    /// A parameter of a query: `&` and `#` always end it.
    pub(crate) query: bool,
    /// A member of a JSON-like object (its key is quoted): a comma always ends it.
    pub(crate) member: bool,
    /// The value is the rest of its line: a YAML mapping, one pair a line.
    pub(crate) line: bool,
    /// `key: value` rather than `key=value`.
    pub(crate) colon: bool,
}

/// First byte after the bare value that begins at `from`.
pub(crate) fn end(scope: Scope<'_>, from: usize, style: Style) -> usize {
    if let Some(after) = template_end(scope, from) {
        return extend(scope, after, from, style);
    }
    extend(scope, from, from, style)
}

fn extend(scope: Scope<'_>, mut at: usize, from: usize, style: Style) -> usize {
    let mut opened = 0usize;
    while let Some(byte) = scope.byte(at) {
        if byte == b'\\' {
            // A run of backslashes is judged once, so that long ones stay linear.
            let run = scope.backslashes(at);
            if ends_after_backslashes(scope, at + run) || line_ends(scope, at + run) {
                break;
            }
            at += run;
            continue;
        }
        let ends = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0 | 0x0B | 0x0C | 0x1B => true,
            b'&' => style.query || style.member || begins_anew(scope, at + 1) || parameter_begins(scope, at),
            b'#' => style.query,
            b'?' => style.query && pair_begins(scope, at + 1),
            b',' => style.member || begins_anew(scope, at + 1),
            b';' => begins_anew(scope, at + 1) || setting_begins(scope, at + 1),
            b'|' => begins_anew(scope, at + 1),
            b'"' | b'\'' | b'`' => at > from && closes_something(scope, at + 1),
            b'<' => matches!(scope.byte(at + 1), Some(b'/' | b'!') | None) || tag_follows(scope, at + 1),
            b'>' => closes_something(scope, at + 1),
            b'(' | b'[' | b'{' => {
                opened += 1;
                false
            }
            b')' | b']' | b'}' if opened > 0 => {
                opened -= 1;
                false
            }
            b')' | b']' | b'}' => style.member || closes_something(scope, at + 1),
            // Typographic quotes, the no-break space.
            0xE2 => scope.has(at, "”".as_bytes()) || scope.has(at, "“".as_bytes()),
            0xC2 => scope.byte(at + 1) == Some(0xA0),
            _ => false,
        };
        if ends {
            break;
        }
        at += 1;
    }
    at
}

/// `{{ x }}`, `${X:-a b}`, `<% x %>`: a template at the start of a value may hold spaces.
fn template_end(scope: Scope<'_>, from: usize) -> Option<usize> {
    const LONGEST: usize = 128;
    let (open, close): (&[u8], &[u8]) = match scope.byte(from)? {
        b'{' => (b"{{", b"}}"),
        b'$' if scope.has(from, b"${{") => (b"${{", b"}}"),
        b'$' if scope.has(from, b"$(") => (b"$(", b")"),
        b'$' => (b"${", b"}"),
        b'#' => (b"#{", b"}"),
        b'<' if scope.byte(from + 1) == Some(b'%') => (b"<%", b"%>"),
        b'<' => (b"<", b">"),
        _ => return None,
    };
    if !scope.has(from, open) {
        return None;
    }
    let window = &scope.text[from + open.len()..scope.limit.min(from + LONGEST)];
    let end = window.windows(close.len()).position(|part| part == close)?;
    if open == b"<" && !window[..end].iter().all(|b| b.is_ascii_alphanumeric() || b"_- ".contains(b)) {
        return None;
    }
    Some(from + open.len() + end + close.len())
}

/// Whether something new begins at `at`, so that the separator before it was one.
fn begins_anew(scope: Scope<'_>, at: usize) -> bool {
    match scope.byte(at) {
        None => true,
        Some(b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'\\' | b'{' | b'[' | b'(' | b'}' | b']' | b')') => true,
        Some(_) => pair_begins(scope, at),
    }
}

/// `name=` or `name:` at `at`, the name being a short identifier.
pub(crate) fn pair_begins(scope: Scope<'_>, at: usize) -> bool {
    const LONGEST_NAME: usize = 48;
    let bytes = &scope.text[at.min(scope.limit)..scope.limit.min(at + LONGEST_NAME)];
    let name = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.[]%".contains(byte) || **byte >= 0x80)
        .count();
    name > 0
        && bytes[0] != b'%'
        && matches!(bytes.get(name), Some(b'=' | b':'))
        && bytes[..name].iter().any(u8::is_ascii_alphabetic)
}

/// `&amp;name=` at `at`: the next parameter, as XML writes it.
fn parameter_begins(scope: Scope<'_>, at: usize) -> bool {
    scope.has(at, b"&amp;") && pair_begins(scope, at + b"&amp;".len())
}

/// `User Id=` at `at`: a setting of a connection string whose name holds spaces.
fn setting_begins(scope: Scope<'_>, at: usize) -> bool {
    const LONGEST_NAME: usize = 32;
    let bytes = &scope.text[at.min(scope.limit)..scope.limit.min(at + LONGEST_NAME)];
    let name = bytes.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b' ').count();
    name > 1 && bytes.get(name) == Some(&b'=')
}

/// Whether the bracket or quote before `at` closed something around the value: nothing, white space or
/// punctuation follows.
fn closes_something(scope: Scope<'_>, at: usize) -> bool {
    match scope.byte(at) {
        None => true,
        Some(b'\\') => true,
        Some(byte) => byte.is_ascii_whitespace() || b",;.:)]}>\"'`<&|".contains(&byte),
    }
}

/// Backslashes end a value before the quote they escape, and inside a string before an escaped line end or
/// tab and before the separators that careful JSON writers escape.
fn ends_after_backslashes(scope: Scope<'_>, after: usize) -> bool {
    match scope.byte(after) {
        Some(b'"' | b'\'') => closes_something(scope, after + 1),
        Some(b'n' | b'r' | b't') => scope.nested,
        Some(b'u') => {
            let escaped = [b"u0026", b"u0022", b"u003c"];
            scope.nested && escaped.iter().any(|code| scope.has(after, *code))
        }
        _ => false,
    }
}

/// Whether the backslashes before `at` escape the end of a line, behind which a header or setting begins: `x\r\nHost: y`.
fn line_ends(scope: Scope<'_>, at: usize) -> bool {
    let after = match scope.byte(at) {
        Some(b'r') if scope.byte(at + 1) == Some(b'\\') => at + 1 + scope.backslashes(at + 1),
        Some(b'n') => at,
        _ => return false,
    };
    let name = scope.text[(after + 1).min(scope.limit)..scope.limit].iter().take(48);
    let length = name.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(**byte, b'-' | b'_')).count();
    let next = after + 1 + length;
    scope.byte(after) == Some(b'n') && (length == 0 && after > at || length > 1 && scope.has(next, b": "))
}

/// A letter, as the first of a tag's name.
fn tag_follows(scope: Scope<'_>, at: usize) -> bool {
    let name = scope.text[at.min(scope.limit)..scope.limit.min(at + 24)]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    name > 0 && matches!(scope.byte(at + name), Some(b'>' | b'/' | b' '))
}
