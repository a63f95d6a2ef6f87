//! Explanations of single records: every candidate with its rule, the encodings it was read through, its
//! span, and what decided. Runs the real engine with a rule set that reports its refusals, so that an
//! explanation cannot differ from what the agent does.

use super::finding::Withheld;
use super::prefilter::{Hit, Target};
use super::reason::{Fate, Seen};
use super::redactor::{RawLine, Redactor, StreamState};
use super::rule::{AnchorFind, RuleIndex};
use super::ruleset::RuleSet;
use super::shape;
use crate::token::Minter;
use std::ops::Range;
use std::sync::Arc;

/// Explains the records of one stream, in order.
pub struct Explainer {
    redactor: Redactor,
    stream: StreamState,
    hits: Vec<Hit>,
}

/// What the engine makes of one record. Offsets count from the record's first byte.
#[derive(Default)]
pub struct Explanation {
    /// The masks, in order.
    pub masks: Vec<Shown>,
    /// Every candidate, in order of place, each reading once.
    pub seen: Vec<Seen>,
    /// The redacted record.
    pub redacted: Vec<u8>,
    /// The rules that hit, as the record names them.
    pub rules: Vec<RuleIndex>,
    /// Tokens minted for it.
    pub tokens: Vec<String>,
    /// Set when the record is replaced as a whole.
    pub withheld: Option<Withheld>,
}

/// A mask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The rule whose label it shows; none for a withheld record.
    pub rule: Option<RuleIndex>,
    /// The bytes of the raw record it stands for.
    pub raw: Range<usize>,
    /// The bytes of the redacted record it takes.
    pub masked: Range<usize>,
}

impl Explainer {
    /// Explains by these rules.
    pub fn new(rules: RuleSet, minter: Option<Minter>) -> Explainer {
        let mut redactor = Redactor::new(Arc::new(rules.with_reasons()));
        redactor.set_minter(minter);
        Explainer { redactor, stream: StreamState::default(), hits: Vec::new() }
    }

    /// The rules explained by.
    pub fn rules(&self) -> &RuleSet {
        self.redactor.rules()
    }

    /// Explains the next record, given without its line end.
    pub fn explain(&mut self, line: RawLine<'_>) -> Explanation {
        let mut told = Explanation::default();
        let ends = [u32::try_from(line.0.len()).unwrap_or(u32::MAX)];
        self.redactor.redact(&mut self.stream, line.0, &ends, &mut |record| {
            let mut shift = 0isize;
            for (rule, raw, mask) in record.masked() {
                let start = raw.start.wrapping_add_signed(shift);
                told.masks.push(Shown { rule, raw: raw.clone(), masked: start..start + mask.len() });
                shift += mask.len() as isize - raw.len() as isize;
            }
            record.write_to(&mut told.redacted);
            told.rules = record.rules().to_vec();
            told.tokens = record.tokens().map(str::to_owned).collect();
            told.withheld = record.withheld();
        });
        told.seen = self.redactor.seen().to_vec();
        self.add_missed_anchors(line.0, &mut told.seen);
        self.add_refuted_shapes(line.0, &mut told.seen);
        told.seen.sort_by_key(|seen| (seen.span.start, seen.span.end, seen.rule));
        told.seen.dedup_by(|two, one| (&two.span, two.rule, &two.fate) == (&one.span, one.rule, &one.fate));
        told
    }

    /// Redacts whole lines once more, so that a caller can see how long that takes. Leaves the stream as it is.
    pub fn repeat(&mut self, text: &[u8], ends: &[u32]) {
        self.redactor.redact(&mut StreamState::default(), text, ends, &mut |_| {});
    }

    /// Anchors that stand in the record and whose run is too short, too long or inside a word.
    fn add_missed_anchors(&mut self, line: &[u8], seen: &mut Vec<Seen>) {
        let rules = self.redactor.rules();
        self.hits.clear();
        rules.prefilter.scan(line, &mut self.hits);
        for hit in &self.hits {
            for target in rules.prefilter.targets(*hit) {
                let Target::Anchor(number) = target else { continue };
                let (rule, anchor) = &rules.anchors[usize::from(*number)];
                let place = hit.start() as usize..hit.end() as usize;
                let known =
                    |known: &Seen| known.rule == *rule && known.span.start <= place.end && place.start < known.span.end;
                if seen.iter().any(known) {
                    continue;
                }
                if let Some((span, fate)) = missed(line, place, anchor) {
                    seen.push(Seen { rule: *rule, span, chain: None, fate });
                }
            }
        }
    }

    /// Values that look like a shape and fail its own arithmetic, where nothing else was found.
    fn add_refuted_shapes(&self, line: &[u8], seen: &mut Vec<Seen>) {
        let rules = self.redactor.rules();
        for (rule, shape) in &rules.shapes {
            shape::refuted(shape.name, line, &mut |span, check| {
                let span = span.relative_to(0);
                let overlaps = |seen: &Seen| seen.span.start < span.end && span.start < seen.span.end;
                if !seen.iter().any(|seen| overlaps(seen) && (seen.rule == *rule || seen.fate == Fate::Masked)) {
                    seen.push(Seen { rule: *rule, span, chain: None, fate: Fate::Check(check.to_owned()) });
                }
            });
        }
    }
}

/// What keeps an anchor's run from being a token.
fn missed(line: &[u8], place: Range<usize>, anchor: &AnchorFind) -> Option<(Range<usize>, Fate)> {
    let run = line[place.end..].iter().take_while(|byte| anchor.alphabet.holds(**byte)).count();
    let span = place.start..place.end + run;
    if anchor.boundary && place.start > 0 && line[place.start - 1].is_ascii_alphanumeric() {
        return Some((span, Fate::InsideWord));
    }
    let found = run as u32;
    if found < anchor.min {
        return Some((span, Fate::Short(found, anchor.min)));
    }
    let most = anchor.max.filter(|most| found > *most)?;
    Some((span, Fate::Long(found, most)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{builtin, policy::Policy};
    use proptest::prelude::*;

    fn explainer() -> Explainer {
        let rules = builtin::packs().into_iter().flat_map(|pack| pack.rules).collect();
        Explainer::new(RuleSet::compile(rules, &Policy::default()).unwrap(), None)
    }

    fn told(text: &str) -> Vec<(String, Range<usize>, Fate)> {
        let mut explainer = explainer();
        let seen = explainer.explain(RawLine(text.as_bytes())).seen;
        seen.into_iter().map(|seen| (explainer.rules().id(seen.rule).to_owned(), seen.span, seen.fate)).collect()
    }

    #[test]
    fn what_decided_is_named() {
        let table: &[(&str, &str, &str)] = &[
            ("card 4111 1111 1111 1112", "card", "luhn failed"),
            ("x ghp_abc y", "github-token", "3 characters after the anchor, at least 36 needed"),
            ("to ana@mail.example now", "email", "masked"),
        ];
        let explainer = explainer();
        for (text, rule, why) in table {
            let seen = told(text);
            let found = seen.iter().any(|(id, _, fate)| id == rule && fate.told(explainer.rules()) == *why);
            assert!(found, "{text}: {seen:?}");
        }
    }

    #[test]
    fn the_encoding_of_a_finding_is_named() {
        let mut explainer = explainer();
        let told = explainer.explain(RawLine(b"mail=ana%40mail.example"));
        let chains: Vec<String> =
            told.seen.iter().filter_map(|seen| seen.chain).map(|chain| chain.to_string()).collect();
        assert_eq!(chains, ["percent"]);
        assert_eq!(told.masks.iter().map(|mask| mask.raw.clone()).collect::<Vec<_>>(), [5..23]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn asking_for_reasons_changes_nothing(line in "[ -~]{0,40}((ghp_|card |AKIA|password=|@|pesel )[ -~]{0,30}){0,4}") {
            let mut plain = Redactor::new(RuleSet::builtin());
            let mut wanted = Vec::new();
            plain.redact(&mut StreamState::default(), line.as_bytes(), &[line.len() as u32], &mut |record| record.write_to(&mut wanted));
            let told = explainer().explain(RawLine(line.as_bytes()));
            prop_assert_eq!(&told.redacted, &wanted);
            for mask in &told.masks {
                prop_assert!(mask.masked.end <= told.redacted.len());
            }
        }
    }
}
