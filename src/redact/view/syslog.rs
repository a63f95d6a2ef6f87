//! Control characters as some syslog daemons write them: `#012` is a line feed, `#011` a tab.
//!
//! Only control characters and bytes above 0x7f are written so; `#123` is an issue number and stays.

use super::chain::Encoding;
use super::region::{self, Inline, REACH};

pub(super) const INLINE: Inline = Inline {
    encoding: Encoding::Syslog,
    triggers: region::HASH,
    find,
    within: find,
    decode,
    quoted: true,
    reach: REACH,
};

fn find(text: &[u8], from: usize) -> Option<usize> {
    region::first(text, from, b'#', |at| read(text, at).is_some())
}

fn decode(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    match read(text, at) {
        Some(byte) => {
            out.push(byte);
            4
        }
        None => 1,
    }
}

/// The byte written as `#` and three octal digits at `at`.
pub(super) fn read(text: &[u8], at: usize) -> Option<u8> {
    let digits = text.get(at + 1..at + 4)?;
    if !matches!(digits, [b'0'..=b'3', b'0'..=b'7', b'0'..=b'7']) {
        return None;
    }
    let byte = ((digits[0] - b'0') << 6) | ((digits[1] - b'0') << 3) | (digits[2] - b'0');
    (!(0x20..0x7f).contains(&byte)).then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_read_and_issue_numbers_are_not() {
        let mut out = Vec::new();
        assert_eq!(find(b"a#012b", 0), Some(1));
        assert_eq!(decode(b"a#012b", 1, &mut out), 4);
        assert_eq!(out, b"\n");
        assert_eq!(find(b"issue #123 and #45 and #0", 0), None);
    }
}
