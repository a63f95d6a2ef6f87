//! The running spool: batches in, batches out in sequence, acknowledged batches away.
//!
//! Invariants: what [`Spool::store`] accepted survives a crash (kind disk); the checkpoint on disk never
//! says more than the intake acknowledged, the operator dropped or a dead letter keeps; a file is unlinked
//! only after the checkpoint that makes it superfluous is durable. One thread stores, one acknowledges.

use super::frame::{self, Checkpoint};
use super::recover::{self, Recovered, quarantine};
use super::settings::{Kind, Settings, WhenFull};
use super::state_dir::{StateDir, StateDirError};
use crate::batch::{Batch, Header};
use crate::durable;
use crate::record::StreamId;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Left free on the disk for the checkpoint and the identities of files, bytes.
const RESERVE: u64 = 256 << 10;
/// And inodes.
const RESERVED_FILES: u64 = 4;

/// The spool.
pub struct Spool {
    state: StateDir,
    settings: Settings,
    queue: Mutex<Queue>,
    checkpoint: Mutex<Checkpoint>,
    /// Streams that have ended, each with the newest batch that may hold records of it.
    ended: Mutex<Vec<(u64, StreamId)>>,
    /// Files put into quarantine since the last question.
    quarantined: AtomicU64,
    /// Up to this sequence nothing is dropped for want of room.
    landed: AtomicU64,
}

/// What waits.
struct Queue {
    waiting: BTreeMap<u64, Waiting>,
    bytes: u64,
    next: u64,
}

struct Waiting {
    len: u64,
    /// The batch itself, where the spool is memory.
    held: Option<Arc<Batch>>,
}

/// What became of batches handed to [`Spool::store`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stored {
    /// They are durable (disk) or taken (memory).
    Yes,
    /// There is no room until something is acknowledged; they stay with the caller.
    Full,
}

/// What waits for delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Batches.
    pub batches: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Spool {
    /// Opens the spool in `state` and says where each stream goes on.
    ///
    /// # Errors
    /// [`StateDirError`] when a file was written by a newer program or cannot be read.
    pub fn open(state: StateDir, settings: Settings) -> Result<(Spool, Recovered), StateDirError> {
        let found = recover::recover(&state)?;
        let waiting: BTreeMap<u64, Waiting> =
            found.files.iter().map(|(&sequence, &len)| (sequence, Waiting { len, held: None })).collect();
        let queue = Queue { bytes: found.files.values().sum(), waiting, next: found.next };
        let (queue, checkpoint) = (Mutex::new(queue), Mutex::new(found.checkpoint));
        let (ended, quarantined, landed) = (Mutex::default(), AtomicU64::new(0), AtomicU64::new(0));
        let spool = Spool { state, settings, queue, checkpoint, ended, quarantined, landed };
        Ok((spool, found.recovered))
    }

    /// The state directory it lives in.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// Where batches wait.
    pub fn kind(&self) -> Kind {
        self.settings.kind
    }

    /// What waits.
    pub fn usage(&self) -> Usage {
        let queue = self.queue();
        Usage { batches: queue.waiting.len() as u64, bytes: queue.bytes }
    }

    /// Gives the batches their sequence and makes them durable together. At the limit nothing is taken,
    /// unless the oldest are to be dropped: those are told to `dropped`.
    ///
    /// # Errors
    /// The file system refuses; nothing was taken and the call may be repeated.
    pub fn store(&self, batches: &mut [Batch], dropped: &mut dyn FnMut(&Header)) -> io::Result<Stored> {
        let framed: u64 = batches.iter().map(|batch| batch.body().len() as u64).sum();
        while !self.has_room(framed) {
            if self.settings.when_full == WhenFull::Block {
                return Ok(Stored::Full);
            }
            if !self.drop_oldest(dropped)? {
                return Ok(Stored::Full);
            }
        }
        let first = self.queue().next;
        for (batch, sequence) in batches.iter_mut().zip(first..) {
            batch.header.sequence = sequence;
        }
        let taken = match self.settings.kind {
            Kind::Disk => self.write_all(batches)?,
            Kind::Memory => batches.iter().map(|b| (b.body().len() as u64, Some(Arc::new(b.clone())))).collect(),
        };
        let mut queue = self.queue();
        for ((len, held), sequence) in taken.into_iter().zip(first..) {
            queue.bytes += len;
            queue.waiting.insert(sequence, Waiting { len, held });
        }
        queue.next = first + batches.len() as u64;
        Ok(Stored::Yes)
    }

    /// The oldest waiting batch. One whose file has been damaged since is put into quarantine and skipped;
    /// its source range is read again at the next start.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn next(&self) -> io::Result<Option<Arc<Batch>>> {
        self.next_after(0)
    }

    /// As [`Spool::next`], of those behind this sequence.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn next_after(&self, sequence: u64) -> io::Result<Option<Arc<Batch>>> {
        loop {
            let first =
                self.queue().waiting.range(sequence + 1..).next().map(|(&sequence, w)| (sequence, w.held.clone()));
            let (sequence, path) = match first {
                None => return Ok(None),
                Some((_, Some(held))) => return Ok(Some(held)),
                Some((sequence, None)) => (sequence, self.path(sequence)),
            };
            match std::fs::read(&path).map(frame::read_batch) {
                Ok(Ok(batch)) => return Ok(Some(Arc::new(batch))),
                Ok(Err(_)) => {
                    quarantine(self.state.path(), &path)?;
                    self.quarantined.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            self.remove(sequence);
        }
    }

    /// Files that [`Spool::next`] has put into quarantine since the last call.
    pub fn take_quarantined(&self) -> u64 {
        self.quarantined.swap(0, Ordering::Relaxed)
    }

    /// True while the batch has neither been acknowledged nor dropped.
    pub fn is_waiting(&self, sequence: u64) -> bool {
        self.queue().waiting.contains_key(&sequence)
    }

    /// Says that the intake has taken everything up to this sequence: it is not dropped for want of room.
    pub fn keep_until_acknowledged(&self, sequence: u64) {
        self.landed.fetch_max(sequence, Ordering::Relaxed);
    }

    /// Leaves streams that have ended out of the checkpoint, once what waits of them is acknowledged.
    pub fn forget(&self, ended: &[StreamId]) {
        let newest = self.queue().next - 1;
        let mut waiting = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(ended.iter().map(|&stream| (newest, stream)));
    }

    /// The intake has taken the batch: the checkpoint moves, then the file goes.
    ///
    /// # Errors
    /// The file system refuses; the call may be repeated.
    pub fn acknowledge(&self, header: &Header) -> io::Result<()> {
        if !self.is_waiting(header.sequence) {
            return Ok(());
        }
        let mut checkpoint = self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        let mut moved = checkpoint.clone();
        header.covers.iter().for_each(|covers| moved.ledger.apply(covers));
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let done: Vec<StreamId> = ended.iter().filter(|(last, _)| *last <= header.sequence).map(|e| e.1).collect();
        if !done.is_empty() {
            moved.ledger.forget(&done);
        }
        moved.acknowledged = header.sequence.max(moved.acknowledged);
        self.save(&moved)?;
        *checkpoint = moved;
        ended.retain(|(last, _)| *last > header.sequence);
        drop((checkpoint, ended));
        fail::fail_point!("spool-acknowledged", |_| Err(io::Error::other("injected")));
        if self.settings.kind == Kind::Disk {
            remove_file(&self.path(header.sequence))?;
        }
        self.remove(header.sequence);
        Ok(())
    }

    /// Keeps records that the intake refuses, as masked JSON, durable before the checkpoint may move.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn dead_letter(&self, sequence: u64, part: u32, json: &[u8]) -> io::Result<()> {
        let name = format!("{sequence:020}-{part:04}.json");
        durable::replace(&self.state.path().join("dead-letters").join(name), json, 0o600)
    }

    fn save(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        fail::fail_point!("spool-checkpoint", |_| Err(io::Error::other("injected")));
        durable::replace(&self.state.path().join("checkpoint"), &frame::checkpoint(checkpoint), 0o600)
    }

    fn has_room(&self, more: u64) -> bool {
        let queue = self.queue();
        queue.waiting.is_empty() || queue.bytes + more <= self.settings.max_bytes
    }

    /// False when the oldest makes room by itself: the intake has taken it, and its checkpoint is on the way.
    fn drop_oldest(&self, dropped: &mut dyn FnMut(&Header)) -> io::Result<bool> {
        if let Some(batch) = self.next()? {
            if batch.header.sequence <= self.landed.load(Ordering::Relaxed) {
                return Ok(false);
            }
            self.acknowledge(&batch.header)?;
            dropped(&batch.header);
        }
        Ok(true)
    }

    /// Leaves room on the disk for the checkpoint: without it nothing could be acknowledged and no file removed.
    fn leave_room(&self, more: u64) -> io::Result<()> {
        let there = rustix::fs::statvfs(self.state.path())?;
        let full = there.f_bavail.saturating_mul(there.f_frsize) < more + RESERVE;
        // A file system without a fixed number of inodes says 0 of 0.
        match full || (there.f_files > 0 && there.f_favail < RESERVED_FILES) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    /// Writes all under temporary names, then renames all, then syncs the directory once.
    fn write_all(&self, batches: &[Batch]) -> io::Result<Vec<(u64, Option<Arc<Batch>>)>> {
        self.leave_room(batches.iter().map(|batch| batch.body().len() as u64).sum())?;
        let written = self.write_temporary(batches).and_then(|sizes| self.publish(batches).map(|()| sizes));
        if written.is_err() {
            for batch in batches {
                let _ = std::fs::remove_file(self.temporary(batch.header.sequence));
                let _ = std::fs::remove_file(self.path(batch.header.sequence));
            }
        }
        Ok(written?.into_iter().map(|len| (len, None)).collect())
    }

    fn write_temporary(&self, batches: &[Batch]) -> io::Result<Vec<u64>> {
        let write = |batch: &Batch| {
            let head = frame::batch_head(batch);
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(self.temporary(batch.header.sequence))?;
            file.write_all(&head)?;
            fail::fail_point!("spool-half-written", |_| Err(io::Error::other("injected")));
            file.write_all(batch.body())?;
            file.sync_all()?;
            fail::fail_point!("spool-written", |_| Err(io::Error::other("injected")));
            Ok((head.len() + batch.body().len()) as u64)
        };
        batches.iter().map(write).collect()
    }

    fn publish(&self, batches: &[Batch]) -> io::Result<()> {
        for batch in batches {
            let sequence = batch.header.sequence;
            std::fs::rename(self.temporary(sequence), self.path(sequence))?;
            fail::fail_point!("spool-renamed", |_| Err(io::Error::other("injected")));
        }
        durable::sync_directory(&self.state.path().join("spool"))
    }

    fn path(&self, sequence: u64) -> PathBuf {
        self.state.path().join("spool").join(format!("{sequence:020}.batch"))
    }

    fn temporary(&self, sequence: u64) -> PathBuf {
        self.state.path().join("spool").join(format!("{sequence:020}.tmp"))
    }

    fn remove(&self, sequence: u64) {
        let mut queue = self.queue();
        if let Some(gone) = queue.waiting.remove(&sequence) {
            queue.bytes -= gone.len;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove_file(path: &std::path::Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
