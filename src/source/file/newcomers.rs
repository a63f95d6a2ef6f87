//! Files that have just been found and of which it is not yet clear who they are: empty ones, and ones that
//! begin like a file that is followed. They are held open meanwhile, so nothing of them can be lost.

use crate::source::content::Content;
use crate::source::copies::{self, Judged, Kin, Past, Reached};
use crate::source::identity::{IdentityKey, Inode, Stat, stat};
use crate::source::tail::Tail;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A file that does not change for this long is what it is now.
pub(super) const SETTLE: Duration = Duration::from_secs(10);

/// Files held.
#[derive(Default)]
pub(super) struct Newcomers(HashMap<Inode, Held>);

struct Held {
    file: File,
    path: PathBuf,
    /// As it was when it was judged last.
    seen: Stat,
    changed: Instant,
    /// A path leads to it.
    named: bool,
}

/// Who a newcomer is.
pub(super) enum Verdict {
    /// A file of its own.
    New,
    /// It goes on where another one has been read to.
    GoesOn(Box<Reached>),
    /// It may yet turn out to be one or the other.
    Wait,
}

/// A newcomer that is to be followed from now on.
pub(super) struct Known {
    pub(super) content: Content,
    pub(super) seen: Stat,
    pub(super) path: PathBuf,
    /// A path leads to it.
    pub(super) named: bool,
    pub(super) goes_on: Option<Reached>,
}

impl Newcomers {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Says that no path is known to lead anywhere, before all paths are gone through.
    pub(super) fn begin_sweep(&mut self) {
        self.0.values_mut().for_each(|held| held.named = false);
    }

    /// True when the file at this path is held.
    pub(super) fn is_at(&mut self, inode: &Inode, path: &Path) -> bool {
        let Some(held) = self.0.get_mut(inode) else { return false };
        held.named = true;
        if held.path != path {
            held.path = path.to_owned();
        }
        true
    }

    /// Holds a file.
    pub(super) fn hold(&mut self, file: File, seen: Stat, path: PathBuf) {
        let held = Held { file, path, seen: Stat { size: u64::MAX, ..seen }, changed: Instant::now(), named: true };
        self.0.insert(seen.inode, held);
    }

    /// As if all had stayed as they are for long enough.
    #[cfg(test)]
    pub(super) fn let_settle(&mut self) {
        self.0.values_mut().for_each(|held| held.changed = Instant::now() - SETTLE);
    }

    /// Those that are to be followed now; empty ones that no path leads to any more are let go.
    pub(super) fn decide(&mut self, judge: &Judge<'_>) -> Vec<Known> {
        let mut known = Vec::new();
        let inodes: Vec<Inode> = self.0.keys().copied().collect();
        for inode in inodes {
            let Some(held) = self.0.get_mut(&inode) else { continue };
            let Ok(seen) = stat(&held.file) else { continue };
            if seen != held.seen {
                (held.seen, held.changed) = (seen, Instant::now());
            } else if held.changed.elapsed() < SETTLE && held.named {
                continue;
            }
            let settled = !held.named || held.changed.elapsed() >= SETTLE;
            let verdict = held.file.try_clone().and_then(|file| judge.judge(file, &seen, settled));
            let (content, goes_on) = match verdict {
                Ok((_, Verdict::Wait)) if seen.size > 0 || held.named => continue,
                Ok((_, Verdict::Wait)) => (None, None),
                Ok((content, Verdict::New)) => (Some(content), None),
                Ok((content, Verdict::GoesOn(reached))) => (Some(content), Some(*reached)),
                Err(_) => continue,
            };
            let Some(held) = self.0.remove(&inode) else { continue };
            let (path, named) = (held.path, held.named);
            known.extend(content.map(|content| Known { content, seen, path, named, goes_on }));
        }
        known
    }
}

/// What a newcomer is compared with.
pub(super) struct Judge<'a> {
    pub(super) key: &'a IdentityKey,
    pub(super) past: &'a Past,
    /// Files that are followed, each with its place.
    pub(super) live: Vec<(&'a Tail, Reached)>,
}

impl Judge<'_> {
    /// Who this file is. `settled`: it has not changed for a while.
    ///
    /// # Errors
    /// It cannot be read, or is packed in a way that is not read.
    pub(super) fn judge(&self, file: File, seen: &Stat, settled: bool) -> io::Result<(Content, Verdict)> {
        let (content, clear) = Content::of(file)?;
        if seen.size == 0 || (!clear && !settled) {
            return Ok((content, Verdict::Wait));
        }
        let Judged { goes_on, short } = self.past.judge(self.key, &content);
        let verdict = match (goes_on, short) {
            (Some(reached), _) => Verdict::GoesOn(Box::new(reached)),
            (None, Some(reached)) if settled => Verdict::GoesOn(Box::new(reached)),
            (None, Some(_)) => Verdict::Wait,
            (None, None) if content.is_packed() => self.packed(&content, settled),
            (None, None) => self.beside_others(&content, seen, settled),
        };
        Ok((content, verdict))
    }

    /// A file that is not packed, compared with those that are followed and begin alike.
    fn beside_others(&self, content: &Content, seen: &Stat, settled: bool) -> Verdict {
        let mut first = [0; copies::SHORTEST as usize];
        if content.read_exact_at(&mut first, 0).is_err() {
            return Verdict::New;
        }
        let head = Some(self.key.mark(&first));
        for (tail, reached) in self.live.iter().filter(|(tail, _)| tail.head == head) {
            // Renamed over a file that was read: what it holds beyond is new, once that has been read to its end.
            if tail.gone && tail.seen.links == 0 && reached.kin(self.key, content) == Kin::GoesOn {
                return match tail.offset >= tail.seen.size {
                    true => Verdict::GoesOn(Box::new(reached.clone())),
                    false => Verdict::Wait,
                };
            }
            let part = || copies::is_part_of(content, seen.size, &tail.content, tail.seen.size);
            // Truncated while they were compared: the place it was read to is known at the next look.
            let shrunk = || stat(tail.content.file()).is_ok_and(|now| now.size < tail.seen.size);
            if (!settled && part()) || shrunk() {
                return Verdict::Wait;
            }
        }
        Verdict::New
    }

    /// A packed file beside its original: the original is read to its end.
    fn packed(&self, content: &Content, settled: bool) -> Verdict {
        let mut waits = false;
        for (tail, reached) in &self.live {
            match reached.kin(self.key, content) {
                Kin::GoesOn if settled && tail.offset >= tail.seen.size => {
                    return Verdict::GoesOn(Box::new(reached.clone()));
                }
                Kin::GoesOn | Kin::Short(_) => waits = true,
                Kin::Other => {}
            }
        }
        if waits && !settled { Verdict::Wait } else { Verdict::New }
    }
}
