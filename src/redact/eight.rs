//! Eight bytes looked at together in one register: for short texts in which the byte that is looked for is frequent, so
//! that setting up a search in vectors for every one would cost more than the bytes between.

/// One in every byte.
pub(crate) const ONES: u64 = 0x0101_0101_0101_0101;
/// The top bit of every byte.
pub(crate) const TOPS: u64 = 0x8080_8080_8080_8080;

/// The top bit of every byte of `word` that is not zero.
#[inline(always)]
pub(crate) fn not_zero(word: u64) -> u64 {
    (((word & !TOPS) + !TOPS) | word) & TOPS
}

/// The first place of `byte` in `text` that is `wanted`; asked in order.
#[inline(always)]
pub(crate) fn find(text: &[u8], byte: u8, mut wanted: impl FnMut(usize) -> bool) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let mut marks = not_zero(u64::from_le_bytes(*word) ^ (ONES * u64::from(byte))) ^ TOPS;
        while marks != 0 {
            let at = index * 8 + marks.trailing_zeros() as usize / 8;
            if wanted(at) {
                return Some(at);
            }
            marks &= marks - 1;
        }
    }
    let done = words.len() * 8;
    (done..done + rest.len()).find(|at| text[*at] == byte && wanted(*at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_place_is_asked_in_order(text in "[ab\u{80}-\u{ff}]{0,40}", wanted in 0usize..6) {
            let text = text.as_bytes();
            let plain: Vec<usize> = (0..text.len()).filter(|at| text[*at] == b'a').collect();
            let mut asked = Vec::new();
            let found = find(text, b'a', |at| {
                asked.push(at);
                asked.len() > wanted
            });
            prop_assert_eq!(found, plain.get(wanted).copied());
            prop_assert_eq!(asked, plain[..plain.len().min(wanted + 1)].to_vec());
        }
    }
}
