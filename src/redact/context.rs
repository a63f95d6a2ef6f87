//! Words near a candidate: the evidence of `near` and `not_near`.
//!
//! Words are whole words (no letter or digit on either side), ASCII letters in either case, other letters
//! as written in lower or upper case by the rule's compiler; windows are bounded by the rule.

use super::finding::Span;
use super::rule::Words;
use std::ops::Range;

/// Compiled words of one rule.
pub(super) struct Near {
    words: Vec<Box<[u8]>>,
    /// First bytes of the words, in either case; one bit each.
    first: [u64; 4],
    within: usize,
}

/// How near the nearest word stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Nearness {
    /// No word in the window.
    None,
    /// A word in the window.
    Near,
    /// Nothing but separators between a word before the candidate and the candidate.
    Adjacent,
}

impl Near {
    /// Compiles the words of a rule.
    pub(super) fn compile(words: &Words) -> Near {
        let mut compiled: Vec<Box<[u8]>> = Vec::new();
        for word in &words.words {
            for form in [word.to_lowercase(), word.to_uppercase().to_ascii_lowercase()] {
                let form = form.into_bytes().into_boxed_slice();
                if !compiled.contains(&form) {
                    compiled.push(form);
                }
            }
        }
        let mut first = [0; 4];
        for byte in compiled.iter().filter_map(|word| word.first()) {
            for byte in [*byte, byte.to_ascii_uppercase()] {
                first[usize::from(byte / 64)] |= 1 << (byte % 64);
            }
        }
        Near { words: compiled, first, within: words.within as usize }
    }

    /// The words as they are compared.
    pub(super) fn into_words(self) -> Vec<Box<[u8]>> {
        self.words
    }

    /// How near one of the words stands to `span` inside `text[floor..limit]`.
    pub(super) fn nearness(&self, text: &[u8], span: Span, floor: usize, limit: usize) -> Nearness {
        let (start, end) = (span.start as usize, span.end as usize);
        let before = start.saturating_sub(self.within + 24).max(floor);
        let after = (end + self.within + 24).min(limit);
        let mut nearest = Nearness::None;
        for (found, word) in self.occurrences(text, before..start, floor) {
            let distance = start - (found + word.len()) + hidden(&text[found + word.len()..start]);
            if distance <= self.within && whole_word(text, found, word.len(), floor, limit) {
                let adjacent = text[found + word.len()..start].iter().all(|byte| !byte.is_ascii_alphanumeric());
                nearest = nearest.max(if adjacent { Nearness::Adjacent } else { Nearness::Near });
            }
        }
        for (found, word) in self.occurrences(text, end..after, floor) {
            if found - end + hidden(&text[end..found]) <= self.within
                && whole_word(text, found, word.len(), floor, limit)
            {
                nearest = nearest.max(Nearness::Near);
            }
        }
        nearest
    }

    /// Where words stand in the window, ASCII letters folded, that may be whole words.
    fn occurrences<'t>(
        &'t self,
        text: &'t [u8],
        window: Range<usize>,
        floor: usize,
    ) -> impl Iterator<Item = (usize, &'t [u8])> + 't {
        let begins = move |at: &usize| {
            let byte = text[*at];
            self.first[usize::from(byte / 64)] >> (byte % 64) & 1 == 1 && word_begins(text, *at, floor)
        };
        window.clone().filter(begins).flat_map(move |at| {
            let rest = &text[at..window.end];
            let stands = move |word: &&[u8]| rest.get(..word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word));
            self.words.iter().map(|word| &**word).filter(stands).map(move |word| (at, word))
        })
    }
}

/// What labels of ours may have been longer before they were labels: a second pass must not find words nearer
/// than the first.
fn hidden(between: &[u8]) -> usize {
    const LONGER: usize = 24;
    let label = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    memchr::memchr_iter(b'[', between)
        .filter(|at| {
            let rest = &between[at + 1..];
            let name = rest.iter().take_while(|byte| label(byte)).count();
            name > 1 && rest.get(name) == Some(&b']')
        })
        .count()
        * LONGER
}

/// Whether a word may begin at `at`: camelCase counts as a boundary, `numerPesel` holds the word `pesel`.
fn word_begins(text: &[u8], at: usize, floor: usize) -> bool {
    at == floor || !is_letter(text[at - 1]) || (text[at].is_ascii_uppercase() && text[at - 1].is_ascii_lowercase())
}

fn whole_word(text: &[u8], at: usize, len: usize, floor: usize, limit: usize) -> bool {
    let next = at + len;
    let right = next >= limit
        || !is_letter(text[next])
        || (text[next].is_ascii_uppercase() && text[next - 1].is_ascii_lowercase());
    word_begins(text, at, floor) && right && !in_label(text, at, floor, limit)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// A word of a label of ours says nothing: a second pass would find more than the first.
fn in_label(text: &[u8], at: usize, floor: usize, limit: usize) -> bool {
    let label = |byte: &&u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || **byte == b'-';
    let left = text[floor..at].iter().rev().take(64).take_while(label).count();
    let right = text[at..limit].iter().take(64).take_while(label).count();
    at - left > floor && text[at - left - 1] == b'[' && text[..limit].get(at + right) == Some(&b']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(text: &str, word: &str, candidate: &str) -> Nearness {
        let words = Words { words: vec![word.to_owned()], within: 12 };
        let at = text.find(candidate).unwrap();
        Near::compile(&words).nearness(text.as_bytes(), Span::new(at, at + candidate.len()), 0, text.len())
    }

    #[test]
    fn words_count_whole_near_and_on_either_side() {
        assert_eq!(near("PESEL: 9001", "pesel", "9001"), Nearness::Adjacent);
        assert_eq!(near("numerPesel=9001", "pesel", "9001"), Nearness::Adjacent);
        assert_eq!(near("pesel of the man 9001", "pesel", "9001"), Nearness::Near);
        assert_eq!(near("pesel stands too far away 9001", "pesel", "9001"), Nearness::None);
        assert_eq!(near("9001 is the PESEL", "pesel", "9001"), Nearness::Near);
        assert_eq!(near("duplicate 9001", "lic", "9001"), Nearness::None);
        assert_eq!(near("a pesel: [x1] 9001", "pesel", "9001"), Nearness::None);
        assert_eq!(near("dowód 9001", "dowód", "9001"), Nearness::Adjacent);
    }
}
