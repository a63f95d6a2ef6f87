//! The running spool: batches in, batches out in sequence, acknowledged batches away.
//!
//! Invariants: what [`Spool::store`] accepted survives a crash (kind disk); the checkpoint on disk never
//! says more than the intake acknowledged, the operator dropped or a dead letter keeps; a file is unlinked
//! only after the checkpoint that makes it superfluous is durable. One thread stores, one acknowledges.

use super::frame::{self, Checkpoint};
use super::recover::{self, Recovered, is_of_the_disk, quarantine};
use super::settings::{Kind, Settings, WhenFull};
use super::state_dir::{StateDir, StateDirError};
use crate::batch::{Batch, Header};
use crate::durable::{self, FileSystem};
use crate::record::StreamId;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Left free on the disk for the checkpoint and the identities of files, bytes.
const RESERVE: u64 = 256 << 10;
/// And inodes.
const RESERVED_FILES: u64 = 4;

/// The spool.
pub struct Spool {
    state: StateDir,
    disk: Arc<dyn FileSystem>,
    settings: Settings,
    queue: Mutex<Queue>,
    checkpoint: Mutex<Checkpoint>,
    /// Streams that have ended, each with the newest batch that may hold records of it.
    ended: Mutex<Vec<(u64, StreamId)>>,
    /// Files put into quarantine since the last question.
    quarantined: AtomicU64,
    /// Up to this sequence nothing is dropped for want of room.
    landed: AtomicU64,
    /// The batch that could not be read, and how often.
    unreadable: Mutex<(u64, u32)>,
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
        Spool::open_on(Arc::new(durable::Os), state, settings)
    }

    /// As [`Spool::open`], with the files of the spool on `disk`.
    pub(super) fn open_on(
        disk: Arc<dyn FileSystem>,
        state: StateDir,
        settings: Settings,
    ) -> Result<(Spool, Recovered), StateDirError> {
        let found = recover::recover(disk.as_ref(), state.path())?;
        let waiting: BTreeMap<u64, Waiting> =
            found.files.iter().map(|(&sequence, &len)| (sequence, Waiting { len, held: None })).collect();
        let queue = Queue { bytes: found.files.values().sum(), waiting, next: found.next };
        let (queue, checkpoint) = (Mutex::new(queue), Mutex::new(found.checkpoint));
        let (ended, quarantined, unreadable, landed) = Default::default();
        let spool = Spool { state, disk, settings, queue, checkpoint, ended, quarantined, unreadable, landed };
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
        let first = self.queue().next;
        for (batch, sequence) in batches.iter_mut().zip(first..) {
            batch.header.sequence = sequence;
        }
        let framed = self.frame(batches);
        let bytes = framed.iter().map(Framed::len).sum();
        while !self.has_room(bytes, batches.len()) {
            if self.settings.when_full == WhenFull::Block || self.usage().batches == 0 {
                return Ok(Stored::Full);
            }
            if !self.drop_oldest(dropped)? {
                return Ok(Stored::Full);
            }
        }
        if self.settings.kind == Kind::Disk {
            self.write_all(&framed)?;
        }
        let lengths: Vec<u64> = framed.iter().map(Framed::len).collect();
        let mut queue = self.queue();
        for (len, batch) in lengths.into_iter().zip(batches.iter()) {
            let held = (self.settings.kind == Kind::Memory).then(|| Arc::new(batch.clone()));
            queue.bytes += len;
            queue.waiting.insert(batch.header.sequence, Waiting { len, held });
        }
        queue.next = first + batches.len() as u64;
        Ok(Stored::Yes)
    }

    /// The oldest waiting batch. One whose file has been damaged since, or still cannot be read after several
    /// calls, is put into quarantine and skipped; its source range is read again at the next start.
    ///
    /// # Errors
    /// The file system refuses; the call may be repeated.
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
            match self.read(&path).map(frame::read_batch) {
                Ok(Ok(batch)) => return Ok(Some(Arc::new(batch))),
                Ok(Err(_)) => {
                    quarantine(self.disk.as_ref(), self.state.path(), &path)?;
                    self.quarantined.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if is_of_the_disk(&error) && self.is_given_up(sequence) => {
                    // What cannot be read may not be moved either: it must not hold those behind it all the same.
                    let _ = quarantine(self.disk.as_ref(), self.state.path(), &path);
                    self.quarantined.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            }
            self.remove(sequence);
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fail::fail_point!("spool-read", |_| Err(rustix::io::Errno::IO.into()));
        self.disk.read(path)
    }

    /// Counts one more failure to read this batch; true when it is enough.
    fn is_given_up(&self, sequence: u64) -> bool {
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        let before = if unreadable.0 == sequence { unreadable.1 } else { 0 };
        *unreadable = (sequence, before + 1);
        before + 1 >= recover::TRIES
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
        // Changed in place: with very many streams a copy costs more than all else. Where saving fails it runs ahead of
        // the disk, which nobody sees, and the call that is repeated changes nothing more.
        let mut checkpoint = self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        header.covers.iter().for_each(|covers| checkpoint.ledger.apply(covers));
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let done: Vec<StreamId> = ended.iter().filter(|(last, _)| *last <= header.sequence).map(|e| e.1).collect();
        if !done.is_empty() {
            checkpoint.ledger.forget(&done);
        }
        checkpoint.acknowledged = header.sequence.max(checkpoint.acknowledged);
        self.save(&checkpoint)?;
        ended.retain(|(last, _)| *last > header.sequence);
        drop((checkpoint, ended));
        fail::fail_point!("spool-acknowledged", |_| Err(io::Error::other("injected")));
        if self.settings.kind == Kind::Disk {
            durable::remove(self.disk.as_ref(), &self.path(header.sequence))?;
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
        durable::replace_on(self.disk.as_ref(), &self.state.path().join("dead-letters").join(name), json, 0o600)
    }

    fn save(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        fail::fail_point!("spool-checkpoint", |_| Err(io::Error::other("injected")));
        let path = self.state.path().join("checkpoint");
        durable::replace_on(self.disk.as_ref(), &path, &frame::checkpoint(checkpoint), 0o600)
    }

    /// One batch always fits into an empty spool, whatever the limit.
    fn has_room(&self, more: u64, batches: usize) -> bool {
        let queue = self.queue();
        (queue.waiting.is_empty() && batches == 1) || queue.bytes + more <= self.settings.max_bytes
    }

    /// The batches with what stands before each of them in its file.
    fn frame<'b>(&self, batches: &'b [Batch]) -> Vec<Framed<'b>> {
        let head = |batch| match self.settings.kind {
            Kind::Disk => frame::batch_head(batch),
            Kind::Memory => Vec::new(),
        };
        batches.iter().map(|batch| Framed { batch, head: head(batch) }).collect()
    }

    /// False when the oldest makes room by itself: the intake has taken it, and its checkpoint is on the way.
    fn drop_oldest(&self, dropped: &mut dyn FnMut(&Header)) -> io::Result<bool> {
        let oldest = self.queue().waiting.keys().next().copied();
        if oldest.is_some_and(|sequence| sequence <= self.landed.load(Ordering::Relaxed)) {
            return Ok(false);
        }
        if let Some(batch) = self.next()? {
            self.acknowledge(&batch.header)?;
            dropped(&batch.header);
        }
        Ok(true)
    }

    /// Leaves room on the disk for the checkpoint: without it nothing could be acknowledged and no file removed.
    fn leave_room(&self, more: u64) -> io::Result<()> {
        let free = self.disk.free(self.state.path())?;
        match free.bytes < more + RESERVE || free.files.is_some_and(|files| files < RESERVED_FILES) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    /// Writes all under temporary names, then renames all, then syncs the directory once.
    fn write_all(&self, framed: &[Framed<'_>]) -> io::Result<()> {
        self.leave_room(framed.iter().map(Framed::len).sum())?;
        let written = framed.iter().try_for_each(|one| self.write_temporary(one)).and_then(|()| self.publish(framed));
        if written.is_err() {
            for one in framed {
                let _ = self.disk.remove(&self.temporary(one.sequence()));
                let _ = self.disk.remove(&self.path(one.sequence()));
            }
        }
        written
    }

    fn write_temporary(&self, one: &Framed<'_>) -> io::Result<()> {
        let path = self.temporary(one.sequence());
        durable::remove(self.disk.as_ref(), &path)?;
        let mut file = self.disk.create(&path, 0o600)?;
        file.write(&one.head)?;
        fail::fail_point!("spool-half-written", |_| Err(io::Error::other("injected")));
        file.write(one.batch.body())?;
        file.sync()?;
        fail::fail_point!("spool-written", |_| Err(io::Error::other("injected")));
        Ok(())
    }

    fn publish(&self, framed: &[Framed<'_>]) -> io::Result<()> {
        for one in framed {
            self.disk.rename(&self.temporary(one.sequence()), &self.path(one.sequence()))?;
            fail::fail_point!("spool-renamed", |_| Err(io::Error::other("injected")));
        }
        self.disk.sync_folder(&self.state.path().join("spool"))
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

/// A batch as its file holds it.
struct Framed<'b> {
    batch: &'b Batch,
    /// Empty where nothing is written.
    head: Vec<u8>,
}

impl Framed<'_> {
    fn len(&self) -> u64 {
        (self.head.len() + self.batch.body().len()) as u64
    }

    fn sequence(&self) -> u64 {
        self.batch.header.sequence
    }
}

#[cfg(test)]
mod tests;
