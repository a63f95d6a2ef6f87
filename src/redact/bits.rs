//! Bitmaps of a text, one bit a byte, 64 to a word.

use std::ops::Range;

/// The bits of a part of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bits<'b> {
    words: &'b [u64],
    start: usize,
    end: usize,
}

impl<'b> Bits<'b> {
    /// The bits of `range`, which lies within `words`.
    pub(super) fn of(words: &'b [u64], range: Range<usize>) -> Bits<'b> {
        Bits { words, start: range.start, end: range.end }
    }

    /// The first bit that is set from `at` on, both counted from where these bits begin.
    #[inline]
    pub(super) fn next(self, at: usize) -> Option<usize> {
        first_in(self.words, self.start + at..self.end).map(|at| at as usize - self.start)
    }

    /// Whether any bit is set.
    pub(super) fn any(self) -> bool {
        self.next(0).is_some()
    }
}

/// The first bit of `words` that is set in `range`.
#[inline(always)]
pub(super) fn first_in(words: &[u64], range: Range<usize>) -> Option<u32> {
    let mut word = range.start / 64;
    let mut rest = words.get(word)? & u64::MAX << (range.start % 64);
    while rest == 0 {
        word += 1;
        if word * 64 >= range.end {
            return None;
        }
        rest = *words.get(word)?;
    }
    let at = word * 64 + rest.trailing_zeros() as usize;
    (at < range.end).then_some(at as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_bit_is_found(words in proptest::collection::vec(prop_oneof![Just(0u64), any::<u64>(), Just(1 << 63)], 0..5), from in 0usize..330, to in 0usize..330, at in 0usize..70) {
            let (from, to) = (from.min(words.len() * 64), to.min(words.len() * 64));
            let set = |at: &usize| words[at / 64] >> (at % 64) & 1 == 1;
            let bits = Bits::of(&words, from..to);
            prop_assert_eq!(bits.next(at), (from + at..to).find(set).map(|at| at - from));
            prop_assert_eq!(bits.any(), (from..to).any(|at| set(&at)));
        }
    }
}
