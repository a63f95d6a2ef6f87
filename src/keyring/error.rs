//! What can be wrong with a keyring; every message names the file and the next step, none holds a key.

use std::path::PathBuf;

/// Why a keyring cannot be used.
#[derive(Debug)]
pub enum KeyringError {
    /// The file cannot be read or written.
    Io(PathBuf, std::io::Error),
    /// Others than the owner may read or write the file.
    Exposed(PathBuf, u32),
    /// The file is not a keyring: truncated, edited or of another kind. Line and column, never content.
    Malformed(PathBuf, String),
    /// A newer logveil wrote it.
    Newer(PathBuf, u64),
    /// The keys belong to another region.
    ForeignRegion {
        /// Which file.
        path: PathBuf,
        /// Region of the keys.
        found: String,
        /// Region wanted.
        wanted: String,
    },
    /// No key is valid now: all ended.
    Expired(PathBuf, String),
    /// No key is valid now: the first one begins later.
    Future(PathBuf, String),
    /// No key of that epoch.
    NoSuchEpoch(PathBuf, String),
    /// The system gave no randomness.
    Random(String),
}

impl std::fmt::Display for KeyringError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeyringError::Io(path, error) if error.kind() == std::io::ErrorKind::NotFound => {
                write!(f, "there is no keyring {}; logveil key new makes one", path.display())
            }
            KeyringError::Io(path, error) => write!(f, "keyring {}: {error}", path.display()),
            KeyringError::Exposed(path, mode) => write!(
                f,
                "{}: mode {mode:04o} lets others at the token keys; run: chmod 600 {}",
                path.display(),
                path.display()
            ),
            KeyringError::Malformed(path, what) => write!(
                f,
                "{}: not a whole keyring ({what}); restore it from the secret store, or make one: logveil key new",
                path.display()
            ),
            KeyringError::Newer(path, version) => {
                write!(
                    f,
                    "{}: keyring version {version}, this logveil reads version 1; upgrade logveil",
                    path.display()
                )
            }
            KeyringError::ForeignRegion { path, found, wanted } => write!(
                f,
                "{}: keys of region `{found}` on a host of region `{wanted}`; regions never share keys",
                path.display()
            ),
            KeyringError::Expired(path, until) => write!(
                f,
                "{}: no usable key, the last one ended {until}; add one: logveil key new --keyring {}",
                path.display(),
                path.display()
            ),
            KeyringError::Future(path, from) => {
                write!(f, "{}: no usable key, the first one begins {from}; check this host's clock", path.display())
            }
            KeyringError::NoSuchEpoch(path, epoch) => {
                write!(
                    f,
                    "{}: no key of epoch {epoch}; see: logveil key list --keyring {}",
                    path.display(),
                    path.display()
                )
            }
            KeyringError::Random(what) => write!(f, "no randomness from the system: {what}"),
        }
    }
}

impl std::error::Error for KeyringError {}
