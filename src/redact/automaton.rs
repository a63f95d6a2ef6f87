//! All literals of a rule set in one deterministic automaton over ASCII-folded bytes.
//!
//! Invariants: every occurrence of every literal is reported, overlapping ones included; a literal that
//! counts letter case is compared once more with the text. One table look-up a byte; long texts are walked in
//! four places at once, because a single walk waits for its own next state.

/// Longest literal that can be looked for, in bytes.
pub(super) const LONGEST: usize = 255;

/// Texts from this length on are walked in four places at once.
const INTERLEAVE: usize = 2048;

/// A literal and whether its letters count as written.
pub(super) struct Pattern {
    pub(super) bytes: Box<[u8]>,
    pub(super) exact: bool,
}

/// The compiled automaton.
#[derive(Default)]
pub(super) struct Automaton {
    /// Class of every byte; 0: in no literal.
    classes: Vec<u8>,
    width: u32,
    /// Next state by state and class; states are numbered in steps of `width`.
    table: Vec<u32>,
    /// States from here on end a literal.
    first_final: u32,
    /// For each such state, its literals as a range of `ended`.
    ends: Vec<(u32, u32)>,
    ended: Vec<u32>,
    literals: Vec<Pattern>,
    longest: usize,
}

/// One occurrence, in one word that sorts by start, of equal starts the longer first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Hit(u64);

impl Hit {
    fn new(start: usize, length: usize, literal: u32) -> Hit {
        Hit((start as u64) << 32 | ((LONGEST - length) as u64) << 24 | u64::from(literal))
    }

    /// First byte.
    pub(super) fn start(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// First byte after.
    pub(super) fn end(self) -> u32 {
        self.start() + LONGEST as u32 - (self.0 >> 24 & 0xFF) as u32
    }

    /// Which literal, by its place in the list the automaton was built of.
    pub(super) fn literal(self) -> usize {
        (self.0 & 0xFF_FFFF) as usize
    }
}

impl Automaton {
    /// Builds the automaton of `literals`, each of 1 to [`LONGEST`] bytes.
    pub(super) fn new(literals: Vec<Pattern>) -> Automaton {
        let (classes, width) = classes_of(&literals);
        let trie = Trie::new(&literals, &classes);
        let longest = literals.iter().map(|literal| literal.bytes.len()).max().unwrap_or(0);
        let mut automaton = Automaton { classes, width: width as u32, literals, longest, ..Automaton::default() };
        automaton.number(&trie);
        automaton
    }

    /// Bytes of the tables.
    pub(super) fn size(&self) -> usize {
        self.table.len() * 4 + self.ended.len() * 4 + self.ends.len() * 8 + 256
    }

    /// Appends every occurrence in `text` to `hits`, in no particular order.
    pub(super) fn scan(&self, text: &[u8], hits: &mut Vec<Hit>) {
        if self.literals.is_empty() {
            return;
        }
        if text.len() < INTERLEAVE {
            self.walk(text, 0, 0, hits);
        } else {
            self.walk_four(text, hits);
        }
    }

    /// One walk from `from`; occurrences that end at or before `accept` belong to another walk.
    fn walk(&self, text: &[u8], from: usize, accept: usize, hits: &mut Vec<Hit>) {
        let mut state = 0;
        for (at, &byte) in text.iter().enumerate().skip(from) {
            state = self.next(state, byte);
            if state >= self.first_final && at >= accept {
                self.report(text, state, at + 1, hits);
            }
        }
    }

    fn walk_four(&self, text: &[u8], hits: &mut Vec<Hit>) {
        let part = text.len() / 4;
        let lead = (self.longest - 1).min(part);
        let begin = |quarter: usize| if quarter == 0 { 0 } else { quarter * part - lead };
        let mut states = [0u32; 4];
        // Every walk but the first begins early enough to see a literal that reaches over its border.
        for (quarter, state) in states.iter_mut().enumerate() {
            for &byte in &text[begin(quarter)..quarter * part] {
                *state = self.next(*state, byte);
            }
        }
        let (first, rest) = text.split_at(part);
        let (second, rest) = rest.split_at(part);
        let (third, rest) = rest.split_at(part);
        let (fourth, tail) = rest.split_at(part);
        let quarters = first.iter().zip(second).zip(third.iter().zip(fourth));
        for (at, ((&a, &b), (&c, &d))) in quarters.enumerate() {
            let [s0, s1, s2, s3] = states;
            states = [self.next(s0, a), self.next(s1, b), self.next(s2, c), self.next(s3, d)];
            let top = states[0].max(states[1]).max(states[2].max(states[3]));
            if top >= self.first_final {
                for (quarter, &state) in states.iter().enumerate() {
                    if state >= self.first_final {
                        self.report(text, state, quarter * part + at + 1, hits);
                    }
                }
            }
        }
        let mut state = states[3];
        for (at, &byte) in tail.iter().enumerate() {
            state = self.next(state, byte);
            if state >= self.first_final {
                self.report(text, state, 4 * part + at + 1, hits);
            }
        }
    }

    #[inline]
    fn next(&self, state: u32, byte: u8) -> u32 {
        self.table[(state + u32::from(self.classes[usize::from(byte)])) as usize]
    }

    #[cold]
    #[inline(never)]
    fn report(&self, text: &[u8], state: u32, end: usize, hits: &mut Vec<Hit>) {
        let (from, to) = self.ends[((state - self.first_final) / self.width) as usize];
        for &literal in &self.ended[from as usize..to as usize] {
            let known = &self.literals[literal as usize];
            let start = end - known.bytes.len();
            if !known.exact || text[start..end] == *known.bytes {
                hits.push(Hit::new(start, known.bytes.len(), literal));
            }
        }
    }

    /// Numbers the trie's states so that the ones that end a literal come last, and fills the table: a row is
    /// that of the state it falls back to, with the node's own edges over it.
    fn number(&mut self, trie: &Trie) {
        let plain = trie.ended.iter().filter(|ended| ended.is_empty()).count();
        self.first_final = plain as u32 * self.width;
        let mut numbers = Vec::with_capacity(trie.len());
        let (mut low, mut high) = (0, self.first_final);
        for ended in &trie.ended {
            let next = if ended.is_empty() { &mut low } else { &mut high };
            numbers.push(*next);
            *next += self.width;
        }
        let width = self.width as usize;
        self.table = vec![0; trie.len() * width];
        self.ends = vec![(0, 0); trie.len() - plain];
        // Breadth first: the suffix is shorter than the node, so its row is complete already.
        for &node in &trie.by_depth {
            let node = node as usize;
            let row = numbers[node] as usize;
            if node != 0 {
                let suffix = numbers[trie.fallback[node] as usize] as usize;
                self.table.copy_within(suffix..suffix + width, row);
            }
            for child in trie.children(node) {
                self.table[row + usize::from(trie.class[child])] = numbers[child];
            }
        }
        for (node, ended) in trie.ended.iter().enumerate().filter(|(_, ended)| !ended.is_empty()) {
            let from = self.ended.len() as u32;
            self.ended.extend(ended);
            self.ends[((numbers[node] - self.first_final) / self.width) as usize] = (from, self.ended.len() as u32);
        }
    }
}

/// Byte classes: letters of both cases alike, one class for everything that no literal has.
fn classes_of(literals: &[Pattern]) -> (Vec<u8>, usize) {
    let mut used = [false; 256];
    for &byte in literals.iter().flat_map(|literal| literal.bytes.iter()) {
        used[usize::from(byte.to_ascii_lowercase())] = true;
    }
    let mut classes = vec![0u8; 256];
    let mut count = 1u8;
    for byte in (0..=255u8).filter(|byte| used[usize::from(*byte)]) {
        classes[usize::from(byte)] = count;
        classes[usize::from(byte.to_ascii_uppercase())] = count;
        count = count.saturating_add(1);
    }
    (classes, usize::from(count))
}

/// The literals as a tree, with the fall-back of every node. Node 0 is the root and nobody's child.
struct Trie {
    /// Class of the edge that leads to each node.
    class: Vec<u8>,
    /// First child of each node and next child of its parent; 0: none.
    child: Vec<u32>,
    sibling: Vec<u32>,
    /// Node of the longest proper suffix.
    fallback: Vec<u32>,
    /// Literals that end at each node.
    ended: Vec<Vec<u32>>,
    /// Every node, breadth first.
    by_depth: Vec<u32>,
}

impl Trie {
    fn new(literals: &[Pattern], classes: &[u8]) -> Trie {
        let [child, sibling, fallback, by_depth] = std::array::from_fn(|_| Vec::new());
        let mut trie = Trie { class: Vec::new(), child, sibling, fallback, ended: Vec::new(), by_depth };
        trie.add_node(0);
        for (index, literal) in literals.iter().enumerate() {
            trie.insert(literal, index as u32, classes);
        }
        trie.complete();
        trie
    }

    fn len(&self) -> usize {
        self.class.len()
    }

    fn children(&self, node: usize) -> impl Iterator<Item = usize> {
        let some = |next: u32| (next != 0).then_some(next as usize);
        std::iter::successors(some(self.child[node]), move |at| some(self.sibling[*at]))
    }

    fn edge(&self, node: usize, class: u8) -> Option<usize> {
        self.children(node).find(|child| self.class[*child] == class)
    }

    fn add_node(&mut self, class: u8) -> usize {
        self.class.push(class);
        self.child.push(0);
        self.sibling.push(0);
        self.fallback.push(0);
        self.ended.push(Vec::new());
        self.class.len() - 1
    }

    fn insert(&mut self, literal: &Pattern, index: u32, classes: &[u8]) {
        let mut at = 0;
        for &byte in &literal.bytes {
            let class = classes[usize::from(byte)];
            at = self.edge(at, class).unwrap_or_else(|| {
                let new = self.add_node(class);
                self.sibling[new] = std::mem::replace(&mut self.child[at], new as u32);
                new
            });
        }
        self.ended[at].push(index);
    }

    /// Breadth first: where the longest proper suffix leads, and what ends there too.
    fn complete(&mut self) {
        self.by_depth.push(0);
        let mut done = 0;
        while let Some(&at) = self.by_depth.get(done) {
            let at = at as usize;
            done += 1;
            let mut next = self.child[at];
            while next != 0 {
                let node = next as usize;
                self.by_depth.push(next);
                self.fallback[node] = if at == 0 { 0 } else { self.suffix(at, self.class[node]) };
                let inherited = self.ended[self.fallback[node] as usize].clone();
                self.ended[node].extend(inherited);
                next = self.sibling[node];
            }
        }
    }

    /// Where the longest proper suffix of `node` that goes on with `class` leads.
    fn suffix(&self, node: usize, class: u8) -> u32 {
        let mut at = node;
        while at != 0 {
            at = self.fallback[at] as usize;
            if let Some(child) = self.edge(at, class) {
                return child as u32;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(literals: &[(&str, bool)], text: &[u8]) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        for (index, (literal, exact)) in literals.iter().enumerate() {
            for (start, window) in text.windows(literal.len()).enumerate() {
                let same =
                    if *exact { window == literal.as_bytes() } else { window.eq_ignore_ascii_case(literal.as_bytes()) };
                if same {
                    found.push((start, start + literal.len(), index));
                }
            }
        }
        found.sort_unstable();
        found
    }

    const LITERALS: &[(&str, bool)] =
        &[("ab", false), ("abc", true), ("bc", false), ("Cab", true), ("aaab", false), ("b", false), ("ó1", false)];

    fn found(text: &[u8]) -> Vec<(usize, usize, usize)> {
        let literals =
            LITERALS.iter().map(|(text, exact)| Pattern { bytes: text.as_bytes().into(), exact: *exact }).collect();
        let mut hits = Vec::new();
        Automaton::new(literals).scan(text, &mut hits);
        let mut hits: Vec<_> =
            hits.iter().map(|hit| (hit.start() as usize, hit.end() as usize, hit.literal())).collect();
        hits.sort_unstable();
        hits
    }

    proptest! {
        #[test]
        fn every_occurrence_is_found_once(text in "[abcABó1 ]{0,80}", times in 1usize..40) {
            let text = text.repeat(times).into_bytes();
            prop_assert_eq!(found(&text), naive(LITERALS, &text));
        }
    }

    #[test]
    fn hits_sort_by_start_and_the_longer_first() {
        let mut hits = [Hit::new(7, 3, 1), Hit::new(7, 9, 2), Hit::new(2, 1, 3)];
        hits.sort_unstable();
        assert_eq!(hits.map(|hit| hit.literal()), [3, 2, 1]);
        assert_eq!((hits[1].start(), hits[1].end()), (7, 16));
    }
}
