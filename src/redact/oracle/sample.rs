//! A small rule set of every form that needs no context, for which the oracle's bound holds without exceptions.

use crate::redact::policy::Policy;
use crate::redact::{Piece, Redacted, Redactor, RuleSet, StreamState, rule_file};
use std::ops::Range;
use std::sync::Arc;

const RULES: &str = r"
pack: oracle
version: 0.1.0
rules:
  - {id: token-a, title: t, class: credential, severity: high, find: {anchor: [ghp_], alphabet: base62, min: 16}, mask: label, since: 0.1.0, reference: none, tests: [{in: 'x ghp_{{base62:36}}', out: 'x [token-a]'}, {same: x}]}
  - {id: token-b, title: t, class: credential, severity: high, find: {anchor: ['glpat-'], alphabet: base64url, min: 12}, mask: label, since: 0.1.0, reference: none, tests: [{in: 'x glpat-{{base62:36}}', out: 'x [token-b]'}, {same: x}]}
  - {id: password, title: t, class: credential, severity: high, find: {key: [password, token, api key]}, mask: label, since: 0.1.0, reference: none, tests: [{in: 'password=abc', out: 'password=[password]'}, {same: x}]}
  - {id: email, title: t, class: identity, severity: medium, find: {shape: email}, mask: label, since: 0.1.0, reference: none, tests: [{in: a@example.com, out: '[email]'}, {same: x}]}
  - {id: card, title: t, class: financial, severity: high, find: {shape: card}, mask: {keep_last: 4}, since: 0.1.0, reference: none, tests: [{in: '4111111111111111', out: '[card-1111]'}, {same: x}]}
  - {id: private-key, title: t, class: credential, severity: high, find: {shape: key-block}, mask: label, since: 0.1.0, reference: none, tests: [{in: x, out: x}, {same: x}]}
";

/// The sample set.
pub(super) fn rules() -> Arc<RuleSet> {
    static SET: std::sync::OnceLock<Arc<RuleSet>> = std::sync::OnceLock::new();
    let compile = || {
        let loaded = rule_file::load("oracle.yaml", RULES);
        assert!(loaded.is_clean(), "the sample rules: {:?}", loaded.problems);
        Arc::new(RuleSet::compile(loaded.pack.rules, &Policy::default()).expect("the sample rules compile"))
    };
    Arc::clone(SET.get_or_init(compile))
}

/// The shipped set, compiled once.
pub(super) fn builtin() -> Arc<RuleSet> {
    static SET: std::sync::OnceLock<Arc<RuleSet>> = std::sync::OnceLock::new();
    Arc::clone(SET.get_or_init(RuleSet::builtin))
}

/// What became of a text.
#[derive(Default)]
pub(super) struct Pass {
    pub(super) output: Vec<u8>,
    /// What was replaced in the text.
    pub(super) replaced: Vec<Range<usize>>,
    /// The masks in the output.
    pub(super) masks: Vec<Range<usize>>,
}

/// Redacts lines handed over in blocks of `lines` counts (the last count repeats), one text out.
pub(super) fn redact(rules: &Arc<RuleSet>, text: &[u8], counts: &[usize]) -> Vec<u8> {
    pass(rules, text, counts).output
}

/// As [`redact`], with the places of the masks.
pub(super) fn pass(rules: &Arc<RuleSet>, text: &[u8], counts: &[usize]) -> Pass {
    let mut redactor = Redactor::new(Arc::clone(rules));
    let mut stream = StreamState::default();
    let mut pass = Pass::default();
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', text).map(|at| at + 1).chain([text.len()]).collect();
    let mut counts = counts.iter().copied().chain(std::iter::repeat(counts.last().copied().unwrap_or(1).max(1)));
    let (mut start, mut rest) = (0, ends.as_slice());
    while !rest.is_empty() {
        let (block, after) = rest.split_at(counts.next().unwrap_or(1).clamp(1, rest.len()));
        let last = block[block.len() - 1];
        let relative: Vec<u32> = block.iter().map(|&end| (end - start) as u32).collect();
        redactor.redact(&mut stream, &text[start..last], &relative, &mut |record| pass.take(record, start));
        (start, rest) = (last, after);
    }
    pass.output.pop();
    pass
}

impl Pass {
    /// Takes a record of the block that begins at `start`.
    fn take(&mut self, record: &Redacted<'_>, start: usize) {
        let base = start + record.range().start;
        self.replaced.extend(record.masked().map(|(_, edit, _)| base + edit.start..base + edit.end));
        for piece in record.pieces() {
            match piece {
                Piece::Keep(kept) => self.output.extend_from_slice(kept),
                Piece::Mask(mask) => {
                    let from = self.output.len();
                    self.output.extend_from_slice(mask);
                    self.masks.push(from..self.output.len());
                }
            }
        }
        self.output.push(b'\n');
    }
}

/// Redacts one record, which may hold line ends.
pub(super) fn redact_record(rules: &Arc<RuleSet>, record: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let end = [record.len() as u32];
    Redactor::new(Arc::clone(rules)).redact(&mut StreamState::default(), record, &end, &mut |redacted| {
        redacted.write_to(&mut out);
    });
    out
}

/// The bytes of one record that the engine masked.
pub(super) fn masked(rules: &Arc<RuleSet>, record: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let end = [record.len() as u32];
    Redactor::new(Arc::clone(rules)).redact(&mut StreamState::default(), record, &end, &mut |redacted| {
        ranges = gaps(record, redacted);
    });
    ranges
}

/// What lies between the kept pieces.
fn gaps(record: &[u8], redacted: &Redacted<'_>) -> Vec<Range<usize>> {
    let (mut gaps, mut at) = (Vec::new(), 0);
    for piece in redacted.pieces() {
        if let Piece::Keep(kept) = piece {
            let from = kept.as_ptr() as usize - record.as_ptr() as usize;
            gaps.push(at..from);
            at = from + kept.len();
        }
    }
    gaps.push(at..record.len());
    gaps.retain(|gap| !gap.is_empty());
    gaps
}
