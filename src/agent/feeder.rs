//! Drives one source on its own thread: chunks to the workers, buffers back.

use super::progress::Progress;
use crate::source::{Chunk, Fill, Source};
use crossbeam_channel::{Receiver, Sender};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Longest sleep: how late a stop is noticed.
const NAP: Duration = Duration::from_millis(200);
/// Wait after an error.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// What a feeder works with.
pub(super) struct Feeder {
    pub(super) name: String,
    pub(super) source: Box<dyn Source>,
    pub(super) workers: Vec<Sender<Chunk>>,
    pub(super) buffers: Receiver<Vec<u8>>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) progress: Arc<Progress>,
    /// Streams followed, as told to `progress`.
    pub(super) streams: u64,
}

impl Feeder {
    /// Reads until told to stop or until nobody takes chunks any more.
    pub(super) fn run(mut self) {
        let mut failing = false;
        while !self.stop.load(Ordering::Relaxed) {
            let buffer = self.buffers.try_recv().unwrap_or_default();
            match self.source.fill(buffer) {
                Ok(Fill::Chunk(chunk)) => {
                    failing = false;
                    if !self.hand_over(chunk) {
                        return;
                    }
                }
                Ok(Fill::Idle) => {
                    self.count_streams();
                    self.source.wait(NAP);
                }
                Ok(Fill::End) => return,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(source = self.name, %error, "a source cannot be read; trying again");
                    }
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

    fn count_streams(&mut self) {
        let streams = self.source.streams() as u64;
        let more = streams.wrapping_sub(std::mem::replace(&mut self.streams, streams));
        // Wraps around where there are fewer than before.
        Progress::add(&self.progress.streams, more);
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
