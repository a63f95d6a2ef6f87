//! Spool → lanes → checkpoint, strictly in sequence.
//!
//! A lane carries one batch at a time; as many requests are in flight as there are lanes, one by default. What has
//! landed is acknowledged beside the next request: a slow disk and a slow network do not add up.
//!
//! Invariants: batches are handed out in sequence, and with one lane a batch that is refused holds those behind it;
//! the checkpoint moves in sequence, and past a batch only when every record of it is safe elsewhere; at most
//! [`UNACKNOWLEDGED`] batches and one for each lane are delivered and not yet in the checkpoint, so no more are
//! sent again after a crash.

use super::lane::{AFTER_ERROR, Landed, Lane, Stopped, blocking, disk_error, now, pause};
use super::progress::Progress;
use crate::batch::Batch;
use crate::sink::Sink;
use crate::source::Durable;
use crate::spool::{Kind, Spool};
use crate::telemetry::apm::Stage;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinError, JoinSet};

/// Batches that have landed and are or wait to be acknowledged.
const UNACKNOWLEDGED: usize = 3;

/// The shipper.
pub(super) struct Shipper<S> {
    pub(super) lanes: Vec<Lane<S>>,
    pub(super) spool: Arc<Spool>,
    pub(super) durable: Durable,
    pub(super) progress: Arc<Progress>,
    pub(super) stored: Arc<Notify>,
    pub(super) stop: watch::Receiver<bool>,
}

/// How a lane's batch ended, and the lane for the next one.
type Ended<S> = (Lane<S>, Result<Landed, Stopped>);

/// What is on its way.
struct Flight<S> {
    idle: Vec<Lane<S>>,
    busy: JoinSet<Ended<S>>,
    /// Handed out and not landed, or landed before one that was handed out earlier: sequence and oldest timestamp.
    order: VecDeque<(u64, i64)>,
    early: BTreeMap<u64, Landed>,
    /// Sequence of the last one handed out.
    last: u64,
    landed: mpsc::Sender<Landed>,
}

impl<S: Sink + Send + 'static> Shipper<S> {
    /// Ships until told to stop; requests in flight are finished first.
    pub(super) async fn run(mut self) {
        // One more is in the hands of the receiver.
        let (landed, acknowledging) = mpsc::channel(UNACKNOWLEDGED - 1);
        let (idle, busy) = (std::mem::take(&mut self.lanes), JoinSet::new());
        let (order, early) = (VecDeque::new(), BTreeMap::new());
        let flight = Flight { idle, busy, order, early, last: 0, landed };
        tokio::join!(self.send(flight), self.acknowledge(acknowledging));
    }

    async fn send(&self, mut flight: Flight<S>) {
        let mut stop = self.stop.clone();
        while !*stop.borrow() {
            self.hand_out(&mut flight).await;
            tokio::select! {
                Some(ended) = flight.busy.join_next() => {
                    if self.land(&mut flight, ended).await.is_err() {
                        break;
                    }
                }
                () = self.stored.notified() => {}
                _ = stop.changed() => {}
            }
        }
        while let Some(ended) = flight.busy.join_next().await {
            // What was not taken to its end stays in the spool, and so does what landed behind it.
            let _ = self.land(&mut flight, ended).await;
        }
    }

    /// Gives each idle lane a batch, while there is one.
    async fn hand_out(&self, flight: &mut Flight<S>) {
        while let Some(mut lane) = flight.idle.pop() {
            match self.next(flight.last).await {
                Ok(Some(batch)) => {
                    flight.last = batch.header.sequence;
                    flight.order.push_back((batch.header.sequence, batch.header.oldest));
                    flight.busy.spawn(async move {
                        let ended = lane.carry(batch).await;
                        (lane, ended)
                    });
                }
                Ok(None) => {
                    flight.idle.push(lane);
                    break;
                }
                Err(error) => {
                    flight.idle.push(lane);
                    disk_error(&error);
                    if pause(&self.stop, AFTER_ERROR).await.is_err() {
                        break;
                    }
                }
            }
        }
        self.tell_oldest(&flight.order);
    }

    /// Takes the lane back, and hands on what has landed with everything before it.
    async fn land(&self, flight: &mut Flight<S>, ended: Result<Ended<S>, JoinError>) -> Result<(), Stopped> {
        let (lane, ended) = ended.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
        flight.idle.push(lane);
        let landed = ended?;
        flight.early.insert(landed.batch.header.sequence, landed);
        while let Some((first, _)) = flight.order.front()
            && let Some(landed) = flight.early.remove(first)
        {
            self.spool.keep_until_acknowledged(*first);
            flight.order.pop_front();
            self.tell_oldest(&flight.order);
            flight.landed.send(landed).await.map_err(|_| Stopped)?;
        }
        Ok(())
    }

    async fn next(&self, after: u64) -> io::Result<Option<Arc<Batch>>> {
        let spool = self.spool.clone();
        let next = blocking(move || spool.next_after(after)).await;
        self.progress.tell_disk("read a batch", &next);
        self.progress.tell_waiting(self.spool.usage());
        let damaged = self.spool.take_quarantined();
        if damaged > 0 {
            Progress::add(&self.progress.quarantined, damaged);
            tracing::error!(
                code = "LV0405",
                files = damaged,
                "a waiting batch is damaged on the disk or cannot be read; it is set aside, its lines are read again at the next start"
            );
        }
        next
    }

    /// Moves the checkpoint past each batch that has landed.
    async fn acknowledge(&self, mut landed: mpsc::Receiver<Landed>) {
        while let Some(Landed { batch, mut traced }) = landed.recv().await {
            traced.stage(Stage::Acknowledge);
            if self.move_past(&batch).await.is_err() {
                return;
            }
            traced.end(now());
        }
    }

    async fn move_past(&self, batch: &Arc<Batch>) -> Result<(), Stopped> {
        self.spool.forget(&self.durable.take_ended());
        loop {
            let spool = self.spool.clone();
            let done = blocking({
                let batch = batch.clone();
                move || spool.acknowledge(&batch.header)
            });
            let done = done.await;
            self.progress.tell_disk("move the checkpoint", &done);
            match done {
                Ok(()) => break,
                Err(error) => disk_error(&error),
            }
            pause(&self.stop, AFTER_ERROR).await?;
        }
        self.progress.acknowledge(&batch.header);
        self.progress.tell_waiting(self.spool.usage());
        if self.spool.kind() == Kind::Memory {
            batch.header.covers.iter().for_each(|c| self.durable.advance(c.stream, c.to));
        }
        Ok(())
    }

    fn tell_oldest(&self, order: &VecDeque<(u64, i64)>) {
        // A batch without records is as old as nothing.
        let oldest = order.iter().map(|(_, oldest)| *oldest).filter(|oldest| *oldest < i64::MAX).min();
        self.progress.oldest_unsent.store(oldest.unwrap_or(0).max(0), Ordering::Relaxed);
    }
}
