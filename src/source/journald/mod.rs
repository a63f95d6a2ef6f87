//! The systemd journal, read from a child `journalctl` in its export format.
//!
//! [`export`] is the pure parser of that format, [`entry`] makes a record of an entry, [`child`] runs the
//! program, [`resume`] tells whether the first entry is the one that was saved, and [`source`] drives them.

pub mod child;
pub mod entry;
pub mod export;
pub mod resume;
pub mod source;

pub use source::{Journal, Parts};

use super::file::StartAt;
use std::path::PathBuf;

/// What is read of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Only entries of these units; all when empty.
    pub units: Vec<String>,
    /// Fields beside the message. With any, a record is a JSON object; without, it is the message.
    pub fields: Vec<String>,
    /// Where the first start begins.
    pub start_at: StartAt,
    /// The program.
    pub journalctl: PathBuf,
    /// Folder of another journal than this host's.
    pub directory: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            units: Vec::new(),
            fields: Vec::new(),
            start_at: StartAt::Beginning,
            journalctl: "journalctl".into(),
            directory: None,
        }
    }
}

#[cfg(test)]
mod tests;
