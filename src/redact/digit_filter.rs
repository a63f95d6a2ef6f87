//! The first look at a group of digits: whether any shape that needs no word near can begin there.
//!
//! One look-up by what the [`DigitIndex`] intersects for every row, read from a window of the bitmap of digits. May let a group pass too often, never too rarely, as long as a line end or the end of the
//! text borders the record; a group right at a record's start is not its business.

use super::digit_index::{DigitIndex, LONGEST, MOST_LETTERS, before_of};
use super::shape::start::{before, behind, lead};
use std::ops::Range;

/// By what stands before, the first digit, what stands behind, and the run: the least number of digits that a shape
/// asks for there; 255: none does.
#[derive(Default)]
pub(super) struct DigitFilter {
    least: Vec<u8>,
    /// The same by one byte before instead of a look to the left, which most groups are done with by: the least of the
    /// kinds that such a byte may belong to.
    by_byte: Vec<u8>,
    /// The least of all cells of a kind.
    by_kinds: [u8; KINDS.len()],
    passes_over: PassesOver,
}

/// Where groups of fewer than [`LONG`] digits begin nothing.
#[derive(Clone, Copy, Default)]
pub(super) struct PassesOver {
    /// Right behind letters, unless they are two or three that no digit precedes, or six: inside hexadecimal ids.
    pub(super) letter: bool,
    /// Right behind a dot or dash that another digit precedes: inside dates, versions, addresses.
    pub(super) joint: bool,
    /// Where fewer digits than these follow, one or two of them right behind a byte that is neither a letter nor a joint
    /// of names begin nothing: inside times.
    pub(super) mark: u32,
}

/// A first run from this length on is looked at wherever it stands.
pub(super) const LONG: u32 = 6;

/// Kinds of the first digit: 0, 1, 2 to 8, 9.
const LEADS: [&[usize]; 4] = [&[lead::ZEROS, lead::ZERO], &[lead::ONE], &[lead::MIDDLE], &[lead::NINE]];
static LEAD: [u8; 10] = [0, 1, 2, 2, 2, 2, 2, 2, 2, 3];

/// Kinds of the byte behind the run, where three digits and more follow it.
static BEHIND: [u8; 256] = behind();

const fn behind() -> [u8; 256] {
    let mut kinds = [behind::OTHER as u8; 256];
    let mut byte = 0;
    while byte < 256 {
        let kind = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => behind::WORD,
            b' ' | b'-' | b'/' | b'+' => behind::GAP,
            b'.' => behind::DOT,
            0x80..=0xFF => behind::WIDE,
            _ => behind::OTHER,
        };
        kinds[byte] = kind as u8;
        byte += 1;
    }
    kinds
}

/// By the byte before: which kinds it may belong to, as a place in [`KINDS`].
static BYTES: [u8; 256] = bytes();

/// Kinds of what stands before that one byte leaves open. The last four are single ones.
const KINDS: [&[usize]; 8] = [
    &[before::LETTERS_1, before::LETTERS_2, before::LETTERS_3, before::LETTERS_6, before::LETTERS],
    &[before::SPACE, before::SPACE_2, before::SPACE_3],
    &[before::JOINED, before::DASH, before::DASH_2, before::DASH_3],
    &[before::JOINED, before::OTHER],
    &[before::UNDERSCORE],
    &[before::PLUS],
    &[before::BRACKET],
    &[before::OTHER],
];

const fn bytes() -> [u8; 256] {
    let mut kinds = [7; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => 0,
            b' ' => 1,
            b'-' => 2,
            b'.' => 3,
            b'_' => 4,
            b'+' => 5,
            b'(' => 6,
            _ => 7,
        };
        byte += 1;
    }
    kinds
}

/// Cells of each kind of what stands before.
const CELLS: usize = LEADS.len() * behind::COUNT * (LONGEST + 1);

/// The cell, among those of one kind of what stands before.
fn cell(lead: usize, behind: usize, run: usize) -> usize {
    (lead * behind::COUNT + behind) * (LONGEST + 1) + run
}

impl DigitFilter {
    pub(super) fn of(index: &DigitIndex) -> DigitFilter {
        let mut least = vec![u8::MAX; before::COUNT * CELLS];
        let has = |bits: u32, kind: usize| bits >> kind & 1 == 1;
        for (row, asked) in index.open_rows() {
            // Line ends are no kinds of their own: before and behind one, it is any other byte.
            let stands = |kind| has(row.before, kind) || kind == before::OTHER && has(row.before, before::START);
            let follows = |kind| {
                let behinds = u32::from(row.behind);
                has(behinds, kind) || kind == behind::OTHER && has(behinds, behind::END)
            };
            for before in (0..before::COUNT).filter(|kind| stands(*kind)) {
                let leads = LEADS.iter().enumerate();
                for (lead, _) in leads.filter(|(_, kinds)| kinds.iter().any(|kind| has(row.leads.into(), *kind))) {
                    for behind in (0..behind::COUNT).filter(|kind| follows(*kind)) {
                        for run in (1..=LONGEST).filter(|run| has(row.runs, *run)) {
                            let least = &mut least[before * CELLS + cell(lead, behind, run)];
                            *least = asked.min(*least);
                        }
                    }
                }
            }
        }
        let fewest = |before: usize, runs: Range<usize>| {
            let places = (0..LEADS.len()).flat_map(|lead| (0..behind::COUNT).map(move |behind| (lead, behind)));
            let cells = places.flat_map(|(lead, behind)| runs.clone().map(move |run| cell(lead, behind, run)));
            cells.map(|cell| least[before * CELLS + cell]).min().unwrap_or(u8::MAX)
        };
        let asks = |before| fewest(before, 1..LONG as usize) < u8::MAX;
        let passes_over = PassesOver {
            letter: !asks(before::LETTERS_1) && !asks(before::LETTERS),
            joint: !asks(before::JOINED),
            mark: fewest(before::JOINED, 1..3).min(fewest(before::OTHER, 1..3)).into(),
        };
        let of = |kinds: &[usize], cell: usize| kinds.iter().map(|before| least[before * CELLS + cell]).min();
        let by_byte: Vec<u8> =
            KINDS.iter().flat_map(|kinds| (0..CELLS).map(|cell| of(kinds, cell).unwrap_or(u8::MAX))).collect();
        let by_kinds = std::array::from_fn(|kinds| {
            let cells: &[u8] = &by_byte[kinds * CELLS..][..CELLS];
            cells.iter().copied().min().unwrap_or(u8::MAX)
        });
        DigitFilter { least, by_byte, by_kinds, passes_over }
    }

    /// Groups that need no look, as nothing begins at them.
    pub(super) fn passes_over(&self) -> PassesOver {
        self.passes_over
    }

    /// Whether to ask the index at the group whose first digit is at `at`. `digits` has a bit for each byte from there
    /// on that is a digit, `letters` one for each byte before that is a letter, the highest for the last.
    #[inline(always)]
    pub(super) fn passes(&self, text: &[u8], at: usize, digits: u64, letters: u64) -> bool {
        let count = (digits as u32).count_ones();
        let kinds = if at == 0 { KINDS.len() - 1 } else { usize::from(BYTES[usize::from(text[at - 1])]) };
        // In most places too few digits follow for anything.
        if count < u32::from(self.by_kinds[kinds]) {
            return false;
        }
        let run = ((!digits).trailing_zeros() as usize).min(LONGEST);
        let behind = text.get(at + run).map_or(behind::OTHER, |byte| usize::from(BEHIND[usize::from(*byte)]));
        let more = digits >> (run + 1) & 0b111;
        let behind = match behind {
            behind::DOT | behind::GAP if more & 1 == 0 => behind::OTHER,
            behind::DOT if more != 0b111 => behind::DOT_SHORT,
            behind::GAP if more != 0b111 => behind::GAP_SHORT,
            _ => behind,
        };
        let lead = usize::from(LEAD[usize::from(text[at] - b'0')]);
        let cell = cell(lead, behind, run);
        if count < u32::from(self.by_byte[kinds * CELLS + cell]) {
            return false;
        }
        let letters_before = |end: usize| ((!(letters << (at - end))).leading_zeros() as usize).min(MOST_LETTERS);
        KINDS[kinds].len() == 1 || count >= u32::from(self.least[before_of(text, 0, at, letters_before) * CELLS + cell])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::digit_index::{Group, tests::digit_shapes};
    use crate::redact::trigger::Triggers;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    /// With the gates closed and open.
    static INDEXES: LazyLock<[(DigitIndex, DigitFilter); 2]> = LazyLock::new(|| {
        [false, true].map(|open| {
            let mut index = DigitIndex::new(digit_shapes());
            if open {
                index.open_all();
            }
            let filter = DigitFilter::of(&index);
            (index, filter)
        })
    });

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]
        /// Nor does the look at many groups together, which comes first, pass over one that the index would name.
        #[test]
        fn nothing_that_the_index_names_is_passed_over(text in "([0-9]{1,9}|[0-9]{2}:|[a-f]{1,7}|[a-zA-Z]{1,3}|[0-9]{3} |[ .:=_+(/,\u{e9}-]){1,70}") {
            for (index, filter) in &*INDEXES {
                let (text, mut triggers) = (text.as_bytes(), Triggers::default());
                triggers.scan(text, filter);
                let groups = std::iter::successors(triggers.next_group(1..text.len()), |at| triggers.next_group(*at as usize + 1..text.len()));
                for at in groups {
                    let mut named = false;
                    index.at(text, &(0..text.len()), triggers.group(at), index.always(), |_| named = true);
                    prop_assert!(!named || triggers.is_likely(at), "at {at}");
                }
            }
        }

        /// Wherever the index would name a shape, the filter lets the group pass.
        #[test]
        fn nothing_that_the_index_names_is_stopped(text in "([0-9]{1,33}|[0-9]{4} |[a-zA-Z]{1,3}|[ ._+(/,\u{e9}-]){1,12}") {
            for (index, filter) in &*INDEXES {
                let text = text.as_bytes();
                for at in (0..text.len()).filter(|&at| text[at].is_ascii_digit() && (at == 0 || !text[at - 1].is_ascii_digit())) {
                    let bits = text[at..].iter().take(64).enumerate();
                    let digits = bits.fold(0, |bits, (n, byte)| bits | u64::from(byte.is_ascii_digit()) << n);
                    let letters = text[..at].iter().rev().take(64).enumerate();
                    let letters = letters.fold(0, |bits, (n, byte)| bits | u64::from(byte.is_ascii_alphabetic()) << (63 - n));
                    let (mut named, group) = (false, Group { at: at as u32, count: (digits as u32).count_ones() as u8 });
                    index.at(text, &(0..text.len()), group, index.always(), |_| named = true);
                    prop_assert!(!named || filter.passes(text, at, digits, letters), "at {at}");
                }
            }
        }
    }
}
