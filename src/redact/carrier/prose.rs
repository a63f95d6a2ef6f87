//! Keys in running text: `password is X`, `hasło do konta to X`, `NIP 123-456-32-18`, `login a password b`.
//!
//! A text about passwords says nothing (`password reset requested`), so a word is claimed only where a
//! connecting word or a quote announces it and it looks like a secret.

use super::bare::{self, Style};
use super::container;
use super::kind::{self, ValueKind};
use super::plain;
use super::quoted;
use super::reader::Reader;
use super::scalar::scalar;
use super::scope::Scope;

/// Words that announce a value.
const ANNOUNCE: &[&str] = &["is", "was", "to", "jest", "brzmi", "be", "becomes", "ist", "est", "es", "=", "->"];

/// Words between a key of digits and the digits.
const FILL: &[&str] =
    &["is", "to", "jest", "no", "no.", "nr", "nr.", "number", "numer", "#", "code", "für", "of", "was"];

/// Reads the value of a key that stands in running text and ends at `at`; false when there is none.
pub(crate) fn read(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize, at: usize, spoken: bool) -> bool {
    let from = scope.skip_blank(at);
    if from == at || from >= scope.limit {
        return false;
    }
    match reader.kind {
        ValueKind::Digits | ValueKind::Code | ValueKind::Date => numbers(reader, scope, from),
        _ if spoken => secret(reader, scope, start, at, from),
        _ => false,
    }
}

/// `PASSWORD('x')`, `setToken("x")`, `AccessToken(value=x, …)`: what stands in brackets right behind a name.
pub(crate) fn call(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) -> bool {
    if !matches!(scope.byte(at), Some(b'(' | b'[' | b'{')) || reader.kind != ValueKind::Any {
        return false;
    }
    if let Some(quote) = quoted::open(scope, at + 1) {
        let inner = quoted::read(scope, quote);
        let claims = inner.closed && looks_secret(&scope.text[inner.start..inner.end]);
        return claims && reader.paid(at, inner.after) && reader.claim(scope, inner.start..inner.end, true);
    }
    let known = reader.out.len();
    let mut settings = Reader {
        rule: reader.rule,
        kind: ValueKind::Vendor,
        plural: false,
        labels: reader.labels,
        cursor: &mut *reader.cursor,
        out: &mut *reader.out,
    };
    let end = container::read(&mut settings, scope, at);
    settings.paid(at, end);
    reader.out.len() > known
}

/// `pesel 90010112349`, `kod to 482913`.
fn numbers(reader: &mut Reader<'_>, scope: Scope<'_>, mut from: usize) -> bool {
    const STYLE: Style = Style { colon: true, query: false, member: false, line: false };
    for _ in 0..3 {
        if scope.byte(from).is_some_and(|byte| byte.is_ascii_digit()) || announces_group(scope, from) {
            let end = match reader.kind {
                ValueKind::Date => plain::date_end(scope, from, STYLE),
                _ => plain::groups_end(scope, from, STYLE),
            };
            return reader.paid(from, end) && reader.claim(scope, from..end, false);
        }
        let end = word_end(scope, from);
        let word = scope.text[from..end].strip_suffix(b":").unwrap_or(&scope.text[from..end]);
        if !listed(word, FILL) {
            return false;
        }
        from = scope.skip_blank(end);
    }
    false
}

/// `PL1234563218`, `AB 12 34 56 C`: capitals of a country or a series, then digits.
fn announces_group(scope: Scope<'_>, from: usize) -> bool {
    let rest = &scope.text[from.min(scope.limit)..scope.limit];
    let letters = rest.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let digit = |at: usize| rest.get(at).is_some_and(u8::is_ascii_digit);
    (1..=4).contains(&letters) && (digit(letters) || (rest.get(letters) == Some(&b' ') && digit(letters + 1)))
}

fn secret(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize, at: usize, from: usize) -> bool {
    if let Some(quote) = quoted::open(scope, from) {
        let inner = quoted::read(scope, quote);
        let text = &scope.text[inner.start..inner.end];
        // SQL writes its literals in single quotes: `WITH PASSWORD 'x'`.
        let literal = scope.text[quote.content - 1] == b'\'' && follows_sql(scope, start);
        let claims = inner.closed && (literal || looks_secret(text));
        if claims && reader.paid(from, inner.after) {
            scalar(reader, scope, inner.start..inner.end, true);
        }
        return claims;
    }
    let credentials = login_before(scope, start);
    let tabbed = scope.text[at] == b'\t';
    let end = bare::end(scope, from, Style::default());
    let word = &scope.text[from..end];
    if credentials || (tabbed && looks_secret(word)) || (kind::is_opaque(word) && is_random(word)) {
        return reader.paid(from, end) && reader.claim(scope, from..end, false);
    }
    announced(reader, scope, from)
}

/// Words up to one that announces, then a word that looks like a secret.
fn announced(reader: &mut Reader<'_>, scope: Scope<'_>, mut from: usize) -> bool {
    const REACH: usize = 6;
    for _ in 0..REACH {
        let end = word_end(scope, from);
        let word = &scope.text[from..end];
        let colon = word.strip_suffix(b":");
        let plain = colon.unwrap_or(word);
        if plain.is_empty() && colon.is_none() || word.ends_with(b".") || word.ends_with(b",") {
            return false;
        }
        let next = scope.skip_blank(end);
        if colon.is_some() || listed(plain, ANNOUNCE) {
            let value_end = trimmed_end(scope, next);
            let value = &scope.text[next..value_end];
            // `your password is now: X`
            if scope.byte(value_end) == Some(b':') && !looks_secret(value) {
                from = next;
                continue;
            }
            return looks_secret(value) && reader.paid(from, value_end) && reader.claim(scope, next..value_end, false);
        }
        if !plain.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80 || *byte == b'-') {
            return false;
        }
        from = next;
    }
    false
}

/// End of the word at `from`: no longer than words are.
fn word_end(scope: Scope<'_>, from: usize) -> usize {
    const LONGEST: usize = 32;
    let bytes = &scope.text[from.min(scope.limit)..scope.limit.min(from + LONGEST)];
    from + bytes.iter().take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'\\;()[]{}".contains(byte)).count()
}

/// End of the secret at `from`, without the punctuation of the sentence; quotes around it are left out by
/// the caller's bounds.
fn trimmed_end(scope: Scope<'_>, from: usize) -> usize {
    let end = bare::end(scope, from, Style::default());
    let text = &scope.text[from.min(end)..end];
    end - text.iter().rev().take_while(|byte| matches!(**byte, b'.' | b',' | b';' | b':' | b')')).count()
}

/// A digit or a sign inside, or capitals inside: not a word of a sentence, not a small number.
fn looks_secret(word: &[u8]) -> bool {
    let core = word.trim_ascii();
    if core.len() < 4 || core.starts_with(b"/") || core.iter().any(u8::is_ascii_whitespace) {
        return false;
    }
    let digits = core.iter().filter(|byte| byte.is_ascii_digit()).count();
    let signs = core.iter().filter(|byte| byte.is_ascii_punctuation() && !b"'-.".contains(byte)).count();
    let capital = core[1..].iter().any(u8::is_ascii_uppercase) && core.iter().any(u8::is_ascii_lowercase);
    digits > 0 || signs > 0 || capital
}

/// Not a date, a path, a version, an address of a thing.
fn is_random(word: &[u8]) -> bool {
    let dated = word.len() > 4 && word[..4].iter().all(u8::is_ascii_digit) && word[4] == b'-';
    let version = word[0] == b'v' && word.get(1).is_some_and(u8::is_ascii_digit);
    let structured = word.iter().any(|byte| b"/=:()<>[]{}\\@".contains(byte));
    !dated && !version && !structured
}

/// `machine h login u password p`: a login stands two words before the key.
fn login_before(scope: Scope<'_>, start: usize) -> bool {
    let value_end = scope.back_over_space(start);
    let value = word_before(scope, value_end);
    let name_end = scope.back_over_space(value);
    let name = word_before(scope, name_end);
    value < value_end
        && value_end < start
        && name_end < value
        && listed(&scope.text[name..name_end], &["login", "user", "username", "account"])
}

/// `WITH`, `BY`, `SET`, `USER`, `ROLE` before the key, or `IDENTIFIED` as part of it.
fn follows_sql(scope: Scope<'_>, start: usize) -> bool {
    let end = scope.back_over_space(start);
    let word = &scope.text[word_before(scope, end)..end];
    listed(word, &["with", "by", "set", "user", "role", "encrypted", "identified", "login", "using"])
        || scope.has(start, b"identified")
}

fn word_before(scope: Scope<'_>, end: usize) -> usize {
    const LONGEST: usize = 64;
    let before = &scope.text[scope.floor..end];
    end - before.iter().rev().take(LONGEST).take_while(|byte| !byte.is_ascii_whitespace()).count()
}

fn listed(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}
