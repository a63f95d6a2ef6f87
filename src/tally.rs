//! Plain integer counters, filled by one owner without sharing and merged at seal time: of a source ([`Tally`]), of a
//! rule ([`RuleTally`]), of times ([`Times`]).

use std::ops::AddAssign;

/// What one worker has done since it last told.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Records read.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Records in which something was masked.
    pub masked: u64,
    /// Records replaced as a whole because decoding them would have cost too much.
    pub withheld_decode: u64,
    /// Because they were too long.
    pub withheld_oversize: u64,
    /// Because the engine failed on them.
    pub withheld_internal: u64,
    /// Masks.
    pub spans: u64,
    /// Times of redaction, a chunk each.
    pub scans: Times,
}

/// What one rule has done.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct RuleTally {
    /// Records in which it masked.
    pub records: u64,
    /// Records in which it would have, being in shadow.
    pub shadowed: u64,
    /// Masks that show its label.
    pub labels: u64,
    /// Masks that are a token minted for it.
    pub tokens: u64,
    /// Its findings that an exception let through.
    pub allowed: u64,
}

/// Upper ends of the classes of [`Times`], seconds.
pub const BOUNDS: [f64; 6] = [0.0001, 0.001, 0.01, 0.1, 1.0, f64::INFINITY];

/// How long pieces of work took.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Times {
    /// Pieces by class.
    pub counts: [u64; BOUNDS.len()],
    /// All together, nanoseconds.
    pub nanos: u64,
}

impl Times {
    /// Notes a piece of work.
    pub fn note(&mut self, took: std::time::Duration) {
        let class = BOUNDS.iter().position(|bound| took.as_secs_f64() <= *bound);
        self.counts[class.unwrap_or(BOUNDS.len() - 1)] += 1;
        self.nanos += took.as_nanos().min(u64::MAX.into()) as u64;
    }
}

impl AddAssign for Times {
    fn add_assign(&mut self, more: Times) {
        self.counts.iter_mut().zip(more.counts).for_each(|(count, more)| *count += more);
        self.nanos += more.nanos;
    }
}

impl AddAssign for RuleTally {
    fn add_assign(&mut self, more: RuleTally) {
        self.records += more.records;
        self.shadowed += more.shadowed;
        self.labels += more.labels;
        self.tokens += more.tokens;
        self.allowed += more.allowed;
    }
}

impl Tally {
    /// Records replaced as a whole.
    pub fn withheld(&self) -> u64 {
        self.withheld_decode + self.withheld_oversize + self.withheld_internal
    }

    /// Gives the counts and begins anew.
    pub fn take(&mut self) -> Tally {
        std::mem::take(self)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Tally) {
        self.records += more.records;
        self.bytes += more.bytes;
        self.masked += more.masked;
        self.withheld_decode += more.withheld_decode;
        self.withheld_oversize += more.withheld_oversize;
        self.withheld_internal += more.withheld_internal;
        self.spans += more.spans;
        self.scans += more.scans;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_and_adding_lose_nothing() {
        let mut worker = Tally { records: 3, bytes: 90, masked: 1, withheld_decode: 1, spans: 2, ..Tally::default() };
        let mut total = Tally::default();
        total += worker.take();
        worker.records += 1;
        worker.scans.note(std::time::Duration::from_millis(2));
        total += worker.take();
        let scans = Times { counts: [0, 0, 1, 0, 0, 0], nanos: 2_000_000 };
        assert_eq!(
            total,
            Tally { records: 4, bytes: 90, masked: 1, withheld_decode: 1, spans: 2, scans, ..Tally::default() }
        );
        assert_eq!(worker, Tally::default());
    }
}
