//! What a file source is told, and why it could not be built.

use crate::record::{Position, StreamId};
use crate::source::contract::Durable;
use crate::source::discover::BadPattern;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Where a file without a saved position is read from on the very first start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StartAt {
    /// From its first byte.
    #[default]
    Beginning,
    /// From its end at that time.
    End,
}

/// Which files to follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Absolute path patterns; `*` and `?` stay within one folder, `**` crosses folders.
    pub include: Vec<String>,
    /// Patterns of paths to leave out.
    pub exclude: Vec<String>,
    /// Only for files that exist at the first start of this source.
    pub start_at: StartAt,
}

/// Where a stream goes on after a start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Saved {
    /// Everything before it is safe, but for the gaps.
    pub position: Position,
    /// What was stored to recognise the position.
    pub resume: Vec<u8>,
    /// Stretches to read again.
    pub gaps: Vec<(Position, Position)>,
}

/// What a file source is built from.
pub struct Parts<'a> {
    /// Which files.
    pub settings: &'a Settings,
    /// Place of the source in the configuration.
    pub source: usize,
    /// The agent's state directory: identities are kept here, and nothing in it is read as a log.
    pub state: &'a Path,
    /// Name of the file of identities in the state directory.
    pub registry: &'a str,
    /// Files of identities in the state directory whose sources are configured no more: one may have been given
    /// another name.
    pub abandoned: &'a [String],
    /// The host's key.
    pub host_key: &'a [u8; 32],
    /// Where each stream goes on.
    pub saved: HashMap<StreamId, Saved>,
    /// How far streams are safe.
    pub durable: Durable,
}

/// A source could not be built.
#[derive(Debug)]
pub enum OpenError {
    /// A pattern cannot be used.
    Pattern(BadPattern),
    /// The stored identities cannot be read.
    Registry(PathBuf, io::Error),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Pattern(bad) => bad.fmt(f),
            OpenError::Registry(path, error) => write!(f, "cannot use {}: {error}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}
