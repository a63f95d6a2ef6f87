//! Which part of each sample is the value.
//!
//! Marked values are taken as they are. Else values are the tokens, one in each line, that begin alike and go on
//! differently; where there are none, the different tokens that stand under one name in every line.

use super::{Refusal, refused};
use std::collections::BTreeSet;
use std::ops::Range;

const OPENS: &str = "<<";
const CLOSES: &str = ">>";
/// Shortest common beginning that tells something, bytes.
const SHORTEST_START: usize = 2;
/// Fewest characters that differ.
const SHORTEST_REST: usize = 8;

/// The values and what they have in common.
pub(super) struct Values<'a> {
    /// The lines, marks taken out, and the place of the value in each. No value twice.
    pub(super) found: Vec<(String, Range<usize>)>,
    /// How all values begin; may be empty.
    pub(super) start: String,
    /// The name under which all stand, where no beginning tells them.
    pub(super) key: Option<&'a str>,
}

impl<'a> Values<'a> {
    /// The values of the lines.
    pub(super) fn in_lines(lines: &[&'a str]) -> Result<Values<'a>, Refusal> {
        let marked = lines.iter().filter(|line| line.contains(OPENS) && line.contains(CLOSES)).count();
        let values = match marked {
            0 => choose(lines)?,
            all if all == lines.len() => Values::marked(lines)?,
            some => return refused(format!("{some} of {} lines have a mark <<…>>; mark all or none", lines.len())),
        };
        if values.found.len() < 2 {
            return refused("at least two different values are needed to see what they have in common");
        }
        Ok(values)
    }

    /// The text of each value.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.found.iter().map(|(line, value)| &line[value.clone()])
    }

    fn marked(lines: &[&str]) -> Result<Values<'a>, Refusal> {
        let mut found = Vec::new();
        for line in lines {
            let (before, rest) = line.split_once(OPENS).unwrap_or_default();
            let (value, after) = rest.split_once(CLOSES).unwrap_or_default();
            if value.is_empty() {
                return refused("a mark is empty; put the whole value between << and >>");
            }
            found.push((format!("{before}{value}{after}"), before.len()..before.len() + value.len()));
        }
        Ok(Values::new(found, None))
    }

    fn new(mut found: Vec<(String, Range<usize>)>, key: Option<&'a str>) -> Values<'a> {
        let mut seen = BTreeSet::new();
        found.retain(|(line, value)| seen.insert(line[value.clone()].to_owned()));
        let texts: Vec<&str> = found.iter().map(|(line, value)| &line[value.clone()]).collect();
        let start = if key.is_none() { telling_start(&texts) } else { String::new() };
        Values { found, start, key }
    }
}

/// A place in each line.
type Places = Vec<Range<usize>>;

fn choose<'a>(lines: &[&'a str]) -> Result<Values<'a>, Refusal> {
    let different: BTreeSet<&&str> = lines.iter().collect();
    if different.len() < 2 {
        return refused("at least two different values are needed to see what they have in common");
    }
    let first = lines[0];
    let mut starts: Vec<(String, Places)> = Vec::new();
    for token in tokens(first) {
        let places: Option<Places> = lines.iter().map(|line| most_alike(line, &first[token.clone()])).collect();
        let Some(places) = places else { continue };
        let texts: Vec<&str> = lines.iter().zip(&places).map(|(line, place)| &line[place.clone()]).collect();
        let start = telling_start(&texts);
        if start.len() >= SHORTEST_START && is_telling(&start, &texts) {
            starts.push((start, places));
        }
    }
    match &starts[..] {
        [] => under_one_name(lines),
        [(_, places)] => Ok(Values::new(at(lines, places), None)),
        more => {
            let list: Vec<String> = more.iter().map(|(start, _)| format!("{start}…")).collect();
            refused(format!("the samples hold more than one value: {}; mark the one meant: <<…>>", list.join(" and ")))
        }
    }
}

fn at(lines: &[&str], places: &Places) -> Vec<(String, Range<usize>)> {
    lines.iter().zip(places).map(|(line, place)| ((*line).to_owned(), place.clone())).collect()
}

/// Runs of characters that tokens are made of.
fn tokens(line: &str) -> impl Iterator<Item = Range<usize>> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '~');
    let mut at = 0;
    line.split(move |c| !inside(c)).filter_map(move |run| {
        let place = at..at + run.len();
        // Separators may take more than a byte; the run's own place is asked for instead of counted.
        at = run.as_ptr() as usize - line.as_ptr() as usize + run.len();
        at += line[at..].chars().next().map_or(0, char::len_utf8);
        (!run.is_empty()).then_some(place)
    })
}

/// The token of the line that begins most like `token`.
fn most_alike(line: &str, token: &str) -> Option<Range<usize>> {
    let alike = |place: &Range<usize>| common(&line[place.clone()], token);
    tokens(line).filter(|place| alike(place) >= SHORTEST_START).max_by_key(|place| alike(place))
}

fn common(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

/// How all values begin, without characters that are alike by chance: up to the last separator, where there is one.
fn telling_start(values: &[&str]) -> String {
    let Some(first) = values.first() else { return String::new() };
    let mut end = values.iter().map(|value| common(first, value)).min().unwrap_or(0);
    while !first.is_char_boundary(end) {
        end -= 1;
    }
    let start = &first[..end];
    let separated = start.rfind(|c: char| !c.is_ascii_alphanumeric()).map(|at| at + 1);
    // A digit at the end of a beginning belongs to what differs more often than not.
    let plain = start.trim_end_matches(|c: char| c.is_ascii_digit());
    start[..separated.filter(|at| *at >= SHORTEST_START).unwrap_or(plain.len())].to_owned()
}

/// A start with a letter, and behind it something of its own that is no word.
fn is_telling(start: &str, values: &[&str]) -> bool {
    let rests: BTreeSet<&str> = values.iter().map(|value| &value[start.len()..]).collect();
    let random = |rest: &&str| {
        let digits = rest.bytes().filter(u8::is_ascii_digit).count();
        let mixed = rest.bytes().any(|b| b.is_ascii_uppercase()) && rest.bytes().any(|b| b.is_ascii_lowercase());
        rest.len() >= SHORTEST_REST && (digits >= 2 || mixed) && !rest.contains(['.', '/'])
    };
    start.bytes().any(|byte| byte.is_ascii_alphabetic()) && rests.len() > 1 && rests.iter().all(random)
}

/// The values under the one name that all lines have and that has different values of digits or mixed characters.
fn under_one_name<'a>(lines: &[&'a str]) -> Result<Values<'a>, Refusal> {
    let mut candidates: Vec<(&'a str, Places)> = Vec::new();
    for (name, _) in members(lines[0]) {
        let of = |line: &'a str| members(line).into_iter().find(|(other, _)| *other == name).map(|(_, place)| place);
        let Some(places) = lines.iter().map(|line| of(line)).collect::<Option<Places>>() else { continue };
        let texts: BTreeSet<&str> = lines.iter().zip(&places).map(|(line, place)| &line[place.clone()]).collect();
        let value = |text: &&str| text.len() >= 4 && text.bytes().any(|byte| byte.is_ascii_digit());
        if texts.len() > 1 && texts.iter().all(value) {
            candidates.push((name, places));
        }
    }
    match &candidates[..] {
        [] => refused("nothing tells the values from other text; mark them: <<…>>"),
        [(name, places)] => Ok(Values::new(at(lines, places), Some(name))),
        more => {
            let list: Vec<&str> = more.iter().map(|(name, _)| *name).collect();
            refused(format!("the samples hold more than one value: {}; mark the one meant: <<…>>", list.join(" and ")))
        }
    }
}

/// Names with a value behind `=` or `:`, and the place of the value.
fn members(line: &str) -> Vec<(&str, Range<usize>)> {
    let places: Vec<Range<usize>> = tokens(line).collect();
    let pairs = places.windows(2).filter_map(|pair| {
        let between = line[pair[0].end..pair[1].start].trim_matches([' ', '"', '\'', '\\']);
        let name = &line[pair[0].clone()];
        let named = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        (matches!(between, "=" | ":" | "=>") && named).then(|| (name, pair[1].clone()))
    });
    pairs.collect()
}
