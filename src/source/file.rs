//! Follows files: a sweep every few seconds is the truth about which files there are and which of them
//! changed; inotify only says earlier what a sweep would find.
//!
//! Invariants: a stream's identity is durable before its first chunk; a file that was opened is kept open,
//! whatever becomes of its name, until its last byte is durable; files take turns, one read each.

mod parts;

pub use parts::{OpenError, Parts, Saved, Settings, StartAt};

use super::checkpoint::{Known, Registry};
use super::contract::{Durable, Fill, Met, Source, SourceError, StreamInfo};
use super::discover::{Finder, Listing};
use super::identity::{IdentityKey, Inode, Mark, PREFIX, Stat, stat};
use super::tail::{Look, Read, Tail};
use super::watch::{Hint, Watch};
use crate::record::{Position, StreamId};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time between two sweeps.
const SWEEP: Duration = Duration::from_secs(5);
/// The same where the kernel gives no hints.
const SWEEP_BLIND: Duration = Duration::from_secs(1);
/// Shortest time between two sweeps, however many hints ask for one.
const SWEEP_HINTED: Duration = Duration::from_millis(50);
/// A file without a name counts as ended when it has not changed for this long.
const SETTLE_UNLINKED: Duration = Duration::from_secs(5);
/// The same for a file that was moved away: its writer may be slow to open the new one.
const SETTLE_MOVED: Duration = Duration::from_secs(300);
/// How far back the last line end is searched for `start_at: end`, bytes.
const LOOK_BACK: u64 = 1 << 20;

/// The source.
pub struct FileSource {
    finder: Finder,
    start_at: StartAt,
    source: usize,
    key: IdentityKey,
    registry: Registry,
    /// The identities as they were before this start, until the first sweep is over.
    earlier: Vec<Known>,
    saved: HashMap<StreamId, Saved>,
    durable: Durable,
    tails: HashMap<StreamId, Tail>,
    by_inode: HashMap<Inode, StreamId>,
    by_path: HashMap<PathBuf, StreamId>,
    ready: VecDeque<StreamId>,
    watch: Watch,
    swept: Option<Instant>,
    /// What the last sweep took.
    cost: Duration,
    hurry: bool,
    /// Paths that could not be opened, told once.
    refused: HashSet<PathBuf>,
}

impl FileSource {
    /// Builds the source; files are looked for at the first [`Source::fill`].
    ///
    /// # Errors
    /// [`OpenError`]: a pattern or the stored identities cannot be used.
    pub fn open(parts: Parts<'_>) -> Result<FileSource, OpenError> {
        let Parts { settings, source, state, registry, host_key, saved, durable } = parts;
        let finder = Finder::new(&settings.include, &settings.exclude, state).map_err(OpenError::Pattern)?;
        let path = state.join(registry);
        let registry = Registry::load(path.clone()).map_err(|e| OpenError::Registry(path, e))?;
        if registry.was_damaged() {
            tracing::warn!(source, "stored file identities were damaged; files are read from their beginning");
        }
        Ok(FileSource {
            finder,
            start_at: settings.start_at,
            source,
            key: IdentityKey::new(host_key),
            earlier: registry.known().cloned().collect(),
            registry,
            saved,
            durable,
            tails: HashMap::new(),
            by_inode: HashMap::new(),
            by_path: HashMap::new(),
            ready: VecDeque::new(),
            watch: Watch::new(),
            swept: None,
            cost: Duration::ZERO,
            hurry: false,
            refused: HashSet::new(),
        })
    }

    fn sweep_due(&self) -> bool {
        let Some(swept) = self.swept else { return true };
        let pause = match (self.hurry, self.watch.works()) {
            // Hints may come without pause: sweeping must not take more than a small part of a core.
            (true, _) => SWEEP_HINTED.max(self.cost * 50).min(SWEEP),
            (false, true) => SWEEP,
            (false, false) => SWEEP_BLIND,
        };
        swept.elapsed() >= pause
    }

    /// One look at everything: new files, moved ones, changed ones, ended ones.
    fn sweep(&mut self) -> Result<(), SourceError> {
        let (first, begun) = (self.swept.is_none(), Instant::now());
        self.hurry = false;
        let listing = self.finder.list();
        self.watch.folders(&listing.folders);
        self.by_path.clear();
        self.tails.values_mut().for_each(|tail| tail.gone = true);
        let mut fresh = Vec::new();
        for path in &listing.files {
            match self.seen_at(path) {
                Some(stream) => self.rename(stream, path),
                None => fresh.push(path),
            }
        }
        for path in fresh {
            self.open_path(path, first);
        }
        if first {
            self.find_moved(&listing);
            self.earlier = Vec::new();
        }
        self.look_at_all();
        self.swept = Some(Instant::now());
        self.cost = begun.elapsed();
        self.save()
    }

    /// The stream whose file stands at `path` now.
    fn seen_at(&self, path: &Path) -> Option<StreamId> {
        let meta = std::fs::metadata(path).ok()?;
        let born = meta.created().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        let born = born.map(|d| d.as_nanos() as i128);
        self.by_inode.get(&Inode { device: device(meta.dev()), number: meta.ino(), born }).copied()
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

    fn open_path(&mut self, path: &Path, first: bool) {
        let opened = self.finder.open(path).and_then(|file| Ok((stat(&file)?, file)));
        match opened {
            Ok((seen, file)) if seen.regular => {
                self.refused.remove(path);
                match self.by_inode.get(&seen.inode) {
                    Some(&stream) => self.rename(stream, path),
                    None => self.follow(file, seen, path, first),
                }
            }
            Ok(_) => self.refuse(path, "it is not a regular file".into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.refuse(path, error.to_string()),
        }
    }

    fn refuse(&mut self, path: &Path, why: String) {
        if self.refused.insert(path.to_owned()) {
            tracing::warn!(source = self.source, refused = self.refused.len(), why, "a matching file is not read");
        }
    }

    /// Decides who a file is, and where it goes on.
    fn follow(&mut self, file: File, seen: Stat, path: &Path, first: bool) {
        let old = self.registry.known().find(|known| known.inode == seen.inode).cloned();
        let known = match old {
            Some(known) => match self.goes_on(&known, &file, seen.size) {
                true => known,
                false => self.rewritten(known, &file, &seen),
            },
            None => self.new_stream(&file, &seen, first),
        };
        let saved = self.saved.get(&known.stream).filter(|s| s.position.generation == known.generation);
        let begin = Position { generation: known.generation, offset: known.begin };
        let from = saved.map_or(begin, |s| s.position.max(begin));
        let info = StreamInfo { stream: known.stream, source: self.source, path: Some(path.to_owned()) };
        let mut tail = Tail::new(file, path.to_owned(), Arc::new(info), seen, from);
        tail.mark = saved.and_then(|s| Mark::from_bytes(&s.resume));
        let gaps = saved.into_iter().flat_map(|s| &s.gaps);
        tail.gaps = gaps.map(|(a, b)| (a.offset.max(known.begin), b.offset)).filter(|(a, b)| a < b).collect();
        self.by_inode.insert(seen.inode, known.stream);
        self.by_path.insert(path.to_owned(), known.stream);
        self.tails.insert(known.stream, tail);
        self.registry.enter(known.clone());
        self.queue(known.stream);
    }

    /// True when the file still begins as it did and holds, before the saved position, what was read there.
    fn goes_on(&self, known: &Known, file: &File, size: u64) -> bool {
        let Some(saved) = self.saved.get(&known.stream) else {
            return self.key.matches(file, u64::from(known.prefix.len), known.prefix);
        };
        if saved.position.generation != known.generation {
            // The rewrite was noticed, but nothing of the new content became durable.
            return self.key.matches(file, u64::from(known.prefix.len), known.prefix);
        }
        let marked =
            Mark::from_bytes(&saved.resume).is_none_or(|mark| self.key.matches(file, saved.position.offset, mark));
        size >= saved.position.offset && marked && self.key.matches(file, u64::from(known.prefix.len), known.prefix)
    }

    fn rewritten(&self, known: Known, file: &File, seen: &Stat) -> Known {
        let saved = self.saved.get(&known.stream).map_or(0, |s| s.position.generation);
        let generation = known.generation.max(saved) + 1;
        let prefix = self.key.prefix(file, seen.size).unwrap_or_default();
        Known { generation, prefix, begin: 0, ..known }
    }

    fn new_stream(&self, file: &File, seen: &Stat, first: bool) -> Known {
        let begin = match (first, self.registry.is_first_start(), self.start_at) {
            (true, true, StartAt::End) => last_line_end(file, seen.size),
            (true, false, _) => self.copied_up_to(file, seen.size),
            _ => 0,
        };
        let prefix = self.key.prefix(file, seen.size).unwrap_or_default();
        Known { stream: new_id(), inode: seen.inode, prefix, begin, generation: 0 }
    }

    /// A file that was not there before the start, but begins and goes on like one that was: its copy (or
    /// the file itself, moved across file systems). What had been read of that one is not read again.
    fn copied_up_to(&self, file: &File, size: u64) -> u64 {
        let is_copy = |known: &Known| {
            let saved = self.saved.get(&known.stream)?;
            let mark = Mark::from_bytes(&saved.resume)?;
            let whole = usize::from(known.prefix.len) == PREFIX && saved.position.generation == known.generation;
            let same = whole
                && saved.gaps.is_empty()
                && saved.position.offset <= size
                && self.key.matches(file, PREFIX as u64, known.prefix)
                && self.key.matches(file, saved.position.offset, mark);
            same.then_some(saved.position.offset)
        };
        self.earlier.iter().filter_map(is_copy).max().unwrap_or(0)
    }

    /// Files that were followed before the start and are found under a name that no pattern matches.
    fn find_moved(&mut self, listing: &Listing) {
        let missing: HashSet<(u64, u64)> = self
            .registry
            .known()
            .filter(|known| !self.tails.contains_key(&known.stream))
            .map(|known| (known.inode.device, known.inode.number))
            .collect();
        if missing.is_empty() {
            return;
        }
        for entry in listing.folders.iter().filter_map(|f| std::fs::read_dir(f).ok()).flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_file() && missing.contains(&(device(meta.dev()), meta.ino())) {
                self.open_moved(&entry.path());
            }
        }
    }

    fn open_moved(&mut self, path: &Path) {
        let Ok(file) = self.finder.open(path) else { return };
        let Ok(seen) = stat(&file) else { return };
        let known = self.registry.known().find(|known| known.inode == seen.inode).cloned();
        if let Some(known) = known
            && seen.regular
            && self.goes_on(&known, &file, seen.size)
        {
            self.follow(file, seen, path, true);
            self.by_path.remove(path);
            if let Some(tail) = self.tails.get_mut(&known.stream) {
                tail.gone = true;
            }
        }
    }

    /// Queues what changed, closes what has ended, lets short prefixes grow.
    fn look_at_all(&mut self) {
        let streams: Vec<StreamId> = self.tails.keys().copied().collect();
        for stream in streams {
            let Some(tail) = self.tails.get(&stream) else { continue };
            let now = stat(&tail.file).ok();
            let changed = now.is_none_or(|now| now != tail.seen);
            if changed || tail.gone {
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
        }
    }

    fn grow_prefix(&mut self, stream: StreamId) {
        let (Some(tail), Some(known)) = (self.tails.get(&stream), self.registry.get(stream)) else { return };
        if let Ok(prefix) = self.key.prefix(&tail.file, tail.seen.size) {
            let grown = Known { prefix, generation: tail.generation, ..known.clone() };
            self.registry.enter(grown);
        }
    }

    fn queue(&mut self, stream: StreamId) {
        if let Some(tail) = self.tails.get_mut(&stream)
            && !std::mem::replace(&mut tail.queued, true)
        {
            self.ready.push_back(stream);
        }
    }

    fn save(&mut self) -> Result<(), SourceError> {
        let failed = |error| SourceError { what: "store the identities of files".into(), error };
        self.registry.save().map_err(failed)
    }

    /// One file's turn.
    fn turn(&mut self, stream: StreamId, buffer: Vec<u8>) -> Result<Turn, SourceError> {
        let Some(tail) = self.tails.get_mut(&stream) else { return Ok(Turn::Nothing(buffer)) };
        tail.queued = false;
        let failed = |error| SourceError { what: "read a followed file".into(), error };
        match tail.look(&self.key).map_err(failed)? {
            Look::Rewritten => {
                tail.ended = false;
                let prefix = self.key.prefix(&tail.file, tail.seen.size).map_err(failed)?;
                let (generation, inode) = (tail.generation, tail.seen.inode);
                self.registry.enter(Known { stream, inode, prefix, begin: 0, generation });
                tracing::info!(source = self.source, generation, "a file was truncated or rewritten");
                self.save()?;
            }
            Look::Changed => tail.ended = false,
            Look::Same => {}
        }
        let Some(tail) = self.tails.get_mut(&stream) else { return Ok(Turn::Nothing(buffer)) };
        let settled = tail.gone && tail.changed.elapsed() >= settle_time(&tail.seen);
        match tail.read(buffer, settled).map_err(failed)? {
            Read::Chunk(chunk) => {
                if chunk.to == tail.position() {
                    tail.remember(&self.key, &chunk);
                }
                self.queue(stream);
                Ok(Turn::Chunk(chunk))
            }
            Read::Again(buffer) => {
                self.queue(stream);
                Ok(Turn::Nothing(buffer))
            }
            Read::Nothing(buffer) if settled => Ok(self.finish(stream, buffer)),
            Read::Nothing(buffer) => Ok(Turn::Nothing(buffer)),
        }
    }

    /// A file whose end is reached and that no name leads to: its end is handed out once, and when that is
    /// durable the file is closed.
    fn finish(&mut self, stream: StreamId, buffer: Vec<u8>) -> Turn {
        let Some(tail) = self.tails.get_mut(&stream) else { return Turn::Nothing(buffer) };
        if !std::mem::replace(&mut tail.ended, true) {
            return Turn::Chunk(tail.end(buffer));
        }
        let begin = self.registry.get(stream).map_or(0, |known| known.begin);
        let safe = self.durable.position(stream).is_some_and(|at| at >= tail.position());
        if safe || tail.position().offset <= begin {
            self.by_inode.remove(&tail.seen.inode);
            self.tails.remove(&stream);
            self.registry.remove(stream);
            self.saved.remove(&stream);
            self.durable.end(stream);
        }
        Turn::Nothing(buffer)
    }
}

enum Turn {
    Chunk(super::contract::Chunk),
    Nothing(Vec<u8>),
}

impl Source for FileSource {
    fn streams(&self) -> usize {
        self.tails.len()
    }

    fn fill(&mut self, mut buffer: Vec<u8>) -> Result<Fill, SourceError> {
        if self.sweep_due() {
            self.sweep()?;
        }
        for _ in 0..self.ready.len() {
            let Some(stream) = self.ready.pop_front() else { break };
            match self.turn(stream, buffer) {
                Ok(Turn::Chunk(chunk)) => return Ok(Fill::Chunk(chunk)),
                Ok(Turn::Nothing(back)) => buffer = back,
                Err(error) => {
                    self.queue(stream);
                    return Err(error);
                }
            }
        }
        Ok(Fill::Idle)
    }

    fn met(&self) -> Met {
        let unread = self.tails.values().map(|tail| tail.seen.size.saturating_sub(tail.offset)).sum();
        Met { unread, closed: self.refused.len() as u64, ..Met::default() }
    }

    fn wait(&mut self, limit: Duration) {
        if !self.ready.is_empty() {
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

fn settle_time(seen: &Stat) -> Duration {
    if seen.links == 0 { SETTLE_UNLINKED } else { SETTLE_MOVED }
}

/// The device number in the form of [`stat`].
fn device(dev: u64) -> u64 {
    u64::from(rustix::fs::major(dev)) << 32 | u64::from(rustix::fs::minor(dev))
}

fn new_id() -> StreamId {
    let mut id = [0; 16];
    match getrandom::fill(&mut id) {
        Ok(()) => StreamId(id),
        // The kernel's random source cannot fail once it is seeded; time and process keep ids apart anyway.
        Err(_) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            StreamId((now.as_nanos() ^ u128::from(std::process::id()) << 96).to_le_bytes())
        }
    }
}

fn last_line_end(file: &File, size: u64) -> u64 {
    let start = size.saturating_sub(LOOK_BACK);
    let mut bytes = vec![0; (size - start) as usize];
    match file.read_exact_at(&mut bytes, start).ok().and_then(|()| memchr::memrchr(b'\n', &bytes)) {
        Some(at) => start + at as u64 + 1,
        None if start == 0 => 0,
        None => size,
    }
}

#[cfg(test)]
mod tests;
