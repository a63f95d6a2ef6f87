//! Percent encoding: `%XX`, and `%uXXXX` as some web servers write it. A plus sign stays a plus sign.

use super::chain::Encoding;
use super::escape::hex;
use super::region::{self, Inline, REACH};

pub(super) const INLINE: Inline = Inline {
    encoding: Encoding::Percent,
    triggers: region::PERCENT,
    find,
    within: find,
    decode,
    quoted: true,
    reach: REACH,
};

fn find(text: &[u8], from: usize) -> Option<usize> {
    region::first(text, from, b'%', |at| hex(text, at + 1, 2).is_some() || wide(text, at).is_some())
}

fn decode(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    if let Some(byte) = hex(text, at + 1, 2) {
        out.push(byte as u8);
        return 3;
    }
    if let Some(char) = wide(text, at) {
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        return 6;
    }
    1
}

/// `%u0040`.
fn wide(text: &[u8], at: usize) -> Option<char> {
    if text.get(at + 1) != Some(&b'u') {
        return None;
    }
    char::from_u32(hex(text, at + 2, 4)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_percent_signs_are_left_alone() {
        for raw in ["100%", "50% of", "%h@%p", "%4", "%u004"] {
            assert_eq!(find(raw.as_bytes(), 0), None, "{raw}");
        }
        assert_eq!(find(b"a%40b", 0), Some(1));
        assert_eq!(find(b"a%u0040b", 0), Some(1));
    }
}
