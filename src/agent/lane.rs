//! Takes one batch to its end: delivered, taken apart, put aside, or held until the cause is mended.
//!
//! Invariants: once a stop is asked for no request is started; what leaves was masked by the rules in force when
//! its request starts; parts of a batch leave in their order.

use super::live_rules::LiveRules;
use super::mint::LiveKeys;
use super::progress::Progress;
use super::traced::Traced;
use crate::batch::reseal::Remasker;
use crate::batch::{Batch, Encoding, Unreadable, reseal};
use crate::redact::Redactor;
use crate::sink::backoff::Backoff;
use crate::sink::{Outcome, Reason, Sink};
use crate::spool::Spool;
use crate::telemetry::apm::{Apm, Stage};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Wait after an error of the state directory's file system.
pub(super) const AFTER_ERROR: Duration = Duration::from_secs(1);

/// One request at a time to one sink.
pub(super) struct Lane<S> {
    pub(super) sink: S,
    pub(super) spool: Arc<Spool>,
    pub(super) rules: LiveRules,
    pub(super) keys: LiveKeys,
    pub(super) progress: Arc<Progress>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) max_age: Option<Duration>,
    pub(super) backoff: Backoff,
    /// Masks again by the rules in force; none before that was needed.
    pub(super) again: Option<Remasker>,
    pub(super) apm: Option<Apm>,
    /// The batch at hand.
    pub(super) traced: Traced,
}

/// A batch of which every record is safe elsewhere: acknowledged by the intake, among the dead letters, or dropped
/// and counted. The checkpoint may move past it.
pub(super) struct Landed {
    pub(super) batch: Arc<Batch>,
    pub(super) traced: Traced,
}

/// Told to stop.
pub(super) struct Stopped;

impl<S: Sink> Lane<S> {
    /// Takes one batch to its end.
    pub(super) async fn carry(&mut self, batch: Arc<Batch>) -> Result<Landed, Stopped> {
        let expired = self.max_age.is_some_and(|age| batch.header.oldest < now() - age.as_millis() as i64);
        if expired {
            self.progress.drop_batch(&batch.header);
            tracing::error!(
                code = "LV0404",
                records = batch.header.entries,
                "records were older than the spool keeps them; dropped"
            );
        } else if batch.header.entries > 0 {
            self.traced = Traced::begin(self.apm.as_ref(), &batch);
            self.deliver(&batch).await?;
        }
        Ok(Landed { batch, traced: std::mem::take(&mut self.traced) })
    }

    /// Delivers a batch in as many parts as the intake demands, in order.
    async fn deliver(&mut self, batch: &Arc<Batch>) -> Result<(), Stopped> {
        let sequence = batch.header.sequence;
        let mut parts = VecDeque::from([batch.clone()]);
        let mut letters = 0;
        while let Some(part) = parts.pop_front() {
            self.traced.part();
            let Some((part, outcome)) = self.attempt(part).await? else { return Ok(()) };
            if outcome == Outcome::Delivered {
                self.count_delivered(&part);
                continue;
            }
            match halves(part.clone()).await {
                Ok(split) if split.len() > 1 => split.into_iter().rev().for_each(|p| parts.push_front(Arc::new(p))),
                _ => {
                    letters += 1;
                    self.dead_letter(sequence, letters, part, &outcome).await?;
                }
            }
        }
        Ok(())
    }

    fn count_delivered(&self, part: &Batch) {
        let records = u64::from(part.header.entries);
        Progress::add(&self.progress.records_delivered, records);
        let encoding = match part.header.encoding {
            Encoding::Zstd if self.sink.prefers_gzip() => Encoding::Gzip,
            encoding => encoding,
        };
        self.progress.requests.note_records(encoding, records);
    }

    /// One part, until it is delivered or must be taken apart; none when the full spool has dropped it. The
    /// part comes back as it was tried.
    async fn attempt(&mut self, mut part: Arc<Batch>) -> Result<Option<(Arc<Batch>, Outcome)>, Stopped> {
        loop {
            if *self.stop.borrow() {
                return Err(Stopped);
            }
            if !self.spool.is_waiting(part.header.sequence) {
                return Ok(None);
            }
            // Between two attempts the rules may have changed and records may have grown too old.
            self.traced.stage(Stage::Freshen);
            part = match self.freshen(&part).await {
                Ok(None) => part,
                Ok(Some(fresh)) => fresh,
                Err(error) => {
                    tracing::error!(%error, "a waiting batch cannot be opened and must not leave as it is");
                    return Ok(Some((part, Outcome::Poison)));
                }
            };
            self.traced.stage(Stage::Deliver);
            self.traced.attempt();
            match self.sink.deliver(&part).await {
                outcome @ (Outcome::Delivered | Outcome::Split | Outcome::Poison) => {
                    self.backoff.reset();
                    self.progress.prefers_gzip.store(self.sink.prefers_gzip(), Ordering::Relaxed);
                    self.progress.set_held(None);
                    return Ok(Some((part, outcome)));
                }
                Outcome::Retry(asked) => {
                    Progress::add(&self.progress.retries, 1);
                    let wait = self.backoff.after_failure(asked);
                    if self.backoff.failures() == 1 {
                        let why = self.sink.last_error().unwrap_or("unknown");
                        tracing::warn!(
                            code = "LV0502",
                            wait_ms = wait.as_millis() as u64,
                            why,
                            "a delivery failed; trying again"
                        );
                    }
                    pause(&self.stop, wait).await?;
                }
                Outcome::Held(reason) => self.hold(reason).await?,
            }
        }
    }

    /// Waits until the sink says that the cause is mended.
    async fn hold(&mut self, reason: Reason) -> Result<(), Stopped> {
        tracing::error!(code = "LV0501", %reason, "delivery is held");
        self.progress.set_held(Some(reason.to_string()));
        loop {
            let wait = self.backoff.after_failure(None);
            pause(&self.stop, wait).await?;
            match self.sink.probe().await {
                Outcome::Held(reason) => self.progress.set_held(Some(reason.to_string())),
                Outcome::Retry(_) => {}
                Outcome::Delivered | Outcome::Split | Outcome::Poison => break,
            }
        }
        tracing::info!("delivery goes on");
        Ok(())
    }

    /// Masks again what another rule set masked, and gives records a time that the intake keeps; none when
    /// the part may leave as it is.
    async fn freshen(&mut self, part: &Arc<Batch>) -> Result<Option<Arc<Batch>>, Unreadable> {
        let rules = self.rules.current();
        let changed = part.header.set != rules.fingerprint();
        // Batches of the rules in force come last: then it is needed no more.
        let known = self.again.take().filter(|_| changed);
        if !changed && !reseal::is_stale(&part.header, now()) {
            return Ok(None);
        }
        let (work, keys) = (part.clone(), self.keys.clone());
        let (again, fresh) = blocking(move || {
            let known = known.filter(|known| known.rules().fingerprint() == rules.fingerprint());
            let mut again = known.unwrap_or_else(|| Remasker::new(Redactor::new(rules)));
            let masked = match changed {
                true => {
                    keys.equip(again.redactor());
                    again.mask(&work)
                }
                false => Ok(work.as_ref().clone()),
            };
            let fresh = masked.and_then(|masked| match reseal::is_stale(&masked.header, now()) {
                true => reseal::restamp(&masked, now()),
                false => Ok(masked),
            });
            (changed.then_some(again), fresh)
        })
        .await;
        self.again = again;
        let fresh = fresh?;
        if changed {
            Progress::add(&self.progress.records_remasked, fresh.header.entries.into());
        }
        Ok(Some(Arc::new(fresh)))
    }

    async fn dead_letter(
        &mut self,
        sequence: u64,
        number: u32,
        part: Arc<Batch>,
        refused: &Outcome,
    ) -> Result<(), Stopped> {
        let answer = usize::from(*refused == Outcome::Split);
        Progress::add(&self.progress.dead_letters[answer], part.header.entries.into());
        tracing::error!(code = "LV0503", sequence, "the intake refuses a record; it is kept in dead-letters");
        loop {
            let (spool, part) = (self.spool.clone(), part.clone());
            let kept = blocking(move || {
                let json = reseal::open(&part).unwrap_or_else(|_| part.body().to_vec());
                spool.dead_letter(sequence, number, &json)
            });
            let kept = kept.await;
            self.progress.tell_disk("keep a dead letter", &kept);
            match kept {
                Ok(()) => return Ok(()),
                Err(error) => disk_error(&error),
            }
            pause(&self.stop, AFTER_ERROR).await?;
        }
    }
}

/// Waits, unless told to stop.
pub(super) async fn pause(stop: &watch::Receiver<bool>, wait: Duration) -> Result<(), Stopped> {
    let mut stop = stop.clone();
    if *stop.borrow() {
        return Err(Stopped);
    }
    tokio::select! {
        () = tokio::time::sleep(wait) => Ok(()),
        _ = stop.changed() => Err(Stopped),
    }
}

/// Says that the state directory refuses.
pub(super) fn disk_error(error: &io::Error) {
    tracing::error!(code = "LV0403", %error, "the state directory cannot be used; trying again");
}

async fn halves(part: Arc<Batch>) -> Result<Vec<Batch>, Unreadable> {
    blocking(move || reseal::halve(&part)).await
}

/// Runs work that computes or waits for the disk away from the runtime's thread.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// Unix milliseconds.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}
