//! Hexadecimal of text. Ids and hashes decode to noise and are no view.

use super::chain::Encoding;
use super::plausible;
use super::run::{CLASS, HEX, Opaque, SHORTEST, leading};
use crate::redact::eight::ONES;
use crate::redact::finding::Span;

pub(super) const OPAQUE: Opaque = Opaque { encoding: Encoding::Hex, decode };

fn decode(text: &[u8], run: Span, _scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> Option<Span> {
    let (mut start, end) = (run.start as usize, run.end as usize);
    while start + SHORTEST <= end {
        // The last of sixteen digits first: words and ids with dashes are passed quickly.
        if let Some(at) = text[start..start + SHORTEST].iter().rposition(|&byte| !is_digit(byte)) {
            start += at + 1;
            continue;
        }
        let hopes = hopes(&text[start..end]);
        let stop = start + SHORTEST + leading(&text[start + SHORTEST..end], HEX);
        for shift in (0..2).filter(|shift| hopes[*shift]) {
            if is_text(&text[start + shift..stop], out) {
                return Some(Span::new(start, stop));
            }
        }
        start = stop;
    }
    None
}

fn is_digit(byte: u8) -> bool {
    CLASS[byte as usize] & HEX != 0
}

/// Whether the first bytes may be text, read from the first digit and from the second; `digits` begins with sixteen. Of a
/// mere id the high half of every byte is any digit, and half of those begin nothing that stands in text.
fn hopes(digits: &[u8]) -> [bool; 2] {
    let (words, _) = digits.as_chunks::<8>();
    let [low, high] = [words[0], words[1]].map(|word| values(u64::from_le_bytes(word)));
    let next = digits.get(SHORTEST).filter(|byte| is_digit(**byte));
    let last = next.map_or(0, |byte| values(u64::from(*byte)));
    let bytes = |low: u64, high: u64| (u64::from(pairs(low)) | u64::from(pairs(high)) << 32).to_le_bytes();
    let shifted = bytes(low >> 8 | high << 56, high >> 8 | last << 56);
    [plausible::is_text(&bytes(low, high)), plausible::is_text(&shifted[..7 + usize::from(next.is_some())])]
}

/// The values of eight digits, a byte each.
fn values(digits: u64) -> u64 {
    (digits & (ONES * 15)) + ((digits >> 6) & ONES) * 9
}

/// The bytes that eight values are the halves of.
fn pairs(values: u64) -> u32 {
    let bytes = (values << 4 | values >> 8) & 0x00FF_00FF_00FF_00FF;
    let twos = (bytes | bytes >> 8) & 0x0000_FFFF_0000_FFFF;
    (twos | twos >> 16) as u32
}

/// Decodes `digits` into `out`; true when it looks like text.
fn is_text(digits: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let (pairs, _) = digits.as_chunks::<2>();
    out.extend(pairs.iter().map(|pair| byte_of(*pair)));
    plausible::is_text(out)
}

/// '0'..'9' are 0x30.., letters of either case 0x41.. or 0x61..
fn byte_of(pair: [u8; 2]) -> u8 {
    let value = |byte: u8| (byte & 15) + 9 * (byte >> 6);
    value(pair[0]) << 4 | value(pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str) -> Option<(Vec<u8>, Span)> {
        let mut out = Vec::new();
        let whole = decode(text.as_bytes(), Span::new(0, text.len()), &mut Vec::new(), &mut out)?;
        Some((out, whole))
    }

    #[test]
    fn digits_are_read_eight_at_a_time_as_one_by_one() {
        let digits = b"0123456789abcdefABCDEF5a";
        for at in 0..digits.len() - 8 {
            let eight: [u8; 8] = digits[at..at + 8].try_into().unwrap();
            let (plain, _) = eight.as_chunks::<2>();
            let plain: Vec<u8> = plain.iter().map(|pair| byte_of(*pair)).collect();
            assert_eq!(pairs(values(u64::from_le_bytes(eight))).to_le_bytes().as_slice(), plain);
        }
    }

    #[test]
    fn text_is_read_and_ids_are_not() {
        let (text, whole) = view("0x6a616e406578616d706c652e636f6d").expect("a view");
        assert_eq!((text.as_slice(), whole), (&b"jan@example.com"[..], Span::new(2, 32)));
        let (text, _) = view("f6a616e406578616d706c652e636f6d").expect("a view");
        assert_eq!(text, b"jan@example.com");
        assert!(view("fa4eb9078eca92e9dfbe398727bdf6ad9c53dd006ad87d85c3f122b2a7ffab09").is_none());
        assert!(view("6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88").is_none());
    }
}
