//! Reads `tests/corpus/hard-cases.txt`; its head describes the form.

use std::ops::Range;

/// One hard case.
pub(super) struct Case {
    pub(super) number: u16,
    pub(super) title: &'static str,
    /// Letter of its group.
    pub(super) group: char,
    /// Records, joined by line feeds.
    pub(super) input: String,
    pub(super) mask: Vec<Text>,
    pub(super) keep: Vec<Text>,
    /// An accepted miss: nothing is asked of the output but to be stable and whole.
    pub(super) miss: bool,
}

/// A text of the input, all of its occurrences or (from 1) one.
pub(super) struct Text {
    pub(super) text: String,
    pub(super) occurrence: Option<usize>,
}

impl Case {
    /// Where in the input the texts to be masked stand.
    pub(super) fn masked(&self) -> Vec<Range<usize>> {
        self.mask.iter().flat_map(|text| text.places(&self.input)).collect()
    }

    /// Texts to keep, in the order of the input.
    pub(super) fn kept(&self) -> Vec<&str> {
        let masked = self.masked();
        let free = |place: &Range<usize>| !masked.iter().any(|mask| mask.start < place.end && place.start < mask.end);
        let mut kept: Vec<(usize, &str)> = Vec::new();
        for keep in &self.keep {
            let places = keep.places(&self.input);
            let place = places.iter().find(|place| free(place)).or(places.first());
            kept.push((place.map_or(0, |place| place.start), &keep.text));
        }
        kept.sort();
        kept.into_iter().map(|(_, text)| text).collect()
    }
}

impl Text {
    fn places(&self, input: &str) -> Vec<Range<usize>> {
        let all = input.match_indices(self.text.as_str()).map(|(at, text)| at..at + text.len());
        match self.occurrence {
            Some(which) => all.skip(which - 1).take(1).collect(),
            None => all.collect(),
        }
    }
}

/// Every case of the file.
pub(super) fn load() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut group = ' ';
    let file = include_str!("../../corpus/hard-cases.txt");
    for line in file.lines().skip_while(|line| !line.starts_with("## ")) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (word, occurrence) = match word.split_once('#') {
            Some((word @ ("mask" | "keep"), number)) => (word, Some(number.parse().expect("an occurrence"))),
            _ => (word, None),
        };
        match (word, cases.last_mut()) {
            ("##", _) => group = rest.chars().next().expect("a group letter"),
            ("case", _) => {
                let (number, title) = rest.split_once(": ").expect("number and title");
                let number = number.parse().expect("a number");
                let (input, mask, keep) = (String::new(), Vec::new(), Vec::new());
                cases.push(Case { number, title, group, input, mask, keep, miss: false });
            }
            ("in", Some(case)) => {
                if !case.input.is_empty() {
                    case.input.push('\n');
                }
                case.input.push_str(&filled(rest));
            }
            ("mask", Some(case)) => case.mask.push(Text { text: filled(rest), occurrence }),
            ("keep", Some(case)) => case.keep.push(Text { text: filled(rest), occurrence }),
            ("miss", Some(case)) => case.miss = true,
            ("#" | "", _) => {}
            _ => panic!("hard-cases.txt: a line that is nothing: {line}"),
        }
    }
    cases
}

/// Takes the splitting mark away and puts characters in the place of their names.
fn filled(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('⟦') {
        let (name, behind) = after.split_once('⟧').expect("a closing bracket");
        out.push_str(before);
        match name.split_once(" × ") {
            Some((count, letter)) => out.push_str(&letter.repeat(count.replace(',', "").parse().expect("a count"))),
            None => out.push(named(name)),
        }
        rest = behind;
    }
    out.push_str(rest);
    out.replace('¦', "")
}

fn named(name: &str) -> char {
    match name {
        "ZWSP" => '\u{200b}',
        "NBSP" => '\u{a0}',
        "ESC" => '\u{1b}',
        "NUL" => '\0',
        "CR" => '\r',
        "TAB" => '\t',
        _ => panic!("hard-cases.txt: unknown character {name}"),
    }
}
