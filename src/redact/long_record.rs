//! Long records: read in windows that overlap, so that memory does not grow with what a record holds.
//!
//! Invariants: every place of the record lies in the core of one window, with [`OVERLAP`] bytes around it that the
//! search sees too, which is more than the longest bounded secret takes; a value that reaches over its
//! window's end is masked on to its own end; a secret container that no window can hold, and more masks than
//! [`MOST_MASKS`], withhold the record.

use super::boundary::Strings;
use super::claims::{Claims, Edit};
use super::finding::Withheld;
use super::json_borders::Begins;
use super::rule::RuleIndex;
use crate::token::Token;
use memchr::{memchr, memchr3};
use std::ops::Range;

/// Longer records are read in windows, bytes.
pub(super) const LONG: usize = 1 << 20;
/// Bytes of a window's core.
const CORE: usize = 512 << 10;
/// Bytes around it. Not shorter than the longest bounded secret.
const OVERLAP: usize = 64 << 10;
/// Widest window, for a container that is longer than the overlap.
const WIDEST: usize = 4 << 20;
/// Most masks of one long record: what stands for them takes memory until the record is handed out.
const MOST_MASKS: usize = 1 << 19;
/// Texts of masks that are remembered, so that equal ones stand once.
const REMEMBERED: usize = 16;
/// Most tokens listed for one record.
const MOST_TOKENS: usize = 64;

/// One window of a record, as offsets into it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// What is searched.
    pub(super) text: Range<usize>,
    /// What of it this window answers for.
    pub(super) core: Range<usize>,
    pub(super) begins: Begins,
}

/// The windows of one record, from left to right.
pub(super) struct Windows<'t> {
    text: &'t [u8],
    json: bool,
    strings: Strings,
    /// Everything left of this is done.
    done: usize,
}

impl<'t> Windows<'t> {
    pub(super) fn new(text: &'t [u8]) -> Windows<'t> {
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
        Windows { text, json: matches!(first, Some(b'{' | b'[')), strings: Strings::default(), done: 0 }
    }

    /// The next window.
    pub(super) fn plan(&mut self) -> Option<Plan> {
        if self.done >= self.text.len() {
            return None;
        }
        let (start, begins) = if self.done == 0 { (0, self.kind(Begins::Token)) } else { self.start() };
        Some(self.ending(start, begins, self.done + CORE + OVERLAP))
    }

    /// The same window up to twice as wide; `None` when it is as wide as can be.
    pub(super) fn widen(&self, plan: &Plan) -> Option<Plan> {
        let width = 2 * plan.text.len();
        (width <= WIDEST).then(|| self.ending(plan.text.start, plan.begins, plan.text.start + width))
    }

    /// What was asked of the window is done, and everything left of `end`.
    pub(super) fn finished(&mut self, plan: &Plan, end: usize) {
        self.done = plan.core.end.max(end);
    }

    pub(super) fn is_last(&self, plan: &Plan) -> bool {
        plan.text.end == self.text.len()
    }

    fn ending(&self, start: usize, begins: Begins, end: usize) -> Plan {
        let end = end.min(self.text.len());
        let core = if end == self.text.len() { end } else { end - OVERLAP };
        Plan { text: start..end, core: self.done..core, begins }
    }

    fn kind(&self, of_json: Begins) -> Begins {
        if self.json { of_json } else { Begins::Text }
    }

    /// Where the next window may begin: behind a comma between tokens of JSON, else behind a word.
    fn start(&mut self) -> (usize, Begins) {
        let (low, high) = (self.done - OVERLAP, self.done - OVERLAP / 2);
        let Windows { text, strings, json, .. } = self;
        if *json {
            let commas = memchr::memchr_iter(b',', &text[low..high]).map(|at| low + at);
            if let Some(comma) = commas.into_iter().find(|at| !strings.inside(text, *at, 0)) {
                return (comma + 1, Begins::Token);
            }
        }
        let start = match memchr3(b' ', b',', b'\n', &text[low..high]) {
            Some(at) => low + at + 1,
            // Neither in an escape nor in a character.
            None => (low..high).find(|at| text[*at].is_ascii_alphanumeric() && text[at - 1] != b'\\').unwrap_or(low),
        };
        let inside = self.json && self.strings.inside(self.text, high, 0);
        (start, self.kind(if inside { Begins::String } else { Begins::Token }))
    }
}

/// What was found in the windows of one record so far.
#[derive(Default)]
pub(super) struct LongRecord {
    pub(super) edits: Vec<Edit>,
    pub(super) masks: Vec<u8>,
    /// The masks written last.
    known: Vec<Range<u32>>,
    pub(super) rules: Vec<RuleIndex>,
    pub(super) shadowed: Vec<RuleIndex>,
    pub(super) allowed: Vec<RuleIndex>,
    pub(super) tokens: Vec<Token>,
}

impl LongRecord {
    /// Takes what was found in a window; returns up to where the record is masked.
    pub(super) fn take(&mut self, text: &[u8], plan: &Plan, claims: &Claims) -> Result<usize, Withheld> {
        for edit in claims.edits() {
            let (start, end) = (plan.text.start + edit.start as usize, plan.text.start + edit.end as usize);
            if end <= plan.core.start || start >= plan.core.end {
                continue;
            }
            match self.edits.last_mut() {
                // The window before has seen its beginning.
                Some(last) if start < last.end as usize => last.end = last.end.max(end as u32),
                _ => {
                    let mask = self.mask(&claims.masks()[edit.mask.start as usize..edit.mask.end as usize]);
                    self.edits.push(Edit { start: start as u32, end: end as u32, rule: edit.rule, mask });
                }
            }
        }
        merge(&mut self.rules, claims.rules(), usize::MAX);
        merge(&mut self.shadowed, claims.shadowed(), usize::MAX);
        merge(&mut self.tokens, claims.tokens(), MOST_TOKENS);
        self.allowed.extend_from_slice(claims.allowed());
        if self.edits.len() > MOST_MASKS {
            return Err(Withheld::Oversize);
        }
        Ok(self.go_on(text, plan.text.end))
    }

    /// Where the text of a mask stands.
    fn mask(&mut self, text: &[u8]) -> Range<u32> {
        let stands = |known: &&Range<u32>| &self.masks[known.start as usize..known.end as usize] == text;
        if let Some(known) = self.known.iter().find(stands) {
            return known.clone();
        }
        let from = self.masks.len() as u32;
        self.masks.extend_from_slice(text);
        let mask = from..self.masks.len() as u32;
        if self.known.len() == REMEMBERED {
            self.known.remove(0);
        }
        self.known.push(mask.clone());
        mask
    }

    /// Masks on what reached the window's end: to the quote that closes it, or to the end of the word.
    fn go_on(&mut self, text: &[u8], end: usize) -> usize {
        let Some(last) = self.edits.last_mut() else { return 0 };
        if (last.end as usize) < end || end == text.len() {
            return last.end as usize;
        }
        let quoted = last.start > 0 && text[last.start as usize - 1] == b'"';
        let rest = &text[end..];
        let length = if quoted { memchr(b'"', rest) } else { memchr3(b' ', b'"', b'\n', rest) };
        last.end = (end + length.unwrap_or(rest.len())) as u32;
        let backslashes = text[end..last.end as usize].iter().rev().take_while(|byte| **byte == b'\\').count();
        last.end -= backslashes as u32;
        last.end as usize
    }
}

/// Adds what is not there yet.
fn merge<T: Copy + PartialEq>(into: &mut Vec<T>, from: &[T], most: usize) {
    for item in from {
        if into.len() < most && !into.contains(item) {
            into.push(*item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_lie_side_by_side_in_texts_that_overlap() {
        let json = format!("[{}1]", "{\"a\":\"b,c\"},".repeat(200_000));
        let string = format!("{{\"m\":\"{}\"}}", "a,\\\"b\\\", ".repeat(200_000));
        let glued = "x".repeat(2 << 20);
        for (text, want) in [(json, Begins::Token), (string, Begins::String), (glued, Begins::Text)] {
            let mut windows = Windows::new(text.as_bytes());
            let mut done = 0;
            while let Some(plan) = windows.plan() {
                assert_eq!(plan.core.start, done);
                assert!(plan.text.start == 0 || plan.core.start - plan.text.start >= OVERLAP / 2);
                assert!(plan.text.end == text.len() || plan.text.end - plan.core.end >= OVERLAP);
                assert!(plan.text.start == 0 || plan.begins == want, "{plan:?}");
                done = plan.core.end;
                windows.finished(&plan, 0);
            }
            assert_eq!(done, text.len());
        }
    }
}
