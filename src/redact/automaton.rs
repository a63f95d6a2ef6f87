//! All literals of a rule set in one deterministic automaton over classes of bytes.
//!
//! Invariants: every occurrence of every literal is reported, overlapping ones included. The automaton knows
//! less than the literals: letters lose their case, the joints inside names (`_`, `-`, `.`) and the rarest
//! bytes share a class each, and a literal is cut where no other goes on like it. What it loses is compared with
//! the text at a hit, so that the table stays small enough for a core's own cache. One table look-up a byte; texts
//! of some length are walked in four places at once, because a single walk waits for its own next state.

use std::ops::Range;

/// Longest literal that can be looked for, in bytes.
pub(super) const LONGEST: usize = 255;

/// Texts from this length on are walked in four places at once.
const INTERLEAVE: usize = 96;

/// Cells of a state: one for each class.
const WIDTH: usize = 64;

/// States from here on end a literal: one bit tells them from the others.
const FINAL: u16 = 0x8000;

/// Cells for every number a state and a class can have. Those of states that do not exist are never touched, so that
/// they take addresses, not memory.
const CELLS: usize = (u16::MAX as usize) * WIDTH + u8::MAX as usize + 1;

/// Literals are not cut within their first bytes: what is left is long enough to be rare.
const UNCUT: usize = 8;

/// Lengths at which every literal is cut when the states would be too many otherwise.
const CUTS: [usize; 6] = [LONGEST, 12, 8, 6, 5, 4];

/// A literal and whether its letters count as written.
pub(super) struct Pattern {
    pub(super) bytes: Box<[u8]>,
    pub(super) exact: bool,
    pub(super) border: Border,
}

/// What must stand on either side of a literal: a first look that spares a hit, never a judgement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Border {
    /// Anything.
    Any,
    /// No letter or digit that makes it a part of a longer word.
    Word,
    /// No small letter that goes on with the word, a plural aside; before short words none that they go on with, and no
    /// digit before a digit.
    Key,
}

/// Key words from this length on may be glued to a word before them.
const GLUED: usize = 8;

impl Border {
    fn holds(self, text: &[u8], start: usize, end: usize) -> bool {
        let before = |n: usize| if start >= n { text[start - n] } else { 0 };
        let after = |n: usize| text.get(end + n).copied().unwrap_or(0);
        match self {
            Border::Any => true,
            // Humps count as borders, as they do for context words; letters beyond ASCII are left to them.
            Border::Word => {
                (!before(1).is_ascii_alphanumeric() || text[start].is_ascii_uppercase())
                    && (!after(0).is_ascii_alphanumeric() || after(0).is_ascii_uppercase())
            }
            Border::Key => {
                let goes_on = after(0).is_ascii_lowercase() && (after(0) != b's' || after(1).is_ascii_lowercase());
                let glued = before(1).is_ascii_lowercase() && text[start].is_ascii_lowercase() && before(2) != b'\\';
                let counted = before(1).is_ascii_digit() && text[start].is_ascii_digit();
                !(goes_on || counted || glued && end - start < GLUED)
            }
        }
    }
}

/// The compiled automaton.
pub(super) struct Automaton {
    /// Class of every byte; 0: in no literal.
    classes: [u8; 256],
    /// Next state by state and class, [`WIDTH`] cells a state.
    table: Box<[u16; CELLS]>,
    /// By state that ends no literal, then by state that does: how many bytes of the text it remembers.
    depths: [Vec<u8>; 2],
    /// For each state that ends literals, those literals as a range of `ended`.
    ends: Vec<(u32, u32)>,
    ended: Vec<u32>,
    literals: Vec<Known>,
    /// The literals' bytes, one behind the other.
    bytes: Vec<u8>,
}

/// A literal as a hit needs it.
struct Known {
    /// Its bytes in `bytes`.
    from: u32,
    length: u8,
    /// Length of the part that the automaton knows.
    cut: u8,
    compare: Compare,
    border: Border,
}

/// What is left to compare where the automaton saw a literal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compare {
    Nothing,
    Folded,
    Exact,
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
    pub(super) fn new(literals: &[Pattern]) -> Automaton {
        let classes = Classes::of(literals);
        let spelled = Spelled::new(literals, &classes);
        Automaton::of(literals, &classes, spelled.trie())
    }

    fn of(literals: &[Pattern], classes: &Classes, trie: Trie) -> Automaton {
        let mut automaton = Automaton {
            classes: classes.of,
            table: vec![0; CELLS].into_boxed_slice().try_into().expect("as many cells as were asked for"),
            depths: [Vec::new(), Vec::new()],
            ends: Vec::new(),
            ended: Vec::new(),
            literals: Vec::with_capacity(literals.len()),
            bytes: Vec::new(),
        };
        for (literal, cut) in literals.iter().zip(&trie.cuts) {
            let lossy =
                usize::from(*cut) < literal.bytes.len() || literal.bytes.iter().any(|byte| classes.is_shared(*byte));
            automaton.literals.push(Known {
                from: automaton.bytes.len() as u32,
                length: literal.bytes.len() as u8,
                cut: *cut,
                compare: match (literal.exact, lossy) {
                    (true, _) => Compare::Exact,
                    (false, true) => Compare::Folded,
                    (false, false) => Compare::Nothing,
                },
                border: literal.border,
            });
            automaton.bytes.extend_from_slice(&literal.bytes);
        }
        automaton.fill(trie);
        automaton
    }

    /// Bytes of the tables.
    pub(super) fn size(&self) -> usize {
        let states = self.depths[0].len() + self.depths[1].len();
        let lists = size_of_val(&*self.ended) + size_of_val(&*self.ends) + size_of_val(&*self.literals);
        states * (WIDTH * size_of::<u16>() + 1) + lists + self.bytes.len() + self.classes.len()
    }

    /// Appends every occurrence in `text` to `hits`, in no particular order.
    pub(super) fn scan(&self, text: &[u8], hits: &mut Vec<Hit>) {
        if self.literals.is_empty() {
            return;
        }
        let (mut state, mut from) = (0u16, 0);
        if text.len() >= INTERLEAVE {
            (state, from) = self.walk_four(text, hits);
        }
        for (at, &byte) in text.iter().enumerate().skip(from) {
            state = self.next(state, byte);
            if state >= FINAL {
                self.report(text, state, at + 1, usize::MAX, hits);
            }
        }
    }

    /// Walks four quarters of `text`; returns where and in which state the last walk stopped, at most three bytes
    /// from the end.
    fn walk_four(&self, text: &[u8], hits: &mut Vec<Hit>) -> (u16, usize) {
        let part = text.len() / 4;
        let [first, second, third, fourth] =
            std::array::from_fn(|quarter| text[quarter * part..(quarter + 1) * part].iter());
        let mut bytes = first.zip(second).zip(third.zip(fourth));
        let mut states = [0u16; 4];
        while bytes.len() > 0 {
            // Nothing else is in this loop, so that all it needs stays in registers.
            for ((&a, &b), (&c, &d)) in bytes.by_ref() {
                let [s0, s1, s2, s3] = states;
                states = [self.next(s0, a), self.next(s1, b), self.next(s2, c), self.next(s3, d)];
                if (states[0] | states[1] | states[2] | states[3]) & FINAL != 0 {
                    break;
                }
            }
            let done = part - bytes.len();
            for (quarter, &state) in states.iter().enumerate().filter(|(_, state)| **state >= FINAL) {
                self.report(text, state, quarter * part + done, usize::MAX, hits);
            }
        }
        for (quarter, &state) in states[..3].iter().enumerate() {
            self.walk_over(text, state, (quarter + 1) * part, hits);
        }
        (states[3], 4 * part)
    }

    /// Goes on over the border to the next quarter as long as something that began before it is remembered. What
    /// begins behind the border is the next walk's.
    fn walk_over(&self, text: &[u8], mut state: u16, border: usize, hits: &mut Vec<Hit>) {
        for (walked, &byte) in text[border..].iter().enumerate() {
            if self.depth(state) <= walked {
                return;
            }
            state = self.next(state, byte);
            if state >= FINAL {
                self.report(text, state, border + walked + 1, border, hits);
            }
        }
    }

    #[inline]
    fn next(&self, state: u16, byte: u8) -> u16 {
        let class = usize::from(self.classes[usize::from(byte)]);
        self.table[usize::from(state) * WIDTH + class]
    }

    fn depth(&self, state: u16) -> usize {
        let depths = &self.depths[usize::from(state / FINAL)];
        usize::from(depths[usize::from(state % FINAL)])
    }

    /// Reports the literals of `state`, seen up to `end`, that begin before `before`.
    #[cold]
    #[inline(never)]
    fn report(&self, text: &[u8], state: u16, end: usize, before: usize, hits: &mut Vec<Hit>) {
        let (from, to) = self.ends[usize::from(state - FINAL)];
        for &literal in &self.ended[from as usize..to as usize] {
            let known = &self.literals[literal as usize];
            let (start, length) = (end - usize::from(known.cut), usize::from(known.length));
            let Some(seen) = text.get(start..start + length).filter(|_| start < before) else { continue };
            let bytes = &self.bytes[known.from as usize..known.from as usize + length];
            let same = match known.compare {
                Compare::Nothing => true,
                Compare::Folded => seen.eq_ignore_ascii_case(bytes),
                Compare::Exact => seen == bytes,
            };
            if same && known.border.holds(text, start, start + length) {
                hits.push(Hit::new(start, length, literal));
            }
        }
    }

    /// Fills the table from the trie, breadth first: a row is that of the state it falls back to, which is shorter and
    /// complete already, with the node's own edges over it.
    fn fill(&mut self, mut trie: Trie) {
        let count = trie.nodes.len();
        let mut fallback = vec![0; count];
        let mut rows = vec![0u16; count * WIDTH];
        for node in 0..count {
            let (row, suffix) = (node * WIDTH, usize::from(fallback[node]) * WIDTH);
            if node != 0 {
                rows.copy_within(suffix..suffix + WIDTH, row);
                let inherited = trie.ended[usize::from(fallback[node])].clone();
                trie.ended[node].extend(inherited);
            }
            for child in trie.nodes[node].children.clone() {
                let class = usize::from(trie.nodes[child].class);
                fallback[child] = if node == 0 { 0 } else { rows[suffix + class] };
                rows[row + class] = child as u16;
            }
        }
        self.number(&trie, &rows);
    }

    /// Numbers the nodes in their order, those that end a literal from [`FINAL`] on, and sets their rows in place.
    fn number(&mut self, trie: &Trie, rows: &[u16]) {
        let mut numbers = Vec::with_capacity(trie.nodes.len());
        for (node, ended) in trie.nodes.iter().zip(&trie.ended) {
            let depths = &mut self.depths[usize::from(!ended.is_empty())];
            numbers.push(depths.len() as u16 | if ended.is_empty() { 0 } else { FINAL });
            depths.push(node.depth);
            if !ended.is_empty() {
                let from = self.ended.len() as u32;
                self.ended.extend(ended);
                self.ends.push((from, self.ended.len() as u32));
            }
        }
        for (number, row) in numbers.iter().zip(rows.chunks_exact(WIDTH)) {
            let place = usize::from(*number) * WIDTH;
            let next = row.iter().map(|next| numbers[usize::from(*next)]);
            self.table[place..place + WIDTH].iter_mut().zip(next).for_each(|(cell, next)| *cell = next);
        }
    }
}

/// Classes of bytes: letters of both cases alike, 0 for everything that no literal has.
struct Classes {
    of: [u8; 256],
    /// By class: how many bytes of different meaning share it.
    members: [u8; WIDTH],
}

impl Classes {
    fn of(literals: &[Pattern]) -> Classes {
        let mut uses = [0usize; 256];
        for &byte in literals.iter().flat_map(|literal| literal.bytes.iter()) {
            uses[usize::from(fold(byte))] += 1;
        }
        let mut bytes: Vec<u8> = (0..=255).filter(|byte| uses[usize::from(*byte)] > 0).collect();
        bytes.sort_by_key(|byte| std::cmp::Reverse(uses[usize::from(*byte)]));
        let mut classes = Classes { of: [0; 256], members: [0; WIDTH] };
        for (place, byte) in bytes.into_iter().enumerate() {
            // The rarest share the last class.
            let class = (place + 1).min(WIDTH - 1);
            classes.members[class] += 1;
            for same in (0..=255u8).filter(|other| fold(*other) == byte) {
                classes.of[usize::from(same)] = class as u8;
            }
            if byte == JOINT {
                classes.members[class] += 1;
            }
        }
        classes
    }

    fn is_shared(&self, byte: u8) -> bool {
        self.members[usize::from(self.of[usize::from(byte)])] > 1
    }
}

/// The byte that stands for all joints inside names. A space is none of them: it stands behind every word.
const JOINT: u8 = b'_';

fn fold(byte: u8) -> u8 {
    match byte {
        b'-' | b'.' => JOINT,
        _ => byte.to_ascii_lowercase(),
    }
}

/// The literals as strings of classes, in one piece of memory.
struct Spelled {
    classes: Vec<u8>,
    /// By literal: its part of `classes`.
    parts: Vec<Range<usize>>,
    /// Literals in the order of their strings.
    sorted: Vec<u32>,
}

impl Spelled {
    fn new(literals: &[Pattern], classes: &Classes) -> Spelled {
        let mut spelled = Spelled { classes: Vec::new(), parts: Vec::new(), sorted: Vec::new() };
        for literal in literals {
            let from = spelled.classes.len();
            spelled.classes.extend(literal.bytes.iter().map(|byte| classes.of[usize::from(*byte)]));
            spelled.parts.push(from..spelled.classes.len());
        }
        let mut sorted: Vec<u32> = (0..literals.len() as u32).collect();
        sorted.sort_by(|one, two| spelled.string(*one).cmp(spelled.string(*two)));
        spelled.sorted = sorted;
        spelled
    }

    fn string(&self, literal: u32) -> &[u8] {
        &self.classes[self.parts[literal as usize].clone()]
    }

    /// The trie of the literals, cut so far that its states can be numbered.
    fn trie(&self) -> Trie {
        let fits = |trie: &Trie| trie.nodes.len() < usize::from(FINAL);
        let tries = CUTS.iter().map(|longest| self.cut_at(*longest));
        // Strings of two classes are few.
        tries.into_iter().find(fits).unwrap_or_else(|| self.cut_at(2))
    }

    fn cut_at(&self, longest: usize) -> Trie {
        let cuts = self.cuts(longest);
        let mut trie = Trie { nodes: Vec::new(), ended: Vec::new(), cuts };
        trie.nodes.push(Node { class: 0, depth: 0, strings: 0..self.sorted.len(), children: 0..0 });
        let mut done = 0;
        while let Some(node) = trie.nodes.get(done) {
            let (depth, strings) = (node.depth, node.strings.clone());
            let first = trie.nodes.len();
            let (mut ended, mut start) = (Vec::new(), strings.start);
            let class_at =
                |literal: u32| (trie.cuts[literal as usize] > depth).then(|| self.string(literal)[usize::from(depth)]);
            for same in self.sorted[strings].chunk_by(|one, two| class_at(*one) == class_at(*two)) {
                match class_at(same[0]) {
                    None => ended.extend_from_slice(same),
                    Some(class) => trie.nodes.push(Node {
                        class,
                        depth: depth + 1,
                        strings: start..start + same.len(),
                        children: 0..0,
                    }),
                }
                start += same.len();
            }
            trie.nodes[done].children = first..trie.nodes.len();
            trie.ended.push(ended);
            done += 1;
        }
        trie
    }

    /// How much of each literal the automaton needs to know: up to where no other string goes on like it.
    fn cuts(&self, longest: usize) -> Vec<u8> {
        let mut cuts = vec![0; self.parts.len()];
        let groups: Vec<&[u32]> = self.sorted.chunk_by(|one, two| self.string(*one) == self.string(*two)).collect();
        for (place, group) in groups.iter().enumerate() {
            let string = self.string(group[0]);
            let neighbours =
                [place.checked_sub(1), Some(place + 1)].into_iter().flatten().filter_map(|at| groups.get(at));
            let shared = neighbours.map(|other| common(string, self.string(other[0]))).max().unwrap_or(0);
            let cut = (shared + 1).max(UNCUT).min(string.len()).min(longest) as u8;
            group.iter().for_each(|literal| cuts[*literal as usize] = cut);
        }
        cuts
    }
}

/// Bytes that two strings begin with alike.
fn common(one: &[u8], two: &[u8]) -> usize {
    one.iter().zip(two).take_while(|(one, two)| one == two).count()
}

/// The cut literals as a tree, breadth first. Node 0 is the root.
struct Trie {
    nodes: Vec<Node>,
    /// By node: the literals that end there.
    ended: Vec<Vec<u32>>,
    /// By literal: how much of it stands in the tree.
    cuts: Vec<u8>,
}

struct Node {
    /// Class of the edge that leads here.
    class: u8,
    depth: u8,
    /// The strings that go through here, as a range of the sorted ones.
    strings: Range<usize>,
    children: Range<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(literals: &[Pattern], text: &[u8]) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        for (index, Pattern { bytes: literal, exact, .. }) in literals.iter().enumerate() {
            for (start, window) in text.windows(literal.len()).enumerate() {
                let same = if *exact { *window == **literal } else { window.eq_ignore_ascii_case(literal) };
                if same {
                    found.push((start, start + literal.len(), index));
                }
            }
        }
        found.sort_unstable();
        found
    }

    const LITERALS: &[(&str, bool)] = &[
        ("ab", false),
        ("abc", true),
        ("bc", false),
        ("Cab", true),
        ("aaab", false),
        ("b", false),
        ("ó1", false),
        ("aa_bcabcabca", false),
        ("aa-bcabcabca", false),
        ("aabbccaabbcc", true),
        ("aabbccaabbcb", false),
        ("c.b", false),
    ];

    fn patterns(literals: &[(&str, bool)]) -> Vec<Pattern> {
        literals
            .iter()
            .map(|(text, exact)| Pattern { bytes: text.as_bytes().into(), exact: *exact, border: Border::Any })
            .collect()
    }

    fn found(literals: &[Pattern], text: &[u8]) -> Vec<(usize, usize, usize)> {
        let mut hits = Vec::new();
        Automaton::new(literals).scan(text, &mut hits);
        let mut hits: Vec<_> =
            hits.iter().map(|hit| (hit.start() as usize, hit.end() as usize, hit.literal())).collect();
        hits.sort_unstable();
        hits
    }

    proptest! {
           #[test]
           fn every_occurrence_is_found_once(
               text in "([abcABó1 ]|aa[-_ ]bcabcabca|aabbccaabbc[bcC]){0,40}",
               times in 1usize..40,
           ) {
               let (literals, text) = (patterns(LITERALS), text.repeat(times).into_bytes());
               prop_assert_eq!(found(&literals, &text), naive(&literals, &text));
           }

           /// More bytes than there are classes, and strings that differ in what a class does not tell.
           #[test]
           fn rare_bytes_are_told_apart(text in prop::collection::vec(any::<u8>(), 0..400), start in any::<u8>()) {
               let literal = |byte: u8| Pattern { bytes: [byte, byte.wrapping_add(1)].into(), exact: byte.is_multiple_of(2), border: Border::Any };
               let mut literals: Vec<Pattern> = (0..=255).map(literal).collect();
               literals.push(Pattern {
    bytes: (0..20).map(|step| start.wrapping_add(step)).collect(), exact: false, border: Border::Any });
               let mut text = text;
               text.extend((0..=255).map(|step: u8| start.wrapping_add(step)));
               prop_assert_eq!(found(&literals, &text), naive(&literals, &text));
           }
       }

    #[test]
    fn parts_of_words_are_no_hits_where_a_border_is_wanted() {
        let hits = |border, text: &str| {
            let automaton = Automaton::new(&[Pattern { bytes: b"pesel".as_slice().into(), exact: false, border }]);
            let mut found = Vec::new();
            automaton.scan(text.as_bytes(), &mut found);
            found.len()
        };
        for (text, any, word, key) in [
            ("apesel", 1, 0, 0),
            ("pesels", 1, 0, 1),
            ("pesela", 1, 0, 0),
            ("peselsa", 1, 0, 0),
            ("numerPesel", 1, 1, 1),
            ("peselNumber pesel", 2, 2, 2),
            ("1pesel2", 1, 0, 1),
            (r"\npesel", 1, 0, 1),
        ] {
            let found = [Border::Any, Border::Word, Border::Key].map(|border| hits(border, text));
            assert_eq!(found, [any, word, key], "{text}");
        }
    }

    /// However short the literals are cut, the same is found.
    #[test]
    fn cuts_lose_nothing() {
        let classes = Classes::of(&patterns(LITERALS));
        let literals = patterns(LITERALS);
        let spelled = Spelled::new(&literals, &classes);
        let states: Vec<usize> = [LONGEST, 6, 4, 2].map(|longest| spelled.cut_at(longest).nodes.len()).into();
        assert!(states.is_sorted_by(|one, two| one > two), "{states:?}");
        let text = b"aabbccaabbcc aa_bcabcabca aabbccaabbcb AA-BCABCABCA";
        for longest in [LONGEST, 6, 4, 2] {
            let mut hits = Vec::new();
            Automaton::of(&literals, &classes, spelled.cut_at(longest)).scan(text, &mut hits);
            assert_eq!(hits.len(), naive(&literals, text).len(), "cut at {longest}");
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
