//! Drives the child: entries in, chunks out, the cursor of the last entry as the place to resume.
//!
//! Positions count entries since the journal was first read. Invariants: reading goes on at the saved entry,
//! which is skipped only when it is there; a hole is told; entries that we wrote are never shipped; the child is
//! killed when the source is dropped.

use super::Settings;
use super::child::{self, Child, Got};
use super::entry::{self, Own, Plan};
use super::export::{Entry, Reader};
use super::resume::{self, Begin};
use crate::record::Position;
use crate::source::file::{Saved, StartAt};
use crate::source::made::{Known, Made};
use crate::source::stream_ids::{self, StreamIds};
use crate::source::{Chunk, Fill, Met, Resume, Source, SourceError, StreamInfo};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Room for one read, bytes.
const READ: usize = 64 << 10;
/// A chunk is handed out at this size, bytes.
const ENOUGH: usize = 256 << 10;
/// The saved entry must come within this time.
const FIRST_ENTRY: Duration = Duration::from_secs(30);
/// Longest wait before the child is started again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a journal source is built from.
pub struct Parts {
    /// What is read.
    pub settings: Settings,
    /// Identities.
    pub ids: StreamIds,
    /// Place of the source in the configuration.
    pub source: usize,
    /// Where reading goes on.
    pub saved: Option<Saved>,
    /// Whose entries are not read.
    pub own: Own,
}

/// The source.
pub struct Journal {
    settings: Settings,
    info: Arc<StreamInfo>,
    plan: Plan,
    own: Own,
    running: Option<Running>,
    /// Entries taken.
    at: Position,
    /// Cursor of the last entry taken.
    cursor: Option<String>,
    /// Set when the cursor led nowhere.
    instead: Option<Begin>,
    failures: u32,
    start_at: Option<Instant>,
    text: Vec<u8>,
    room: Vec<u8>,
    /// Holes found: the saved entry was gone, or numbers are missing.
    gaps: u64,
    /// Times that the output was not in the export format.
    broken: u64,
    sequence: Option<(u64, Vec<u8>)>,
    /// When the source was built, Unix microseconds.
    built: u64,
    /// Why reading ended while there were entries to hand out first.
    owed: Option<SourceError>,
}

struct Running {
    child: Child,
    reader: Reader,
    /// Bytes read and not looked at yet.
    unread: Vec<u8>,
    /// The saved entry is expected first.
    expects: Option<String>,
    since: Instant,
}

impl Journal {
    /// Builds the source; the child is started at the first [`Source::fill`].
    pub fn new(parts: Parts) -> Journal {
        let Parts { settings, ids, source, saved, own } = parts;
        let info = Arc::new(StreamInfo { stream: ids.only(), source, path: None });
        let cursor = saved.as_ref().and_then(|saved| String::from_utf8(saved.resume.clone()).ok());
        let cursor = cursor.filter(|cursor| !cursor.is_empty() && !cursor.contains('\0'));
        Journal {
            plan: Plan::new(&settings.fields),
            settings,
            info,
            own,
            running: None,
            at: saved.map_or_else(stream_ids::beginning, |saved| saved.position),
            cursor,
            instead: None,
            failures: 0,
            start_at: None,
            text: Vec::new(),
            room: vec![0; READ],
            gaps: 0,
            broken: 0,
            sequence: None,
            built: stream_ids::now().max(0) as u64 * 1000,
            owed: None,
        }
    }

    fn start(&mut self) -> Result<(), SourceError> {
        let begin = match (&self.instead, &self.cursor, self.settings.start_at) {
            (Some(begin), _, _) => begin.clone(),
            (None, Some(cursor), _) => Begin::Cursor(cursor.clone()),
            (None, None, StartAt::Beginning) => Begin::First,
            // By time, not by the journal's end: what is logged until the child looks is not lost.
            (None, None, StartAt::End) => Begin::Time(self.built),
        };
        let expects = match &begin {
            Begin::Cursor(cursor) => Some(cursor.clone()),
            _ => None,
        };
        let child = Child::start(&self.settings, &begin).map_err(|error| self.cannot_start(error))?;
        let reader = Reader::new(self.plan.wanted());
        self.running = Some(Running { child, reader, unread: Vec::new(), expects, since: Instant::now() });
        Ok(())
    }

    fn cannot_start(&mut self, error: io::Error) -> SourceError {
        self.pause();
        SourceError { what: child::cannot_run(&self.settings, &error), error }
    }

    /// Waits before the next start: 1 s, 2 s, 4 s … 60 s.
    fn pause(&mut self) {
        let wait = Duration::from_secs(1 << self.failures.min(6)).min(LONGEST_PAUSE);
        self.failures += 1;
        self.start_at = Some(Instant::now() + wait);
    }

    fn failed(&mut self, why: String) -> SourceError {
        self.running = None;
        self.pause();
        SourceError {
            what: format!("follow the journal with {}", self.settings.journalctl.display()),
            error: io::Error::other(why),
        }
    }

    /// Reads what is there, up to a chunk's worth of entries.
    fn read(&mut self, made: &mut Made) -> Result<(), SourceError> {
        while made.bytes.len() < ENOUGH {
            let Some(running) = &mut self.running else { return Ok(()) };
            if running.unread.is_empty() {
                match running.child.read(&mut self.room) {
                    Ok(Got::Bytes(count)) => running.unread.extend_from_slice(&self.room[..count]),
                    Ok(Got::Nothing) => return Ok(()),
                    // What was read before is handed out first; the end is found again by the next call.
                    Ok(Got::Ended) if !made.is_empty() => return Ok(()),
                    Ok(Got::Ended) => {
                        let verdict = self.running.take().map(|running| running.child.verdict());
                        return Err(self.failed(verdict.unwrap_or_default()));
                    }
                    Err(error) => return Err(self.failed(error.to_string())),
                }
            }
            self.take_entries(made)?;
        }
        Ok(())
    }

    fn take_entries(&mut self, made: &mut Made) -> Result<(), SourceError> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        let mut unread = running.unread.as_slice();
        let broken = loop {
            match running.reader.read(&mut unread) {
                Ok(Some(entry)) => self.take(&entry, &mut running.expects, made),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        running.unread.clear();
        if broken {
            self.broken += 1;
            return Err(self.failed("its output is not in the export format".into()));
        }
        self.running = Some(running);
        Ok(())
    }

    fn take(&mut self, entry: &Entry, expects: &mut Option<String>, made: &mut Made) {
        let Some(cursor) = entry::cursor(entry) else { return };
        self.failures = 0;
        self.instead = None;
        self.look_for_holes(entry);
        if let Some(saved) = expects.take() {
            if resume::same_entry(&saved, cursor) {
                return;
            }
            self.gaps += 1;
            tracing::warn!("the journal's entry that was read last is gone; entries after it may be missing");
        } else if self.cursor.as_deref().is_some_and(|last| resume::same_entry(last, cursor)) {
            return;
        }
        self.cursor = Some(cursor.to_owned());
        let at = self.at.offset;
        self.at.offset += 1;
        if entry::is_own(entry, &self.own) {
            return;
        }
        let too_long = !self.plan.text(entry, &mut self.text);
        if self.text.is_empty() && !too_long {
            return;
        }
        let (host, service) = (entry::host(entry), entry::service(entry));
        made.add(&self.text, &Known { at, facts: entry::facts(entry), host, service, too_long });
    }

    /// Numbers follow each other as long as all units are read.
    fn look_for_holes(&mut self, entry: &Entry) {
        let Some((number, id)) = entry::sequence(entry).filter(|_| self.settings.units.is_empty()) else { return };
        if let Some((last, counts_in)) = &self.sequence
            && counts_in == id
            && number > last + 1
        {
            self.gaps += 1;
            // At 1, 2, 4, 8 …: enough to be noticed, too few to flood.
            if self.gaps.is_power_of_two() {
                tracing::warn!(
                    entries = number - last - 1,
                    holes = self.gaps,
                    "journal entries are missing, or not readable for this user"
                );
            }
        }
        self.sequence = Some((number, id.to_vec()));
    }

    /// A cursor of the future yields nothing for ever: then the time tells where to go on.
    fn look_for_silence(&mut self) {
        let Some(running) = &self.running else { return };
        let Some(cursor) = running.expects.as_ref().filter(|_| running.since.elapsed() >= FIRST_ENTRY) else { return };
        let now = u64::try_from(stream_ids::now()).unwrap_or_default() * 1000;
        self.instead = Some(resume::instead_of(cursor, now));
        self.gaps += 1;
        tracing::warn!("nothing comes from the saved place of the journal; going on by time, entries may come twice");
        self.running = None;
    }
}

impl Source for Journal {
    fn fill(&mut self, buffer: Vec<u8>) -> Result<Fill, SourceError> {
        if let Some(error) = self.owed.take() {
            return Err(error);
        }
        if self.running.is_none() {
            if self.start_at.is_some_and(|at| at > Instant::now()) {
                return Ok(Fill::Idle);
            }
            self.start()?;
        }
        let from = self.at;
        let mut made = Made { bytes: buffer, ..Made::default() };
        made.bytes.clear();
        let read = self.read(&mut made);
        self.look_for_silence();
        if self.at == from {
            return read.map(|()| Fill::Idle);
        }
        self.owed = read.err();
        let resume = Resume::AtEnd(self.cursor.clone().unwrap_or_default().into_bytes());
        let (info, to, layout) = (self.info.clone(), self.at, Some(made.layout));
        Ok(Fill::Chunk(Chunk { info, bytes: made.bytes, from, to, resume, last: false, oversize: false, layout }))
    }

    fn met(&self) -> Met {
        Met { gaps: self.gaps, malformed: self.broken, ..Met::default() }
    }

    fn wait(&mut self, limit: Duration) {
        match &self.running {
            Some(running) => _ = running.child.wait(limit),
            None => std::thread::sleep(limit),
        }
    }
}
