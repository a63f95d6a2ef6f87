//! Gates: words that open the shapes of digits which mean nothing without them.
//!
//! Most national numbers are any digits until their name stands near. The prefilter finds those names with
//! everything else; each opens its shapes within a few hundred bytes on either side, and elsewhere they are not
//! asked. A gate only saves questions: whatever it keeps closed would have been refused for want of the word.

use std::collections::BTreeMap;

/// Bytes on either side of a word in which its shapes are open: the widest window of context words, and as
/// much as a value may reach from the digit it is asked at.
const VALUE: u32 = 128;

/// The words of a rule set, compiled.
#[derive(Default)]
pub(super) struct Gates {
    /// By word: the rows of the digit index it opens.
    rows: Vec<Vec<u64>>,
    reach: u32,
}

/// A word and the shapes it opens, before it is known which rows they have.
pub(super) struct GateWord {
    /// Lower case as far as ASCII goes.
    pub(super) bytes: Box<[u8]>,
    /// Only as a whole word.
    pub(super) whole: bool,
    /// Number of the shape.
    pub(super) shape: u16,
    /// Bytes from the word to the value.
    pub(super) within: usize,
}

impl Gates {
    /// Compiles `words`; `rows_of` gives the rows of a shape. The words come back in the order of their numbers,
    /// each with whether it counts only as a whole word.
    pub(super) fn compile(words: Vec<GateWord>, rows_of: impl Fn(u16) -> Vec<u64>) -> (Gates, Vec<(Box<[u8]>, bool)>) {
        let mut grouped: BTreeMap<Box<[u8]>, (bool, Vec<u64>)> = BTreeMap::new();
        let mut within = 0;
        for word in words {
            within = within.max(word.within);
            let rows = rows_of(word.shape);
            let (whole, known) = grouped.entry(word.bytes).or_insert_with(|| (true, vec![0; rows.len()]));
            *whole &= word.whole;
            known.iter_mut().zip(&rows).for_each(|(known, row)| *known |= row);
        }
        let mut gates = Gates { reach: within as u32 + VALUE, ..Gates::default() };
        let mut literals = Vec::with_capacity(grouped.len());
        for (bytes, (whole, rows)) in grouped {
            gates.rows.push(rows);
            literals.push((bytes, whole));
        }
        (gates, literals)
    }
}

/// Where the words of one record stand.
#[derive(Default)]
pub(super) struct Open {
    /// Where a word begins and ends, and its number; in order.
    words: Vec<(u32, u32, u16)>,
    /// Words before this one are too far left of everything that is still asked.
    done: usize,
    /// What is open in the stretch of [`STRETCH`] bytes asked about last, and which one that was; nothing where no word
    /// is near.
    rows: Vec<u64>,
    stretch: Option<u32>,
}

/// What is open is worked out for so many bytes at a time.
const STRETCH: u32 = 64;

impl Open {
    /// Starts a record.
    pub(super) fn clear(&mut self) {
        self.words.clear();
        self.done = 0;
        self.stretch = None;
    }

    /// Takes a word that stands at `start..end`.
    pub(super) fn push(&mut self, start: u32, end: u32, word: u16) {
        self.words.push((start, end, word));
    }

    /// Whether no word opens anything in this record.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The rows open at `at`: those of `always` and of the words near; nothing where no word is near. Places are asked
    /// for in order.
    pub(super) fn at<'o>(&'o mut self, gates: &Gates, always: &'o [u64], at: u32) -> Option<&'o [u64]> {
        if self.words.is_empty() {
            return None;
        }
        let stretch = at / STRETCH;
        if self.stretch != Some(stretch) {
            self.stretch = Some(stretch);
            self.refresh(gates, always, stretch * STRETCH);
        }
        (!self.rows.is_empty()).then_some(&*self.rows)
    }

    fn refresh(&mut self, gates: &Gates, always: &[u64], from: u32) {
        self.rows.clear();
        let far = |(_, end, _): &(u32, u32, u16)| end.saturating_add(gates.reach) < from;
        self.done += self.words[self.done..].iter().take_while(|word| far(word)).count();
        let to = from + STRETCH + gates.reach;
        for (.., word) in self.words[self.done..].iter().take_while(|(start, ..)| *start < to) {
            if self.rows.is_empty() {
                self.rows.extend_from_slice(always);
            }
            self.rows.iter_mut().zip(&gates.rows[usize::from(*word)]).for_each(|(open, row)| *open |= row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gates() -> Gates {
        let word = |text: &str, whole, shape| GateWord { bytes: text.as_bytes().into(), whole, shape, within: 40 };
        let (gates, literals) =
            Gates::compile(vec![word("pesel", true, 1), word("born", false, 2), word("born", true, 3)], |shape| {
                vec![1 << shape]
            });
        // Where one shape takes a part of a word, parts count.
        assert_eq!(literals, [("born", false), ("pesel", true)].map(|(word, whole)| (word.as_bytes().into(), whole)));
        gates
    }

    #[test]
    fn words_open_their_rows_near_them_and_nowhere_else() {
        let (gates, mut open) = (gates(), Open::default());
        assert_eq!(open.at(&gates, &[1], 5), None);
        open.push(1000, 1005, 1);
        open.push(2008, 2012, 0);
        let rows: Vec<u64> = [0, 700, 900, 1100, 1500, 1900, 2005]
            .map(|at| open.at(&gates, &[1], at).map_or(0, |rows| rows[0]))
            .to_vec();
        assert_eq!(rows, [0, 0, 3, 3, 0, 13, 13]);
    }
}

#[cfg(test)]
mod engine {
    use crate::redact::builtin;
    use crate::redact::filler;
    use crate::redact::policy::Policy;
    use crate::redact::rule::RuleTest;
    use crate::redact::{Redactor, RuleSet, StreamState};
    use std::sync::Arc;

    fn set() -> RuleSet {
        RuleSet::compile(builtin::rules(), &Policy::default()).expect("the pack")
    }

    fn redacted(redactor: &mut Redactor, text: &str) -> String {
        let mut out = Vec::new();
        let (line, end) = (format!("{text}\n"), [text.len() as u32 + 1]);
        redactor.redact(&mut StreamState::default(), line.as_bytes(), &end, &mut |record| record.write_to(&mut out));
        String::from_utf8_lossy(&out).into_owned()
    }

    /// With every gate open the pack masks the same: its examples alone, beside each other, and with words at every
    /// distance.
    #[test]
    fn gates_change_no_mask() {
        let (mut gated, mut open) = (Redactor::new(Arc::new(set())), Redactor::new(Arc::new(set().with_reasons())));
        let tests = builtin::packs().into_iter().flat_map(|pack| pack.rules).flat_map(|rule| rule.tests);
        let examples: Vec<String> = tests
            .map(|test| match test {
                RuleTest::Changes { input, .. } | RuleTest::Same(input) => input,
            })
            .filter_map(|input| filler::expand(&input).ok())
            .filter(|input| !input.contains('\n'))
            .collect();
        assert!(examples.len() > 300, "{}", examples.len());
        for (place, example) in examples.iter().enumerate() {
            let other = &examples[(place * 7 + 3) % examples.len()];
            let apart = " ".repeat(place % 260);
            for text in [example.clone(), format!("{example}{apart}{other}"), format!("{other} {apart}{example}")] {
                assert_eq!(redacted(&mut gated, &text), redacted(&mut open, &text), "{text}");
            }
        }
    }
}
