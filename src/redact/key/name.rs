//! Names of keys: whether a word the prefilter saw is the end of a whole name.
//!
//! Names are compared by whole words at the joints of camelCase, PascalCase, snake_case, kebab-case and
//! dots. The last words decide: `dbPassword` is a password, `password_reset_at` is not; words such as
//! `new`, `hash` or `2` may follow. `token` inside `tokenizer` or `author` is no word.

use std::ops::Range;

/// A name in the text whose last words are the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Name {
    /// First byte of the whole name.
    pub(super) start: usize,
    /// First byte after it.
    pub(super) end: usize,
    /// An `s` follows the key.
    pub(super) plural: bool,
    /// The key is glued to a word before it (`userpassword`).
    pub(super) glued: bool,
}

/// Bytes of a name left of the key that are looked at.
const LONGEST: usize = 64;

/// Words that may follow a key without changing what it names.
#[rustfmt::skip]
const TAILS: &[&str] = &[
    "admin", "administratora", "again", "b64", "backup", "base64", "bazy", "bcrypt", "confirm", "confirmation",
    "current", "danych", "db", "default", "dev", "digest", "enc", "encoded", "encrypted", "eu", "ftp",
    "gebruiker", "hash", "hashed", "hashing", "hmac", "klienta", "konta", "kontrahenta", "kupujacego", "ldap",
    "live", "main", "master", "md5", "nabywcy", "nadawcy", "new", "odbiorcy", "old", "pacjenta", "pl", "plain",
    "plaintext", "ponownie", "potwierdz", "powtorz", "pracownika", "prev", "previous", "primary", "prod",
    "production", "proof", "raw", "repeat", "retype", "root", "sandbox", "secondary", "sha1", "sha256",
    "sha512", "smtp", "sprzedawcy", "stage", "staging", "str", "string", "temp", "temporary", "test", "text",
    "tmp", "us", "user", "usuario", "utente", "utilisateur", "uzytkownika", "val", "value", "wlasciciela",
    "zamawiajacego",
];

/// The name that the word at `hit` ends, within `record`.
pub(super) fn around(text: &[u8], record: &Range<usize>, hit: Range<usize>) -> Option<Name> {
    let glued = !starts_word(text, record.start, &hit);
    if glued && hit.len() < 8 {
        return None;
    }
    let (end, plural) = name_end(text, record.end, hit.end)?;
    Some(Name { start: name_start(text, record.start, hit.start), end, plural, glued })
}

/// Whether the word at `hit` begins at a joint.
fn starts_word(text: &[u8], floor: usize, hit: &Range<usize>) -> bool {
    if hit.start == floor {
        return true;
    }
    let before = text[hit.start - 1];
    // `-Dsecret=x`: a property of the Java machine.
    let property = before == b'D' && hit.start >= floor + 2 && text[hit.start - 2] == b'-';
    if property {
        return true;
    }
    if !before.is_ascii_alphabetic() {
        return before.is_ascii() || !ends_in_letter(text, floor, hit.start);
    }
    let first_upper = text[hit.start].is_ascii_uppercase();
    let second_lower = text.get(hit.start + 1).is_some_and(u8::is_ascii_lowercase);
    (first_upper && (before.is_ascii_lowercase() || second_lower)) || is_escape(text, floor, hit.start - 1)
}

/// `\n`, `\r`, `\t` written out: the letter at `at` belongs to an escape, not to a word.
fn is_escape(text: &[u8], floor: usize, at: usize) -> bool {
    at > floor && text[at - 1] == b'\\' && matches!(text[at], b'n' | b'r' | b't')
}

/// Whether the character that ends right before `at` is a letter; general punctuation and the no-break
/// space are none, everything else beyond ASCII counts as one.
fn ends_in_letter(text: &[u8], floor: usize, at: usize) -> bool {
    let back = |n: usize| if at >= floor + n { text[at - n] } else { 0 };
    let punctuation = (back(3) == 0xE2 && matches!(back(2), 0x80 | 0x81))
        || (back(3) == 0xE2 && back(2) == 0x86)
        || (back(2) == 0xC2 && back(1) < 0xC0)
        || (back(3) == 0xEF && matches!(back(2), 0xBB | 0xBC));
    !punctuation
}

/// Whether the character at `at` is a letter beyond ASCII.
fn begins_letter(text: &[u8], at: usize, limit: usize) -> bool {
    let byte = |n: usize| if at + n < limit { text[at + n] } else { 0 };
    let punctuation = (byte(0) == 0xE2 && matches!(byte(1), 0x80 | 0x81 | 0x86))
        || byte(0) == 0xC2
        || (byte(0) == 0xEF && matches!(byte(1), 0xBB | 0xBC));
    byte(0) >= 0x80 && !punctuation
}

/// First byte of the name that holds `at`.
fn name_start(text: &[u8], floor: usize, at: usize) -> usize {
    let mut start = at;
    let lowest = floor.max(at.saturating_sub(LONGEST));
    while start > lowest {
        let byte = text[start - 1];
        let part = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$');
        if !part && (byte.is_ascii() || !ends_in_letter(text, floor, start)) {
            break;
        }
        start -= 1;
    }
    if start > floor && start < at && is_escape(text, floor, start) {
        start += 1;
    }
    while start < at && matches!(text[start], b'-' | b'.' | b'$') {
        start += 1;
    }
    start
}

/// The end of the name after the key's last word at `at`, if the rest of the name consists of tails.
fn name_end(text: &[u8], limit: usize, mut at: usize) -> Option<(usize, bool)> {
    let mut plural = false;
    let byte = |at: usize| if at < limit { text[at] } else { 0 };
    if matches!(byte(at), b's' | b'S') && !byte(at + 1).is_ascii_lowercase() {
        plural = true;
        at += 1;
    }
    for _ in 0..4 {
        let next = byte(at);
        let word = match next {
            b'_' | b'-' | b'.' if byte(at + 1).is_ascii_alphanumeric() => at + 1,
            _ if next.is_ascii_digit() => at,
            _ if next.is_ascii_uppercase() && !text[at - 1].is_ascii_uppercase() => at,
            _ if next.is_ascii_alphabetic() || begins_letter(text, at, limit) => return None,
            b'_' => at + 1,
            _ => return Some((at, plural)),
        };
        at = tail_end(text, limit, word)?;
    }
    None
}

/// The end of the tail word at `at`; `None` when the word there is none.
fn tail_end(text: &[u8], limit: usize, at: usize) -> Option<usize> {
    let rest = &text[at..limit];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 {
        return (digits <= 3).then_some(at + digits);
    }
    let upper = rest.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let lower = rest[upper..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let length = upper + lower;
    if length == 0 {
        return Some(at);
    }
    let numbered = length + rest[length..].iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    if numbered > length && TAILS.iter().any(|tail| rest[..numbered].eq_ignore_ascii_case(tail.as_bytes())) {
        return Some(at + numbered);
    }
    let word = &rest[..length];
    TAILS.iter().any(|tail| word.eq_ignore_ascii_case(tail.as_bytes())).then_some(at + length)
}

/// Whether the name at `range` ends in one of `endings`, separators and case ignored. In a name that shows where
/// its words begin, the ending begins with a word: `virustotalToken` does not end in `total token`.
pub(super) fn ends_in(text: &[u8], range: Range<usize>, endings: &[Box<[u8]>]) -> bool {
    const LONGEST: usize = 48;
    let name = &text[range];
    if endings.is_empty() {
        return false;
    }
    // The name's last letters backwards, folded, and where each stands: most endings differ in their first.
    let (mut letters, mut places, mut count) = ([0u8; LONGEST], [0usize; LONGEST], 0);
    for (at, byte) in name.iter().enumerate().rev().filter(|(_, byte)| !b"_-. $".contains(byte)).take(LONGEST) {
        (letters[count], places[count]) = (byte.to_ascii_lowercase(), at);
        count += 1;
    }
    let lower = |at: usize| name[at].is_ascii_lowercase();
    endings.iter().any(|ending| {
        let last = ending.len().wrapping_sub(1);
        if last >= count || letters[last] != ending[0] || !ending.iter().rev().eq(&letters[..=last]) {
            return false;
        }
        let first = places[last];
        let inside = first > 0 && lower(first) && lower(first - 1);
        !inside || (0..name.len()).all(lower)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name around the first `word` in `text`, letter case ignored.
    fn name(text: &str, word: &str) -> Option<String> {
        let at = text.to_lowercase().find(word).unwrap();
        around(text.as_bytes(), &(0..text.len()), at..at + word.len()).map(|name| text[name.start..name.end].to_owned())
    }

    #[test]
    fn whole_words_at_the_end_decide() {
        for (text, word, whole) in [
            ("password=", "password", "password"),
            ("\"dbPassword\":", "password", "dbPassword"),
            ("DB_PASSWORD=", "password", "DB_PASSWORD"),
            ("X-BLToken: ", "token", "X-BLToken"),
            ("spring.datasource.password=", "password", "spring.datasource.password"),
            ("password2=", "password", "password2"),
            ("newPasswordConfirmation", "password", "newPasswordConfirmation"),
            ("tokens: ", "token", "tokens"),
            ("userpassword: ", "password", "userpassword"),
            ("hasloUzytkownika", "haslo", "hasloUzytkownika"),
            ("\\npassword=", "password", "password"),
            ("\\ndb_password=", "password", "db_password"),
            ("--token=", "token", "token"),
            ("-Dsecret=", "secret", "Dsecret"),
            ("hasło_bazy", "hasło", "hasło_bazy"),
            ("password_base64=", "password", "password_base64"),
            ("„password”", "password", "password"),
            ("SECRET_KEY=", "secret_key", "SECRET_KEY"),
        ] {
            assert_eq!(name(text, word).as_deref(), Some(whole), "{text}");
        }
    }

    #[test]
    fn parts_of_words_and_other_last_words_are_none() {
        for (text, word) in [
            ("token_count", "token"),
            ("password_reset_at", "password"),
            ("secretName", "secret"),
            ("tokenizer", "token"),
            ("spin", "pin"),
            ("pinned", "pin"),
            ("secretary_desk", "secret"),
            ("mypin", "pin"),
            ("OLDPWD", "pwd"),
            ("passwordów", "password"),
            ("token_type", "token"),
            ("password-stdin", "password"),
        ] {
            assert_eq!(name(text, word), None, "{text}");
        }
    }

    #[test]
    fn endings_ignore_case_and_separators() {
        let endings = [b"pagetoken".to_vec().into_boxed_slice()];
        assert!(ends_in(b"nextPageToken", 0..13, &endings));
        assert!(ends_in(b"next_page_token", 0..15, &endings));
        assert!(ends_in(b"nextpagetoken", 0..13, &endings));
        assert!(!ends_in(b"token", 0..5, &endings));
        assert!(!ends_in(b"homepageToken", 0..13, &endings));
    }
}
