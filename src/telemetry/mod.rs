//! The agent's own log, to standard error.
//!
//! Every message goes through the redactor before it is written, whatever was put into it; control
//! characters are escaped; a place in the code may speak [`limit::BURST`] times in [`limit::WINDOW`], what it
//! says beyond is counted and told with its next word. Levels say what was lost: *error*, something is
//! lost or stands still; *warn*, something may be lost soon or was mended; *info*, starts, stops, files.
//! Under systemd each line carries its journal priority.
//!
//! [`apm`] makes spans of delivered batches for a Datadog Agent on this host: numbers only ([`spans`]), off
//! unless the configuration asks for it.

#[cfg_attr(not(feature = "apm"), path = "apm_absent.rs")]
pub mod apm;
pub mod errors;
mod layer;
mod limit;
mod panics;
pub mod spans;

pub use layer::{LogRules, install};
pub use panics::quiet_panics;

/// Lowest level that is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Level {
    /// Something was lost or stands still.
    Error,
    /// Something may be lost soon, or was mended.
    Warn,
    /// Starts, stops, files found.
    #[default]
    Info,
    /// For the people who build it.
    Debug,
}

/// Forms of the own log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// One line of text a message.
    #[default]
    Text,
    /// One line of JSON a message.
    Json,
}
