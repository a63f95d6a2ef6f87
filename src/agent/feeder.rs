//! Drives one source on its own thread: chunks to the workers, buffers back.

use super::progress::Progress;
use super::source_counts::Now;
use crate::source::{Chunk, Fill, Source};
use crossbeam_channel::{Receiver, Sender};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Longest sleep: how late a stop is noticed.
const NAP: Duration = Duration::from_millis(200);
/// Wait after an error.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Between two looks at what a busy source has met.
const LOOK: Duration = Duration::from_secs(1);

/// What a feeder works with.
pub(super) struct Feeder {
    pub(super) name: String,
    /// Its place in the configuration.
    pub(super) number: usize,
    pub(super) source: Box<dyn Source>,
    pub(super) workers: Vec<Sender<Chunk>>,
    pub(super) buffers: Receiver<Vec<u8>>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) progress: Arc<Progress>,
    /// Streams followed, as told to `progress`.
    pub(super) streams: u64,
    /// Something was there to read at the last look, as told to `progress`.
    pub(super) behind: bool,
}

impl Feeder {
    /// Reads until told to stop or until nobody takes chunks any more.
    pub(super) fn run(mut self) {
        let (mut failing, mut looked) = (false, Instant::now());
        while !self.stop.load(Ordering::Relaxed) {
            let buffer = self.buffers.try_recv().unwrap_or_default();
            match self.source.fill(buffer) {
                Ok(Fill::Chunk(chunk)) => {
                    self.falls_behind();
                    if !self.hand_over(chunk) {
                        return;
                    }
                    if std::mem::take(&mut failing) || looked.elapsed() >= LOOK {
                        looked = Instant::now();
                        self.count(false);
                    }
                }
                Ok(Fill::Idle) => {
                    self.catches_up();
                    self.count(failing);
                    self.source.wait(NAP);
                }
                Ok(Fill::End) => {
                    self.catches_up();
                    self.count(false);
                    return;
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(code = "LV0801", source = self.name, %error, "a source cannot be read; trying again");
                    }
                    self.note(|now| now.errors += 1);
                    self.count(true);
                    self.pause(AFTER_ERROR);
                }
            }
        }
    }

    /// Blocks while the worker has enough to do. False when it is gone.
    fn hand_over(&self, chunk: Chunk) -> bool {
        let [a, b, ..] = chunk.info.stream.0;
        let worker = usize::from(u16::from_le_bytes([a, b])) % self.workers.len();
        self.workers[worker].send(chunk).is_ok()
    }

    fn note(&self, change: impl FnOnce(&mut Now)) {
        if let Some(counts) = self.progress.sources().get(self.number) {
            counts.change(change);
        }
    }

    /// There is something to read: told once, until all of it has been read.
    fn falls_behind(&mut self) {
        if !std::mem::replace(&mut self.behind, true) {
            self.note(|now| now.behind_since = Some(Instant::now()));
        }
    }

    fn catches_up(&mut self) {
        if std::mem::replace(&mut self.behind, false) {
            self.note(|now| now.behind_since = None);
        }
    }

    /// Tells how the source stands.
    fn count(&mut self, failing: bool) {
        let streams = self.source.streams() as u64;
        let more = streams.wrapping_sub(std::mem::replace(&mut self.streams, streams));
        // Wraps around where there are fewer than before.
        Progress::add(&self.progress.streams, more);
        let met = self.source.met();
        self.note(|now| (now.met, now.streams, now.failing) = (met, streams, failing));
    }

    fn pause(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() && !self.stop.load(Ordering::Relaxed) {
            let nap = left.min(NAP);
            std::thread::sleep(nap);
            left -= nap;
        }
    }
}
