//! Keys in running text: `password is X`, `hasło do konta to X`, `NIP 123-456-32-18`, `login a password b`.
//!
//! A text about passwords says nothing (`password reset requested`), so a word is claimed only where a
//! connecting word or a quote announces it and it looks like a secret.

use super::bare::{self, Style};
use super::full_name;
use super::kind::{self, ValueKind};
use super::pair;
use super::plain;
use super::quoted;
use super::reader::Reader;
use super::scalar::scalar;
use super::scope::Scope;
use super::weak;
use crate::redact::words::Words;
use std::ops::Range;

/// Words that announce a value.
#[rustfmt::skip]
static ANNOUNCE: Words = Words::new(&[
    "is", "was", "to", "jest", "brzmi", "wynosi", "be", "becomes", "ist", "lautet", "est", "es", "è", "é", "sarà", "value", "=", "->", "<<<",
]);

/// First words behind a key after which a colon announces: `password for root: x`, never `password reset for: x`.
static BEFORE_COLON: Words = Words::new(&[
    "is",
    "was",
    "for",
    "now",
    "to",
    "jest",
    "do",
    "dla",
    "konta",
    "bazy",
    "klienta",
    "utilisateur",
    "usuario",
    "utente",
    "użytkownika",
    "of",
    "value",
    "für",
    "pour",
    "para",
    // Adjectives that follow their noun.
    "tymczasowe",
    "jednorazowe",
    "startowe",
    "początkowe",
    "temporaire",
    "provisoire",
    "temporal",
    "provisional",
    "temporanea",
    "provvisoria",
]);

/// Words before a value that is replaced.
static FROM: Words = Words::new(&["from", "z", "von", "de", "da"]);

/// Verbs of a change, and the words behind them before what it is changed to.
#[rustfmt::skip]
static CHANGED: Words = Words::new(&[
    "alterada", "alterado", "cambiada", "cambiado", "cambiata", "cambiato", "changé", "defini", "défini", "definida", "geändert", "gesetzt",
    "gewijzigd", "impostata", "modifié", "nadano", "reimpostata", "remplacé", "restablecida", "réinitialisé", "ustawione", "ustawiono",
    "zmienione", "zmieniono", "zresetowano", "zurückgesetzt",
]);
static INTO: Words = Words::new(&["a", "auf", "en", "in", "na", "naar", "para", "par", "por", "sur"]);

/// Words between a key of digits and the digits.
static FILL: Words =
    Words::new(&["is", "to", "jest", "no", "no.", "nr", "nr.", "number", "numer", "#", "code", "für", "of", "was"]);

/// Reads the value of a key that stands in running text and ends at `at`; false when there is none.
pub(crate) fn read(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize, at: usize, spoken: bool) -> bool {
    // `set ::env(API_TOKEN) "x"`, `(/User[app]/password) changed to x`
    let indexed = scope.byte(at) == Some(b')');
    let opened = start > scope.floor && scope.text[start - 1] == b'(';
    let at = at + usize::from(indexed);
    let from = scope.skip_blank(at);
    // `(user, password) = split(x)` is code.
    if indexed && !opened && !scope.byte(from).is_some_and(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    if from == at || from >= scope.limit {
        return false;
    }
    match reader.kind {
        ValueKind::Digits | ValueKind::Code | ValueKind::Date => numbers(reader, scope, from),
        ValueKind::Pair => pair::spoken(reader, scope, from),
        _ if spoken => secret(reader, scope, start, at, from),
        _ => false,
    }
}

/// `set "auth.password" to "x"`, `'token' is "x"`: the value that is told of a name in quotes, which end at `after`.
pub(crate) fn named(reader: &mut Reader<'_>, scope: Scope<'_>, after: usize, spoken: bool) -> bool {
    let from = scope.skip_blank(after);
    let end = word_end(scope, from);
    let told = from > after && listed(&scope.text[from..end], &["to", "is", "was", "from", "changed"]);
    told && spoken && reader.kind.is_any() && announced(reader, scope, from, false)
}

/// `Customer Anna Nowak asked`: the name behind a word for a person.
pub(crate) fn person(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) -> bool {
    let from = scope.skip_blank(at);
    let end = (from > at).then(|| full_name::spoken_end(scope, from)).flatten();
    end.is_some_and(|end| reader.paid(at, end) && reader.claim(scope, from..end, false))
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
        if !FILL.has(word) {
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

/// Things that have names of their own: `secret "tls-2" created` says nothing secret.
static NAMED: Words = Words::new(&["secret", "secrets"]);

fn secret(reader: &mut Reader<'_>, scope: Scope<'_>, start: usize, at: usize, from: usize) -> bool {
    let sql = follows_sql(scope, start);
    if NAMED.has(&scope.text[start..at]) {
        return announced(reader, scope, from, false);
    }
    if let Some(from) = behind_dash(scope, from) {
        let end = trimmed_end(scope, from);
        let word = &scope.text[from..end];
        let claims = kind::is_opaque(word) && is_random(word);
        return claims && reader.paid(from, end) && reader.claim(scope, from..end, false);
    }
    // `IDENTIFIED WITH caching_sha2_password BY 'x'`, `IDENTIFIED BY PASSWORD '*…'`.
    let by = word_end(scope, from);
    let behind = scope.skip_blank(by);
    let from = if sql && listed(&scope.text[from..by], &["by", "as", "password"]) { behind } else { from };
    let wrapper = ["Optional(", "Some(", "Just "].into_iter().find(|wrapper| scope.has(from, wrapper.as_bytes()));
    let from = from + wrapper.map_or(0, str::len);
    if let Some(quote) = quoted::open(scope, from) {
        let inner = quoted::read(scope, quote);
        let text = &scope.text[inner.start..inner.end];
        // SQL writes its literals in single quotes: `WITH PASSWORD 'x'`.
        let literal = scope.text[quote.content - 1] == b'\'' && sql;
        let tail = &scope.text[start..at][(at - start).saturating_sub(b"phrase".len())..];
        let phrase = tail.eq_ignore_ascii_case(b"phrase") && is_phrase(text);
        let claims = inner.closed && (literal || phrase || kind::looks_secret(text));
        if claims && reader.paid(from, inner.after) {
            scalar(reader, scope, inner.start..inner.end, true);
            counterpart(reader, scope, inner.after);
        }
        return claims;
    }
    if let Some(inner) = bracketed(scope, from).filter(|inner| !reader.labels.knows(&scope.text[inner.clone()])) {
        return reader.paid(from, inner.end) && reader.claim(scope, inner, false);
    }
    let tabbed = scope.text[at] == b'\t';
    let end = bare::end(scope, from, Style::default());
    let word = &scope.text[from..end];
    let identified = sql && scope.has(start, b"identified");
    // `pass` alone is a verb: only behind a login it names a password.
    if scope.text[start..at].eq_ignore_ascii_case(b"pass") && !login_before(scope, start) {
        return false;
    }
    let with = preposition_before(scope, start);
    let password = weak::speaks_of_password(&scope.text[start..at]);
    if with && password && weak::is_weak(word) && weak::ends_clause(scope, end) {
        return reader.paid(from, end) && reader.claim(scope, from..end, false);
    }
    if login_before(scope, start)
        || with && kind::looks_secret(word) && !is_address(word)
        || ((tabbed || identified || is_setting(scope, start, at)) && kind::looks_secret(word))
        || kind::is_passphrase(word)
        || (kind::is_opaque(word) && is_random(word))
    {
        return reader.paid(from, end) && reader.claim(scope, from..end, false);
    }
    announced(reader, scope, from, password)
}

/// `with password x`: a word that hands a secret over stands before the key, an article perhaps between.
fn preposition_before(scope: Scope<'_>, start: usize) -> bool {
    static WITH: Words = Words::new(&["with", "using", "mit", "avec", "con", "met", "com"]);
    static BETWEEN: Words = Words::new(&["the", "le", "la", "dem", "il", "o"]);
    // `avec le mot de passe x`, `hasłem x`: the ending says it.
    let mut end = scope.back_over_space(start);
    let word = &scope.text[word_before(scope, end)..end];
    if BETWEEN.has(word) {
        end = scope.back_over_space(word_before(scope, end));
    }
    let instrumental = scope.has(start, "hasłem".as_bytes()) || scope.has(start, b"haslem");
    instrumental || WITH.has(&scope.text[word_before(scope, end)..end])
}

/// `webhookSecret [x] rejected`: one random-looking text in brackets.
fn bracketed(scope: Scope<'_>, from: usize) -> Option<std::ops::Range<usize>> {
    const LONGEST: usize = 512;
    if scope.byte(from) != Some(b'[') {
        return None;
    }
    let rest = &scope.text[from + 1..scope.limit.min(from + LONGEST)];
    let length = rest.iter().take_while(|byte| byte.is_ascii_graphic() && **byte != b']').count();
    let text = &rest[..length];
    let closed = rest.get(length) == Some(&b']');
    (closed && kind::is_opaque(text) && is_random(text)).then_some(from + 1..from + 1 + length)
}

/// `passphrase "island summit prairie"`: three words or more.
fn is_phrase(text: &[u8]) -> bool {
    let words = text.split(|byte| *byte == b' ');
    words.clone().count() >= 3
        && words.into_iter().all(|word| word.len() >= 2 && word.iter().all(u8::is_ascii_alphanumeric))
}

/// `configure set aws_secret_access_key x`: a compound name behind `set`.
fn is_setting(scope: Scope<'_>, start: usize, at: usize) -> bool {
    let end = scope.back_over_space(start);
    let word = &scope.text[word_before(scope, end)..end];
    let compound = scope.text[start..at].iter().any(|byte| matches!(byte, b'_' | b'-' | b'.'));
    compound && listed(word, &["set", "put", "setx", "setenv"])
}

/// `password - x`, `password ---- x`: the place behind the dashes.
fn behind_dash(scope: Scope<'_>, from: usize) -> Option<usize> {
    let ruled = scope.text[from..scope.limit].iter().take(16).take_while(|byte| **byte == b'-').count();
    if ruled > 0 && scope.byte(from + ruled) == Some(b' ') {
        return Some(scope.skip_blank(from + ruled));
    }
    let dash = ["– ", "— "].iter().find(|dash| scope.has(from, dash.as_bytes()))?;
    Some(scope.skip_blank(from + dash.len()))
}

/// Words up to one that announces, then a word that looks like a secret.
fn announced(reader: &mut Reader<'_>, scope: Scope<'_>, mut from: usize, password: bool) -> bool {
    const REACH: usize = 6;
    const LONGEST_NAME: usize = 64;
    let first = scope.text[from..word_end(scope, from)].trim_ascii();
    let colon_announces = BEFORE_COLON.has(first.strip_suffix(b":").unwrap_or(first));
    let mut changed = false;
    for _ in 0..REACH {
        // `password for user "joe" is x`
        if let Some(quote) = quoted::open(scope, from) {
            let inner = quoted::read(Scope { limit: scope.limit.min(from + LONGEST_NAME), ..scope }, quote);
            if !inner.closed {
                return false;
            }
            // `password changed from "x" to "y"`: both are passwords, or were.
            let old = FROM.has(scope.text[word_before(scope, scope.back_over_space(from))..from].trim_ascii());
            if old && kind::looks_secret(&scope.text[inner.start..inner.end]) {
                reader.claim(scope, inner.start..inner.end, true);
            }
            from = scope.skip_blank(inner.after);
            continue;
        }
        // `changed [old password hash redacted] to x`
        if let Some(close) = remark_end(scope, from) {
            from = scope.skip_blank(close);
            continue;
        }
        let end = word_end(scope, from);
        let word = &scope.text[from..end];
        let colon = word.strip_suffix(b":");
        let plain = colon.unwrap_or(word);
        if plain.is_empty() && colon.is_none() || word.ends_with(b".") || word.ends_with(b",") {
            return false;
        }
        let next = scope.skip_blank(end);
        if colon.is_some() && !colon_announces {
            return false;
        }
        if colon.is_some() || ANNOUNCE.has(plain) {
            match told(reader, scope, plain, from..next, password) {
                Some(claims) => return claims,
                None => {
                    from = next;
                    continue;
                }
            }
        }
        if colon.is_none() && FROM.has(plain) && replaced(reader, scope, next) {
            return true;
        }
        // `wurde auf x gesetzt`, `zmieniono na x`
        if INTO.has(plain) && (changed || is_set_behind(scope, next)) {
            return told_word(reader, scope, from, next..trimmed_end(scope, next));
        }
        changed |= CHANGED.has(plain);
        let host = plain.contains(&b'.') && plain[0].is_ascii_alphanumeric();
        let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80 || *byte == b'-';
        if !plain.iter().all(|byte| letter(byte) || host && (byte.is_ascii_digit() || *byte == b'.')) {
            return false;
        }
        from = next;
    }
    false
}

/// Reads what a word announces that stands at `word.start`, its value at `word.end`; `None` when the sentence goes on.
fn told(reader: &mut Reader<'_>, scope: Scope<'_>, plain: &[u8], word: Range<usize>, password: bool) -> Option<bool> {
    let Range { start: from, end: next } = word;
    if let Some(quote) = quoted::open(scope, next) {
        let inner = quoted::read(scope, quote);
        let text = &scope.text[inner.start..inner.end];
        let claims = inner.closed && (kind::looks_secret(text) || is_phrase(text));
        return Some(claims && reader.paid(from, inner.after) && reader.claim(scope, inner.start..inner.end, true));
    }
    let end = trimmed_end(scope, next);
    let value = &scope.text[next..end];
    if password && weak::IS.has(plain) && weak::is_weak(value) && weak::ends_clause(scope, end) {
        return Some(reader.paid(from, end) && reader.claim(scope, next..end, false));
    }
    // `your password is now: X`, `header value is X`
    if (scope.byte(end) == Some(b':') || ANNOUNCE.has(value)) && !kind::looks_secret(value) {
        return None;
    }
    Some(told_word(reader, scope, from, next..end))
}

/// Claims the word that the one at `from` announces, if it looks like a secret.
fn told_word(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize, word: Range<usize>) -> bool {
    let text = &scope.text[word.clone()];
    let tells = kind::looks_secret(text) && !tells_a_fact(text);
    tells && reader.paid(from, word.end) && reader.claim(scope, word, false)
}

/// `password "x" but got "y"`: the second of two that a check compares; `at` is behind the first.
fn counterpart(reader: &mut Reader<'_>, scope: Scope<'_>, at: usize) {
    const JOINTS: &[&[u8]] = &[
        b" but got ",
        b" but was ",
        b" but found ",
        b", got ",
        b", but got ",
        b" got ",
        b" != ",
        b" !== ",
        b" <> ",
        b" instead of ",
        b", actual ",
        b", actual: ",
        b" -> ",
        b" => ",
        b" to be ",
        b" vs ",
        b" vs. ",
    ];
    let Some(joint) = JOINTS.iter().find(|joint| scope.has(at, joint)) else { return };
    let Some(quote) = quoted::open(scope, at + joint.len()) else { return };
    let inner = quoted::read(scope, quote);
    if inner.closed && reader.paid(at, inner.after) {
        scalar(reader, scope, inner.start..inner.end, true);
    }
}

/// Behind a remark in square brackets.
fn remark_end(scope: Scope<'_>, from: usize) -> Option<usize> {
    const LONGEST: usize = 64;
    let rest = &scope.text[from.min(scope.limit)..scope.limit.min(from + LONGEST)];
    let close = memchr::memchr(b']', rest.strip_prefix(b"[")?)?;
    rest[..close].contains(&b' ').then_some(from + close + 2)
}

/// Whether a verb of setting stands behind the word at `from`.
fn is_set_behind(scope: Scope<'_>, from: usize) -> bool {
    let next = scope.skip_blank(bare::end(scope, from, Style::default()));
    let rest = &scope.text[next.min(scope.limit)..scope.limit];
    let length = rest.iter().take(20).take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count();
    listed(&rest[..length], &["gesetzt", "geändert", "geaendert", "zurückgesetzt", "zurueckgesetzt"])
}

/// `rotated from X to Y`: both values, where both are random.
fn replaced(reader: &mut Reader<'_>, scope: Scope<'_>, from: usize) -> bool {
    static TO: Words = Words::new(&["to", "na", "auf", "zu", "à", "a", "por", "into"]);
    let end = trimmed_end(scope, from);
    let joint = scope.skip_blank(end);
    let joint_end = word_end(scope, joint);
    let next = scope.skip_blank(joint_end);
    let next_end = trimmed_end(scope, next.min(scope.limit));
    let random = |from: usize, end: usize| kind::is_random(&scope.text[from..end.max(from)]);
    TO.has(&scope.text[joint..joint_end])
        && random(from, end)
        && random(next, next_end)
        && reader.paid(from, next_end)
        && reader.claim(scope, from..end, false)
        && reader.claim(scope, next..next_end, false)
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

/// `node-3.example.com:59190`: a host of several labels and a port.
fn is_address(word: &[u8]) -> bool {
    let Some(colon) = memchr::memrchr(b':', word) else { return false };
    let (host, port) = (&word[..colon], &word[colon + 1..]);
    (2..=5).contains(&port.len())
        && port.iter().all(u8::is_ascii_digit)
        && host.contains(&b'.')
        && host.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// `is 2048 bits`, `is 2026-03-01`, `is v2`, `is s3://…`: what a sentence tells about a key.
fn tells_a_fact(word: &[u8]) -> bool {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let short = digits == word.len() && digits < 6;
    let version = word[0] == b'v' && word.get(1).is_some_and(u8::is_ascii_digit) && word.len() < 8;
    short || kind::is_dated(word) || version || is_address(word) || memchr::memmem::find(word, b"://").is_some()
}

/// Not a date, a path, a version, an address of a thing.
pub(crate) fn is_random(word: &[u8]) -> bool {
    let version = word[0] == b'v' && word.get(1).is_some_and(u8::is_ascii_digit) && word.len() < 20;
    // `Token *oauth2.Token`: a type.
    let structured = word[0] == b'*' || word.iter().any(|byte| b"/=:()<>[]{}\\@".contains(byte));
    !kind::is_dated(word) && !version && !structured
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
