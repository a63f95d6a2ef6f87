//! Quoted-printable: `=XX` with upper-case digits, and `=` at a line end.
//!
//! `retries=20` looks the same, so a character counts only where a plain pair is unlikely: an encoded equals sign
//! or space, an encoded at-sign or dot between letters, a line end before a word, or two encoded characters in a row
//! or in one word. Near such a one all are read.

use super::chain::Encoding;
use super::region::{self, Inline, REACH};
use crate::redact::eight;

pub(super) const INLINE: Inline = Inline {
    encoding: Encoding::QuotedPrintable,
    triggers: region::EQUALS,
    find,
    within,
    decode,
    quoted: true,
    reach: REACH,
};

fn find(text: &[u8], from: usize) -> Option<usize> {
    first(text, from, |at| is_credible(text, at))
}

fn within(text: &[u8], from: usize) -> Option<usize> {
    first(text, from, |_| true)
}

/// The first encoded character or line end that is `wanted`.
fn first(text: &[u8], from: usize, wanted: impl Fn(usize) -> bool) -> Option<usize> {
    let encoded = |at: usize| soft_end(text, at).is_some() || pair(text, at).is_some();
    eight::find(text.get(from..)?, b'=', |at| encoded(from + at) && wanted(from + at)).map(|at| from + at)
}

fn decode(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    if let Some(width) = soft_end(text, at) {
        return width;
    }
    match pair(text, at) {
        Some(byte) => {
            out.push(byte);
            3
        }
        None => 1,
    }
}

/// True when what is written at `at` is hardly a plain `key=value` pair.
fn is_credible(text: &[u8], at: usize) -> bool {
    let Some(byte) = pair(text, at) else { return true };
    let before = at.checked_sub(1).map(|before| text[before]);
    let letter = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphabetic);
    match byte {
        _ if pair_in_word(text, at + 3) => true,
        b'\n' | b'\r' | b'\t' => begins_word(text, at + 3),
        b'#' | b'%' if is_control_number(text, at) => true,
        // Nothing that could be a name stands before the sign.
        b'+' | b'(' | b'@' | b':' | b'-' if before.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'(' | b'>')) => {
            true
        }
        // A number is no name either, and two codes in one word are hardly two pairs.
        b':' | b'@' | b'.' | b'-' | b'_' | b'+' | b'/' if follows_number(text, at) || pair_nearby(text, at + 3) => true,
        // The two signs of base64, in the middle of a run of it.
        b'/' | b'+' if inside_run(text, at) => true,
        b'=' | b'\\' => true,
        // `=2540`, never the number of `ref=2544976573`.
        b'%' => {
            let number = text[at + 1..].iter().take(7).take_while(|byte| byte.is_ascii_digit()).count() == 7;
            !number && text.get(at + 3..at + 5).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
        }
        b'@' | b'.' | b'-' | b'_' | b'+' => before.is_some_and(|byte| byte.is_ascii_alphanumeric()) && letter(at + 3),
        b' ' => (at + 3..at + 7).all(letter),
        _ => false,
    }
}

/// Whether the next encoded character follows in the word that goes on at `from`: two codes between which nothing parts
/// two pairs.
fn pair_in_word(text: &[u8], from: usize) -> bool {
    const LONGEST: usize = 64;
    let parts = |byte: &u8| byte.is_ascii_whitespace() || b"=&,;|\"'<>()[]{}".contains(byte);
    let word = text[from.min(text.len())..].iter().take(LONGEST).take_while(|byte| !parts(byte)).count();
    pair(text, from + word).is_some()
}

fn begins_word(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
}

/// Whether `=23012`, perhaps `=2523012`, stands at `at` before a word: a line end as syslog daemons write it.
fn is_control_number(text: &[u8], at: usize) -> bool {
    let hash = [&b"=23"[..], b"=2523"].into_iter().find(|hash| text[at..].starts_with(hash));
    let number = hash.map(|hash| at + hash.len());
    let octal = |number: usize| matches!(text.get(number..number + 3), Some([b'0', b'0'..=b'3', b'0'..=b'7']));
    number.is_some_and(|number| octal(number) && begins_word(text, number + 3))
}

/// Whether the word before `at` is a number.
fn follows_number(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(24)..at];
    let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    digits >= 3
        && !before[..before.len() - digits].last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Whether another encoded character stands in the same word a few bytes after `from`.
fn pair_nearby(text: &[u8], from: usize) -> bool {
    const NEAR: usize = 5;
    let word = text[from.min(text.len())..].iter().take(NEAR).take_while(|byte| byte.is_ascii_hexdigit()).count();
    pair(text, from + word).is_some()
}

/// Whether twelve letters and digits stand on either side of the code at `at`, not all of them small letters.
fn inside_run(text: &[u8], at: usize) -> bool {
    const SIDE: usize = 12;
    let sides = at.checked_sub(SIDE).and_then(|from| text.get(from..at)).zip(text.get(at + 3..at + 3 + SIDE));
    sides.is_some_and(|(before, after)| {
        let all = || before.iter().chain(after);
        all().all(u8::is_ascii_alphanumeric) && !all().all(u8::is_ascii_lowercase)
    })
}

/// The width of a soft line end at `at`.
fn soft_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at..)? {
        [b'=', b'\r', b'\n', ..] => Some(3),
        [b'=', b'\n', ..] => Some(2),
        _ => None,
    }
}

/// The byte written as `=XX` at `at`.
fn pair(text: &[u8], at: usize) -> Option<u8> {
    let &[b'=', high, low, ..] = text.get(at..)? else { return None };
    Some((digit(high)? << 4) | digit(low)?)
}

/// An upper-case hexadecimal digit.
pub(super) fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_text_is_read_and_plain_pairs_are_not() {
        for raw in [
            "a=40b",
            "eyJub3RlIjoiQWE=2FCcSFxIUJCTDE",
            "x=3D1",
            "Za=C5=BC",
            "two=20words",
            "soft=\nend",
            "=2525257B=252522n",
        ] {
            assert!(find(raw.as_bytes(), 0).is_some(), "{raw}");
        }
        for raw in ["to=0ADE89", "by=094111", "to=23012DE89", "to=2523012DE89", "m00=3A5E=3A53"] {
            assert!(find(raw.as_bytes(), 0).is_some(), "{raw}");
        }
        for raw in ["month=09", "flags=0A,", "n=23012", "n=2523012 x", "a=40&b=20", "x=20 y=0A z"] {
            assert_eq!(find(raw.as_bytes(), 0), None, "{raw}");
        }
        for raw in ["status=200", "code=404", "retries=40", "a=10 b=2", "took=12ms", "took=20ms", "x==", "k=40 x"] {
            assert_eq!(find(raw.as_bytes(), 0), None, "{raw}");
        }
    }
}
