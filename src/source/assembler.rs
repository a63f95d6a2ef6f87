//! Makes records of one stream's raw lines: container lines are unwrapped and their parts joined, then lines
//! that belong together. Pure; [`super::assembled`] drives it.
//!
//! Standard output and error of a container are two *lanes*: a part of one goes on behind a line of the other.
//! Invariants: every raw line ends up in exactly one record, at the offset of the record's first raw line; a
//! record is given out as soon as nothing can be added to it; what is still open begins at
//! [`Assembler::open`]; a record made of parts is never given out cut: beyond [`MAX_PARTS`] it is marked as too
//! long and its text is dropped.

use super::container::{Format, Piece};
use super::made::{Known, Made};
use super::multiline::{self, Joiner, Place};
use crate::batch::Facts;
use std::borrow::Cow;
use std::time::Duration;

/// Longest text joined of parts, bytes.
pub const MAX_PARTS: usize = 4 << 20;

/// How records are made of lines.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    /// Form of the lines; none: the line is the text.
    pub format: Option<Format>,
    /// Lines that belong together; none: a line is a record.
    pub multiline: Option<multiline::Settings>,
}

impl Settings {
    /// True when lines are records as they stand.
    pub fn is_plain(&self) -> bool {
        self.format.is_none() && self.multiline.is_none()
    }

    /// Time after which joined lines that do not grow are given out.
    pub fn flush(&self) -> Duration {
        self.multiline.as_ref().map_or(Duration::MAX, |multiline| multiline.flush)
    }
}

/// One stream's open records.
pub struct Assembler {
    format: Option<Format>,
    lanes: [Lane; 2],
    malformed: u64,
}

struct Lane {
    joiner: Option<Joiner>,
    /// Parts of a line that goes on.
    parts: Option<Open>,
    /// Lines of a record that may go on.
    group: Option<Open>,
}

struct Open {
    at: u64,
    time: Option<i64>,
    text: Vec<u8>,
    too_long: bool,
}

impl Assembler {
    /// An assembler with nothing open.
    pub fn new(settings: &Settings) -> Assembler {
        let lane = || Lane { joiner: settings.multiline.clone().map(Joiner::new), parts: None, group: None };
        Assembler { format: settings.format, lanes: [lane(), lane()], malformed: 0 }
    }

    /// Takes the raw line, its end included, that stands at `at`.
    pub fn push(&mut self, line: &[u8], at: u64, made: &mut Made) {
        self.lanes.iter_mut().for_each(|lane| lane.give_up(at, made));
        let piece = match self.format.map(|format| format.parse(line)) {
            Some(Some(piece)) => piece,
            Some(None) => {
                self.malformed += u64::from(line != b"\n");
                // It stands alone: neither parts nor traces go on across it.
                self.lanes[0].flush(made);
                Piece { stderr: false, partial: false, time: None, text: Cow::Borrowed(line) }
            }
            None => Piece { stderr: false, partial: false, time: None, text: Cow::Borrowed(line) },
        };
        self.lanes[usize::from(piece.stderr)].push(&piece, at, made);
    }

    /// Where the oldest open record begins.
    pub fn open(&self) -> Option<u64> {
        self.lanes.iter().flat_map(|lane| [&lane.parts, &lane.group]).flatten().map(|open| open.at).min()
    }

    /// Gives out everything that is open: nothing follows.
    pub fn flush(&mut self, made: &mut Made) {
        self.lanes.iter_mut().for_each(|lane| lane.flush(made));
    }

    /// Gives out the joined lines that are open. Parts of a line wait for its end, however long that takes: half
    /// a line may be half a secret.
    pub fn flush_groups(&mut self, made: &mut Made) {
        self.lanes.iter_mut().for_each(|lane| lane.end_group(made));
    }

    /// True when [`Assembler::flush_groups`] would give something.
    pub fn has_group(&self) -> bool {
        self.lanes.iter().any(|lane| lane.group.is_some())
    }

    /// Lines since the last call that did not have the form.
    pub fn take_malformed(&mut self) -> u64 {
        std::mem::take(&mut self.malformed)
    }
}

impl Lane {
    fn push(&mut self, piece: &Piece<'_>, at: u64, made: &mut Made) {
        if piece.partial {
            self.part(piece, at);
            return;
        }
        match self.parts.take() {
            None => self.line(&piece.text, at, piece.time, made),
            Some(mut whole) => {
                whole.add(&piece.text);
                whole.text.push(b'\n');
                match whole.too_long {
                    true => {
                        self.end_group(made);
                        made.add_open(&whole);
                    }
                    false => self.line(&whole.text, whole.at, whole.time, made),
                }
            }
        }
    }

    fn part(&mut self, piece: &Piece<'_>, at: u64) {
        let new = || Open { at, time: piece.time, text: Vec::new(), too_long: false };
        self.parts.get_or_insert_with(new).add(&piece.text);
    }

    fn line(&mut self, text: &[u8], at: u64, time: Option<i64>, made: &mut Made) {
        let end = if text.ends_with(b"\n") { &b""[..] } else { b"\n" };
        let Some(joiner) = &mut self.joiner else {
            made.add_line(text, at, time, false);
            return;
        };
        if let (Place::Continues, Some(open)) = (joiner.push(text), &mut self.group) {
            open.text.extend_from_slice(text);
            open.text.extend_from_slice(end);
            return;
        }
        let text = [text, end].concat();
        if let Some(before) = self.group.replace(Open { at, time, text, too_long: false }) {
            made.add_open(&before);
        }
    }

    /// Parts whose end does not come within a long stretch of the other output are withheld.
    fn give_up(&mut self, at: u64, made: &mut Made) {
        if self.parts.as_ref().is_some_and(|parts| at.saturating_sub(parts.at) > 2 * MAX_PARTS as u64)
            && let Some(parts) = self.parts.take()
        {
            self.end_group(made);
            made.add_open(&Open { too_long: true, ..parts });
        }
    }

    fn flush(&mut self, made: &mut Made) {
        if let Some(mut parts) = self.parts.take() {
            parts.text.push(b'\n');
            match parts.too_long {
                true => {
                    self.end_group(made);
                    made.add_open(&parts);
                }
                false => self.line(&parts.text, parts.at, parts.time, made),
            }
        }
        self.end_group(made);
    }

    fn end_group(&mut self, made: &mut Made) {
        if let Some(group) = self.group.take() {
            made.add_open(&group);
        }
        if let Some(joiner) = &mut self.joiner {
            joiner.flush();
        }
    }
}

impl Open {
    fn add(&mut self, text: &[u8]) {
        self.too_long |= self.text.len() + text.len() > MAX_PARTS;
        match self.too_long {
            // What is withheld needs its first byte only.
            true => self.text.truncate(1),
            false => self.text.extend_from_slice(text),
        }
    }
}

impl Made {
    fn add_open(&mut self, open: &Open) {
        self.add_line(&open.text, open.at, open.time, open.too_long);
    }

    fn add_line(&mut self, text: &[u8], at: u64, time: Option<i64>, too_long: bool) {
        self.add(text, &Known { at, facts: Facts { status: None, time }, too_long, ..Known::default() });
    }
}

#[cfg(test)]
mod tests;
