//! Everything the agent is told, as checked; the configuration module fills it from what was written.

use crate::batch::EncoderSettings;
use crate::sink::datadog;
use crate::token::normalise::Country;
use crate::{source, spool, telemetry};
use std::path::PathBuf;
use std::time::Duration;

/// One agent.
#[derive(Clone)]
pub struct Settings {
    /// Folder of spool, checkpoint and keys; absolute.
    pub state_dir: PathBuf,
    /// `hostname` of every record.
    pub hostname: String,
    /// Tags of every record, `key:value` each.
    pub tags: Vec<String>,
    /// The retention tag.
    pub retention: String,
    /// What is read.
    pub sources: Vec<SourceSettings>,
    /// Where records go.
    pub output: Output,
    /// Limits of a batch.
    pub batch: EncoderSettings,
    /// A batch is sealed at this age at the latest.
    pub batch_age: Duration,
    /// Requests in flight; over 1 batches may overtake each other.
    pub in_flight: usize,
    /// Where batches wait.
    pub spool: spool::Settings,
    /// The keyring of tokens; none: labels.
    pub tokens: Option<TokenSettings>,
    /// Threads that redact; 0 chooses by the number of cores.
    pub workers: usize,
    /// Spans for a Datadog Agent on this host; none: no spans.
    pub apm: Option<telemetry::apm::Settings>,
}

/// Where the keys of tokens are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenSettings {
    /// The keyring file.
    pub path: PathBuf,
    /// Region of the keys; those of another one are refused.
    pub region: &'static str,
    /// Where phone numbers without a country belong to.
    pub country: Option<Country>,
}

/// One configured source.
#[derive(Clone)]
pub struct SourceSettings {
    /// Its name in the configuration.
    pub name: String,
    /// `service` of its records.
    pub service: String,
    /// `ddsource` of its records.
    pub ddsource: String,
    /// More tags of its records.
    pub tags: Vec<String>,
    /// Lets host and service found inside a line replace the configured ones.
    pub trust_origin: bool,
    /// What it reads.
    pub kind: SourceKind,
    /// How records are made of its lines.
    pub records: source::assembler::Settings,
}

/// What a source reads.
#[derive(Clone)]
pub enum SourceKind {
    /// Files.
    File(source::file::Settings),
    /// The systemd journal.
    Journald(source::journald::Settings),
    /// Syslog sockets.
    Syslog(source::syslog::Settings),
    /// Standard input.
    Stdin,
}

/// Where records go.
#[derive(Clone)]
pub enum Output {
    /// Datadog's logs intake.
    Datadog(Box<datadog::Settings>),
    /// Standard output, one line of JSON a record.
    Stdout,
}
