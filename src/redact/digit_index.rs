//! Which shapes to ask at a group of digits: sets of bits by what stands around it, intersected.
//!
//! A bit stands for one row of [`starts`] of one rule's shape; bits are in the order in which shapes are asked.
//! May name a shape too often, never too rarely; a test asks all shapes and compares.

use super::shape::Shape;
use super::shape::start::{Start, before, behind, lead, starts};
use std::ops::Range;

/// Longest first run of digits that is told apart.
pub(super) const LONGEST: usize = 31;
/// Bytes from the group's first digit in which its digits are counted.
const COUNTED: usize = 32;

/// A group of digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Group {
    /// Its first digit.
    pub(super) at: u32,
    /// Digits in the 32 bytes from there.
    pub(super) count: u8,
}

/// The compiled index.
#[derive(Default)]
pub(super) struct DigitIndex {
    /// Shape and row of every bit.
    rows: Vec<(u16, Start)>,
    /// By shape: whether it has a row.
    known: Vec<bool>,
    /// Words of 64 bits a set has.
    width: usize,
    by_place: Vec<u64>,
    by_run: Vec<u64>,
    by_count: Vec<u64>,
    /// Rows that are asked without any word near.
    always: Vec<u64>,
    /// By row: the least number of digits its shape asks for.
    least: Vec<u8>,
}

/// A shape as one rule uses it.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// The least number of digits it asks for; the least are asked first.
    pub(super) least: u8,
    /// Its number in the rule set.
    pub(super) number: u16,
    pub(super) shape: &'static Shape,
    /// What is not proven by itself needs a word near.
    pub(super) gated: bool,
}

impl DigitIndex {
    /// An index of shapes.
    pub(super) fn new(mut shapes: Vec<Asked>) -> DigitIndex {
        shapes.sort_unstable_by_key(|asked| (asked.least, asked.number));
        let (mut index, mut least, mut always) = (DigitIndex::default(), Vec::new(), Vec::new());
        for Asked { least: count, number, shape, gated } in shapes {
            for row in starts(shape) {
                let runs = row.runs & shape.first_runs;
                if runs != 0 {
                    index.rows.push((number, Start { runs, ..row }));
                    least.push(count);
                    always.push(row.proves || !gated);
                }
            }
        }
        let shapes = index.rows.iter().map(|(number, _)| usize::from(*number) + 1).max().unwrap_or(0);
        index.known = vec![false; shapes];
        for (number, _) in &index.rows {
            index.known[usize::from(*number)] = true;
        }
        index.width = index.rows.len().div_ceil(64);
        index.always = index.set_of(|bit| always[bit]);
        index.by_place = index.sets(before::COUNT * lead::COUNT, |row, key| {
            row.before >> (key / lead::COUNT) & 1 == 1 && row.leads >> (key % lead::COUNT) & 1 == 1
        });
        index.by_run = index.sets((LONGEST + 1) * behind::COUNT, |row, key| {
            row.runs >> (key / behind::COUNT) & 1 == 1 && row.behind >> (key % behind::COUNT) & 1 == 1
        });
        index.by_count = vec![0; (COUNTED + 1) * index.width];
        for (bit, least) in least.iter().enumerate() {
            for count in usize::from(*least)..=COUNTED {
                index.by_count[count * index.width + bit / 64] |= 1 << (bit % 64);
            }
        }
        index.least = least;
        index
    }

    fn set_of(&self, holds: impl Fn(usize) -> bool) -> Vec<u64> {
        let mut set = vec![0; self.width];
        for bit in (0..self.rows.len()).filter(|bit| holds(*bit)) {
            set[bit / 64] |= 1 << (bit % 64);
        }
        set
    }

    /// The rows of a shape.
    pub(super) fn rows_of(&self, number: u16) -> Vec<u64> {
        self.set_of(|bit| self.rows[bit].0 == number)
    }

    /// The rows that are asked without any word near.
    pub(super) fn always(&self) -> &[u64] {
        &self.always
    }

    /// The rows that need no word near, each with the least number of digits its shape asks for.
    pub(super) fn open_rows(&self) -> impl Iterator<Item = (Start, u8)> {
        let always = |bit: &usize| self.always[bit / 64] >> (bit % 64) & 1 == 1;
        (0..self.rows.len()).filter(always).map(|bit| (self.rows[bit].1, self.least[bit]))
    }

    /// From now on every row is asked without a word.
    pub(super) fn open_all(&mut self) {
        self.always = self.set_of(|_| true);
    }

    /// One set of bits for each key: the rows that hold for it.
    fn sets(&self, keys: usize, holds: impl Fn(&Start, usize) -> bool) -> Vec<u64> {
        let mut sets = vec![0; keys * self.width];
        for (bit, (_, row)) in self.rows.iter().enumerate() {
            for key in (0..keys).filter(|key| holds(row, *key)) {
                sets[key * self.width + bit / 64] |= 1 << (bit % 64);
            }
        }
        sets
    }

    /// Hands out the shapes to ask at `group`, of the rows in `open`.
    #[inline]
    pub(super) fn at(&self, text: &[u8], record: &Range<usize>, group: Group, open: &[u64], mut ask: impl FnMut(u16)) {
        let Group { at, count } = group;
        let at = at as usize;
        let place = place_of(&text[..record.end], record.start, at) * self.width;
        let run = run_of(&text[..record.end], at) * self.width;
        let count = usize::from(count).min(COUNTED) * self.width;
        for (word, open) in open.iter().enumerate() {
            let mut bits = open & self.by_place[place + word] & self.by_run[run + word] & self.by_count[count + word];
            while bits != 0 {
                ask(self.rows[word * 64 + bits.trailing_zeros() as usize].0);
                bits &= bits - 1;
            }
        }
    }

    /// As [`DigitIndex::at`], right behind a hit: every shape that asks for so many digits. A shape looks left
    /// no further than its last hit, so that what stands there must not speak against it.
    pub(super) fn any(&self, count: u8, open: &[u64], mut ask: impl FnMut(u16)) {
        let count = usize::from(count).min(COUNTED) * self.width;
        let mut last = None;
        for (word, open) in open.iter().enumerate() {
            let mut bits = open & self.by_count[count + word];
            while bits != 0 {
                let number = self.rows[word * 64 + bits.trailing_zeros() as usize].0;
                if last != Some(number) {
                    last = Some(number);
                    ask(number);
                }
                bits &= bits - 1;
            }
        }
    }
}

impl DigitIndex {
    /// Whether the shape is asked at groups of digits.
    pub(super) fn knows(&self, number: u16) -> bool {
        self.known.get(usize::from(number)).is_some_and(|known| *known)
    }
}

/// What stands before the group at `at`, and what it begins with.
#[inline]
fn place_of(text: &[u8], start: usize, at: usize) -> usize {
    let before =
        if at <= start { before::START } else { before_of(text, start, at, |end| letters_before(text, start, end)) };
    let lead = match text[at] {
        b'0' if text.get(at + 1) == Some(&b'0') => lead::ZEROS,
        b'0' => lead::ZERO,
        b'1' => lead::ONE,
        b'9' => lead::NINE,
        _ => lead::MIDDLE,
    };
    before * lead::COUNT + lead
}

/// What stands before `at`, which is not the record's first byte. `letters` says how many letters stand right before a
/// place, [`MOST_LETTERS`] at most.
#[inline(always)]
pub(super) fn before_of(text: &[u8], start: usize, at: usize, letters: impl Fn(usize) -> usize) -> usize {
    match text[at - 1] {
        b'a'..=b'z' | b'A'..=b'Z' => match letters(at) {
            // Behind another digit they begin nothing.
            count if count < MOST_LETTERS && at > start + count && text[at - count - 1].is_ascii_digit() => {
                before::LETTERS
            }
            1 => before::LETTERS_1,
            2 => before::LETTERS_2,
            3 => before::LETTERS_3,
            6 => before::LETTERS_6,
            _ => before::LETTERS,
        },
        b' ' => match letters(at - 1) {
            2 => before::SPACE_2,
            3 => before::SPACE_3,
            _ => before::SPACE,
        },
        b'.' | b'-' if at >= start + 2 && text[at - 2].is_ascii_digit() => before::JOINED,
        b'-' => match letters(at - 1) {
            2 => before::DASH_2,
            3 => before::DASH_3,
            _ => before::DASH,
        },
        b'_' => before::UNDERSCORE,
        b'+' => before::PLUS,
        b'(' => before::BRACKET,
        _ => before::OTHER,
    }
}

/// More letters are not told apart.
pub(super) const MOST_LETTERS: usize = 7;

/// ASCII letters right before `at`.
#[inline]
fn letters_before(text: &[u8], start: usize, at: usize) -> usize {
    let (least, mut from) = (start.max(at.saturating_sub(MOST_LETTERS)), at);
    while from > least && text[from - 1].is_ascii_alphabetic() {
        from -= 1;
    }
    at - from
}

/// The length of the first run of digits, and what stands behind it.
#[inline]
fn run_of(text: &[u8], at: usize) -> usize {
    let run = text[at..].iter().take(LONGEST).take_while(|byte| byte.is_ascii_digit()).count();
    let behind = match text[at + run..] {
        [] => behind::END,
        [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] => behind::WORD,
        [b'.', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', ..] => behind::DOT,
        [b'.', b'0'..=b'9', ..] => behind::DOT_SHORT,
        [b' ' | b'-' | b'/' | b'+', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', ..] => behind::GAP,
        [b' ' | b'-' | b'/' | b'+', b'0'..=b'9', ..] => behind::GAP_SHORT,
        [0x80..=0xFF, ..] => behind::WIDE,
        _ => behind::OTHER,
    };
    run * behind::COUNT + behind
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::redact::rule::RuleTest;
    use crate::redact::shape::start::words;
    use crate::redact::shape::{self, Trigger};
    use crate::redact::validate::Verdict;
    use proptest::prelude::*;

    pub(in crate::redact) fn digit_shapes() -> Vec<Asked> {
        let mut shapes = Vec::new();
        for (number, shape) in shape::names().filter_map(shape::by_name).enumerate() {
            for trigger in shape.triggers {
                if let Trigger::DigitRun(least) = trigger {
                    shapes.push(Asked { least: *least, number: number as u16, shape, gated: true });
                }
            }
        }
        shapes
    }

    /// Whoever would answer at a group of `text` is among those that the index names; who would answer with a
    /// proof, also where no word stands near.
    fn names_all(text: &[u8]) {
        let shapes = digit_shapes();
        let mut index = DigitIndex::new(shapes.clone());
        let closed = index.always().to_vec();
        index.open_all();
        for at in (0..text.len()).filter(|&at| text[at].is_ascii_digit() && (at == 0 || !text[at - 1].is_ascii_digit()))
        {
            let count = text[at..].iter().take(COUNTED).filter(|byte| byte.is_ascii_digit()).count() as u8;
            let (mut named, mut proving) = (Vec::new(), Vec::new());
            let group = Group { at: at as u32, count };
            index.at(text, &(0..text.len()), group, index.always(), |number| named.push(number));
            index.at(text, &(0..text.len()), group, &closed, |number| proving.push(number));
            for Asked { least, number, shape, .. } in &shapes {
                let fits = *least <= count && shape.first_runs >> run_length(text, at) & 1 == 1;
                if let Some(hit) = fits.then(|| (shape.find)(text, at, 0)).flatten() {
                    let place = || format!("{} at {at} of {:?}", shape.name, String::from_utf8_lossy(text));
                    assert!(named.contains(number), "{}", place());
                    let proven = hit.verdict == Verdict::Proves && words(shape).is_empty();
                    assert!(!proven || proving.contains(number), "a proof: {}", place());
                }
            }
        }
    }

    fn run_length(text: &[u8], at: usize) -> usize {
        text[at..].iter().take(LONGEST).take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// Texts of the pack's own tests.
    #[test]
    fn no_example_of_the_pack_is_missed() {
        let rules = crate::redact::builtin::packs().into_iter().flat_map(|pack| pack.rules);
        let tests: Vec<RuleTest> = rules.flat_map(|rule| rule.tests).collect();
        assert!(tests.len() > 300, "{}", tests.len());
        for RuleTest::Changes { input: text, .. } | RuleTest::Same(text) in tests {
            names_all(text.as_bytes());
        }
    }

    #[rustfmt::skip]
    const VALUES: &[&str] = &[
        "4111111111111111", "4111 1111 1111 1111", "378282246310005", "3782 822463 10005", "PL61109010140000071219812874",
        "PL61 1090 1014 0000 0712 1981 2874", "61 1090 1014 0000 0712 1981 2874", "021000021", "PL1234563218",
        "PL 123-456-32-18", "DE136695976", "+48 600 123 456", "0048600123456", "(202) 555-0143", "600 123 456",
        "48123456789", "020 7946 0018", "30-001 Krak\u{f3}w", "10115 Berlin", "SW1A 1AA", "M1 1AE", "50.06143, 19.93658",
        "born 1990-01-31", "ur. 12 marca 1985", "90010112349", "123456785", "ABA300000", "ABA 300000", "ZS0000177",
        "L01X00T471", "12345678Z", "12345678-Z", "X1234567L", "X-1234567-L", "A58818501", "RSSMRA85T10A562S",
        "AB123456C", "AB 12 34 56 C", "6433435F", "131052-308T", "756.1234.5678.97", "CHE-123.456.788 MWST",
        "nip 123-456-32-18", "NL004495445B01", "RSSMRA85T10A562S x", "61 10901014 0000071219812874",
        "4.131052-308T", "4.12345678Z", "4-131052-308T",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]
        #[test]
        fn nothing_that_answers_is_left_out(
            pieces in prop::collection::vec((0..VALUES.len(), "[ -~\u{a0}\u{2013}]{0,3}"), 1..4),
            noise in "[0-9A-Z .,+/()-]{0,24}",
        ) {
            let mut text = String::new();
            for (value, between) in pieces {
                text.push_str(&between);
                text.push_str(VALUES[value]);
            }
            text.push_str(&noise);
            names_all(text.as_bytes());
            names_all(noise.as_bytes());
        }
    }
}
