//! A disk that loses power: it knows what programs see and what would still be there.
//!
//! What it grants is what file systems grant and no more. Content is durable after its sync, names after the
//! sync of their folder; a rename is there as a whole or not at all. Of what was not synced, power loss keeps
//! anything: of names any of the changes, of content any beginning, the rest missing or zeros. A sync that
//! failed has lost the content, whatever a later one says.

use crate::durable::{FileSystem, Free, Unsynced};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// What is to go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// From this step on nothing works: the process is gone.
    Dead,
    /// This step alone is refused, as by a broken disk.
    Refused,
    /// This step alone is refused, as by a full one.
    Full,
}

/// The disk; clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    seen: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    /// Changes of names since the syncs of their folders, oldest first.
    changes: Vec<Change>,
    contents: Vec<Content>,
    /// Steps until something goes wrong.
    fault: Option<(usize, Fault)>,
    dead: bool,
    capacity: u64,
    /// Bytes that somebody else fills.
    foreign: u64,
}

#[derive(Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    durable: usize,
    /// A sync has failed: nothing written before becomes durable.
    lost: bool,
}

#[derive(Clone)]
struct Change {
    gone: Option<PathBuf>,
    new: Option<(PathBuf, usize)>,
}

impl Disk {
    /// An empty disk.
    pub(super) fn new(capacity: u64) -> Disk {
        let disk = Disk::default();
        disk.state().capacity = capacity;
        disk
    }

    /// After so many more steps something goes wrong.
    pub(super) fn arm(&self, steps: usize, fault: Fault) {
        self.state().fault = Some((steps, fault));
    }

    /// True when the process is gone.
    pub(super) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// A new process finds everything as the old one left it.
    pub(super) fn restart(&self) {
        let mut state = self.state();
        (state.dead, state.fault) = (false, None);
    }

    /// Power is lost and comes back; `choice` decides what was on the way to the disk.
    pub(super) fn lose_power(&self, mut choice: u64) {
        let mut state = self.state();
        let mut draw = |below: u64| {
            // A plain generator: which image is drawn must follow from the case alone.
            choice = choice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (choice >> 33) % below
        };
        let changes = std::mem::take(&mut state.changes);
        changes.iter().filter(|_| draw(2) == 0).for_each(|change| change.apply(&mut state.durable));
        state.seen = state.durable.clone();
        for content in &mut state.contents {
            let unsynced = content.bytes.len() - content.durable;
            let kept = content.durable + draw(unsynced as u64 + 1) as usize;
            match draw(2) {
                0 => content.bytes.truncate(kept),
                _ => content.bytes[kept..].fill(0),
            }
            content.durable = content.bytes.len();
        }
        (state.dead, state.fault) = (false, None);
    }

    /// Somebody else fills the disk, all but so many bytes; none empties it again.
    pub(super) fn fill_but(&self, left: Option<u64>) {
        let mut state = self.state();
        state.foreign = 0;
        state.foreign = left.map_or(0, |left| state.free().saturating_sub(left));
    }

    /// Paths below a folder, in order.
    pub(super) fn paths(&self, folder: &Path) -> Vec<PathBuf> {
        self.state().seen.keys().filter(|path| path.parent() == Some(folder)).cloned().collect()
    }

    /// Content, faults or not.
    pub(super) fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        state.seen.get(path).map(|&file| state.contents[file].bytes.clone())
    }

    /// Changes one byte of a file.
    pub(super) fn damage(&self, path: &Path) {
        let mut state = self.state();
        let file = state.seen[path];
        let bytes = &mut state.contents[file].bytes;
        let last = bytes.len() - 1;
        bytes[last] ^= 0x40;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic while it is held")
    }

    /// The state, unless this step goes wrong.
    fn step(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        let due = match &mut state.fault {
            Some((0, fault)) => Some(*fault),
            Some((steps, _)) => {
                *steps -= 1;
                None
            }
            None => None,
        };
        if let Some(fault) = due {
            state.fault = None;
            state.dead |= fault == Fault::Dead;
            if fault != Fault::Dead {
                let full = io::Error::from(io::ErrorKind::StorageFull);
                return Err(if fault == Fault::Full { full } else { rustix::io::Errno::IO.into() });
            }
        }
        if state.dead {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe));
        }
        Ok(state)
    }
}

impl State {
    fn free(&self) -> u64 {
        let used: usize = self.seen.values().map(|&file| self.contents[file].bytes.len()).sum();
        self.capacity.saturating_sub(used as u64 + self.foreign)
    }

    fn change(&mut self, gone: Option<&Path>, new: Option<(&Path, usize)>) {
        let change = Change { gone: gone.map(Path::to_owned), new: new.map(|(path, file)| (path.to_owned(), file)) };
        change.apply(&mut self.seen);
        self.changes.push(change);
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        if let Some(gone) = &self.gone {
            names.remove(gone);
        }
        if let Some((path, file)) = &self.new {
            names.insert(path.clone(), *file);
        }
    }

    fn is_in(&self, folder: &Path) -> bool {
        let paths = self.gone.iter().chain(self.new.iter().map(|(path, _)| path));
        paths.into_iter().any(|path| path.parent() == Some(folder))
    }
}

impl FileSystem for Disk {
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Unsynced>> {
        assert_eq!(mode, 0o600, "what is written is ours alone");
        let mut state = self.step()?;
        if state.seen.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.contents.push(Content::default());
        let file = state.contents.len() - 1;
        state.change(None, Some((path, file)));
        Ok(Box::new(Writing { disk: self.clone(), file }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.step()?;
        let file = state.seen.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(state.contents[*file].bytes.clone())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        let file = *state.seen.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.change(Some(from), Some((to, file)));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        if !state.seen.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.change(Some(path), None);
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        drop(self.step()?);
        Ok(self.paths(folder))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        let (synced, left) = std::mem::take(&mut state.changes).into_iter().partition(|change| change.is_in(folder));
        state.changes = left;
        let synced: Vec<Change> = synced;
        synced.iter().for_each(|change| change.apply(&mut state.durable));
        Ok(())
    }

    fn free(&self, _: &Path) -> io::Result<Free> {
        Ok(Free { bytes: self.step()?.free(), files: None })
    }
}

struct Writing {
    disk: Disk,
    file: usize,
}

impl Unsynced for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.step()?;
        let room = state.free().min(bytes.len() as u64) as usize;
        state.contents[self.file].bytes.extend_from_slice(&bytes[..room]);
        match room < bytes.len() {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let stepped = self.disk.step().map(drop);
        let mut state = self.disk.state();
        let content = &mut state.contents[self.file];
        content.lost |= stepped.is_err();
        if !content.lost {
            content.durable = content.bytes.len();
        }
        stepped
    }
}
