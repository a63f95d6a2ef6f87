//! Plain integer counters, filled by one owner without sharing and merged at seal time.

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
    /// Findings that an exception let through.
    pub allowed: u64,
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
        self.allowed += more.allowed;
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
        total += worker.take();
        assert_eq!(total, Tally { records: 4, bytes: 90, masked: 1, withheld_decode: 1, spans: 2, ..Tally::default() });
        assert_eq!(worker, Tally::default());
    }
}
