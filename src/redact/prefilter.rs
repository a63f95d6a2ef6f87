//! The prefilter: one visit that finds every literal of every rule.
//!
//! All literals stand in one automaton, ASCII letters folded; a literal that asks for exact case is
//! compared once more where it hit. Each hit leads to one or more *targets*: what the engine does there.

use super::automaton::{Automaton, LONGEST, Pattern};
pub(super) use super::automaton::{Border, Hit};

/// What a literal hit leads to. Numbers index the rule set's tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Target {
    /// An anchor rule.
    Anchor(u16),
    /// A regex rule.
    Regex(u16),
    /// A shape with a telling literal.
    Shape(u16),
    /// A key word, by its number in the key table.
    Key(u16),
    /// A word that opens shapes of digits, by its number in the gates.
    Gate(u16),
}

/// A literal and what it leads to.
pub(super) struct Literal {
    /// The bytes as written; for folded literals ASCII letters in lower case.
    pub(super) bytes: Vec<u8>,
    /// ASCII letters match in either case.
    pub(super) folded: bool,
    /// What must stand around it.
    pub(super) border: Border,
    /// What to do at a hit.
    pub(super) target: Target,
}

impl Literal {
    /// What one literal of the automaton stands for. Equal texts stand together, folded ones before exact ones.
    fn kind(&self) -> (&[u8], bool, Border) {
        (&self.bytes, !self.folded, self.border)
    }
}

/// The compiled literals.
pub(super) struct Prefilter {
    automaton: Automaton,
    /// Per literal of the automaton: its part of `targets`.
    ranges: Vec<(u32, u32)>,
    targets: Vec<Target>,
}

impl Prefilter {
    /// Compiles all literals into one automaton.
    ///
    /// # Errors
    /// When a literal is empty or longer than the automaton takes.
    pub(super) fn compile(literals: impl IntoIterator<Item = Literal>) -> Result<Prefilter, String> {
        let mut literals: Vec<Literal> = literals.into_iter().collect();
        let fits = |literal: &&Literal| (1..=LONGEST).contains(&literal.bytes.len());
        if let Some(other) = literals.iter().find(|literal| !fits(literal)) {
            return Err(format!("a literal of {} bytes; 1 to {LONGEST} are possible", other.bytes.len()));
        }
        literals.sort_unstable_by(|one, two| (one.kind(), one.target).cmp(&(two.kind(), two.target)));
        literals.dedup_by(|one, two| (one.kind(), one.target) == (two.kind(), two.target));
        let (mut patterns, mut ranges, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        for group in literals.chunk_by(|one, two| one.kind() == two.kind()) {
            let from = targets.len() as u32;
            targets.extend(group.iter().map(|literal| literal.target));
            ranges.push((from, targets.len() as u32));
            let Literal { bytes, folded, border, .. } = &group[0];
            patterns.push(Pattern { bytes: bytes.clone().into_boxed_slice(), exact: !folded, border: *border });
        }
        Ok(Prefilter { automaton: Automaton::new(&patterns), ranges, targets })
    }

    /// Appends every hit in `text` to `hits`, ordered by start, of equal starts the longer first.
    pub(super) fn scan(&self, text: &[u8], hits: &mut Vec<Hit>) {
        let from = hits.len();
        self.automaton.scan(text, hits);
        hits[from..].sort_unstable();
    }

    /// What a hit leads to.
    pub(super) fn targets(&self, hit: Hit) -> &[Target] {
        let (from, to) = self.ranges[hit.literal()];
        &self.targets[from as usize..to as usize]
    }

    /// Bytes the tables take.
    pub(super) fn memory(&self) -> usize {
        self.automaton.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_counts_only_where_asked() {
        let literal = |bytes: &str, folded, target| Literal {
            bytes: bytes.as_bytes().to_vec(),
            folded,
            border: Border::Any,
            target,
        };
        let filter = Prefilter::compile([
            literal("AKIA", false, Target::Anchor(0)),
            literal("token", true, Target::Key(1)),
            literal("token", true, Target::Shape(3)),
            literal("access_token", true, Target::Key(2)),
        ])
        .unwrap();
        let mut hits = Vec::new();
        filter.scan(b"akia AKIA Access_Token", &mut hits);
        let targets: Vec<_> = hits.iter().map(|hit| (hit.start(), filter.targets(*hit).to_vec())).collect();
        let wanted =
            [(5, vec![Target::Anchor(0)]), (10, vec![Target::Key(2)]), (17, vec![Target::Shape(3), Target::Key(1)])];
        assert_eq!(targets, wanted);
    }
}
