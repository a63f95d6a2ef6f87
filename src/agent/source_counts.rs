//! What is known of each configured source while the agent runs. Numbers only.

use super::settings::{Settings, SourceKind, SourceSettings};
use crate::source::Met;
use crate::source::container::Format;
use crate::tally::Tally;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// One source's numbers. Written by the thread that reads it and by those that redact it.
pub struct SourceCounts {
    /// Its name in the configuration.
    pub name: String,
    /// Form of what it reads: `text`, `cri`, `docker`, `journal` or `syslog`.
    pub format: &'static str,
    now: Mutex<Now>,
}

/// The numbers at one moment.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Now {
    /// Records that were redacted.
    pub tally: Tally,
    /// What reading met.
    pub met: Met,
    /// Streams followed: files, connections.
    pub streams: u64,
    /// Times that reading failed.
    pub errors: u64,
    /// It cannot be read at all now.
    pub failing: bool,
    /// Records that left the spool without being delivered.
    pub dropped: u64,
    /// Since when there was always more to read; none when all that was there has been read.
    pub behind_since: Option<Instant>,
    /// When a batch with records of it was acknowledged last.
    pub acknowledged: Option<Instant>,
}

impl SourceCounts {
    /// Counters for every source, in the order configured.
    pub fn of(settings: &Settings) -> Vec<SourceCounts> {
        settings.sources.iter().map(SourceCounts::one).collect()
    }

    fn one(source: &SourceSettings) -> SourceCounts {
        let format = match (&source.kind, source.records.format) {
            (SourceKind::Journald(_), _) => "journal",
            (SourceKind::Syslog(_), _) => "syslog",
            (_, Some(Format::Cri)) => "cri",
            (_, Some(Format::Docker)) => "docker",
            (SourceKind::File(_) | SourceKind::Stdin, None) => "text",
        };
        SourceCounts { name: source.name.clone(), format, now: Mutex::default() }
    }

    /// The numbers now.
    pub fn now(&self) -> Now {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes them.
    pub(super) fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Now {
    /// True when records can arrive: it can be read, and not all of it is closed.
    pub fn is_open(&self) -> bool {
        !self.failing && self.met.closed == 0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::agent::Output;
    use crate::batch::EncoderSettings;
    use crate::source::journald;
    use std::time::Duration;

    /// Settings of an agent that reads files and the journal.
    pub(crate) fn two_sources() -> Settings {
        let source = |name: &str, kind| SourceSettings {
            name: name.into(),
            service: "s".into(),
            ddsource: "s".into(),
            tags: Vec::new(),
            trust_origin: false,
            kind,
            records: Default::default(),
        };
        Settings {
            state_dir: "/nowhere".into(),
            hostname: "host-1".into(),
            tags: Vec::new(),
            retention: "retention:90d".into(),
            sources: vec![
                source("files", SourceKind::Stdin),
                source("journal", SourceKind::Journald(journald::Settings::default())),
            ],
            output: Output::Stdout,
            batch: EncoderSettings::default(),
            batch_age: Duration::from_secs(1),
            spool: Default::default(),
            tokens: None,
            in_flight: 1,
            workers: 1,
            apm: None,
        }
    }

    impl SourceCounts {
        /// Changes the numbers from another module's tests.
        pub(crate) fn change_for_tests(&self, change: impl FnOnce(&mut Now)) {
            self.change(change);
        }
    }

    #[test]
    fn sources_count_apart() {
        let counts = SourceCounts::of(&two_sources());
        counts[1].change(|now| now.met.closed = 1);
        assert_eq!(
            counts.iter().map(|c| (c.format, c.now().is_open())).collect::<Vec<_>>(),
            [("text", true), ("journal", false)]
        );
    }
}
