//! Follows files: a sweep every few seconds is the truth about which files there are and which of them
//! changed; inotify only says earlier what a sweep would find.
//!
//! Invariants: a stream's identity is durable before its first chunk; a file that was opened is kept open,
//! whatever becomes of its name, until its last byte is durable; files take turns, one read each; a file that
//! cannot be read rests for a while and stops no other.

mod copied;
mod meeting;
mod newcomers;
mod orphans;
mod parts;
mod turn;

pub use parts::{OpenError, Parts, Saved, Settings, StartAt};

use super::checkpoint::{Known, Registry};
use super::contract::{Durable, Fill, Met, Source, SourceError};
use super::copies::{Past, Reached};
use super::discover::Finder;
use super::identity::{IdentityKey, Inode, PREFIX, stat};
use super::tail::Tail;
use super::watch::{Hint, Watch};
use crate::record::StreamId;
use newcomers::Newcomers;
use orphans::Orphans;
use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use turn::{Failed, Turn};

/// Time between two sweeps.
const SWEEP: Duration = Duration::from_secs(5);
/// The same where the kernel gives no hints.
const SWEEP_BLIND: Duration = Duration::from_secs(1);
/// And never longer than this, however many files there are.
const SWEEP_SLOWEST: Duration = Duration::from_secs(15);
/// Shortest time between two sweeps, however many hints ask for one.
const SWEEP_HINTED: Duration = Duration::from_millis(50);
/// More than this waiting in files without a name is told, bytes.
const HELD_ALARM: u64 = 1 << 30;

/// The source.
pub struct FileSource {
    finder: Finder,
    start_at: StartAt,
    source: usize,
    key: IdentityKey,
    registry: Registry,
    /// Of sources that are configured no more; empty after the first sweep.
    abandoned: HashMap<Inode, Known>,
    /// Places reached in content that has gone, those of earlier starts included.
    past: Past,
    newcomers: Newcomers,
    orphans: Orphans,
    saved: HashMap<StreamId, Saved>,
    durable: Durable,
    tails: HashMap<StreamId, Box<Tail>>,
    /// Also of packed files that were read to their end and are closed.
    by_inode: HashMap<Inode, StreamId>,
    by_path: HashMap<PathBuf, StreamId>,
    ready: VecDeque<StreamId>,
    watch: Watch,
    swept: Option<Instant>,
    /// What the last sweep took of this thread's processor time, and in all.
    cost: [Duration; 2],
    hurry: bool,
    /// Paths that could not be opened, told once.
    refused: HashSet<PathBuf>,
    /// Folders that could not be read at the last sweep.
    unreadable: usize,
    /// Much waits in files without a name, and that was told.
    held_told: bool,
    /// Streams that have ended; told once their identities are stored no more.
    ending: Vec<StreamId>,
    /// Identities could not be stored: nothing is handed out before they are.
    unsaved: bool,
}

impl FileSource {
    /// Builds the source; files are looked for at the first [`Source::fill`].
    ///
    /// # Errors
    /// [`OpenError`]: a pattern or the stored identities cannot be used.
    pub fn open(parts: Parts<'_>) -> Result<FileSource, OpenError> {
        let Parts { settings, source, state, registry, abandoned, host_key, saved, durable } = parts;
        let finder = Finder::new(&settings.include, &settings.exclude, state).map_err(OpenError::Pattern)?;
        let path = state.join(registry);
        let registry = Registry::load(path.clone()).map_err(|e| OpenError::Registry(path, e))?;
        if registry.was_damaged() {
            tracing::warn!(source, "stored file identities were damaged; files are read from their beginning");
        }
        // What cannot be read there is as if it had never been.
        let others = abandoned.iter().filter_map(|name| Registry::read(&state.join(name)).ok()).flatten();
        Ok(FileSource {
            finder,
            // What is known of a copy's original stays behind: of the copy rather too much is read.
            abandoned: others.map(|known| (known.inode, Known { original: None, ..known })).collect(),
            start_at: settings.start_at,
            source,
            key: IdentityKey::new(host_key),
            past: Past::default(),
            newcomers: Newcomers::default(),
            orphans: Orphans::default(),
            registry,
            saved,
            durable,
            tails: HashMap::new(),
            by_inode: HashMap::new(),
            by_path: HashMap::new(),
            ready: VecDeque::new(),
            watch: Watch::new(),
            swept: None,
            cost: [Duration::ZERO; 2],
            hurry: false,
            refused: HashSet::new(),
            unreadable: 0,
            held_told: false,
            ending: Vec::new(),
            unsaved: false,
        })
    }

    fn sweep_due(&self) -> bool {
        let Some(swept) = self.swept else { return true };
        let [used, took] = self.cost;
        let pause = match (self.hurry, self.watch.works()) {
            // Hints may come without pause: sweeping must not take more than a small part of a core.
            (true, _) => SWEEP_HINTED.max(used * 50).min(SWEEP),
            // Looking at very many files in vain takes no more than a hundredth of a core.
            (false, true) => SWEEP.max(used * 100).min(SWEEP_SLOWEST),
            (false, false) => SWEEP_BLIND.max(used * 100).min(SWEEP_SLOWEST),
        };
        // A slow file system is given time for other things.
        swept.elapsed() >= pause.max(took.min(SWEEP_SLOWEST))
    }

    /// One look at everything: new files, moved ones, changed ones, ended ones.
    fn sweep(&mut self) -> Result<(), SourceError> {
        let (first, begun, used) = (self.swept.is_none(), Instant::now(), processor_time());
        if first {
            self.recall();
        }
        self.hurry = false;
        let listing = self.finder.list();
        self.watch.folders(&listing.folders);
        self.by_path.clear();
        self.newcomers.begin_sweep();
        self.tails.values_mut().for_each(|tail| tail.gone = true);
        self.unreadable = listing.unreadable;
        self.refused.retain(|path| listing.files.contains(path));
        let (mut fresh, mut closed) = (Vec::new(), HashSet::new());
        for path in &listing.files {
            match self.seen_at(path, &mut closed) {
                Some(Some(stream)) => self.rename(stream, path),
                Some(None) => {}
                None => fresh.push(path),
            }
        }
        for path in fresh {
            self.open_path(path, first);
        }
        if first {
            self.find_moved(&listing);
            self.recall_missing();
            self.abandoned = HashMap::new();
        }
        self.meet_newcomers();
        self.find_copies(&listing);
        self.forget_missing(&listing, &closed);
        self.past.age();
        self.look_at_all();
        self.tell_held();
        self.swept = Some(Instant::now());
        self.cost = [processor_time().saturating_sub(used), begun.elapsed()];
        self.save()
    }

    /// The stream whose file stands at `path` now; none within for a newcomer.
    fn seen_at(&mut self, path: &Path, closed: &mut HashSet<StreamId>) -> Option<Option<StreamId>> {
        let meta = std::fs::metadata(path).ok()?;
        let born = meta.created().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        let born = born.map(|d| d.as_nanos() as i128);
        let inode = Inode { device: device(meta.dev()), number: meta.ino(), born };
        if self.newcomers.is_at(&inode, path) {
            return Some(None);
        }
        let stream = *self.by_inode.get(&inode)?;
        if !self.tails.contains_key(&stream) {
            let modified = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
            let done = self.registry.get(stream).and_then(|known| known.done);
            if done != Some((meta.size(), modified)) {
                self.by_inode.remove(&inode);
                return None;
            }
            closed.insert(stream);
        }
        Some(Some(stream))
    }

    fn rename(&mut self, stream: StreamId, path: &Path) {
        self.by_path.insert(path.to_owned(), stream);
        if let Some(tail) = self.tails.get_mut(&stream) {
            tail.gone = false;
            if tail.path != path {
                tail.path = path.to_owned();
            }
        }
    }

    /// Queues what changed, closes what has ended, lets short prefixes grow.
    fn look_at_all(&mut self) {
        let followed: HashSet<StreamId> = self.tails.keys().copied().collect();
        for &stream in &followed {
            let Some(tail) = self.tails.get(&stream) else { continue };
            let now = stat(tail.content.file()).ok();
            let changed = now.is_none_or(|now| now != tail.seen);
            if changed || tail.gone || tail.content.is_packed() {
                self.queue(stream);
            }
            let size = now.map_or(0, |now| now.size);
            let short = self
                .registry
                .get(stream)
                .is_some_and(|known| usize::from(known.prefix.len) < PREFIX && u64::from(known.prefix.len) < size);
            if short && !changed {
                self.grow_prefix(stream);
            }
            self.settle_original(stream, &followed);
        }
    }

    fn grow_prefix(&mut self, stream: StreamId) {
        let (Some(tail), Some(known)) = (self.tails.get(&stream), self.registry.get(stream)) else { return };
        if let Ok(prefix) = self.key.prefix(&tail.content)
            && prefix != known.prefix
        {
            let grown = Known { prefix, generation: tail.generation, ..known.clone() };
            self.registry.enter(grown);
        }
    }

    /// Once everything read of a copy's original is durable, the copy is needed behind that place only.
    fn settle_original(&mut self, stream: StreamId, followed: &HashSet<StreamId>) {
        let Some(known) = self.registry.get(stream) else { return };
        if let Some((original, at)) = known.original
            && self.durable.position(original).map_or(!followed.contains(&original), |safe| safe >= at)
        {
            let begin = known.begin.max(at.offset);
            self.registry.enter(Known { begin, original: None, ..known.clone() });
        }
    }

    fn queue(&mut self, stream: StreamId) {
        if let Some(tail) = self.tails.get_mut(&stream)
            && !std::mem::replace(&mut tail.queued, true)
        {
            self.ready.push_back(stream);
        }
    }

    /// A file that could not be read is tried again later.
    fn rest(&mut self, stream: StreamId, error: &io::Error) {
        let Some(tail) = self.tails.get_mut(&stream) else { return };
        tail.rest();
        if tail.failures == 1 {
            tracing::warn!(source = self.source, %error, "a followed file cannot be read; trying again");
        }
        self.queue(stream);
    }

    fn save(&mut self) -> Result<(), SourceError> {
        // Of what is followed on, the saved place says how far it was read.
        let elsewhere = |reached: &&Reached| {
            self.registry.get(reached.stream).is_none_or(|k| k.generation != reached.at.generation)
        };
        let gone = self.past.open().filter(elsewhere).cloned().collect();
        self.registry.keep_past(gone);
        let saved = self.registry.save();
        self.unsaved = saved.is_err();
        if saved.is_ok() {
            self.ending.drain(..).for_each(|stream| self.durable.end(stream));
        }
        saved.map_err(|error| SourceError { what: "store the identities of files".into(), error })
    }

    /// Says so once when much waits in files that no name keeps alive: their space is not free.
    fn tell_held(&mut self) {
        let held = self.held();
        let told = std::mem::replace(&mut self.held_told, held > HELD_ALARM);
        if !told && self.held_told {
            tracing::warn!(
                code = "LV0801",
                source = self.source,
                mebibytes = held >> 20,
                "much waits in files that were moved away or deleted"
            );
        }
    }

    /// Bytes that wait in files which no pattern leads to any more.
    fn held(&self) -> u64 {
        let waiting = |tail: &Tail| {
            let safe = self.durable.position(tail.info.stream).filter(|at| at.generation == tail.generation);
            tail.seen.size.saturating_sub(safe.map_or(0, |at| at.offset))
        };
        let gone = self.tails.values().filter(|tail| tail.gone && !tail.content.is_packed());
        gone.map(|tail| waiting(tail)).sum()
    }
}

impl Source for FileSource {
    fn streams(&self) -> usize {
        self.tails.len() + self.newcomers.len()
    }

    fn fill(&mut self, mut buffer: Vec<u8>) -> Result<Fill, SourceError> {
        if self.sweep_due() {
            self.sweep()?;
        } else if self.unsaved {
            self.save()?;
        }
        for _ in 0..self.ready.len() {
            let Some(stream) = self.ready.pop_front() else { break };
            if self.tails.get(&stream).is_some_and(|tail| tail.rests()) {
                self.ready.push_back(stream);
                continue;
            }
            match self.turn(stream, buffer) {
                Ok(Turn::Chunk(chunk)) => return Ok(Fill::Chunk(chunk)),
                Ok(Turn::Nothing(back)) => buffer = back,
                Err(Failed::File(error)) => {
                    buffer = Vec::new();
                    self.rest(stream, &error);
                }
                Err(Failed::Source(error)) => {
                    self.queue(stream);
                    return Err(error);
                }
            }
        }
        Ok(Fill::Idle)
    }

    fn met(&self) -> Met {
        let plain = self.tails.values().filter(|tail| !tail.content.is_packed());
        let unread = plain.map(|tail| tail.seen.size.saturating_sub(tail.offset)).sum();
        let failing = self.tails.values().filter(|tail| tail.failures > 0).count();
        let closed = (self.refused.len() + self.unreadable + failing) as u64;
        Met { unread, closed, ..Met::default() }
    }

    fn wait(&mut self, limit: Duration) {
        if self.ready.iter().any(|stream| !self.tails.get(stream).is_some_and(|tail| tail.rests())) {
            return;
        }
        for hint in self.watch.wait(limit) {
            match hint {
                Hint::Changed(path) => match self.by_path.get(&path).copied() {
                    Some(stream) => self.queue(stream),
                    None => self.hurry |= self.finder.matches(&path) && !self.refused.contains(&path),
                },
                Hint::Sweep => self.hurry = true,
            }
        }
    }
}

/// The device number in the form of [`stat`].
fn device(dev: u64) -> u64 {
    u64::from(rustix::fs::major(dev)) << 32 | u64::from(rustix::fs::minor(dev))
}

fn since_epoch() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// What this thread has taken of the processor.
fn processor_time() -> Duration {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
