//! The prefilter: one visit that finds every literal of every rule.
//!
//! All literals stand in one automaton, ASCII letters folded; a literal that asks for exact case is
//! compared once more where it hit. Each hit names a *target*: what the engine does there.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::collections::BTreeMap;

/// What a literal hit leads to. Numbers index the rule set's tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Target {
    /// An anchor rule.
    Anchor(u16),
    /// A regex rule.
    Regex(u16),
    /// A shape with a telling literal.
    Shape(u16),
    /// A key word, by its number in the key table.
    Key(u16),
}

/// A literal and what it leads to.
pub struct Literal {
    /// The bytes as written; for folded literals ASCII letters in lower case.
    pub bytes: Vec<u8>,
    /// ASCII letters match in either case.
    pub folded: bool,
    /// What to do at a hit.
    pub target: Target,
}

/// A hit: where a literal stands and where it leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// First byte.
    pub start: u32,
    /// First byte after.
    pub end: u32,
    /// What to do there.
    pub target: Target,
}

/// The compiled literals.
pub struct Prefilter {
    automaton: Option<AhoCorasick>,
    /// Per pattern of the automaton: its targets and, where case counts, the exact bytes.
    patterns: Vec<Vec<(Option<Box<[u8]>>, Target)>>,
}

impl Prefilter {
    /// Compiles all literals into one automaton.
    ///
    /// # Errors
    /// When the automaton would exceed its size limit.
    pub fn compile(literals: impl IntoIterator<Item = Literal>) -> Result<Prefilter, String> {
        let mut by_bytes: BTreeMap<Vec<u8>, Vec<(Option<Box<[u8]>>, Target)>> = BTreeMap::new();
        for literal in literals {
            let exact = (!literal.folded).then(|| literal.bytes.clone().into_boxed_slice());
            by_bytes.entry(literal.bytes.to_ascii_lowercase()).or_default().push((exact, literal.target));
        }
        let (bytes, patterns): (Vec<_>, Vec<_>) = by_bytes.into_iter().unzip();
        let automaton = (!bytes.is_empty())
            .then(|| {
                AhoCorasick::builder()
                    .ascii_case_insensitive(true)
                    .match_kind(MatchKind::Standard)
                    .kind(Some(AhoCorasickKind::DFA))
                    .build(&bytes)
            })
            .transpose()
            .map_err(|error| format!("the literals of all rules do not fit one automaton: {error}"))?;
        Ok(Prefilter { automaton, patterns })
    }

    /// Appends every hit in `text` to `hits`, ordered by start, of equal starts the longer first.
    pub fn scan(&self, text: &[u8], hits: &mut Vec<Hit>) {
        let Some(automaton) = &self.automaton else { return };
        let from = hits.len();
        for found in automaton.find_overlapping_iter(text) {
            for (exact, target) in &self.patterns[found.pattern().as_usize()] {
                if exact.as_ref().is_none_or(|exact| text[found.range()] == **exact) {
                    hits.push(Hit { start: found.start() as u32, end: found.end() as u32, target: *target });
                }
            }
        }
        hits[from..].sort_unstable_by_key(|hit| (hit.start, u32::MAX - hit.end, hit.target));
    }

    /// Bytes the tables take.
    pub fn memory(&self) -> usize {
        self.automaton.as_ref().map_or(0, AhoCorasick::memory_usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_counts_only_where_asked() {
        let literal = |bytes: &str, folded, target| Literal { bytes: bytes.as_bytes().to_vec(), folded, target };
        let filter = Prefilter::compile([
            literal("AKIA", false, Target::Anchor(0)),
            literal("token", true, Target::Key(1)),
            literal("access_token", true, Target::Key(2)),
        ])
        .unwrap();
        let mut hits = Vec::new();
        filter.scan(b"akia AKIA Access_Token", &mut hits);
        let targets: Vec<_> = hits.iter().map(|hit| (hit.start, hit.target)).collect();
        assert_eq!(targets, [(5, Target::Anchor(0)), (10, Target::Key(2)), (17, Target::Key(1))]);
    }
}
