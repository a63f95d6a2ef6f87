//! Class triggers: places where a shape or a short anchor may begin, found from class bitmaps.
//!
//! May report too often, never too rarely; shapes check the whole structure. Positions are offsets into the
//! text, ascending within a kind.

use super::bits::{Bits, first_in};
use super::digit_filter::{DigitFilter, LONG, PassesOver};
use super::digit_index::Group;
use super::simd::{self, Word, class};
use super::view::{Encodings, RunStarts};
use std::ops::Range;

/// Positions of one text, by kind; cleared and reused.
#[derive(Default)]
pub(super) struct Triggers {
    /// At-signs.
    pub(super) at: Vec<u32>,
    /// First dot of three between digits.
    pub(super) dotted: Vec<u32>,
    /// Colons near another colon and next to a hexadecimal digit, which two in a row or four more follow closely.
    pub(super) colons: Vec<u32>,
    /// First separator of dashed or dotted hexadecimal pairs.
    pub(super) pairs: Vec<u32>,
    /// Runs of at least [`OPAQUE_MIN`] token characters: start and end.
    pub(super) opaque: Vec<(u32, u32)>,
    /// Per kind, in the order of the lists: how many positions lie in records that are done with.
    pub(super) done: [usize; 5],
    words: Vec<Word>,
    /// First digits of groups, one bit a byte, and those of them that passed the [`DigitFilter`].
    groups: Vec<u64>,
    likely: Vec<u64>,
    /// Bytes at which a character may be encoded, and at which a run begins that may be: one bit each.
    marks: Vec<u64>,
    coded_runs: Vec<u64>,
}

/// Shortest run of token characters that is reported.
pub(super) const OPAQUE_MIN: usize = 16;

impl Triggers {
    /// Forgets all positions; keeps the space.
    pub(super) fn clear(&mut self) {
        self.done = [0; 5];
        self.at.clear();
        self.dotted.clear();
        self.groups.clear();
        self.likely.clear();
        self.colons.clear();
        self.pairs.clear();
        self.opaque.clear();
        self.marks.clear();
        self.coded_runs.clear();
    }

    /// Finds the triggers of `text` after clearing.
    pub(super) fn scan(&mut self, text: &[u8], filter: &DigitFilter) {
        self.clear();
        let mut words = std::mem::take(&mut self.words);
        simd::classify(text, &mut words);
        words.push([0; class::COUNT]);
        for bits in [&mut self.groups, &mut self.likely, &mut self.marks, &mut self.coded_runs] {
            bits.reserve(words.len());
        }
        simd::with_bit_instructions(|| self.collect_all(text, &words, filter));
        self.words = words;
    }

    #[inline(always)]
    fn collect_all(&mut self, text: &[u8], words: &[Word], filter: &DigitFilter) {
        let (first, mut run) = ([0; class::COUNT], None);
        let befores = std::iter::once(&first).chain(words);
        for (index, (before, pair)) in befores.zip(words.windows(2)).enumerate() {
            let (near, base) = (Near { before, here: &pair[0], after: &pair[1] }, index as u32 * 64);
            self.collect(&near, base);
            self.digits(&near, text, base as usize, filter);
            self.runs(&near, base, &mut run);
            let opaque = |word: &Word| word[class::WORD] | word[class::PLUS_SLASH];
            self.marks.push(near.here[class::ENCODED]);
            self.coded_runs.push(sixteen(opaque(near.here), opaque(near.after)));
        }
    }

    /// Whether nothing in `record`, bordered by line ends or the ends of `text`, calls for a second look. Records are
    /// asked about in order.
    pub(super) fn are_silent(&self, text: &[u8], record: &Range<usize>) -> bool {
        let Range { start, end } = *record;
        let [at, dotted, colons, pairs, opaque] = self.done;
        let none = |list: &[u32], done: usize| list.get(done).is_none_or(|next| *next as usize >= end);
        none(&self.at, at)
            && none(&self.dotted, dotted)
            && none(&self.colons, colons)
            && none(&self.pairs, pairs)
            && self.opaque.get(opaque).is_none_or(|(next, _)| *next as usize >= end)
            && self.next_likely(start..end).is_none()
            && (start == 0 || text[start - 1] == b'\n')
            && (end == text.len() || text[end - 1] == b'\n')
            && !self.encodings(start, end).any()
    }

    /// The group whose first digit is at `at`.
    #[inline(always)]
    pub(super) fn group(&self, at: u32) -> Group {
        let (word, bit) = (at as usize / 64, at % 64);
        let window = shifted(self.words[word][class::DIGIT], self.words[word + 1][class::DIGIT], bit);
        Group { at, count: (window as u32).count_ones() as u8 }
    }

    /// The first group that begins in `range`.
    #[inline(always)]
    pub(super) fn next_group(&self, range: Range<usize>) -> Option<u32> {
        first_in(&self.groups, range)
    }

    /// The first of those that are likely to be something without a word near.
    #[inline(always)]
    pub(super) fn next_likely(&self, range: Range<usize>) -> Option<u32> {
        first_in(&self.likely, range)
    }

    /// Whether the group that begins at `at` is likely to be something without a word near.
    pub(super) fn is_likely(&self, at: u32) -> bool {
        self.likely[at as usize / 64] >> (at % 64) & 1 == 1
    }

    /// What in `text[from..to]` may be encoded: no view is possible without.
    pub(super) fn encodings(&self, from: usize, to: usize) -> Encodings<'_> {
        Encodings {
            characters: Bits::of(&self.marks, from..to).any(),
            runs: RunStarts::At(Bits::of(&self.coded_runs, from..to)),
        }
    }

    #[inline(always)]
    fn collect(&mut self, near: &Near<'_>, base: u32) {
        each(near.here[class::AT], |bit| self.at.push(base + bit));
        each(near.dots_between_digits(), |bit| {
            let dots = shifted(near.here[class::DOT], near.after[class::DOT], bit);
            // Two more dots among the eight bytes behind this one.
            if (dots & 0x1FE).count_ones() >= 2 {
                self.dotted.push(base + bit);
            }
        });
        each(near.colons(), |bit| {
            // What an address may take from its first colon on.
            let colons = shifted(near.here[class::COLON], near.after[class::COLON], bit) & ((1 << 40) - 1);
            if colons & colons >> 1 != 0 || colons.count_ones() >= 5 {
                self.colons.push(base + bit);
            }
        });
        each(near.pairs(), |bit| self.pairs.push(base + bit));
    }

    #[inline(always)]
    fn digits(&mut self, near: &Near<'_>, text: &[u8], base: usize, filter: &DigitFilter) {
        let groups = near.here[class::DIGIT] & !near.left(class::DIGIT, 1);
        let mut likely = 0;
        each(groups & !near.passed_over(filter.passes_over()), |bit| {
            let passes =
                filter.passes(text, base + bit as usize, near.right(class::DIGIT, bit), near.letters_before(bit));
            likely |= u64::from(passes) << bit;
        });
        self.groups.push(groups);
        self.likely.push(likely);
    }

    /// Follows long runs of token characters over the borders of words; `run` is the start of the open one.
    #[inline(always)]
    fn runs(&mut self, near: &Near<'_>, base: u32, run: &mut Option<u32>) {
        let token = |word: &Word| word[class::WORD] | word[class::DOT];
        // Places from which a run goes on for sixteen bytes: the first is where it begins, the last sixteen before its end.
        let long = sixteen(token(near.here), token(near.after));
        let mut edges = long ^ (long << 1 | u64::from(run.is_some()));
        while edges != 0 {
            let at = base + edges.trailing_zeros();
            match run.take() {
                None => *run = Some(at),
                Some(start) => self.opaque.push((start, at + OPAQUE_MIN as u32 - 1)),
            }
            edges &= edges - 1;
        }
    }
}

/// Bitmaps of 64 bytes and their neighbours.
struct Near<'w> {
    before: &'w Word,
    here: &'w Word,
    after: &'w Word,
}

impl Near<'_> {
    /// The bitmap of the bytes `n` places to the right.
    #[inline(always)]
    fn right(&self, class: usize, n: u32) -> u64 {
        shifted(self.here[class], self.after[class], n)
    }

    /// The bitmap of the bytes `n` places to the left, at least one.
    #[inline(always)]
    fn left(&self, class: usize, n: u32) -> u64 {
        self.here[class] << n | self.before[class] >> (64 - n)
    }

    /// The bitmap of the letters before the byte at `bit`; the highest bit stands for the last of them.
    #[inline(always)]
    fn letters_before(&self, bit: u32) -> u64 {
        let both = u128::from(self.here[class::LETTER]) << 64 | u128::from(self.before[class::LETTER]);
        (both >> bit) as u64
    }

    #[inline(always)]
    fn hex_right(&self, n: u32) -> u64 {
        self.right(class::DIGIT, n) | self.right(class::HEX_LETTER, n)
    }

    #[inline(always)]
    fn hex_left(&self) -> u64 {
        self.left(class::DIGIT, 1) | self.left(class::HEX_LETTER, 1)
    }

    /// First digits of groups at which nothing begins.
    #[inline(always)]
    fn passed_over(&self, over: PassesOver) -> u64 {
        let digits = self.here[class::DIGIT];
        let letter = if over.letter { self.left(class::LETTER, 1) & !self.few_letters() } else { 0 };
        let joint = if over.joint {
            (self.left(class::DOT, 1) | self.left(class::DASH, 1)) & self.left(class::DIGIT, 2)
        } else {
            0
        };
        let mut long = (digits, self.after[class::DIGIT]);
        // Two in a row, four, [`LONG`].
        for step in [1, 2, LONG - 4] {
            long = (long.0 & shifted(long.0, long.1, step), long.1 & long.1 >> step);
        }
        digits & ((letter | joint) & !long.0 | self.lone(over))
    }

    /// Right behind two or three letters that no digit precedes, or behind six and more.
    #[inline(always)]
    fn few_letters(&self) -> u64 {
        let letter = |n| self.left(class::LETTER, n);
        let two = letter(1) & letter(2);
        let three = two & letter(3);
        let free = |n| !(letter(n) | self.left(class::DIGIT, n));
        two & free(3) | three & free(4) | three & letter(4) & letter(5) & letter(6)
    }

    /// One or two digits right behind a mark, where too few digits follow for them to begin anything.
    #[inline(always)]
    fn lone(&self, over: PassesOver) -> u64 {
        let all = self.here[class::DIGIT].count_ones() + self.after[class::DIGIT].count_ones();
        if all >= over.mark {
            return 0;
        }
        let mark = self.left(class::COLON, 1) | self.left(class::DOT, 1) | self.left(class::ENCODED, 1);
        mark & !(self.right(class::DIGIT, 1) & self.right(class::DIGIT, 2))
    }

    #[inline(always)]
    fn dots_between_digits(&self) -> u64 {
        self.here[class::DOT] & self.left(class::DIGIT, 1) & self.right(class::DIGIT, 1)
    }

    /// Colons with another one at most five bytes on, next to a hexadecimal digit or the other colon.
    #[inline(always)]
    fn colons(&self) -> u64 {
        let colons = self.here[class::COLON];
        if colons == 0 {
            return 0;
        }
        let next = self.right(class::COLON, 1);
        let near = (2..=5).fold(next, |near, step| near | self.right(class::COLON, step));
        colons & near & (next | self.hex_left() | self.hex_right(1))
    }

    /// First separators of `00-00-5e…` and `0000.5e00.…`.
    #[inline(always)]
    fn pairs(&self) -> u64 {
        let dashes = self.here[class::DASH] & self.right(class::DASH, 3) & self.right(class::DASH, 6);
        let dots = self.here[class::DOT] & self.right(class::DOT, 5);
        if dashes | dots == 0 {
            return 0;
        }
        let two = self.hex_left() & self.hex_right(1) & self.hex_right(2);
        let dashed = dashes & two & self.hex_right(4) & self.hex_right(5);
        dashed | dots & two & self.hex_right(3) & self.hex_right(4)
    }
}

/// Bits from which at least sixteen in a row are set. `after` holds the bits that follow.
#[inline(always)]
fn sixteen(mut here: u64, mut after: u64) -> u64 {
    for step in [1, 2, 4, 8] {
        here &= shifted(here, after, step);
        // Bits beyond `after` are taken for unset; only its first fifteen are looked at.
        after &= after >> step;
    }
    here
}

#[inline(always)]
fn shifted(here: u64, after: u64, n: u32) -> u64 {
    if n == 0 { here } else { here >> n | after << (64 - n) }
}

#[inline(always)]
fn each(mut bits: u64, mut visit: impl FnMut(u32)) {
    while bits != 0 {
        visit(bits.trailing_zeros());
        bits &= bits - 1;
    }
}

/// The positions of a sorted list that lie in `range`. Records come in order: `done` positions lie before it.
pub(super) fn within<T>(list: &[T], range: &Range<usize>, done: &mut usize, place: impl Fn(&T) -> u32) -> Range<usize> {
    let until = |mut from: usize, bound: usize| {
        while list.get(from).is_some_and(|entry| (place(entry) as usize) < bound) {
            from += 1;
        }
        from
    };
    let from = until(*done, range.start);
    *done = until(from, range.end);
    from..*done
}

/// What of a list lies within a record; most lists hold nothing there.
pub(super) fn here<'l>(list: &'l [u32], record: &Range<usize>, done: &mut usize) -> &'l [u32] {
    if list.get(*done).is_none_or(|next| *next as usize >= record.end) {
        return &[];
    }
    &list[within(list, record, done, |at| *at)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::digit_index::{DigitIndex, tests::digit_shapes};

    fn filter() -> DigitFilter {
        DigitFilter::of(&DigitIndex::new(digit_shapes()))
    }

    #[test]
    fn each_kind_is_seen_where_it_begins() {
        let text = b"a@b 192.0.2.44 4111 1111 fe80::1 00-00-5e-00-53-01 0000.5e00.5301 12:34:56 abcdefghijklmnop";
        let mut found = Triggers::default();
        found.scan(text, &filter());
        assert_eq!(found.at, [1]);
        assert_eq!(found.dotted, [7]);
        let groups: Vec<u32> =
            std::iter::successors(found.next_group(0..text.len()), |at| found.next_group(*at as usize + 1..text.len()))
                .collect();
        let starts = (0..text.len() as u32).filter(|&at| {
            let digit = |at: u32| text[at as usize].is_ascii_digit();
            digit(at) && !digit(at - 1)
        });
        assert_eq!(groups, starts.collect::<Vec<_>>());
        assert_eq!((found.group(15), found.next_likely(5..text.len())), (Group { at: 15, count: 20 }, Some(15)));
        let clock = text.windows(2).position(|pair| pair == b"12").unwrap() as u32;
        assert!(found.is_likely(15) && !found.is_likely(clock));
        assert!(found.colons.contains(&(text.windows(2).position(|pair| pair == b"::").unwrap() as u32)));
        assert_eq!(found.pairs.len(), 4, "{:?}", found.pairs);
        assert_eq!(found.opaque.last(), Some(&(text.len() as u32 - 16, text.len() as u32)));
    }

    /// What is encoded is found at any place, and runs over any border.
    #[test]
    fn borders_of_words_hide_nothing() {
        let mut found = Triggers::default();
        for pad in 0..140 {
            let text = format!("{}a@b {} c", " ".repeat(pad), "x".repeat(20 + pad));
            found.scan(text.as_bytes(), &filter());
            assert_eq!(found.at, [pad as u32 + 1]);
            assert_eq!(found.opaque, [(pad as u32 + 4, 2 * pad as u32 + 24)], "{text}");
            assert!(!found.encodings(0, pad + 3).any() && found.encodings(0, text.len()).any());
            assert!(found.encodings(pad, pad + 6).any() && !found.encodings(text.len() - 2, text.len()).any());
        }
    }

    #[test]
    fn single_marks_are_seen() {
        let mut found = Triggers::default();
        for (text, encoded) in [("a%b", true), ("a\\b", true), ("ąćę", false), ("a\u{200b}b", true), ("a b c", false)]
        {
            found.scan(text.as_bytes(), &filter());
            assert_eq!(
                (found.encodings(0, text.len()).characters, found.encodings(0, text.len()).runs.next(0).is_some()),
                (encoded, false),
                "{text}"
            );
        }
    }
}
