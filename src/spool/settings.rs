//! How batches are kept until they are acknowledged.

use std::time::Duration;

/// How batches are kept until they are acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// On disk, or in memory for read-only file systems.
    pub kind: Kind,
    /// Most bytes of waiting batches.
    pub max_bytes: u64,
    /// Batches older than this are dropped and counted; none keeps them without end.
    pub max_age: Option<Duration>,
    /// What happens at the limit.
    pub when_full: WhenFull,
}

/// Where batches wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Kind {
    /// One file a batch in the state directory.
    #[default]
    Disk,
    /// In memory; positions advance only when the intake has acknowledged.
    Memory,
}

/// What happens when the spool is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WhenFull {
    /// Reading stops until there is room.
    #[default]
    Block,
    /// The oldest batch is dropped and counted.
    DropOldest,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { kind: Kind::Disk, max_bytes: 1 << 30, max_age: None, when_full: WhenFull::Block }
    }
}
