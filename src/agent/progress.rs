//! What the running agent has done and is doing, for health, metrics and summaries. Numbers only.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

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
    /// Records put aside because the intake refuses them.
    pub dead_letters: AtomicU64,
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
    /// Synthetic values sent through the rules in force.
    pub selftest_probes: AtomicU64,
    /// Of those, how many came out readable; must stay 0.
    pub selftest_misses: AtomicU64,
    /// The intake takes gzip and no zstd: new batches are sealed as gzip.
    pub prefers_gzip: AtomicBool,
    /// Why delivery is held, if it is.
    held: Mutex<Option<String>>,
    /// What is wrong with the keys of tokens, if anything is.
    tokens: Mutex<Option<String>>,
    /// Which probes came out readable in the last round, if any did.
    selftest: Mutex<Option<String>>,
}

impl Progress {
    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    /// Why delivery is held; none while it is not.
    pub fn held(&self) -> Option<String> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

    /// Sets or clears why delivery is held.
    pub fn set_held(&self, reason: Option<String>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}
