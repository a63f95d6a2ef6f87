//! How often each rule is asked, proposes and masks over given lines: where the cost of a rule set lies.
//!
//! Counting runs the engine one line at a time with its reasons and is many times slower than redacting.

use super::prefilter::{Hit, Target};
use super::reason::Fate;
use super::redactor::{Redactor, StreamState};
use super::rule::RuleIndex;
use super::ruleset::RuleSet;
use super::trigger::Triggers;
use std::sync::Arc;

/// Counts of one rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// Times the one visit of a block handed the rule a place to look at.
    pub gate: u64,
    /// Candidates it proposed, in the lines and in their decoded readings.
    pub candidates: u64,
    /// Candidates that are masked, or would be.
    pub masked: u64,
}

/// Counts for every rule of a set.
pub struct Census {
    redactor: Redactor,
    counts: Vec<Count>,
    hits: Vec<Hit>,
    triggers: Triggers,
}

impl Census {
    /// Counts for these rules, at zero.
    pub fn new(rules: RuleSet) -> Census {
        let counts = vec![Count::default(); rules.len()];
        let redactor = Redactor::new(Arc::new(rules.with_reasons()));
        Census { redactor, counts, hits: Vec::new(), triggers: Triggers::default() }
    }

    /// The counts, one a rule in the order of the set.
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// The rules counted for.
    pub fn rules(&self) -> &RuleSet {
        self.redactor.rules()
    }

    /// Adds a block of whole lines; `ends` as [`Redactor::redact`] takes them.
    pub fn take(&mut self, block: &[u8], ends: &[u32]) {
        self.gates(block);
        let (mut stream, mut start) = (StreamState::default(), 0);
        for &end in ends {
            let line = &block[start..end as usize];
            self.redactor.redact(&mut stream, line, &[line.len() as u32], &mut |_| {});
            for seen in self.redactor.seen() {
                let count = &mut self.counts[usize::from(seen.rule.0)];
                count.candidates += 1;
                count.masked += u64::from(matches!(seen.fate, Fate::Masked | Fate::Shadow));
            }
            start = end as usize;
        }
    }

    /// Counts what literals and class triggers hand to which rule.
    fn gates(&mut self, block: &[u8]) {
        let Census { redactor, counts, hits, triggers } = self;
        let rules = redactor.rules();
        let mut add = |rule: RuleIndex, times: usize| counts[usize::from(rule.0)].gate += times as u64;
        hits.clear();
        rules.prefilter.scan(block, hits);
        for target in hits.iter().flat_map(|hit| rules.prefilter.targets(*hit)) {
            match target {
                Target::Anchor(number) => add(rules.anchors[usize::from(*number)].0, 1),
                Target::Regex(number) => add(rules.expressions[usize::from(*number)].rule, 1),
                Target::Shape(number) => add(rules.shapes[usize::from(*number)].0, 1),
                Target::Key(word) => rules.keys.rules_of(*word).for_each(|rule| add(rule, 1)),
                Target::Gate(_) => {}
            }
        }
        let table = &rules.by_trigger;
        triggers.scan(block, &table.digit_filter);
        for (places, shapes) in [
            (triggers.at.len(), &table.at),
            (triggers.dotted.len(), &table.dotted),
            (triggers.colons.len(), &table.colons),
            (triggers.pairs.len(), &table.pairs),
            (triggers.opaque.len(), &table.opaque),
        ] {
            shapes.iter().for_each(|number| add(rules.shapes[usize::from(*number)].0, places));
        }
        let mut from = 0;
        while let Some(at) = triggers.next_group(from..block.len()) {
            table.digits.at(block, &(0..block.len()), triggers.group(at), table.digits.always(), |number| {
                add(rules.shapes[usize::from(number)].0, 1);
            });
            from = at as usize + 1;
        }
        for &(start, end) in &triggers.opaque {
            let asked = rules.short_index.at(block, start as usize..end as usize);
            asked.for_each(|(number, _)| add(rules.short_anchors[usize::from(number)].0, 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{builtin, policy::Policy};

    #[test]
    fn a_rule_is_asked_at_least_as_often_as_it_proposes_in_plain_lines() {
        let rules = builtin::packs().into_iter().flat_map(|pack| pack.rules).collect();
        let mut census = Census::new(RuleSet::compile(rules, &Policy::default()).unwrap());
        let block = b"to ana@mail.example from 203.0.113.7\ncard 4111 1111 1111 1111 and ana at home\n";
        census.take(block, &[37, block.len() as u32]);
        let of = |id: &str| {
            let place = census.rules().rules().iter().position(|rule| rule.id == id).unwrap();
            census.counts()[place]
        };
        assert_eq!(of("email"), Count { gate: 1, candidates: 1, masked: 1 });
        for id in ["ipv4", "card"] {
            let count = of(id);
            assert!(count.masked == 1 && count.gate >= count.candidates, "{id}: {count:?}");
        }
        assert_eq!(of("github-token"), Count::default());
    }
}
