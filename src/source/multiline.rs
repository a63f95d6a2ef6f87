//! Which lines belong together: stack traces of Java, Python, Go, Node, .NET and Rust, and records that begin
//! where a pattern matches.
//!
//! [`Joiner`] only decides; whoever asks keeps the lines, so a group is its lines byte for byte. It looks at one
//! line at a time and at the state of the open group, never ahead: how the input is cut into reads cannot
//! change a group. A group ends at the first line that does not continue it, at its limits, or when
//! [`Joiner::flush`] says that it has been open for long enough.

mod trace;

pub use trace::{LANGUAGES, Languages};

use regex::bytes::Regex;
use std::time::Duration;
use trace::State;

/// Of a line, bytes looked at.
const WINDOW: usize = 1024;

/// How lines are joined.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// What begins a group.
    pub start: Start,
    /// Most lines of a group.
    pub max_lines: usize,
    /// Most bytes of a group, line ends included. A single longer line is a group of its own.
    pub max_bytes: usize,
    /// An open group that has not grown for this long is handed out.
    pub flush: Duration,
}

/// What begins a group.
#[derive(Clone, Debug)]
pub enum Start {
    /// Every line that does not continue the stack trace before it.
    Traces(Languages),
    /// Every line that the pattern matches within its first KiB.
    Pattern(Regex),
}

impl Default for Settings {
    fn default() -> Self {
        let start = Start::Traces(Languages::ALL);
        Settings { start, max_lines: 500, max_bytes: 256 << 10, flush: Duration::from_secs(1) }
    }
}

impl PartialEq for Start {
    fn eq(&self, other: &Start) -> bool {
        match (self, other) {
            (Start::Traces(a), Start::Traces(b)) => a == b,
            (Start::Pattern(a), Start::Pattern(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

/// What a line does to the open group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// It begins a group; the open one, if any, is complete.
    Starts,
    /// It belongs to the open group.
    Continues,
}

/// Decides for the lines of one stream.
pub struct Joiner {
    settings: Settings,
    open: Option<Open>,
}

#[derive(Clone, Copy)]
struct Open {
    state: State,
    lines: usize,
    bytes: usize,
}

impl Joiner {
    /// A joiner without an open group.
    pub fn new(settings: Settings) -> Joiner {
        Joiner { settings, open: None }
    }

    /// Where `line` (with or without its end) belongs.
    pub fn push(&mut self, line: &[u8]) -> Place {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let text = &text[..text.len().min(WINDOW)];
        let next = self.open.and_then(|open| self.next(open.state, text));
        let state = next.unwrap_or_else(|| State::of_first(text));
        let fits =
            |open: &Open| open.lines < self.settings.max_lines && open.bytes + line.len() <= self.settings.max_bytes;
        match self.open.as_mut().filter(|open| next.is_some() && fits(open)) {
            Some(open) => {
                *open = Open { state, lines: open.lines + 1, bytes: open.bytes + line.len() };
                Place::Continues
            }
            None => {
                // A group that is cut at its limits goes on in the next one.
                self.open = Some(Open { state, lines: 1, bytes: line.len() });
                Place::Starts
            }
        }
    }

    /// Ends the open group: whatever comes next begins one.
    pub fn flush(&mut self) {
        self.open = None;
    }

    fn next(&self, state: State, text: &[u8]) -> Option<State> {
        match &self.settings.start {
            Start::Traces(languages) => state.next(text, *languages),
            Start::Pattern(pattern) => (!pattern.is_match(text)).then_some(state),
        }
    }
}

/// Any bytes, cut into lines: groups respect their limits, and the decision is the same after a re-run.
#[doc(hidden)]
pub fn fuzz_multiline(data: &[u8]) {
    let settings = Settings { max_lines: 8, max_bytes: 200, ..Settings::default() };
    let run = || {
        let mut joiner = Joiner::new(settings.clone());
        data.split_inclusive(|&b| b == b'\n').map(|line| (joiner.push(line), line.len())).collect::<Vec<_>>()
    };
    let places = run();
    assert!(places.first().is_none_or(|(place, _)| *place == Place::Starts));
    for group in places.chunk_by(|_, (place, _)| *place == Place::Continues) {
        let bytes: usize = group.iter().map(|(_, len)| len).sum();
        assert!(group.len() <= settings.max_lines && (group.len() == 1 || bytes <= settings.max_bytes));
    }
    assert_eq!(places, run());
}

#[cfg(test)]
mod tests;
