//! Content that is found under another name or identity than it was read under: moved files, copies, packed files;
//! and what is gone for good.

use super::{FileSource, Saved, device, since_epoch};
use crate::record::{Position, StreamId};
use crate::source::checkpoint::Known;
use crate::source::content::Content;
use crate::source::copies::Reached;
use crate::source::discover::Listing;
use crate::source::identity::{Inode, Mark, stat};
use crate::source::tail::Tail;
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// How long the identity of a file that is not found is kept, seconds: its file system may be mounted later.
const MISSING: u64 = 7 * 86_400;

impl FileSource {
    /// Recalls the places of earlier starts in content that had gone from its file and whose copy was not found.
    pub(super) fn recall(&mut self) {
        for reached in self.registry.past().to_vec().into_iter().rev() {
            let saved = self.saved.get(&reached.stream).map(|saved| saved.position);
            let recalled = match saved {
                Some(at) if at.generation == reached.at.generation => self.reached_in(&reached),
                Some(at) if at.generation > reached.at.generation => Some(reached),
                None if self.registry.get(reached.stream).is_none() => Some(reached),
                _ => Some(self.unread(&reached)),
            };
            if let Some(recalled) = recalled {
                self.orphans.add(recalled.clone(), None);
                self.past.add(recalled);
            }
        }
    }

    /// The same content, of which nothing was safe.
    fn unread(&self, reached: &Reached) -> Reached {
        let at = Position { offset: 0, ..reached.at };
        Reached { at, mark: self.key.mark(&[]), from: 0, earlier: Vec::new(), ..reached.clone() }
    }

    /// The same content, up to the place that was saved.
    fn reached_in(&self, reached: &Reached) -> Option<Reached> {
        let saved = self.saved.get(&reached.stream)?;
        let mark = match Mark::from_bytes(&saved.resume) {
            Some(mark) => mark,
            None => return Some(self.unread(reached)),
        };
        // What was lost before the start was known to be lost then; what was never to be read counts as missing too.
        let from = match reached.from < reached.at.offset {
            true => first_missing(saved, 0),
            false => saved.position.offset,
        };
        Some(Reached { at: saved.position, mark, from, earlier: Vec::new(), ..reached.clone() })
    }

    /// Notes how far files were read that are not there any more.
    pub(super) fn recall_missing(&mut self) {
        let missing = self.registry.known().filter(|known| !self.tails.contains_key(&known.stream));
        let reached: Vec<Reached> = missing.filter_map(|known| self.reached_before(known)).collect();
        reached.into_iter().for_each(|reached| self.past.add(reached));
    }

    /// The place from which a copy is needed, now that it is known what was safe of its original at the last stop.
    pub(super) fn behind_original(&self, known: Known) -> Known {
        let Some((original, at)) = known.original.filter(|_| self.swept.is_none()) else { return known };
        let safe = match self.saved.get(&original) {
            Some(saved) if saved.position.generation > at.generation => at.offset,
            Some(saved) if saved.position.generation == at.generation => {
                let begin = self.registry.get(original).map_or(0, |known| known.begin);
                first_missing(saved, begin).min(at.offset)
            }
            Some(_) => 0,
            None if self.registry.get(original).is_some() => 0,
            None => at.offset,
        };
        Known { begin: known.begin.max(safe), original: None, ..known }
    }

    /// Files that were followed before the start and are found under a name that no pattern matches.
    pub(super) fn find_moved(&mut self, listing: &Listing) {
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

    pub(super) fn open_moved(&mut self, path: &Path) {
        let Ok(file) = self.finder.open(path) else { return };
        let Ok(seen) = stat(&file) else { return };
        let known = self.registry.known().find(|known| known.inode == seen.inode).cloned();
        if let Some(known) = known
            && seen.regular
            && let Ok((content, _)) = Content::of(file)
            && self.goes_on(&known, &content, seen.size)
        {
            self.past.forget(known.stream, known.generation);
            self.follow(Known { missing: None, ..self.behind_original(known) }, content, seen, path);
            self.set_gone(&seen.inode, path, true);
        }
    }

    /// Looks for copies of what an earlier start followed and this one does not find; forgets, in time, what is
    /// gone for good.
    pub(super) fn forget_missing(&mut self, listing: &Listing, closed: &HashSet<StreamId>) {
        let first = self.swept.is_none();
        let now = since_epoch().as_secs();
        let here = |known: &&Known| self.tails.contains_key(&known.stream) || closed.contains(&known.stream);
        let missing: Vec<Known> = self.registry.known().filter(|known| !here(known)).cloned().collect();
        let mut looking = false;
        for known in missing {
            match known.missing {
                _ if known.done.is_some() => self.forget(&known),
                Some(since) if since + MISSING < now => self.forget(&known),
                Some(_) if !first => {}
                since => {
                    if let Some(reached) = self.reached_before(&known) {
                        self.orphans.add(reached, None);
                        looking = true;
                    }
                    self.registry.enter(Known { missing: since.or(Some(now)), ..known });
                }
            }
        }
        if looking {
            self.find_copies(listing);
        }
    }

    /// Looks for copies of what is gone, under names that no pattern matches.
    pub(super) fn find_copies(&mut self, listing: &Listing) {
        let known = |inode: &Inode| self.by_inode.contains_key(inode);
        let found = self.orphans.search(&self.finder, &self.key, &listing.folders, &known);
        for copy in found {
            let inode = copy.seen.inode;
            tracing::info!(source = self.source, "what was not read of a truncated file is read in its copy");
            self.begin(copy.content, copy.seen, &copy.path, Some(copy.reached));
            self.set_gone(&inode, &copy.path, true);
        }
    }

    pub(super) fn set_gone(&mut self, inode: &Inode, path: &Path, gone: bool) {
        if let Some(tail) = self.by_inode.get(inode).and_then(|stream| self.tails.get_mut(stream)) {
            tail.gone = gone;
            if gone {
                self.by_path.remove(path);
            }
        }
    }

    /// How far a followed file has been read; none where it is too short to be told from others.
    pub(super) fn reached(&self, tail: &Tail) -> Option<Reached> {
        let known = self.registry.get(tail.info.stream)?;
        let from = tail.gaps.front().map_or(tail.offset, |gap| gap.0.min(tail.offset));
        let mark = tail.mark.unwrap_or(self.key.mark(&[]));
        let earlier = tail.places.iter().copied().filter(|(at, _)| *at < tail.offset).collect();
        Some(Reached { stream: known.stream, prefix: known.prefix, at: tail.position(), mark, from, earlier })
    }

    /// How far a file had been read at an earlier start.
    pub(super) fn reached_before(&self, known: &Known) -> Option<Reached> {
        let none =
            Saved { position: Position { generation: known.generation, offset: known.begin }, ..Saved::default() };
        let saved = self.saved.get(&known.stream).unwrap_or(&none);
        let at = saved.position;
        let mark = match Mark::from_bytes(&saved.resume) {
            Some(mark) => mark,
            None if at.offset == 0 => self.key.mark(&[]),
            None => return None,
        };
        let begin = self.behind_original(known.clone()).begin;
        let from = first_missing(saved, begin).min(at.offset);
        let (stream, prefix, earlier) = (known.stream, known.prefix, Vec::new());
        let reached = Reached { stream, prefix, at, mark, from, earlier };
        match at.generation == known.generation {
            true => Some(reached),
            false => Some(self.unread(&Reached { at: Position { generation: known.generation, ..at }, ..reached })),
        }
    }

    pub(super) fn forget(&mut self, known: &Known) {
        self.by_inode.remove(&known.inode);
        self.registry.remove(known.stream);
        self.saved.remove(&known.stream);
        self.ending.push(known.stream);
    }
}

/// The first place from `begin` on of which what follows is not safe.
fn first_missing(saved: &Saved, begin: u64) -> u64 {
    let gaps = saved.gaps.iter().map(|(from, to)| (from.offset.max(begin), to.offset));
    gaps.filter(|(from, to)| from < to).map(|(from, _)| from).min().unwrap_or(saved.position.offset)
}
