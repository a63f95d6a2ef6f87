//! Bare values with a grammar of their own: JSON numbers and words, names of several words, groups of
//! digits, dates, the rest of a line.

use super::bare::{self, Style};
use super::scope::Scope;

/// A bare member value of a JSON-like object: up to the comma, bracket or white space after it.
pub(crate) fn member_end(scope: Scope<'_>, from: usize) -> usize {
    let mut opened = 0usize;
    for at in from..scope.limit {
        match scope.text[at] {
            b'(' => opened += 1,
            b')' if opened > 0 => opened -= 1,
            b',' | b' ' if opened > 0 => {}
            b',' | b'}' | b']' | b')' | b'"' | b'\\' | b';' => return at,
            byte if byte.is_ascii_whitespace() => return at,
            _ => {}
        }
    }
    scope.limit
}

/// Words of a name or an address in running text: up to a comma, a semicolon, a bracket, a quote, a run of
/// spaces or the next pair.
pub(crate) fn words_end(scope: Scope<'_>, from: usize) -> usize {
    const LONGEST: usize = 80;
    let limit = scope.limit.min(from + LONGEST);
    let mut at = from;
    while at < limit {
        match scope.text[at] {
            b',' | b';' | b'|' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b'<' | b'>' | b'=' => break,
            b'\t' | b'\n' | b'\r' | b'\\' | 0 => break,
            b'&' if bare::pair_begins(scope, at + 1) => break,
            b' ' if matches!(scope.byte(at + 1), None | Some(b' ' | b'-')) => break,
            b' ' if bare::pair_begins(scope, at + 1) || is_machine_word(scope, at + 1) => break,
            b'\'' if !scope.byte(at + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || byte >= 0x80) => break,
            _ => at += 1,
        }
    }
    // Never in the middle of a character.
    while at < scope.limit && at == limit && scope.text[at] & 0xC0 == 0x80 {
        at += 1;
    }
    at
}

/// An id behind the words of a name: one token of a dozen hexadecimal digits and dashes or more.
fn is_machine_word(scope: Scope<'_>, from: usize) -> bool {
    const SHORTEST: usize = 12;
    let rest = &scope.text[from.min(scope.limit)..scope.limit];
    let length = rest.iter().take(64).take_while(|byte| byte.is_ascii_hexdigit() || **byte == b'-').count();
    length >= SHORTEST && count_digits(&rest[..length]) >= 4
}

/// The words of a name among [`words_end`]: a word in small letters that no name goes on behind ends it.
pub(crate) fn name_end(scope: Scope<'_>, from: usize) -> usize {
    let end = words_end(scope, from);
    let mut kept = from;
    let mut at = from;
    for word in scope.text[from..end].split(|byte| *byte == b' ') {
        if word.first().is_some_and(|byte| !byte.is_ascii_lowercase()) || word == b"o.o." {
            kept = at + word.len();
        } else if word.len() > 3 {
            break;
        }
        at += word.len() + 1;
    }
    kept.min(end)
}

/// `company=Nordic Timber GmbH order=7`: an unquoted name of several words, where capitals go on up to the next pair.
pub(crate) fn title_end(scope: Scope<'_>, from: usize, style: Style) -> usize {
    const JOINTS: &[&[u8]] = &[
        b"&", b"i", b"z", b"o.o.", b"de", b"la", b"da", b"di", b"du", b"van", b"von", b"der", b"und", b"and", b"of",
        b"m.",
    ];
    let first = bare::end(scope, from, style);
    if scope.byte(first) != Some(b' ') || !begins_name(&scope.text[from..first]) && first - from > 4 {
        return first;
    }
    let end = words_end(scope, from);
    let rest = scope.text.get(first + 1..end).unwrap_or_default();
    let ends = match scope.byte(end) {
        Some(b' ') => bare::pair_begins(scope, end + 1),
        Some(b',' | b';' | b'|') => true,
        _ => false,
    };
    let named = |word: &[u8]| begins_name(word) || JOINTS.contains(&word);
    if ends && !rest.is_empty() && rest.split(|byte| *byte == b' ').all(named) { end } else { first }
}

/// A capital, or a letter beyond ASCII.
fn begins_name(word: &[u8]) -> bool {
    word.first().is_some_and(|byte| byte.is_ascii_uppercase() || *byte >= 0xC3)
}

/// Groups of digits: `123-456-32-18`, `123 456 32 18`, `AB 12 34 56 C`, `PL1234563218`.
pub(crate) fn groups_end(scope: Scope<'_>, from: usize, style: Style) -> usize {
    let mut end = group_end(scope, from);
    if !style.colon {
        return end.max(bare::end(scope, from, style));
    }
    let mut group = end - from;
    let mut digits = count_digits(&scope.text[from..end]);
    loop {
        let next = match scope.byte(end) {
            Some(b' ') => end + 1,
            Some(0xC2) if scope.byte(end + 1) == Some(0xA0) => end + 2,
            _ => return end,
        };
        let after = group_end(scope, next);
        let fits = after - next <= 6 && group <= 6 && digits + (after - next) <= 34;
        let fresh = count_digits(&scope.text[next..after]);
        let lone_letter = after - next == 1 && fresh == 0 && digits >= 4;
        if after == next || !fits || (fresh == 0 && !lone_letter) {
            return end;
        }
        (group, digits, end) = (after - next, digits + fresh, after);
        if lone_letter {
            return end;
        }
    }
}

fn group_end(scope: Scope<'_>, from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = scope.byte(at) {
        let joint = matches!(byte, b'-' | b'.' | b'/')
            && at > from
            && scope.byte(at + 1).is_some_and(|next| next.is_ascii_digit());
        if !byte.is_ascii_alphanumeric() && !joint {
            break;
        }
        at += 1;
    }
    at
}

fn count_digits(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| byte.is_ascii_digit()).count()
}

/// `1990-01-01`, `01.01.1990`, `1 stycznia 1990`.
pub(crate) fn date_end(scope: Scope<'_>, from: usize, style: Style) -> usize {
    let end = bare::end(scope, from, style);
    if !style.colon || end - from > 2 || !scope.text[from..end].iter().all(u8::is_ascii_digit) {
        return end;
    }
    let month = bare::end(scope, scope.skip_blank(end), style);
    let year = scope.skip_blank(month);
    let after = group_end(scope, year);
    if after - year == 4 && scope.text[year..after].iter().all(u8::is_ascii_digit) { after } else { end }
}

/// The rest of the line, when nothing in it looks like something else: a pair or a comment.
pub(crate) fn line_end(scope: Scope<'_>, from: usize, style: Style) -> usize {
    let word = bare::end(scope, from, style);
    if scope.byte(word) == Some(b'\\') {
        return word;
    }
    let rest = &scope.text[word..scope.limit];
    let end = word + rest.iter().position(|byte| matches!(byte, b'\n' | b'\r' | 0)).unwrap_or(rest.len());
    let mut at = word;
    while at < end {
        let next = scope.skip_blank(at).min(end);
        let comment = next > at && scope.byte(next) == Some(b'#');
        if comment || (next > at && bare::pair_begins(scope, next)) || matches!(scope.text[at], b',' | b'=') {
            return word;
        }
        at = next.max(at + 1);
    }
    end
}

/// `password: 3 attempts`: a small number that counts what follows.
pub(crate) fn is_count(scope: Scope<'_>, from: usize, end: usize) -> bool {
    let digits = end - from;
    (1..=3).contains(&digits)
        && scope.text[from..end].iter().all(u8::is_ascii_digit)
        && scope.byte(end) == Some(b' ')
        && scope.byte(end + 1).is_some_and(|byte| byte.is_ascii_lowercase())
        && !bare::pair_begins(scope, end + 1)
}
