//! The trace of the batch at hand, if it has one: the shipper says what it does and need not ask.

use crate::batch::Batch;
use crate::telemetry::apm::{Apm, Numbers, Stage, Trace};

/// A batch on its way, traced or not.
#[derive(Default)]
pub(super) struct Traced {
    trace: Option<Trace>,
    numbers: Numbers,
    oldest: i64,
}

impl Traced {
    /// A batch begins its way.
    pub(super) fn begin(apm: Option<&Apm>, batch: &Batch) -> Traced {
        let header = &batch.header;
        let numbers = Numbers {
            entries: header.entries.into(),
            json_bytes: header.raw_len.into(),
            body_bytes: batch.body().len() as u64,
            ..Numbers::default()
        };
        Traced { trace: apm.and_then(Apm::batch), numbers, oldest: header.oldest }
    }

    /// A stage begins; the one before ends.
    pub(super) fn stage(&mut self, stage: Stage) {
        if let Some(trace) = &mut self.trace {
            trace.stage(stage);
        }
    }

    /// A part is at hand.
    pub(super) fn part(&mut self) {
        self.numbers.parts += 1;
    }

    /// A request is made.
    pub(super) fn attempt(&mut self) {
        self.numbers.attempts += 1;
    }

    /// The batch is acknowledged at `now`, Unix milliseconds.
    pub(super) fn end(self, now: i64) {
        let age_ms = now.saturating_sub(self.oldest).max(0) as u64;
        if let Some(trace) = self.trace {
            trace.end(&Numbers { age_ms, ..self.numbers });
        }
    }
}
