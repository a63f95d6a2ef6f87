//! Fillers: `{{base62:36}}` in an example stands for 36 fixed pseudo-random characters, so that no
//! well-formed token stands in a rule file.
//!
//! `{{kind:length}}`; the kinds are the alphabets of [`ALPHABETS`], and `github`, `atlassian`, `uuid` and
//! `jwt` for values whose structure is checked. `{{base64-of:text}}` is the base64 of the text. The same
//! filler gives other characters at each place of an example, and the same ones every time it is expanded.

use std::fmt::Write as _;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Names of the plain alphabets and their characters.
pub const ALPHABETS: &[(&str, &str)] = &[
    ("digits", "0123456789"),
    ("hex", "0123456789abcdef"),
    ("hex-upper", "0123456789ABCDEF"),
    ("base32", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    ("base32-lower", "abcdefghijklmnopqrstuvwxyz234567"),
    ("base36", "0123456789abcdefghijklmnopqrstuvwxyz"),
    ("base36-upper", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("base62", BASE62),
    ("base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
    ("base64url", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
    ("lower", LOWER),
    ("upper", UPPER),
    ("letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
];

const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LONGEST: usize = 4096;

/// Expands every filler of `text`, or says which one cannot be.
pub fn expand(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut place = 0u64;
    while let Some(start) = rest.find("{{") {
        let Some(end) = rest[start..].find("}}").map(|at| start + at) else { break };
        let inner = &rest[start + 2..end];
        out.push_str(&rest[..start]);
        place += 1;
        match inner.split_once(':') {
            Some((kind, argument)) if is_kind(kind) => fill(kind, argument, place, &mut out)?,
            Some((kind, _)) if kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') => {
                return Err(format!("filler '{{{{{inner}}}}}' is not known; kinds: {}", kinds().join(", ")));
            }
            _ => out.push_str(&rest[start..end + 2]),
        }
        rest = &rest[end + 2..];
    }
    out.push_str(rest);
    Ok(out)
}

/// True when the text has a filler.
pub fn has_filler(text: &str) -> bool {
    text.contains("{{") && expand(text).is_ok_and(|expanded| expanded != text)
}

const SPECIAL: &[&str] = &["github", "atlassian", "uuid", "jwt", "base64-of"];

pub(super) fn kinds() -> Vec<&'static str> {
    ALPHABETS.iter().map(|(name, _)| *name).chain(SPECIAL.iter().copied()).collect()
}

fn is_kind(kind: &str) -> bool {
    SPECIAL.contains(&kind) || ALPHABETS.iter().any(|(name, _)| *name == kind)
}

fn fill(kind: &str, argument: &str, place: u64, out: &mut String) -> Result<(), String> {
    if kind == "base64-of" {
        out.push_str(&base64(argument.as_bytes(), true));
        return Ok(());
    }
    let length = match argument.parse::<usize>() {
        Ok(length @ 1..=LONGEST) => length,
        _ => return Err(format!("filler '{{{{{kind}:{argument}}}}}' needs a length from 1 to {LONGEST}")),
    };
    let mut random = Random::new(kind, length, place);
    match kind {
        "github" => github(length, &mut random, out),
        "atlassian" => atlassian(length, &mut random, out),
        "uuid" => uuid(&mut random, out),
        "jwt" => jwt(length, &mut random, out),
        _ => {
            let alphabet = ALPHABETS.iter().find(|(name, _)| *name == kind).map_or(BASE62, |(_, text)| text);
            out.push_str(&random.text(alphabet, length));
        }
    }
    Ok(())
}

/// `length - 6` base62 characters and their CRC32 in six base62 digits.
fn github(length: usize, random: &mut Random, out: &mut String) {
    let body = random.text(BASE62, length.saturating_sub(6).max(1));
    let mut crc = crc32fast::hash(body.as_bytes());
    let mut suffix = [b'0'; 6];
    for digit in suffix.iter_mut().rev() {
        *digit = BASE62.as_bytes()[(crc % 62) as usize];
        crc /= 62;
    }
    out.push_str(&body);
    out.extend(suffix.iter().map(|&digit| char::from(digit)));
}

/// Continues the last word of `out` to an Atlassian token: body, `=`, CRC32 of everything before in hex.
fn atlassian(length: usize, random: &mut Random, out: &mut String) {
    out.push_str(&random.text(BASE62, length.saturating_sub(9).max(1)));
    out.push('=');
    let start = out.rfind([' ', '"', '\'']).map_or(0, |at| at + 1);
    let crc = crc32fast::hash(&out.as_bytes()[start..]);
    let _ = write!(out, "{crc:08X}");
}

fn uuid(random: &mut Random, out: &mut String) {
    let hex = random.text("0123456789abcdef", 30);
    let _ = write!(out, "{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30]);
}

/// A signed token with about `length` characters of signature.
fn jwt(length: usize, random: &mut Random, out: &mut String) {
    let subject = random.text(LOWER, 12);
    out.push_str(&base64(br#"{"alg":"HS256","typ":"JWT"}"#, false));
    out.push('.');
    out.push_str(&base64(format!(r#"{{"sub":"{subject}","iat":1700000000}}"#).as_bytes(), false));
    out.push('.');
    out.push_str(&random.text(BASE62, length));
}

/// Base64, padded and with the standard alphabet, or unpadded for URLs.
fn base64(bytes: &[u8], standard: bool) -> String {
    let index = if standard { 8 } else { 9 };
    let alphabet = ALPHABETS[index].1.as_bytes();
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0u32, |bits, (at, &byte)| bits | u32::from(byte) << (16 - 8 * at));
        for at in 0..=group.len() {
            out.push(char::from(alphabet[(bits >> (18 - 6 * at)) as usize & 63]));
        }
        if standard {
            out.push_str(&"=="[..3 - group.len()]);
        }
    }
    out
}

/// A small fixed generator (splitmix64): the same place always gives the same text.
struct Random(u64);

impl Random {
    fn new(kind: &str, length: usize, place: u64) -> Random {
        Random(u64::from(crc32fast::hash(kind.as_bytes())) ^ (length as u64) << 32 ^ place << 48)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Random characters; texts of six or more show every kind of character their alphabet has, and begin
    /// and end with a letter or digit.
    fn text(&mut self, alphabet: &str, length: usize) -> String {
        loop {
            let text: String = (0..length)
                .map(|_| char::from(alphabet.as_bytes()[(self.next() % alphabet.len() as u64) as usize]))
                .collect();
            let whole = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            let shows = |kind: fn(&char) -> bool| text.chars().any(|c| kind(&c)) || !alphabet.chars().any(|c| kind(&c));
            let rich = length < 6
                || (shows(char::is_ascii_digit) && shows(char::is_ascii_lowercase) && shows(char::is_ascii_uppercase));
            if rich && whole(text.chars().next()) && whole(text.chars().last()) {
                return text;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_fixed_and_differ_by_place() {
        let once = expand("a {{base62:20}} b {{base62:20}}").unwrap();
        assert_eq!(expand("a {{base62:20}} b {{base62:20}}").unwrap(), once);
        let words: Vec<&str> = once.split(' ').collect();
        assert_ne!(words[1], words[3]);
        assert_eq!((words[1].len(), words[3].len()), (20, 20));
    }

    #[test]
    fn every_kind_expands() {
        for kind in kinds() {
            let text = expand(&format!("{{{{{kind}:32}}}}")).unwrap();
            assert!(text.len() >= 4 && !text.contains('{'), "{kind}: {text}");
        }
        assert_eq!(expand("{{base64-of:user:pw}}").unwrap(), "dXNlcjpwdw==");
        assert_eq!(expand("{{base64-of:any}}").unwrap(), "YW55");
    }

    #[test]
    fn templates_stay_and_mistakes_are_named() {
        assert_eq!(expand("hello {{ user.name }} {{x").unwrap(), "hello {{ user.name }} {{x");
        assert!(expand("{{base99:4}}").unwrap_err().contains("base62"));
        assert!(expand("{{hex:0}}").unwrap_err().contains("length"));
    }

    #[test]
    fn a_github_filler_carries_its_checksum() {
        let text = expand("{{github:36}}").unwrap();
        let (body, suffix) = text.split_at(30);
        let value = suffix
            .bytes()
            .fold(0u64, |value, digit| value * 62 + BASE62.bytes().position(|known| known == digit).unwrap() as u64);
        assert_eq!(value, u64::from(crc32fast::hash(body.as_bytes())));
    }
}
