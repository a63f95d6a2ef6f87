//! Long runs of token characters, found from a bitmap: where a secret may stand that no rule knows.

use super::simd;
use std::ops::Range;

/// Writes to `runs` every run in `text` of at least `LEAST` (up to 64) letters, digits, `_`, `+` and `~`, in order.
pub fn long_runs<const LEAST: usize>(text: &[u8], runs: &mut Vec<Range<usize>>) {
    const { assert!(LEAST >= 1 && LEAST <= 64, "of the bytes before, one word of bits is looked at") };
    runs.clear();
    let (mut before, mut open) = (0, None);
    simd::token_bits(text, |at, bits| {
        // One bit for each byte with which so long a run ends: those of one run stand side by side.
        let mut ends = ends::<LEAST>(before, bits);
        before = bits;
        if let Some(start) = open {
            let more = ends.trailing_ones();
            if more == 64 {
                return;
            }
            runs.push(start..at + more as usize);
            (ends, open) = (ends & (u64::MAX << more), None);
        }
        while ends != 0 {
            let first = ends.trailing_zeros();
            let end = first + (ends >> first).trailing_ones();
            let start = at + first as usize + 1 - LEAST;
            if end == 64 {
                open = Some(start);
                return;
            }
            runs.push(start..at + end as usize);
            ends &= u64::MAX << end;
        }
    });
    runs.extend(open.map(|start| start..text.len()));
}

/// The bits of `bits` that are set together with the `LEAST - 1` bits below them, which go on in `before`.
#[inline(always)]
fn ends<const LEAST: usize>(before: u64, bits: u64) -> u64 {
    let mut all = u128::from(bits) << 64 | u128::from(before);
    let mut length = 1;
    while length * 2 <= LEAST {
        all &= all << length;
        length *= 2;
    }
    ((all & all << (LEAST - length)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Byte by byte.
    fn plain(text: &[u8], least: usize) -> Vec<Range<usize>> {
        let (mut start, mut runs) = (0, Vec::new());
        for run in text.split(|byte| !(byte.is_ascii_alphanumeric() || b"_+~".contains(byte))) {
            if run.len() >= least {
                runs.push(start..start + run.len());
            }
            start += run.len() + 1;
        }
        runs
    }

    fn agree(text: &[u8]) {
        let mut runs = vec![7..9];
        let mut same = |least: usize, search: fn(&[u8], &mut Vec<Range<usize>>)| {
            search(text, &mut runs);
            assert_eq!(runs, plain(text, least), "{least}: {text:?}");
        };
        same(1, long_runs::<1>);
        same(2, long_runs::<2>);
        same(3, long_runs::<3>);
        same(20, long_runs::<20>);
        same(63, long_runs::<63>);
        same(64, long_runs::<64>);
    }

    #[test]
    fn runs_end_with_words_of_bits_and_with_the_text() {
        for length in 0..200 {
            for gap in [None, Some(0), Some(20), Some(63), Some(64), Some(127), Some(128)] {
                let mut text = vec![b'x'; length];
                if let Some(byte) = gap.and_then(|gap: usize| text.get_mut(gap)) {
                    *byte = b' ';
                }
                agree(&text);
            }
        }
    }

    proptest! {
        #[test]
        fn the_same_as_byte_by_byte(
            parts in proptest::collection::vec(prop_oneof!["[a-zA-Z0-9_+~]{1,90}", "[ -~]{1,6}", "[é./@\n]{1,2}"], 0..12),
        ) {
            agree(parts.concat().as_bytes());
        }
    }
}
