//! Makes sealed batches durable, several with one directory sync, and tells who waits for that.

use super::progress::{Progress, Pulse};
use crate::batch::Batch;
use crate::source::Durable;
use crate::spool::{Kind, Spool, Stored};
use crossbeam_channel::Receiver;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Most batches stored together.
const GROUP: usize = 8;
/// Wait while the spool is full.
const WHILE_FULL: Duration = Duration::from_millis(50);
/// Wait after an error of the file system.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// The thread's state.
pub(super) struct Spooler {
    pub(super) batches: Receiver<Batch>,
    pub(super) spool: Arc<Spool>,
    pub(super) durable: Durable,
    pub(super) progress: Arc<Progress>,
    pub(super) pulse: Arc<Pulse>,
    /// Wakes the shipper.
    pub(super) stored: Arc<Notify>,
    /// Set when the time to stop is up: what is not durable yet will be read again.
    pub(super) abandon: Arc<AtomicBool>,
}

impl Spooler {
    /// Works until no worker is left.
    pub(super) fn run(self) {
        while let Ok(first) = self.batches.recv() {
            let mut group = vec![first];
            group.extend(self.batches.try_iter().take(GROUP - 1));
            let mut rest = group.as_mut_slice();
            while !rest.is_empty() {
                let Some(count) = self.store(rest) else { return };
                let (stored, left) = rest.split_at_mut(count);
                self.tell(stored);
                rest = left;
            }
        }
    }

    /// Tells who waits that these are durable.
    fn tell(&self, stored: &[Batch]) {
        if self.spool.kind() == Kind::Disk {
            for covers in stored.iter().flat_map(|batch| &batch.header.covers) {
                self.durable.advance(covers.stream, covers.to);
            }
        }
        Progress::add(&self.progress.batches_spooled, stored.len() as u64);
        self.stored.notify_one();
    }

    /// Tries until it succeeds and says how many were stored: all, or one where not all have room at once.
    /// Meanwhile the channels fill and reading stops. None when told to give up.
    fn store(&self, group: &mut [Batch]) -> Option<usize> {
        let (mut failing, mut count) = (false, group.len());
        loop {
            let mut dropped = 0;
            self.pulse.begin();
            let stored = self.spool.store(&mut group[..count], &mut |header| {
                dropped += u64::from(header.entries);
                self.progress.drop_batch(header);
            });
            self.pulse.end();
            self.progress.tell_disk("store a batch", &stored);
            if dropped > 0 {
                tracing::error!(
                    code = "LV0404",
                    records = dropped,
                    "the spool is full; the oldest records were dropped"
                );
            }
            let pause = match stored {
                Ok(Stored::Yes) => return Some(count),
                Ok(Stored::Full) => WHILE_FULL,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::error!(code = "LV0403", %error, "the spool cannot be written; reading waits, trying again");
                    }
                    AFTER_ERROR
                }
            };
            if self.abandon.load(Ordering::Relaxed) {
                return None;
            }
            // What has no room together may have it one by one.
            count = 1;
            std::thread::sleep(pause.min(Duration::from_millis(200)));
        }
    }
}
