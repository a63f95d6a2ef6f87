//! The value behind a key: quoted, bare, an array or object, a block of lines.

use super::bare::{self, Style};
use super::bound;
use super::carry::Open;
use super::container;
use super::kind::ValueKind;
use super::lines;
use super::pair;
use super::plain;
use super::quoted::{self, Quoted};
use super::reader::Reader;
use super::scalar::scalar;
use super::scope::Scope;

const TAGS: &[&str] = &["!vault ", "!!str ", "!!binary ", "!secret ", "!encrypted "];

/// Reads the value that begins at or after `at`; returns the first byte after it.
pub(crate) fn read(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize, style: Style) -> usize {
    let from = skip_to_value(scope, at, style);
    if from >= scope.limit {
        if style.member || style.line {
            lines::leave_open(reader, scope, at, Open::Value);
        }
        return scope.limit;
    }
    let end = read_at(reader, scope, from, style);
    if reader.paid(from, end) { end } else { scope.limit }
}

fn skip_to_value(scope: Scope<'_>, at: usize, style: Style) -> usize {
    let blank = scope.skip_blank(at);
    // Only a quoted key's value may stand on the next line of the same record.
    if style.member {
        return scope.skip_space(blank);
    }
    // A YAML tag says what kind of text follows.
    let tag = TAGS.iter().find(|tag| style.line && scope.has(blank, tag.as_bytes()));
    tag.map_or(blank, |tag| scope.skip_blank(blank + tag.len()))
}

fn read_at(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, style: Style) -> usize {
    if let Some(quote) = quoted::open(scope, wrapper_end(scope, from)) {
        let mut inner = quoted::read(scope, quote);
        scalar(reader, scope, inner.start..inner.end, true);
        while let Some(rest) = shell_rest(scope, inner) {
            reader.claim(scope, inner.after - 1..rest.end, false);
            inner = rest;
        }
        return concatenated(reader, scope, inner);
    }
    let from = typed_end(scope, from);
    match scope.text[from] {
        b'{' if is_stored(scope, from) => {
            let end = bare::end(scope, from, style);
            reader.claim(scope, from..end, false);
            end
        }
        b'[' | b'{' => match reader.cursor.covered(from).filter(|_| reader.kind.is_any()) {
            Some(end) => end.min(scope.limit),
            None => bracketed(reader, scope, from, style),
        },
        // `CREDENTIALS=(AWS_KEY_ID='x' AWS_SECRET_KEY='y')`
        b'(' if !style.member && bare::pair_begins(scope, from + 1) => container::read(reader, scope, from),
        b'|' | b'>' if style.colon && lines::block_begins(scope, from) => {
            lines::block(reader, scope, from, Open::Block)
        }
        b'\r' | b'\n' if style.line => lines::block(reader, scope, from, Open::Mapping),
        b'&' | b'*' if style.member => container::read(reader, scope, from + 1),
        _ => bare_value(reader, scope, from, style),
    }
}

/// What goes on behind a quote in a shell's quotes: `'O'\''Brien'`.
fn shell_rest(scope: Scope<'_>, first: Quoted) -> Option<Quoted> {
    let slashes = scope.backslashes(first.after);
    let shell = first.closed && slashes > 0 && scope.text[first.after - 1] == b'\'';
    let open = first.after + slashes + 1;
    let rest = (shell && scope.has(open - 1, b"''")).then(|| quoted::open(scope, open)).flatten()?;
    Some(quoted::read(scope, rest)).filter(|rest| rest.closed)
}

/// Reads what is joined to a quoted value, `"x" + "y"`, `'x' . 'y'`, `"x" "y"`, and returns the end of all.
fn concatenated(reader: &mut Reader<'_>, scope: Scope<'_>, first: Quoted) -> usize {
    const MOST: usize = 16;
    let mut end = first.after;
    for _ in 0..MOST {
        let sign = scope.skip_space(end);
        let width = match scope.byte(sign) {
            Some(b'+' | b'.' | b'&' | b'~') => 1,
            Some(b'|') if scope.has(sign, b"||") => 2,
            _ => break,
        };
        let from = scope.skip_space(sign + width);
        let Some(quote) = quoted::open(scope, from).filter(|_| first.closed && from > sign + width) else { break };
        let inner = quoted::read(scope, quote);
        scalar(reader, scope, inner.start..inner.end, true);
        end = inner.after;
    }
    end
}

/// What stands between a separator and the quote of a value: `b'…'`, `string(5) "…"`, `Some("…")`.
fn wrapper_end(scope: Scope<'_>, from: usize) -> usize {
    /// Bytes in which a text between three quotes is looked for its end.
    const TRIPLE: usize = 1024;
    // `<<"x">>`, `"""x"""`
    for wrapper in [&b"<<"[..], b"\"\"", b"''"] {
        let inner = from + wrapper.len();
        let quote = if wrapper[0] == b'<' { b'"' } else { wrapper[0] };
        // SQL doubles a quote: `'''x'` is no text between three.
        let closed = || {
            if wrapper[0] == b'<' {
                return true;
            }
            let rest = &scope.text[(inner + 1).min(scope.limit)..scope.limit];
            memchr::memmem::find(&rest[..rest.len().min(TRIPLE)], &[quote; 3]).is_some()
        };
        if scope.has(from, wrapper) && scope.byte(inner) == Some(quote) && closed() {
            return inner;
        }
    }
    let name = scope.text[from..scope.limit.min(from + 24)]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b':' | b'.'))
        .count();
    if name == 0 {
        let dumped = dumped_end(scope, from);
        return if quoted::open(scope, dumped).is_some() { dumped } else { from };
    }
    let after = from + name;
    match scope.byte(after) {
        Some(b'"' | b'\'') if is_prefix(&scope.text[from..after]) => after,
        Some(b'\\') if is_prefix(&scope.text[from..after]) && quoted::open(scope, after).is_some() => after,
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

/// The bracket behind the type that Go prints before it: `[]string{"x"}`, `map[string]string{"a": "x"}`.
fn typed_end(scope: Scope<'_>, from: usize) -> usize {
    const LONGEST: usize = 48;
    let rest = &scope.text[from..scope.limit.min(from + LONGEST)];
    if !rest.starts_with(b"[]") && !rest.starts_with(b"map[") {
        return from;
    }
    let named = |byte: &&u8| byte.is_ascii_alphanumeric() || b"[]{}._*".contains(byte) && **byte != b'{';
    let length = rest.iter().take_while(named).count();
    if length > 2 && rest.get(length) == Some(&b'{') { from + length } else { from }
}

/// `{SSHA}kJ8…`, `{noop}x`: a stored password behind the name of its scheme.
fn is_stored(scope: Scope<'_>, from: usize) -> bool {
    const LONGEST: usize = 20;
    let rest = &scope.text[from + 1..scope.limit.min(from + LONGEST)];
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(**byte, b'-' | b'_')).count();
    let value = rest.get(length + 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"$/+.!".contains(byte));
    length >= 2 && rest.get(length) == Some(&b'}') && value
}

/// Behind `(string) (len=12) `, as Go's dumps print the type of a text.
fn dumped_end(scope: Scope<'_>, mut from: usize) -> usize {
    const LONGEST: usize = 24;
    for _ in 0..2 {
        let Some(b'(') = scope.byte(from) else { break };
        let rest = &scope.text[from + 1..scope.limit.min(from + LONGEST)];
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"*.=_".contains(byte)).count();
        if length == 0 || !rest[length..].starts_with(b") ") {
            break;
        }
        from += length + 3;
    }
    from
}

/// Letters that languages and databases write before a quote: `b'…'`, `N'…'`, `rb"…"`.
fn is_prefix(letters: &[u8]) -> bool {
    const PREFIXES: [&str; 10] = ["b", "u", "r", "f", "n", "e", "l", "x", "rb", "br"];
    PREFIXES.iter().any(|known| letters.eq_ignore_ascii_case(known.as_bytes()))
}

/// `[` or `{`: an own mask or a template, an ODBC value in braces, an array or object.
fn bracketed(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, style: Style) -> usize {
    if !style.member {
        let end = bare::end(scope, from, style);
        if super::keep::secret_part(&scope.text[from..end], false, reader.labels).is_none() {
            reader.cursor.set_mask(from..end);
            return end;
        }
        let odbc = scope.text[from] == b'{' && !style.colon && from > scope.floor && !names_first(scope, from + 1);
        let close = (odbc && scope.text[from - 1] == b'=').then(|| brace_end(scope, from + 1)).flatten();
        if let Some(close) = close {
            reader.claim(scope, from + 1..close, true);
            return close + 1;
        }
        if scope.has(from, b"{{") {
            reader.claim(scope, from..end, false);
            return end;
        }
    }
    let end = container::read(reader, scope, from);
    if reader.kind.is_any() && !reader.plural {
        reader.cursor.set_covered(from..end);
    }
    end
}

/// `{"user": …`: an object, which begins with a quoted name; a value in braces does not.
fn names_first(scope: Scope<'_>, from: usize) -> bool {
    let Some(quote) = quoted::open(scope, scope.skip_blank(from)) else { return false };
    let name = quoted::read(scope, quote);
    name.closed && matches!(scope.byte(scope.skip_blank(name.after)), Some(b':' | b'='))
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
    let end_of_word = || if style.line { plain::line_end(scope, from, style) } else { bare::end(scope, from, style) };
    let end = match reader.kind {
        _ if style.member => plain::member_end(scope, from),
        ValueKind::Authorization => return super::header::authorization(reader, scope, from, false),
        ValueKind::Cookie => return super::header::cookies(reader, scope, from, false),
        ValueKind::SetCookie => return super::header::cookies(reader, scope, from, true),
        ValueKind::Text if style.colon => plain::words_end(scope, from),
        _ if reader.kind.is_name() && style.colon => plain::name_end(scope, from),
        _ if (reader.kind == ValueKind::Text || reader.kind.is_name()) && !style.query => {
            plain::title_end(scope, from, style)
        }
        ValueKind::Digits | ValueKind::Code => plain::groups_end(scope, from, style),
        ValueKind::Date => plain::date_end(scope, from, style),
        ValueKind::Pair => pair::spaced(scope, from).unwrap_or_else(end_of_word),
        _ => end_of_word(),
    };
    if style.colon && reader.kind.is_any() && plain::is_count(scope, from, end) {
        return end;
    }
    if bound::read(reader, scope, from..end) {
        return end;
    }
    // `Got token: Kind: x`: the next pair's name.
    let names = style.colon && end > from && scope.text[end - 1] == b':' && scope.byte(end) == Some(b' ');
    if !names {
        scalar(reader, scope, from..end, false);
    }
    end
}
