//! What the running agent has done and is doing, for health, metrics and summaries. Numbers only.

use super::settings::Settings;
use super::source_counts::SourceCounts;
use crate::batch::Header;
use crate::sink::requests::Requests;
use crate::spool::Usage;
use crate::tally::RuleTally;
use crate::telemetry::apm;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Answers for which records are put aside.
pub const REFUSED: [&str; 2] = ["400", "413"];

/// Counters since the start and the present state; shared, never reset.
#[derive(Default)]
pub struct Progress {
    /// Records read.
    pub records_read: AtomicU64,
    /// Bytes read.
    pub bytes_read: AtomicU64,
    /// Records in which something was masked.
    pub records_masked: AtomicU64,
    /// Records replaced as a whole because they could not be redacted.
    pub records_withheld: AtomicU64,
    /// Batches made durable.
    pub batches_spooled: AtomicU64,
    /// Batches acknowledged.
    pub batches_delivered: AtomicU64,
    /// Records acknowledged.
    pub records_delivered: AtomicU64,
    /// Attempts that must be repeated.
    pub retries: AtomicU64,
    /// Records put aside because the intake refuses them, by [`REFUSED`].
    pub dead_letters: [AtomicU64; REFUSED.len()],
    /// Records dropped because the spool was full or they were too old.
    pub records_dropped: AtomicU64,
    /// Errors of the state directory's file system.
    pub disk_errors: AtomicU64,
    /// Batches waiting for delivery.
    pub spool_batches: AtomicU64,
    /// Bytes waiting for delivery.
    pub spool_bytes: AtomicU64,
    /// Streams followed.
    pub streams: AtomicU64,
    /// Files of the state directory put into quarantine.
    pub quarantined: AtomicU64,
    /// Waiting records that were masked once more because the rules had changed.
    pub records_remasked: AtomicU64,
    /// Rule sets put in force by a reload.
    pub rules_reloads: AtomicU64,
    /// Reloads that were refused.
    pub rules_reload_failures: AtomicU64,
    /// Reloads that were asked for by a signal and have ended, whatever became of them.
    pub rules_reload_requests: AtomicU64,
    /// The longest time a worker took to change to another rule set, nanoseconds.
    pub rules_pause: AtomicU64,
    /// What each source did, in the order configured.
    sources: OnceLock<Vec<SourceCounts>>,
    /// What each rule did, by its id.
    rules: Mutex<BTreeMap<String, RuleTally>>,
    /// Since when something always waited for delivery.
    waiting_since: Mutex<Option<Instant>>,
    /// Synthetic values sent through the rules in force, and those that came out readable, by class.
    probes: Mutex<BTreeMap<&'static str, [u64; 2]>>,
    /// Oldest timestamp of the batch that is or was delivered last, Unix milliseconds; 0 while none waits.
    pub oldest_unsent: AtomicI64,
    /// Requests to the intake.
    pub requests: Arc<Requests>,
    /// How the keys of tokens stand; none without a keyring.
    keys: Mutex<Option<KeyState>>,
    /// Traces of batches, where a Datadog Agent is told.
    pub apm: Arc<apm::Counts>,
    /// The intake takes gzip and no zstd: new batches are sealed as gzip.
    pub prefers_gzip: AtomicBool,
    /// Notified once when the state directory is open, every source is open and all threads run.
    pub started: Notify,
    /// One of every thread that redacts or stores.
    pulses: Mutex<Vec<Arc<Pulse>>>,
    /// Why delivery is held, if it is.
    held: Mutex<Option<String>>,
    /// What the state directory's file system refuses, by what was tried.
    refusals: Mutex<BTreeMap<&'static str, String>>,
    /// What is wrong with the keys of tokens, if anything is.
    tokens: Mutex<Option<String>>,
    /// Which probes came out readable in the last round, if any did.
    selftest: Mutex<Option<String>>,
    /// Why the last reload was refused, if it was.
    reload: Mutex<Option<String>>,
}

/// How the keys of tokens stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyState {
    /// Keys that exist.
    pub alive: u64,
    /// Seconds for which the key in use still mints; 0 without one.
    pub remaining: i64,
    /// Seconds since a key should have been destroyed; must be 0.
    pub overdue: i64,
}

/// Whether a thread works, and on which piece: odd while it works on one. Waiting for something to do, for
/// room behind it or for the next try after an error is no work.
#[derive(Default)]
pub struct Pulse(AtomicU64);

impl Pulse {
    /// A piece of work begins.
    pub fn begin(&self) {
        self.0.fetch_or(1, Ordering::Relaxed);
    }

    /// The piece of work is done.
    pub fn end(&self) {
        if self.0.load(Ordering::Relaxed) & 1 == 1 {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Progress {
    /// A pulse for one more thread.
    pub fn pulse(&self) -> Arc<Pulse> {
        let pulse = Arc::new(Pulse::default());
        self.pulses.lock().unwrap_or_else(PoisonError::into_inner).push(pulse.clone());
        pulse
    }

    /// True when no thread is still at the piece of work that it was at in the last call. `seen` belongs to
    /// the caller and starts empty.
    pub fn is_moving(&self, seen: &mut Vec<u64>) -> bool {
        let pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        let now: Vec<u64> = pulses.iter().map(|pulse| pulse.0.load(Ordering::Relaxed)).collect();
        let stuck = now.iter().zip(seen.iter()).any(|(now, seen)| now & 1 == 1 && now == seen);
        *seen = now;
        !stuck
    }

    /// Learns which sources there are; the first call counts.
    pub fn meet(&self, settings: &Settings) {
        self.sources.get_or_init(|| SourceCounts::of(settings));
    }

    /// What each source did, in the order configured; empty before the start.
    pub fn sources(&self) -> &[SourceCounts] {
        self.sources.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds what rules did.
    pub fn add_rules<'r>(&self, more: impl Iterator<Item = (&'r str, RuleTally)>) {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, tally) in more {
            if let Some(known) = rules.get_mut(id) {
                *known += tally;
            } else {
                rules.insert(id.to_owned(), tally);
            }
        }
    }

    /// What each rule did, by its id.
    pub fn rules(&self) -> BTreeMap<String, RuleTally> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A batch left the spool without being delivered.
    pub fn drop_batch(&self, header: &Header) {
        Progress::add(&self.records_dropped, header.entries.into());
        self.by_source(header, |now, records| now.dropped += records);
    }

    /// A batch was acknowledged, or needs to be no more.
    pub fn acknowledge(&self, header: &Header) {
        Progress::add(&self.batches_delivered, u64::from(header.entries > 0));
        let at = Instant::now();
        self.by_source(header, |now, _| now.acknowledged = Some(at));
    }

    fn by_source(&self, header: &Header, change: impl Fn(&mut super::source_counts::Now, u64)) {
        for (name, records) in &header.sources {
            if let Some(source) = self.sources().iter().find(|source| source.name == *name) {
                source.change(|now| change(now, u64::from(*records)));
            }
        }
    }

    /// What waits for delivery.
    pub fn tell_waiting(&self, usage: Usage) {
        self.spool_batches.store(usage.batches, Ordering::Relaxed);
        self.spool_bytes.store(usage.bytes, Ordering::Relaxed);
        let mut since = self.waiting_since.lock().unwrap_or_else(PoisonError::into_inner);
        *since = since.or_else(|| Some(Instant::now())).filter(|_| usage.batches > 0);
    }

    /// For how long the place of a source in the checkpoint has not moved although something waits.
    pub fn checkpoint_age(&self, source: &super::source_counts::Now, at: Instant) -> Duration {
        let since = *self.waiting_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.map_or(Duration::ZERO, |since| {
            at.saturating_duration_since(source.acknowledged.unwrap_or(since).max(since))
        })
    }

    /// Adds probes sent and missed.
    pub fn add_probes(&self, more: &[(&'static str, [u32; 2])]) {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        for (class, [sent, missed]) in more {
            let known = probes.entry(class).or_default();
            *known = [known[0] + u64::from(*sent), known[1] + u64::from(*missed)];
        }
    }

    /// Probes by class: sent, and come out readable.
    pub fn probes(&self) -> BTreeMap<&'static str, [u64; 2]> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the keys of tokens stand; none without a keyring.
    pub fn keys(&self) -> Option<KeyState> {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how the keys of tokens stand.
    pub fn set_keys(&self, state: Option<KeyState>) {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    /// Why delivery is held; none while it is not.
    pub fn held(&self) -> Option<String> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the state directory's file system refuses; none when all is well.
    pub fn refusals(&self) -> Option<String> {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let told: Vec<String> = refusals.iter().map(|(what, why)| format!("cannot {what}: {why}")).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// Notes what became of work in the state directory. An error counts.
    pub fn tell_disk<T>(&self, what: &'static str, result: &std::io::Result<T>) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) => _ = refusals.remove(what),
            Err(error) => {
                Progress::add(&self.disk_errors, 1);
                refusals.insert(what, error.to_string());
            }
        }
    }

    /// What is wrong with the keys of tokens; none when they are in order or not asked for.
    pub fn tokens(&self) -> Option<String> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets or clears what is wrong with the keys of tokens.
    pub fn set_tokens(&self, wrong: Option<String>) {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = wrong;
    }

    /// Which probes came out readable; none when all were masked.
    pub fn selftest(&self) -> Option<String> {
        self.selftest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets or clears which probes came out readable.
    pub fn set_selftest(&self, missed: Option<String>) {
        *self.selftest.lock().unwrap_or_else(PoisonError::into_inner) = missed;
    }

    /// Why the last reload was refused; none when it was not.
    pub fn reload(&self) -> Option<String> {
        self.reload.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets or clears why the last reload was refused.
    pub fn set_reload(&self, refused: Option<String>) {
        *self.reload.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }

    /// Sets or clears why delivery is held.
    pub fn set_held(&self, reason: Option<String>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_that_does_not_end_is_no_progress() {
        let progress = Progress::default();
        let mut seen = Vec::new();
        assert!(progress.is_moving(&mut seen));
        let (one, two) = (progress.pulse(), progress.pulse());
        for _ in 0..3 {
            assert!(progress.is_moving(&mut seen), "nothing to do is fine for any time");
        }
        one.begin();
        assert!(progress.is_moving(&mut seen), "work has just begun");
        two.begin();
        two.end();
        assert!(!progress.is_moving(&mut seen), "another thread's progress does not speak for this one");
        one.end();
        one.begin();
        assert!(progress.is_moving(&mut seen), "the next piece is progress");
        one.end();
        one.end();
        assert!(progress.is_moving(&mut seen) && progress.is_moving(&mut seen));
    }
}
