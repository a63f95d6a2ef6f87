//! `bitcoin-address`: an address of the main network standing free, told by its own checksum.

use super::ShapeHit;
use super::edge::word_before;
use crate::redact::validate::{Verdict, coin};

/// Shortest address.
const SHORTEST: usize = 26;
/// Longest address, of the newest form.
const LONGEST: usize = 74;

/// The run that begins at `at`, when the checksum proves it.
pub(super) fn bitcoin(text: &[u8], at: usize, floor: usize) -> Option<ShapeHit> {
    if !matches!(text[at..], [b'1' | b'3', ..] | [b'b', b'c', b'1', ..]) || word_before(text, at, floor) {
        return None;
    }
    let length = text[at..].iter().take(LONGEST + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let address = &text[at..at + length];
    let fits = (SHORTEST..=LONGEST).contains(&length) && coin::bitcoin(address) == Verdict::Proves;
    fits.then(|| ShapeHit::new(at, at + length, Verdict::Proves))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_with_a_right_checksum_are_found() {
        let found = |text: &str| bitcoin(text.as_bytes(), 0, 0).map(|hit| hit.span.end as usize);
        assert_eq!(found("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa x"), Some(34));
        assert_eq!(found("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq,"), Some(42));
        for text in [
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            "1772323241123456789012345678",
            "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
