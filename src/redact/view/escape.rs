//! Backslash escapes: those of JSON (with surrogate pairs), `\'`, `\xHH`, three octal digits, `\u{…}`.
//!
//! A text inside a JSON text inside a JSON text is read by two of these on top of each other. Any other character
//! after a backslash leaves both as they are (`C:\Users`).

use super::chain::Encoding;
use super::region::{self, Inline};

pub(super) const INLINE: Inline = Inline {
    encoding: Encoding::Escape,
    triggers: region::BACKSLASH,
    find,
    within: find,
    decode,
    quoted: true,
    reach: usize::MAX,
};

fn find(text: &[u8], from: usize) -> Option<usize> {
    region::first(text, from, b'\\', |at| read(text, at).is_some())
}

fn decode(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    match read(text, at) {
        Some((Escaped::Byte(byte), width)) => {
            out.push(byte);
            width
        }
        Some((Escaped::Char(char), width)) => {
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            width
        }
        None => 1,
    }
}

enum Escaped {
    Byte(u8),
    Char(char),
}

/// The escape that starts with the backslash at `at`, and how many bytes it is written in.
fn read(text: &[u8], at: usize) -> Option<(Escaped, usize)> {
    let byte = match *text.get(at + 1)? {
        kept @ (b'"' | b'\\' | b'/' | b'\'') => kept,
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'u' => return unicode(text, at),
        b'x' => return Some((Escaped::Byte(hex(text, at + 2, 2)? as u8), 4)),
        b'0'..=b'3' => return octal(text, at),
        _ => return None,
    };
    Some((Escaped::Byte(byte), 2))
}

fn unicode(text: &[u8], at: usize) -> Option<(Escaped, usize)> {
    if text.get(at + 2) == Some(&b'{') {
        let digits = text[at + 3..].iter().take(7).position(|&byte| byte == b'}')?;
        let code = hex(text, at + 3, digits).filter(|_| digits > 0)?;
        return Some((Escaped::Char(char::from_u32(code)?), digits + 4));
    }
    let code = hex(text, at + 2, 4)?;
    if let Some(char) = char::from_u32(code) {
        return Some((Escaped::Char(char), 6));
    }
    let low = (text.get(at + 6..at + 8) == Some(b"\\u")).then(|| hex(text, at + 8, 4)).flatten();
    let pair = low.filter(|low| code < 0xdc00 && (0xdc00..0xe000).contains(low));
    match pair.and_then(|low| char::from_u32(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00))) {
        Some(char) => Some((Escaped::Char(char), 12)),
        None => Some((Escaped::Char(char::REPLACEMENT_CHARACTER), 6)),
    }
}

fn octal(text: &[u8], at: usize) -> Option<(Escaped, usize)> {
    let digits = text.get(at + 1..at + 4)?;
    let value = digits
        .iter()
        .try_fold(0u8, |value, &byte| (b'0'..=b'7').contains(&byte).then(|| (value << 3) | (byte - b'0')))?;
    Some((Escaped::Byte(value), 4))
}

/// The value of exactly `count` hexadecimal digits at `at`.
pub(super) fn hex(text: &[u8], at: usize, count: usize) -> Option<u32> {
    text.get(at..at + count)?.iter().try_fold(0, |value, &byte| Some((value << 4) | (byte as char).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_escape_is_read_whole() {
        let table: &[(&str, &str, usize)] = &[
            (r#"\""#, "\"", 2),
            (r"\\n", "\\", 2),
            (r"\/", "/", 2),
            (r"\u0040x", "@", 6),
            (r"\u017c", "ż", 6),
            (r"\ud83d\ude00", "😀", 12),
            (r"\ud83d.", "\u{fffd}", 6),
            (r"\u{40}", "@", 6),
            (r"\x40", "@", 4),
            (r"\100", "@", 4),
        ];
        for (raw, want, width) in table {
            let mut out = Vec::new();
            assert_eq!(find(raw.as_bytes(), 0), Some(0), "{raw}");
            assert_eq!(decode(raw.as_bytes(), 0, &mut out), *width, "{raw}");
            assert_eq!(out, want.as_bytes(), "{raw}");
        }
    }

    #[test]
    fn other_backslashes_are_left_alone() {
        for raw in [r"C:\Users", r"\u12", r"\x4", r"\19", r"\]", "\\"] {
            assert_eq!(find(raw.as_bytes(), 0), None, "{raw}");
        }
    }
}
