//! What a syslog message says about itself: severity, time, host, program.
//!
//! RFC 5424: `<PRI>1 TIME HOST APP PROCID MSGID SD MSG`. RFC 3164 as it is really written:
//! `<PRI>Mmm dd [yyyy] HH:MM:SS[.frac] [ZONE] [HOST] TAG[PID]: MSG`, or with an ISO time; a local daemon's socket
//! gets messages without HOST. What is not there stays empty; nothing is guessed from the text.

use crate::batch::Facts;
use crate::batch::facts::{severity, time_at_start};
use std::ops::Range;

/// Longest name of a host.
const MAX_HOST: usize = 255;
/// Longest name of a program: what RFC 5424 allows for APP-NAME.
const MAX_APP: usize = 48;

/// What a message says about itself; the ranges lie in the message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parsed {
    /// Severity and time.
    pub facts: Facts,
    /// The host it names.
    pub host: Range<usize>,
    /// The program it names.
    pub app: Range<usize>,
    /// True when it began with a priority.
    pub has_priority: bool,
}

/// What is needed to read times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// Now, Unix milliseconds: gives the year.
    pub now: i64,
    /// Seconds east of UTC of senders that name no zone.
    pub utc_offset: i32,
}

/// Reads a message. With `local`, it comes from this host's socket and names no host.
pub fn parse(message: &[u8], clock: Clock, local: bool) -> Parsed {
    let mut parsed = Parsed::default();
    let Some((priority, at)) = priority(message) else { return parsed };
    parsed.has_priority = true;
    parsed.facts.status = severity(priority & 7);
    match message[at..].strip_prefix(b"1 ") {
        Some(_) => rfc5424(message, at + 2, &mut parsed),
        None => rfc3164(message, at, clock, local, &mut parsed),
    }
    parsed
}

/// `<0>` to `<191>`: the number and the place behind it.
fn priority(message: &[u8]) -> Option<(u8, usize)> {
    let rest = message.strip_prefix(b"<")?;
    let digits = rest.iter().take(3).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || rest.get(digits) != Some(&b'>') {
        return None;
    }
    let value = rest[..digits].iter().fold(0u16, |n, &b| n * 10 + u16::from(b - b'0'));
    (value < 192).then_some((value as u8, digits + 2))
}

fn rfc5424(message: &[u8], at: usize, parsed: &mut Parsed) {
    let time = word(message, at);
    let host = word(message, time.end + 1);
    let app = word(message, host.end + 1);
    parsed.facts.time = time_at_start(&message[time], 0, 0);
    parsed.host = named(message, host, MAX_HOST);
    parsed.app = named(message, app, MAX_APP);
}

fn rfc3164(message: &[u8], at: usize, clock: Clock, local: bool, parsed: &mut Parsed) {
    // Some devices mark an unsynchronised clock.
    let at = at + usize::from(matches!(message.get(at), Some(b'*' | b'.')));
    let Some((time, mut at)) = legacy_time(message, at, clock).or_else(|| iso_time(message, at, clock)) else {
        return;
    };
    parsed.facts.time = Some(time);
    let first = word(message, at);
    let tagged = |word: &Range<usize>| tag(message, word.clone());
    // A message without host goes on with its tag, which ends with a colon or a process id.
    if !local && message.get(first.end) == Some(&b' ') && !(message[first.clone()].ends_with(b":")) {
        parsed.host = named(message, first.clone(), MAX_HOST);
        at = first.end + 1;
    }
    let program = word(message, at);
    parsed.app = named(message, tagged(&program), MAX_APP);
}

/// `Mmm dd HH:MM:SS`, with an optional year before or behind the clock, a fraction and a zone.
fn legacy_time(message: &[u8], at: usize, clock: Clock) -> Option<(i64, usize)> {
    let text = message.get(at..)?;
    let mut form = [b' '; 24];
    form[..7].copy_from_slice(text.get(..7)?);
    let year_first = text.get(7..12).is_some_and(|y| y[..4].iter().all(u8::is_ascii_digit) && y[4] == b' ');
    let clock_at = if year_first { 12 } else { 7 };
    form[7..15].copy_from_slice(text.get(clock_at..clock_at + 8)?);
    let mut end = clock_at + 8;
    if text.get(end) == Some(&b'.') {
        end += 1 + text[end + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
    }
    let mut now = clock.now;
    if year_first {
        now = middle_of(&text[7..11])?;
    } else if let Some(year) = text.get(end..end + 6).filter(|y| year_word(y)) {
        now = middle_of(&year[1..5])?;
        end += 5;
    }
    // `: ` closes the time of some devices.
    end += usize::from(text.get(end) == Some(&b':'));
    let mut offset = clock.utc_offset;
    if text[end..].starts_with(b" UTC ") || text[end..].starts_with(b" GMT ") {
        (offset, end) = (0, end + 4);
    }
    let time = time_at_start(&form[..15], now, offset)?;
    (text.get(end) == Some(&b' ')).then_some((time, at + end + 1))
}

/// ` 2025 ` behind a clock.
fn year_word(text: &[u8]) -> bool {
    matches!(text, [b' ', b'2', b'0', a, b, b' '] if a.is_ascii_digit() && b.is_ascii_digit())
}

/// The first of July of a year: the nearest date to it with any month and day lies within that year.
fn middle_of(year: &[u8]) -> Option<i64> {
    let mut date = *b"2000-07-01T12:00:00Z";
    date[..4].copy_from_slice(year);
    time_at_start(&date, 0, 0)
}

fn iso_time(message: &[u8], at: usize, clock: Clock) -> Option<(i64, usize)> {
    let end = word(message, at).end;
    let time = time_at_start(&message[at..end], clock.now, clock.utc_offset)?;
    (message.get(end) == Some(&b' ')).then_some((time, end + 1))
}

/// The run up to the next space.
fn word(message: &[u8], at: usize) -> Range<usize> {
    let at = at.min(message.len());
    let len = message[at..].iter().position(|&b| b == b' ').unwrap_or(message.len() - at);
    at..at + len
}

/// The program of `TAG[PID]:`, `TAG:`; empty when the word is no tag.
fn tag(message: &[u8], word: Range<usize>) -> Range<usize> {
    let text = &message[word.clone()];
    let len = text.iter().position(|b| matches!(b, b'[' | b':' | b'(')).unwrap_or(0);
    word.start..word.start + len
}

/// The range when it holds a plain name, else an empty one.
fn named(message: &[u8], range: Range<usize>, max: usize) -> Range<usize> {
    let text = &message[range.clone()];
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"._-:/@%".contains(b);
    if text.is_empty() || text == b"-" || text.len() > max || !text.iter().all(plain) { 0..0 } else { range }
}

/// Any bytes: nothing panics, and what is named stands in the message.
#[doc(hidden)]
pub fn fuzz_syslog_parse(data: &[u8]) {
    for local in [false, true] {
        let parsed = parse(data, Clock { now: 1_763_892_309_000, utc_offset: 3600 }, local);
        assert!(parsed.host.end <= data.len() && parsed.app.end <= data.len());
        assert!(parsed.host.len() <= MAX_HOST && parsed.app.len() <= MAX_APP);
        assert!(parsed.has_priority || parsed == Parsed::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Status;
    use proptest::prelude::*;

    /// 2025-11-23 10:05:09 UTC
    const TIME: i64 = 1_763_892_309_000;
    const CLOCK: Clock = Clock { now: TIME + 5000, utc_offset: 3600 };

    fn read(message: &str, local: bool) -> (Option<Status>, Option<i64>, &str, &str) {
        let p = parse(message.as_bytes(), CLOCK, local);
        (p.facts.status, p.facts.time.map(|time| time - TIME), &message[p.host], &message[p.app])
    }

    #[test]
    fn messages_from_elsewhere() {
        use Status::*;
        for (message, status, time, host, app) in [
            (
                "<34>1 2025-11-23T10:05:09.003Z db1.example.net su 12 ID47 - x",
                Some(Critical),
                Some(3),
                "db1.example.net",
                "su",
            ),
            (
                "<165>1 2025-11-23T11:05:09+01:00 192.0.2.1 evnt - - [a@1 b=\"c\"] x",
                Some(Notice),
                Some(0),
                "192.0.2.1",
                "evnt",
            ),
            ("<14>1 - - - - - -", Some(Info), None, "", ""),
            ("<38>Nov 23 11:05:09 db1 sshd[12]: x", Some(Info), Some(0), "db1", "sshd"),
            ("<38>Nov 23 11:05:09 db1 CRON: x", Some(Info), Some(0), "db1", "CRON"),
            ("<38>Nov 23 11:05:09 sshd[12]: x", Some(Info), Some(0), "", "sshd"),
            ("<38>Nov 23 11:05:09 cron: x", Some(Info), Some(0), "", "cron"),
            ("<38>Nov 23 2025 11:05:09 fw1 : %ASA-6-302013: x", Some(Info), Some(0), "fw1", ""),
            ("<38>Nov 23 11:05:09.123 2025 db1 app: x", Some(Info), Some(0), "db1", "app"),
            ("<38>*Nov 23 10:05:09 UTC sw1 app: x", Some(Info), Some(0), "sw1", "app"),
            ("<38>2025-11-23T10:05:09.250Z db1 app[1]: x", Some(Info), Some(250), "db1", "app"),
            ("<38>Dec 31 23:00:00 db1 app: x", Some(Info), Some(3_326_091_000), "db1", "app"),
            ("<38>no time at all", Some(Info), None, "", ""),
            ("<191>", Some(Debug), None, "", ""),
            ("<192>Nov 23 11:05:09 db1 app: x", None, None, "", ""),
            ("<>x", None, None, "", ""),
            ("plain", None, None, "", ""),
        ] {
            assert_eq!(read(message, false), (status, time, host, app), "{message}");
        }
    }

    #[test]
    fn messages_of_this_host() {
        for (message, app) in [
            ("<38>Nov 23 11:05:09 sshd[12]: x", "sshd"),
            ("<38>Nov 23 11:05:09 sshd: accepted", "sshd"),
            ("<38>Nov 23 11:05:09 words only", ""),
        ] {
            assert_eq!(read(message, true), (Some(Status::Info), Some(0), "", app), "{message}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(data: Vec<u8>, lead in "(<[0-9]{1,3}>)?(1 )?(Nov 23 (2025 )?1?)?") {
            fuzz_syslog_parse(&data);
            fuzz_syslog_parse(&[lead.as_bytes(), &data].concat());
        }
    }
}
