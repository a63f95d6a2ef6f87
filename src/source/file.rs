//! Follows files.

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
