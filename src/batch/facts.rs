//! What a raw record says about itself: its level and its time. Only enums and integers leave this file,
//! never text.
//!
//! JSON records are asked by key, wherever in the first 4 KiB the key stands; text is asked for a priority,
//! a time at its start or in brackets, `level=` and `ts=` pairs, and level words in its first 256 bytes.
//! What is not clearly one of these is left alone: a wrong level is worse than none.

mod level;
mod time;

use crate::record::Status;
use aho_corasick::{AhoCorasick, MatchKind, packed};

/// Of a JSON record, bytes looked at.
const JSON_WINDOW: usize = 4096;
/// Of a text record, bytes looked at.
const TEXT_WINDOW: usize = 256;

/// Of these, the ones that loggers write time and level in.
const TEXT_HEAD: usize = 48;

/// Keys of JSON records; the earlier the stronger within their half.
const LEVEL_KEYS: [&str; 8] = [
    "\"level\"",
    "\"severity\"",
    "\"log.level\"",
    "\"levelname\"",
    "\"log_level\"",
    "\"loglevel\"",
    "\"lvl\"",
    "\"status\"",
];
const TIME_KEYS: [&str; 8] = [
    "\"timestamp\"",
    "\"@timestamp\"",
    "\"time\"",
    "\"ts\"",
    "\"eventTime\"",
    "\"datetime\"",
    "\"asctime\"",
    "\"date\"",
];
/// `status` is also a key for other things: only words count there.
const STATUS_KEY: usize = LEVEL_KEYS.len() - 1;

/// What may begin a level or a time in text. With more than 32 of them the vectors tell them apart in sixteen groups,
/// which halves what is looked at in vain.
const LEVEL_PAIRS: [&str; 3] = ["level=", "lvl=", "severity="];
const TIME_PAIRS: [&str; 3] = ["ts=", "time=", "timestamp="];
const LEVEL_WORDS: [&str; 30] = [
    "EMERG", "ALERT", "CRIT", "FATAL", "PANIC", "SEVERE", "ERR", "WARN", "NOTICE", "INFO", "DEBUG", "TRACE", "[emerg",
    "[alert", "[crit", "[fatal", "[error", "[warn", "[notice", "[info", "[debug", "[Fatal", "[Error", "[Warn", "[Info",
    "[Debug",
    // Behind what `TAILS` says: as whole words they would begin like every second word of English.
    "rror:", "arning:", "atal:", "ritical:",
];
/// What the last of the level words stand behind.
const TAILS: [&[u8; 2]; 4] = [b" e", b" w", b" f", b" c"];

/// A record's own level and time.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Severity.
    pub status: Option<Status>,
    /// Unix milliseconds.
    pub time: Option<i64>,
}

/// The time that `text` begins with, Unix milliseconds: ISO 8601, RFC 3164, an epoch. `now` gives the year
/// where the form has none, `utc_offset` (seconds east) the zone where it names none.
pub fn time_at_start(text: &[u8], now: i64, utc_offset: i32) -> Option<i64> {
    time::at_start(text, now, utc_offset)
}

/// The severity with this syslog number, 0 to 7.
pub fn severity(number: u8) -> Option<Status> {
    level::syslog(number)
}

/// Reads facts; holds the search tables.
pub(super) struct Reader {
    json: Search,
    text: Search,
    /// Seconds east of UTC, for times that name no zone.
    pub(super) utc_offset: i32,
}

impl Reader {
    pub(super) fn new() -> Reader {
        Reader {
            json: Search::new(&[&LEVEL_KEYS, &TIME_KEYS]),
            text: Search::new(&[&LEVEL_PAIRS, &TIME_PAIRS, &LEVEL_WORDS]),
            utc_offset: 0,
        }
    }

    /// The facts of one raw record; `now` (Unix milliseconds) gives the year where a format has none.
    pub(super) fn read(&self, raw: &[u8], now: i64) -> Facts {
        if raw.trim_ascii_start().starts_with(b"{") { self.read_json(raw) } else { self.read_text(raw, now) }
    }

    fn read_json(&self, raw: &[u8]) -> Facts {
        let window = &raw[..raw.len().min(JSON_WINDOW)];
        let (mut status, mut time) = ((usize::MAX, None), (usize::MAX, None));
        let mut from = 0;
        while let Some((key, _, end)) = self.json.next(window, from) {
            from = end;
            let Some(value) = json_value(&window[end..]) else { continue };
            if key < LEVEL_KEYS.len() {
                let found = level::of_value(value, key != STATUS_KEY);
                if key < status.0 && found.is_some() {
                    status = (key, found);
                }
            } else {
                let found = time::of_value(value, self.utc_offset);
                if key < time.0 && found.is_some() {
                    time = (key, found);
                }
            }
            if status.0 == 0 && time.0 == LEVEL_KEYS.len() {
                break;
            }
        }
        Facts { status: status.1, time: time.1 }
    }

    fn read_text(&self, raw: &[u8], now: i64) -> Facts {
        let window = &raw[..raw.len().min(TEXT_WINDOW)];
        let (priority, rest) = level::priority(window);
        let mut facts = Facts { status: priority, time: time::at_start(rest, now, self.utc_offset) };
        if facts.status.is_none() {
            facts.status = level::klog(window);
        }
        if facts.status.is_some() && facts.time.is_some() {
            return facts;
        }
        let pairs = LEVEL_PAIRS.len() + TIME_PAIRS.len();
        let mut from = 0;
        while let Some((word, start, end)) = self.text.next(window, from) {
            from = end;
            let after = &window[end..];
            match word {
                pair if pair < LEVEL_PAIRS.len() && starts_word(window, start) => {
                    facts.status = level::of_value(unquoted(after), true).or(facts.status);
                }
                pair if pair < pairs && starts_word(window, start) => {
                    facts.time = facts.time.or_else(|| time::of_value(unquoted(after), self.utc_offset));
                }
                word if word >= pairs => {
                    let Some(start) = word_start(window, word - pairs, start) else { continue };
                    facts.status = facts.status.or_else(|| level::word_at(window, start));
                    // In the head of a line a level is its own, whatever the text goes on to say.
                    if start < TEXT_HEAD && facts.status.is_some() && facts.time.is_some() {
                        return facts;
                    }
                }
                _ => {}
            }
        }
        if facts.time.is_none() {
            facts.time = time::in_brackets(window);
        }
        facts
    }
}

/// A search for a few dozen words: in vector registers where the machine has them, else by automaton.
enum Search {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

impl Search {
    fn new(words: &[&[&str]]) -> Search {
        let words = || words.iter().copied().flatten();
        match packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder().extend(words()).build() {
            Some(packed) => Search::Packed(packed),
            None => {
                let builder = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words());
                Search::Automaton(builder.expect("a few dozen short words"))
            }
        }
    }

    /// The first word from `from` on: which, where it starts, where it ends.
    fn next(&self, text: &[u8], from: usize) -> Option<(usize, usize, usize)> {
        let hit = match self {
            Search::Packed(packed) => packed.find_in(text, (from..text.len()).into()),
            Search::Automaton(automaton) => automaton.find(aho_corasick::Input::new(text).range(from..)),
        }?;
        Some((hit.pattern().as_usize(), hit.start(), hit.end()))
    }
}

/// The value after a key's closing quote: the inside of a string, or a bare value up to its end.
fn json_value(after: &[u8]) -> Option<&[u8]> {
    let value = after.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    Some(unquoted(value))
}

fn unquoted(value: &[u8]) -> &[u8] {
    let (value, ends): (_, fn(u8) -> bool) = match value.strip_prefix(b"\"") {
        Some(inside) => (inside, |b| b == b'"'),
        None => (value, |b| b.is_ascii_whitespace() || matches!(b, b',' | b'}' | b']')),
    };
    let end = value.iter().take(64).position(|&b| ends(b)).unwrap_or(value.len().min(64));
    &value[..end]
}

/// Where the level word of this number begins whose literal stands at `at`.
fn word_start(text: &[u8], word: usize, at: usize) -> Option<usize> {
    match word.checked_sub(LEVEL_WORDS.len() - TAILS.len()) {
        None => Some(at),
        Some(tail) => text[..at].ends_with(TAILS[tail]).then(|| at - TAILS[tail].len()),
    }
}

fn starts_word(text: &[u8], at: usize) -> bool {
    at == 0 || !(text[at - 1].is_ascii_alphanumeric() || matches!(text[at - 1], b'_' | b'-' | b'.'))
}

/// Any bytes: nothing panics, and a time that is found lies between the years 2000 and 2100.
#[doc(hidden)]
pub fn fuzz_facts(data: &[u8]) {
    let mut reader = Reader::new();
    for offset in [0, 3600, -43_200] {
        reader.utc_offset = offset;
        if let Some(time) = reader.read(data, 1_763_900_000_000).time {
            assert!((time::FIRST..time::LAST).contains(&time));
        }
    }
}

#[cfg(test)]
mod tests;
