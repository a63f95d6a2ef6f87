//! What a rule expects of a value: how it is read and which values are none.

use super::full_name;
use serde::{Deserialize, Serialize};

/// Which values a key rule claims, and how they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueKind {
    /// Every scalar that is not provably nothing (`null`, booleans, empty, placeholders).
    #[default]
    Any,
    /// Something that looks random: at least eight characters of two kinds. For weak keys such as `auth`.
    Opaque,
    /// Something that is random beyond doubt: one token of at least sixteen characters, digits and letters
    /// well mixed. For keys that name many other things, such as `… key`.
    Random,
    /// As `opaque`, or several joined words, or letters and signs: what people choose as a password.
    Password,
    /// Something with a letter in it: names, companies, addresses. Numbers and dates stay. An unquoted
    /// value of `key: value` goes up to the next comma, semicolon or pair.
    Text,
    /// At least four digits, otherwise only separators and at most four letters: `PL 123-456-32-18`.
    Digits,
    /// Three to eight digits: security codes, PINs, one-time codes.
    Code,
    /// A number, signed or with a fraction: coordinates.
    Number,
    /// A date in any usual order, or an epoch.
    Date,
    /// As `random`, in an object that stands for a service with keys: `api: {key: …}`.
    Service,
    /// `Bearer x`, `Digest username="x", …`, or a bare credential: the scheme's name stays.
    Authorization,
    /// `a=b; c=d`: every value, no name.
    Cookie,
    /// `a=b; Path=/; …`: the first value only.
    SetCookie,
    /// The key is itself a scheme's name in running text: `Bearer x`; the value follows a space.
    Scheme,
    /// As `scheme`, the value being base64 of `user:password` or of SASL's NUL-separated fields.
    Basic,
    /// The key is a vendor's name, itself the value of `provider` and the like: random-looking texts under
    /// `value`, `data`, … beside it, and in the objects beside it.
    Vendor,
    /// Two to four capitalised words, in an object that stands for a person, `"customer": {"name": …}`, or
    /// beside contact details: `Name: Jan Kowalski | E-mail: …`.
    Person,
    /// Two to four capitalised words that are no title of a thing; in running text the first must be a known
    /// given name: `Customer Anna Nowak asked`. For keys that name a person's part, such as `customer`.
    FullName,
    /// As `full-name`, and one of the first words is a known given name or holds a letter beyond ASCII. For keys that
    /// name things as often as persons, such as `user`.
    GivenName,
    /// A name, be it of one word, beside contact details or other parts of a name: `Nom: Dupont, Prénom: …`.
    NamePart,
    /// As `any`, and a user with a password behind it: `credentials: app / x`, `creds app:x`.
    Pair,
    /// The key is a program's name: its secret flags follow (`curl -u a:b`, `mysql -psecret`).
    Command,
}

impl ValueKind {
    /// Whether the values are names of persons.
    pub(crate) fn is_name(self) -> bool {
        matches!(self, ValueKind::Person | ValueKind::FullName | ValueKind::GivenName | ValueKind::NamePart)
    }

    /// Whether every scalar counts.
    pub(crate) fn is_any(self) -> bool {
        matches!(self, ValueKind::Any | ValueKind::Pair)
    }

    /// Whether a scalar can be what the rule looks for. Kinds with a grammar of their own accept anything.
    pub(crate) fn accepts(self, value: &[u8]) -> bool {
        let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
        match self {
            ValueKind::Opaque => is_opaque(value),
            ValueKind::Random | ValueKind::Service => is_random(value),
            ValueKind::Password => is_opaque(value) || is_passphrase(value) || is_signed(value),
            ValueKind::Vendor => value.len() >= 12 && is_opaque(value),
            ValueKind::Text => has_letter(value),
            ValueKind::Person => is_full_name(value),
            ValueKind::FullName => full_name::is_person(value) || full_name::is_company(value),
            ValueKind::GivenName => full_name::is_spoken(value) || full_name::is_company(value),
            ValueKind::NamePart => full_name::may_be_name(value),
            ValueKind::Digits => digits >= 4 && letters(value) <= 4.max(digits / 2),
            ValueKind::Code => (3..=8).contains(&digits) && digits + separators(value) == value.len(),
            ValueKind::Number => is_number(value),
            ValueKind::Date => digits >= 4 && value.len() <= 40,
            _ => true,
        }
    }
}

/// Random-looking: long enough, and of two kinds of characters of which one is a digit, or of mixed case
/// beyond a capital at a word's start.
pub(crate) fn is_opaque(value: &[u8]) -> bool {
    let token = value.len() >= 8 && !value.iter().any(u8::is_ascii_whitespace);
    let digit = value.iter().any(u8::is_ascii_digit);
    let letter = has_letter(value);
    token && !is_handle(value) && !holds_mask(value) && ((digit && letter) || turns_of_case(value) >= 2)
}

/// Something in brackets that reads as a mask: its letters and digits tell nothing of what stands around it.
fn holds_mask(value: &[u8]) -> bool {
    memchr::memchr_iter(b'[', value).any(|open| {
        let label = &value[open + 1..];
        let length =
            label.iter().take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || **byte == b'-');
        let length = length.count();
        length >= 2 && label.get(length) == Some(&b']')
    })
}

/// A handle or a place in memory: `0x14ed93111f20005`.
fn is_handle(value: &[u8]) -> bool {
    value.len() <= 18 && value.strip_prefix(b"0x").is_some_and(|rest| rest.iter().all(u8::is_ascii_hexdigit))
}

/// One token of at least sixteen characters whose digits and letters take turns again and again, or a UUID; or such a
/// token behind its own id and a colon.
pub(crate) fn is_random(value: &[u8]) -> bool {
    is_random_token(value) || memchr::memchr(b':', value).is_some_and(|colon| is_random_pair(value, colon))
}

/// `zOPYQj.HR1yvs:26ieZF40…`, `0.5f2c…:N3wRS0…`: neither half is a word, as the first of `user12:8f14…` is.
fn is_random_pair(value: &[u8], colon: usize) -> bool {
    const LONGEST_WORD: usize = 3;
    let (id, secret) = (&value[..colon], &value[colon + 1..]);
    let token = id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-+/=.".contains(byte));
    let word = id.split(|byte| !byte.is_ascii_lowercase()).map(<[u8]>::len).max().unwrap_or(0);
    id.len() >= 8
        && token
        && word <= LONGEST_WORD
        && id.iter().any(u8::is_ascii_digit)
        && turns_of_case(id) >= 1
        && is_random_token(secret)
}

fn is_random_token(value: &[u8]) -> bool {
    let token = value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-+/=.".contains(byte));
    let digit = |byte: &u8| byte.is_ascii_digit();
    let turns = value.windows(2).filter(|pair| digit(&pair[0]) != digit(&pair[1])).count();
    let (digits, letters) = (value.iter().filter(|byte| digit(byte)).count(), letters(value));
    let mixed = digits >= 2 && letters >= 4 && turns >= 4 || turns_of_case(value) >= 3;
    value.len() >= 16 && token && mixed && !is_structured(value)
}

/// Paths, file names, versions, times, names of many words: what has digits and letters and is not random.
fn is_structured(value: &[u8]) -> bool {
    let word =
        |part: &[u8]| part.len() > 2 && part.iter().all(|byte| byte.is_ascii_lowercase() || b"-_".contains(byte));
    let path = value.contains(&b'/') && value.split(|byte| *byte == b'/').any(word);
    let extension = value.iter().rev().take(6).position(|byte| *byte == b'.').is_some_and(|at| (2..5).contains(&at));
    let dated = is_dated(value);
    let longest = value.split(|byte| !byte.is_ascii_alphanumeric()).map(<[u8]>::len).max().unwrap_or(0);
    path || extension || dated || longest < 8
}

/// `2026-03-…`: a year, and a number of two digits behind a dash; never `1234-56789-…`.
pub(crate) fn is_dated(value: &[u8]) -> bool {
    let digits = |from: usize| value[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    value.len() > 4 && digits(0) == 4 && value[4] == b'-' && digits(5) <= 2
}

/// Letters and a sign that hardly stands in a name: `p%ixel-timber`.
fn is_signed(value: &[u8]) -> bool {
    let sign = |byte: &u8| b"!#$%^*~?&@".contains(byte);
    value.len() >= 8
        && value.iter().any(sign)
        && has_letter(value)
        && !sign(&value[0])
        && value.iter().all(|byte| byte.is_ascii_graphic())
}

/// A digit or a sign inside, or capitals inside: not a word of a sentence, not a small number.
pub(crate) fn looks_secret(word: &[u8]) -> bool {
    let core = word.trim_ascii();
    if core.len() < 4 || core.starts_with(b"/") || core.iter().any(u8::is_ascii_whitespace) {
        return false;
    }
    let digits = core.iter().filter(|byte| byte.is_ascii_digit()).count();
    let signs = core.iter().filter(|byte| byte.is_ascii_punctuation() && !b"'-._".contains(byte)).count();
    let capital = core[1..].iter().any(u8::is_ascii_uppercase) && core.iter().any(u8::is_ascii_lowercase);
    digits > 0 || signs > 0 || capital || is_passphrase(core)
}

/// Four words or more, joined by signs: `correct-horse-battery-staple`.
pub(crate) fn is_passphrase(value: &[u8]) -> bool {
    let mut words = 0;
    let parted = value.split(|byte| b"-_.+/".contains(byte)).all(|word| {
        words += 1;
        word.len() >= 2 && word.iter().all(u8::is_ascii_alphabetic)
    });
    parted && words >= 4
}

/// `Jan Kowalski`, `Anna Maria de la Cruz`, never `Send invoice`.
fn is_full_name(value: &[u8]) -> bool {
    let word = |word: &[u8]| {
        let letters = word.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80 || b"'-.".contains(byte));
        let particle = matches!(
            word,
            b"de" | b"la" | b"da" | b"di" | b"do" | b"dos" | b"van" | b"von" | b"der" | b"den" | b"del" | b"el"
        );
        letters && (particle || !word[0].is_ascii_lowercase())
    };
    let words = value.split(|byte| *byte == b' ').filter(|part| !part.is_empty());
    let (mut count, mut fine) = (0, true);
    for part in words {
        count += 1;
        fine &= word(part);
    }
    fine && (2..=5).contains(&count) && !value[0].is_ascii_digit()
}

/// How often a lower-case letter is followed by an upper-case one.
fn turns_of_case(value: &[u8]) -> usize {
    value.windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count()
}

fn has_letter(value: &[u8]) -> bool {
    value.iter().any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
}

fn letters(value: &[u8]) -> usize {
    value.iter().filter(|byte| byte.is_ascii_alphabetic()).count()
}

fn separators(value: &[u8]) -> usize {
    value.iter().filter(|byte| matches!(byte, b' ' | b'-' | b'.')).count()
}

fn is_number(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").or(value.strip_prefix(b"+")).unwrap_or(value);
    digits.first().is_some_and(u8::is_ascii_digit)
        && digits.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_values_are_told_from_names_of_things() {
        for value in [
            "8f14e45fceea167a5a36dedd4bea2543",
            "3f2a9c1e-7b6d-4e5f-8a9b-0c1d2e3f4a5b",
            "aB3dE6gH9jK2mN5pQ8",
            "q7ZxP9Lm2Vt/4Kd8Rw1bT5==",
            "1234-56789-Q30JDC5VNII0GK1XJD0S",
            "zOPYQj.HR1yvs:26ieZF40Vtjk7S-5YcBfG999sA9HJw5",
        ] {
            assert!(is_random(value.as_bytes()), "{value}");
        }
        for value in [
            "2026-03-01T10:00:00Z",
            "exports/2026/part-0001",
            "page-7-of-12-items",
            "report-2026.final.pdf",
            "user:42:profile",
            "checkout_button_2",
            "1772323241123456",
            "user12:8f14e45fceea167a5a36dedd4bea2543",
            "orderItem2:8f14e45fceea167a5a36dedd4bea2543",
            "2026-03-01T10:8f14e45fceea167a5a36dedd4bea2543",
        ] {
            assert!(!is_random(value.as_bytes()), "{value}");
        }
    }
}
