//! Hexadecimal of text. Ids and hashes decode to noise and are no view.

use super::chain::Encoding;
use super::plausible;
use super::run::{Opaque, SHORTEST};
use crate::redact::finding::Span;

pub(super) const OPAQUE: Opaque = Opaque { encoding: Encoding::Hex, decode };

/// Digits decoded to judge whether a run is worth decoding to the end.
const PROBE: usize = 16;

fn decode(text: &[u8], run: Span, _scratch: &mut Vec<u8>, out: &mut Vec<u8>) -> Option<Span> {
    let mut from = run.start as usize;
    let end = run.end as usize;
    while from < end {
        let start = from + text[from..end].iter().position(u8::is_ascii_hexdigit)?;
        let count = text[start..end].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        from = start + count;
        if count < SHORTEST {
            continue;
        }
        for shift in 0..2 {
            let digits = &text[start + shift..from];
            if is_text(&digits[..digits.len().min(PROBE)], out) && is_text(digits, out) {
                return Some(Span::new(start, from));
            }
        }
    }
    None
}

/// Decodes `digits` into `out`; true when it looks like text.
fn is_text(digits: &[u8], out: &mut Vec<u8>) -> bool {
    let value = |byte: u8| (byte as char).to_digit(16).unwrap_or(0) as u8;
    out.clear();
    out.extend(digits.chunks_exact(2).map(|pair| (value(pair[0]) << 4) | value(pair[1])));
    plausible::is_text(out)
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
