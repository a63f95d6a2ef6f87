//! What becomes of a file that is found: it goes on where an earlier start or another file of the same content
//! was read to, begins anew, or waits until that is clear.

use super::newcomers::Judge;
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
        if let Some(known) = known.or_else(|| self.abandoned.remove(&seen.inode)) {
            if known.done == Some((seen.size, seen.modified)) {
                self.by_inode.insert(seen.inode, known.stream);
                self.registry.enter(known);
                return Ok(());
            }
            let content = Content::of(file)?.0;
            self.resume(known, content, seen, path);
            return Ok(());
        }
        let content = Content::of(file.try_clone()?)?.0;
        let nothing_known = first && self.registry.is_first_start() && seen.size > 0;
        match (nothing_known, self.start_at) {
            (true, StartAt::End) => return self.skip(content, seen, path),
            (true, StartAt::Beginning) => self.begin(content, seen, path, None),
            // Judged when all files that are followed have been met: it may be the copy of one of them.
            (false, _) => self.newcomers.hold(file, seen, path.to_owned()),
        }
        Ok(())
    }

    /// Follows a file from its present end on.
    pub(super) fn skip(&mut self, content: Content, seen: Stat, path: &Path) -> io::Result<()> {
        if !content.is_packed() {
            let begin = last_line_end(&content, seen.size);
            let known = Known { begin, ..self.new_known(&content, &seen) };
            self.follow(known, content, seen, path);
            return Ok(());
        }
        self.key.prefix(&content)?;
        let known = Known { done: Some((seen.size, seen.modified)), ..self.new_known(&content, &seen) };
        self.by_inode.insert(seen.inode, known.stream);
        self.registry.enter(known);
        Ok(())
    }

    fn new_known(&self, content: &Content, seen: &Stat) -> Known {
        Known::new(new_id(), seen.inode, self.key.prefix(content).unwrap_or_default())
    }

    /// Goes on with a file of an earlier start, or begins anew where its content is another one.
    pub(super) fn resume(&mut self, known: Known, content: Content, seen: Stat, path: &Path) {
        let known = match self.goes_on(&known, &content, seen.size) {
            true => {
                self.past.forget(known.stream, known.generation);
                Known { done: None, missing: None, ..self.behind_original(known) }
            }
            false => {
                if let Some(reached) = self.reached_before(&known) {
                    self.orphans.add(reached.clone(), path.parent());
                    self.past.add(reached);
                }
                self.rewritten(known, &content)
            }
        };
        self.follow(known, content, seen, path);
    }

    /// Begins with a file that is new under this identity.
    pub(super) fn begin(&mut self, content: Content, seen: Stat, path: &Path, goes_on: Option<Reached>) {
        let mut known = self.new_known(&content, &seen);
        let Some(reached) = goes_on else {
            self.follow(known, content, seen, path);
            return;
        };
        known.begin = reached.from;
        let needed = Position { generation: reached.at.generation, offset: reached.from };
        // What was handed out of the original and is not durable yet must be found here after a crash.
        if let Some(safe) = self.safe(reached.stream).filter(|safe| *safe < needed) {
            known.begin = if safe.generation == needed.generation { safe.offset } else { 0 };
            known.original = Some((reached.stream, needed));
        }
        self.past.found(&reached);
        let stream = known.stream;
        self.follow(known, content, seen, path);
        if let Some(tail) = self.tails.get_mut(&stream) {
            tail.go_to(Position { generation: 0, offset: reached.from });
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
        self.tails.values_mut().for_each(|tail| tail.learn_head(&self.key));
        let live = self.tails.values().filter_map(|tail| Some((&**tail, self.reached(tail)?))).collect();
        let judge = Judge { key: &self.key, past: &self.past, live };
        for known in self.newcomers.decide(&judge) {
            let inode = known.seen.inode;
            self.begin(known.content, known.seen, &known.path, known.goes_on);
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
        Known { generation, ..Known::new(known.stream, known.inode, prefix) }
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
