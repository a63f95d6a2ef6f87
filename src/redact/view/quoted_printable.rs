//! Quoted-printable: `=XX` with upper-case digits, and `=` at a line end.
//!
//! `retries=20` looks the same, so a character counts only where a plain pair is unlikely: an encoded equals sign
//! or space, an encoded at-sign or dot between letters, or the bytes of a UTF-8 character in a row.

use super::chain::Encoding;
use super::region::{Inline, REACH};
use memchr::memchr;

pub(super) const INLINE: Inline =
    Inline { encoding: Encoding::QuotedPrintable, find, decode, quoted: true, reach: REACH };

fn find(text: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + memchr(b'=', text.get(from..)?)?;
        if read(text, at).is_some() {
            return Some(at);
        }
        from = at + 1;
    }
}

fn decode(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    match read(text, at) {
        Some((byte, width)) => {
            out.extend(byte);
            width
        }
        None => 1,
    }
}

/// The character that starts with the equals sign at `at`: its byte (none for a soft line end) and width.
fn read(text: &[u8], at: usize) -> Option<(Option<u8>, usize)> {
    match text.get(at + 1..)? {
        [b'\r', b'\n', ..] => return Some((None, 3)),
        [b'\n', ..] => return Some((None, 2)),
        _ => {}
    }
    let byte = pair(text, at)?;
    let wordy = |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let credible = match byte {
        b'=' => true,
        b'@' | b'.' | b'-' | b'_' | b'+' => {
            wordy(at.checked_sub(1).and_then(|before| text.get(before)))
                && text.get(at + 3).is_some_and(u8::is_ascii_alphabetic)
        }
        b' ' => text.get(at + 3..at + 7).is_some_and(|word| word.iter().all(u8::is_ascii_alphabetic)),
        0xc2..=0xf4 => pair(text, at + 3).is_some_and(|next| next & 0xc0 == 0x80),
        0x80..=0xbf => at >= 3 && pair(text, at - 3).is_some_and(|before| before >= 0x80),
        _ => false,
    };
    credible.then_some((Some(byte), 3))
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
        for raw in ["a=40b", "x=3D1", "Za=C5=BC", "two=20words", "soft=\nend"] {
            assert!(find(raw.as_bytes(), 0).is_some(), "{raw}");
        }
        for raw in ["status=200", "code=404", "retries=40", "a=10 b=2", "took=12ms", "took=20ms", "x==", "k=40 x"] {
            assert_eq!(find(raw.as_bytes(), 0), None, "{raw}");
        }
    }
}
