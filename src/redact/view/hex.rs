//! Hexadecimal of text. Ids and hashes decode to noise and are no view.

use super::chain::Encoding;
use super::plausible;
use super::run::{CLASS, HEX, Opaque, SHORTEST};
use crate::redact::finding::Span;

pub(super) const OPAQUE: Opaque = Opaque { encoding: Encoding::Hex, decode };

/// Digits decoded to judge whether a run is worth decoding to the end.
const PROBE: usize = 16;

fn decode(text: &[u8], run: Span, _scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> Option<Span> {
    let (mut start, end) = (run.start as usize, run.end as usize);
    while start + SHORTEST <= end {
        // The last of sixteen digits first: words and ids with dashes are passed quickly.
        if let Some(at) = text[start..start + SHORTEST].iter().rposition(|&byte| !is_digit(byte)) {
            start += at + 1;
            continue;
        }
        let hopes = [promising(&text[start..end]), promising(&text[start + 1..end])];
        let mut stop = start + SHORTEST;
        while stop < end && is_digit(text[stop]) {
            stop += 1;
        }
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

/// Whether the first bytes may be text. Of a mere id the high half of every byte is any digit, and half of those begin
/// nothing that stands in text.
fn promising(digits: &[u8]) -> bool {
    let mut head = [0; PROBE / 2];
    let mut count = 0;
    for pair in digits.as_chunks::<2>().0.iter().take(PROBE / 2) {
        if !is_digit(pair[0]) || !is_digit(pair[1]) {
            break;
        }
        head[count] = byte_of(*pair);
        count += 1;
    }
    plausible::is_text(&head[..count])
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
    fn text_is_read_and_ids_are_not() {
        let (text, whole) = view("0x6a616e406578616d706c652e636f6d").expect("a view");
        assert_eq!((text.as_slice(), whole), (&b"jan@example.com"[..], Span::new(2, 32)));
        let (text, _) = view("f6a616e406578616d706c652e636f6d").expect("a view");
        assert_eq!(text, b"jan@example.com");
        assert!(view("fa4eb9078eca92e9dfbe398727bdf6ad9c53dd006ad87d85c3f122b2a7ffab09").is_none());
        assert!(view("6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88").is_none());
    }
}
