//! What becomes of a file that is found: it goes on where an earlier start or another file of the same content
//! was read to, begins anew, or waits until that is clear.

use super::newcomers::{Judge, Verdict};
use super::{FileSource, StartAt, since_epoch};
use crate::record::{Position, StreamId};
use crate::source::checkpoint::Known;
use crate::source::content::Content;
use crate::source::contract::StreamInfo;
use crate::source::copies::Reached;
use crate::source::identity::{Mark, Stat, stat};
use crate::source::tail::{Look, Tail};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// How far back the last line end is searched for `start_at: end`, bytes.
const LOOK_BACK: u64 = 1 << 20;

impl FileSource {
    pub(super) fn open_path(&mut self, path: &Path, first: bool) {
        let opened = self.finder.open(path).and_then(|file| Ok((stat(&file)?, file)));
        let met = match opened {
            Ok((seen, file)) if seen.regular => match self.by_inode.get(&seen.inode) {
                Some(&stream) => {
                    self.rename(stream, path);
                    Ok(())
                }
                None => self.meet(file, seen, path, first),
            },
            Ok(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "it is not a regular file")),
            Err(error) => Err(error),
        };
        match met {
            Ok(()) => _ = self.refused.remove(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.refuse(path, &error),
        }
    }

    pub(super) fn refuse(&mut self, path: &Path, error: &io::Error) {
        if self.refused.insert(path.to_owned()) {
            let why = error.to_string();
            tracing::warn!(source = self.source, refused = self.refused.len(), why, "a matching file is not read");
        }
    }

    /// A file that is not followed yet: one of an earlier start, or a newcomer.
    pub(super) fn meet(&mut self, file: File, seen: Stat, path: &Path, first: bool) -> io::Result<()> {
        let known = self.registry.known().find(|known| known.inode == seen.inode).cloned();
        if let Some(known) = known {
            if known.done == Some((seen.size, seen.modified)) {
                self.by_inode.insert(seen.inode, known.stream);
                return Ok(());
            }
            let content = Content::of(file)?.0;
            self.resume(known, content, seen, path);
            return Ok(());
        }
        let very_first = first && self.registry.is_first_start();
        let judge = Judge { key: &self.key, past: &self.past, live: Vec::new() };
        let (content, verdict) = match first {
            true => judge.judge(file.try_clone()?, &seen, very_first)?,
            false => (Content::of(file.try_clone()?)?.0, Verdict::Wait),
        };
        let (begin, goes_on) = match verdict {
            _ if very_first && self.start_at == StartAt::End && seen.size > 0 => {
                return self.skip(content, seen, path);
            }
            Verdict::Wait => {
                self.newcomers.hold(file, seen, path.to_owned());
                return Ok(());
            }
            Verdict::New => (0, None),
            Verdict::GoesOn(reached) => (reached.from, Some(reached)),
        };
        self.begin(content, seen, path, begin, goes_on);
        Ok(())
    }

    /// Follows a file from its present end on.
    pub(super) fn skip(&mut self, content: Content, seen: Stat, path: &Path) -> io::Result<()> {
        if !content.is_packed() {
            let begin = last_line_end(&content, seen.size);
            self.begin(content, seen, path, begin, None);
            return Ok(());
        }
        let prefix = self.key.prefix(&content)?;
        let (stream, done) = (new_id(), Some((seen.size, seen.modified)));
        self.by_inode.insert(seen.inode, stream);
        self.registry.enter(Known { stream, inode: seen.inode, prefix, begin: 0, generation: 0, done, missing: None });
        Ok(())
    }

    /// Goes on with a file of an earlier start, or begins anew where its content is another one.
    pub(super) fn resume(&mut self, known: Known, content: Content, seen: Stat, path: &Path) {
        let known = match self.goes_on(&known, &content, seen.size) {
            true => {
                self.past.forget(known.stream);
                Known { done: None, missing: None, ..known }
            }
            false => {
                if let Some(reached) = self.reached_before(&known) {
                    self.orphans.add(reached, path.parent());
                }
                self.rewritten(known, &content)
            }
        };
        self.follow(known, content, seen, path);
    }

    /// Begins with a file that is new under this identity.
    pub(super) fn begin(&mut self, content: Content, seen: Stat, path: &Path, begin: u64, goes_on: Option<Reached>) {
        let prefix = self.key.prefix(&content).unwrap_or_default();
        let (stream, inode) = (new_id(), seen.inode);
        let mut known = Known { stream, inode, prefix, begin, generation: 0, done: None, missing: None };
        // What was handed out of the original and is not durable yet must be found here after a crash.
        let safe = goes_on.and_then(|reached| self.safe(reached.stream).map(|safe| (reached, safe)));
        if let Some((reached, safe)) = safe.filter(|(reached, safe)| *safe < reached.at) {
            known.begin = if safe.generation == reached.at.generation { safe.offset.min(begin) } else { 0 };
        }
        self.follow(known, content, seen, path);
        if let (Some(tail), Some((reached, _))) = (self.tails.get_mut(&stream), safe) {
            let from = Position { generation: 0, offset: begin };
            tail.go_to(from);
            tail.original = Some((reached.stream, reached.at));
        }
    }

    /// How far a stream is safe; none when it has ended, and all of it is.
    pub(super) fn safe(&self, stream: StreamId) -> Option<Position> {
        let nothing = self.tails.contains_key(&stream).then(Position::default);
        self.durable.position(stream).or(nothing)
    }

    /// Follows a file under its identity, from the place that is saved.
    pub(super) fn follow(&mut self, known: Known, content: Content, seen: Stat, path: &Path) {
        let saved = self.saved.get(&known.stream).filter(|s| s.position.generation == known.generation);
        let begin = Position { generation: known.generation, offset: known.begin };
        let from = saved.map_or(begin, |s| s.position.max(begin));
        let info = StreamInfo { stream: known.stream, source: self.source, path: Some(path.to_owned()) };
        let mut tail = Tail::new(content, path.to_owned(), Arc::new(info), seen, from);
        tail.mark = saved.and_then(|s| Mark::from_bytes(&s.resume));
        let gaps = saved.into_iter().flat_map(|s| &s.gaps);
        tail.gaps = gaps.map(|(a, b)| (a.offset.max(known.begin), b.offset)).filter(|(a, b)| a < b).collect();
        self.by_inode.insert(seen.inode, known.stream);
        self.by_path.insert(path.to_owned(), known.stream);
        self.tails.insert(known.stream, Box::new(tail));
        self.registry.enter(known.clone());
        self.queue(known.stream);
    }

    /// Decides about newcomers, and follows those that are clear.
    pub(super) fn meet_newcomers(&mut self) {
        if self.newcomers.len() == 0 {
            return;
        }
        // A newcomer may be the copy of a file that has been truncated since its last turn.
        let streams: Vec<StreamId> = self.tails.keys().copied().collect();
        for stream in streams {
            if !matches!(self.look(stream), Ok(Look::Same)) {
                self.queue(stream);
            }
        }
        let live = self.tails.values().filter_map(|tail| Some((&**tail, self.reached(tail)?))).collect();
        let judge = Judge { key: &self.key, past: &self.past, live };
        for known in self.newcomers.decide(&judge) {
            let begin = known.goes_on.map_or(0, |reached| reached.from);
            let inode = known.seen.inode;
            self.begin(known.content, known.seen, &known.path, begin, known.goes_on);
            self.set_gone(&inode, &known.path, !known.named);
        }
    }

    /// True when the file still begins as it did and holds, before the saved position, what was read there.
    pub(super) fn goes_on(&self, known: &Known, content: &Content, size: u64) -> bool {
        let begins = self.key.matches(content, u64::from(known.prefix.len), known.prefix);
        match self.saved.get(&known.stream) {
            // A rewrite that was noticed, but nothing of the new content became durable, counts as none.
            Some(saved) if saved.position.generation == known.generation && !content.is_packed() => {
                let mark = Mark::from_bytes(&saved.resume);
                let marked = mark.is_none_or(|mark| self.key.matches(content, saved.position.offset, mark));
                begins && size >= saved.position.offset && marked
            }
            _ => begins,
        }
    }

    pub(super) fn rewritten(&self, known: Known, content: &Content) -> Known {
        let saved = self.saved.get(&known.stream).map_or(0, |s| s.position.generation);
        let generation = known.generation.max(saved) + 1;
        let prefix = self.key.prefix(content).unwrap_or_default();
        Known { generation, prefix, begin: 0, done: None, missing: None, ..known }
    }
}

fn new_id() -> StreamId {
    let mut id = [0; 16];
    match getrandom::fill(&mut id) {
        Ok(()) => StreamId(id),
        // The kernel's random source cannot fail once it is seeded; time and process keep ids apart anyway.
        Err(_) => StreamId((since_epoch().as_nanos() ^ u128::from(std::process::id()) << 96).to_le_bytes()),
    }
}

fn last_line_end(content: &Content, size: u64) -> u64 {
    let start = size.saturating_sub(LOOK_BACK);
    let mut bytes = vec![0; (size - start) as usize];
    match content.read_exact_at(&mut bytes, start).ok().and_then(|()| memchr::memrchr(b'\n', &bytes)) {
        Some(at) => start + at as u64 + 1,
        None if start == 0 => 0,
        None => size,
    }
}
