//! Class triggers: places where a shape or a short anchor may begin, found from class bitmaps.
//!
//! May report too often, never too rarely; shapes check the whole structure. Positions are offsets into the
//! text, ascending within a kind.

use super::simd::{self, Word, class};

/// Positions of one text, by kind; cleared and reused.
#[derive(Default)]
pub(super) struct Triggers {
    /// At-signs.
    pub(super) at: Vec<u32>,
    /// First dot of three between digits.
    pub(super) dotted: Vec<u32>,
    pub(super) digits: Vec<Group>,
    /// Colons near another colon and next to a hexadecimal digit.
    pub(super) colons: Vec<u32>,
    /// First separator of dashed or dotted hexadecimal pairs.
    pub(super) pairs: Vec<u32>,
    /// Runs of at least [`OPAQUE_MIN`] token characters: start and end.
    pub(super) opaque: Vec<(u32, u32)>,
    /// Per kind, in the order of the lists: how many positions lie in records that are done with.
    pub(super) done: [usize; 6],
    words: Vec<Word>,
    /// Bytes at which something encoded may begin, one bit each.
    encoded: Vec<u64>,
}

/// A group of digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Group {
    /// Its first digit.
    pub(super) at: u32,
    /// Digits in the 32 bytes from there.
    pub(super) count: u8,
}

/// Shortest run of token characters that is reported.
pub(super) const OPAQUE_MIN: usize = 16;

impl Triggers {
    /// Forgets all positions; keeps the space.
    pub(super) fn clear(&mut self) {
        self.done = [0; 6];
        self.at.clear();
        self.dotted.clear();
        self.digits.clear();
        self.colons.clear();
        self.pairs.clear();
        self.opaque.clear();
        self.encoded.clear();
    }

    /// Finds the triggers of `text` after clearing. `fewest` is the least digit count any shape asks for.
    pub(super) fn scan(&mut self, text: &[u8], fewest: u8) {
        self.clear();
        let mut words = std::mem::take(&mut self.words);
        simd::classify(text, &mut words);
        words.push([0; class::COUNT]);
        let (mut before, mut run) = ([0; class::COUNT], None);
        for (index, pair) in words.windows(2).enumerate() {
            let near = Near { before: &before, here: &pair[0], after: &pair[1] };
            self.collect(&near, index as u32 * 64, u32::from(fewest));
            self.runs(near.here[class::WORD] | near.here[class::DOT], index as u32 * 64, &mut run);
            let opaque = |word: &Word| word[class::WORD] | word[class::PLUS_SLASH];
            let long = sixteen(opaque(near.here), opaque(near.after));
            self.encoded.push(near.here[class::ENCODED] | long);
            before = pair[0];
        }
        if let Some(start) = run {
            self.run_ended(start, text.len() as u32);
        }
        self.words = words;
    }

    /// Whether anything in `text[from..to]` may be encoded: no view is possible without.
    pub(super) fn may_be_encoded(&self, from: usize, to: usize) -> bool {
        if from >= to {
            return false;
        }
        let (first, last) = (from / 64, (to - 1) / 64);
        let head = u64::MAX << (from % 64);
        let tail = u64::MAX >> (63 - (to - 1) % 64);
        let words = &self.encoded[first..=last];
        if let [only] = words {
            return only & head & tail != 0;
        }
        words[0] & head != 0
            || words[words.len() - 1] & tail != 0
            || words[1..words.len() - 1].iter().any(|word| *word != 0)
    }

    fn collect(&mut self, near: &Near<'_>, base: u32, fewest: u32) {
        each(near.here[class::AT], |bit| self.at.push(base + bit));
        each(near.dots_between_digits(), |bit| {
            let dots = shifted(near.here[class::DOT], near.after[class::DOT], bit);
            // Two more dots among the eight bytes behind this one.
            if (dots & 0x1FE).count_ones() >= 2 {
                self.dotted.push(base + bit);
            }
        });
        each(near.colons(), |bit| self.colons.push(base + bit));
        each(near.pairs(), |bit| self.pairs.push(base + bit));
        let digits = near.here[class::DIGIT];
        each(digits & !near.left(class::DIGIT), |bit| {
            let count = (shifted(digits, near.after[class::DIGIT], bit) as u32).count_ones();
            if count >= fewest {
                self.digits.push(Group { at: base + bit, count: count as u8 });
            }
        });
    }

    /// Follows runs of token characters over the borders of words; `run` is the start of the open one.
    fn runs(&mut self, token: u64, base: u32, run: &mut Option<u32>) {
        let mut at = 0;
        while at < 64 {
            let rest = token >> at;
            match *run {
                None if rest == 0 => return,
                None => {
                    at += rest.trailing_zeros();
                    *run = Some(base + at);
                }
                Some(start) => {
                    // Zeros shifted in from the left are no end.
                    at += (!rest).trailing_zeros().min(64 - at);
                    if at < 64 {
                        self.run_ended(start, base + at);
                        *run = None;
                    }
                }
            }
        }
    }

    fn run_ended(&mut self, start: u32, end: u32) {
        if end - start >= OPAQUE_MIN as u32 {
            self.opaque.push((start, end));
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
    fn right(&self, class: usize, n: u32) -> u64 {
        shifted(self.here[class], self.after[class], n)
    }

    /// The bitmap of the bytes one place to the left.
    fn left(&self, class: usize) -> u64 {
        self.here[class] << 1 | self.before[class] >> 63
    }

    fn hex_right(&self, n: u32) -> u64 {
        self.right(class::DIGIT, n) | self.right(class::HEX_LETTER, n)
    }

    fn hex_left(&self) -> u64 {
        self.left(class::DIGIT) | self.left(class::HEX_LETTER)
    }

    fn dots_between_digits(&self) -> u64 {
        self.here[class::DOT] & self.left(class::DIGIT) & self.right(class::DIGIT, 1)
    }

    /// Colons with another one at most five bytes on, next to a hexadecimal digit or the other colon.
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
fn sixteen(mut here: u64, mut after: u64) -> u64 {
    for step in [1, 2, 4, 8] {
        here &= shifted(here, after, step);
        // Bits beyond `after` are taken for unset; only its first fifteen are looked at.
        after &= after >> step;
    }
    here
}

fn shifted(here: u64, after: u64, n: u32) -> u64 {
    if n == 0 { here } else { here >> n | after << (64 - n) }
}

fn each(mut bits: u64, mut visit: impl FnMut(u32)) {
    while bits != 0 {
        visit(bits.trailing_zeros());
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_seen_where_it_begins() {
        let text = b"a@b 192.0.2.44 4111 1111 fe80::1 00-00-5e-00-53-01 0000.5e00.5301 12:34:56 abcdefghijklmnop";
        let mut found = Triggers::default();
        found.scan(text, 8);
        assert_eq!(found.at, [1]);
        assert_eq!(found.dotted, [7]);
        assert!(found.digits.iter().any(|group| group.at == 15), "{:?}", found.digits);
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
            found.scan(text.as_bytes(), 8);
            assert_eq!(found.at, [pad as u32 + 1]);
            assert_eq!(found.opaque, [(pad as u32 + 4, 2 * pad as u32 + 24)], "{text}");
            assert!(!found.may_be_encoded(0, pad + 3) && found.may_be_encoded(0, text.len()));
            assert!(found.may_be_encoded(pad, pad + 6) && !found.may_be_encoded(text.len() - 2, text.len()));
        }
    }

    #[test]
    fn single_marks_are_seen() {
        let mut found = Triggers::default();
        for (text, encoded) in [("a%b", true), ("a\\b", true), ("ąćę", false), ("a\u{200b}b", true), ("a b c", false)]
        {
            found.scan(text.as_bytes(), 8);
            assert_eq!(found.may_be_encoded(0, text.len()), encoded, "{text}");
        }
    }
}
