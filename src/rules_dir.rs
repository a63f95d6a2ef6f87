//! Reads rule files from disk: the only place where rules touch the file system.
//!
//! A path is one file or a folder of `*.yaml` files (not its sub-folders; symlinks are followed, as
//! Kubernetes mounts need). Refused: a folder without rule files, files that others may write, that are no
//! UTF-8, or longer than the loader takes.

use crate::strict_yaml::MAX_BYTES;
use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// One rule file as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// Its path, as shown in messages.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Why rule files could not be read.
#[derive(Debug)]
pub enum RulesDirError {
    /// The operating system refused.
    Io(PathBuf, std::io::Error),
    /// The folder holds no `*.yaml` file.
    Empty(PathBuf),
    /// Everybody may write to it, so anybody could switch redaction off.
    WorldWritable(PathBuf),
    /// Not UTF-8.
    NotText(PathBuf),
    /// Longer than [`MAX_BYTES`].
    TooLong(PathBuf),
}

impl fmt::Display for RulesDirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RulesDirError::Io(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            RulesDirError::Empty(path) => {
                write!(f, "{} holds no rule file; rule files end in .yaml", path.display())
            }
            RulesDirError::WorldWritable(path) => {
                write!(f, "{} may be written by everybody; run 'chmod o-w {0}'", path.display())
            }
            RulesDirError::NotText(path) => write!(f, "{} is no UTF-8 text", path.display()),
            RulesDirError::TooLong(path) => {
                write!(f, "{} is longer than {MAX_BYTES} bytes; split it", path.display())
            }
        }
    }
}

impl std::error::Error for RulesDirError {}

/// Reads the rule file or the folder of rule files at `path`, in the order of their names.
pub fn read(path: &Path) -> Result<Vec<RuleText>, RulesDirError> {
    let about = fs::metadata(path).map_err(|error| RulesDirError::Io(path.to_owned(), error))?;
    if about.permissions().mode() & 0o002 != 0 {
        return Err(RulesDirError::WorldWritable(path.to_owned()));
    }
    if !about.is_dir() {
        return Ok(vec![read_file(path)?]);
    }
    let entries = fs::read_dir(path).map_err(|error| RulesDirError::Io(path.to_owned(), error))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(|error| RulesDirError::Io(path.to_owned(), error))?.path();
        let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(RulesDirError::Empty(path.to_owned()));
    }
    files.sort();
    files.iter().map(|file| read_file(file)).collect()
}

fn read_file(path: &Path) -> Result<RuleText, RulesDirError> {
    let failed = |error| RulesDirError::Io(path.to_owned(), error);
    let file = fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.permissions().mode() & 0o002 != 0 {
        return Err(RulesDirError::WorldWritable(path.to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_BYTES {
        return Err(RulesDirError::TooLong(path.to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| RulesDirError::NotText(path.to_owned()))?;
    Ok(RuleText { file: path.display().to_string(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, bytes: &[u8], mode: u32) {
        fs::write(path, bytes).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_is_read_in_the_order_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("b.yaml"), b"b", 0o644);
        write(&folder.path().join("a.yml"), b"a", 0o600);
        write(&folder.path().join(".hidden.yaml"), b"h", 0o644);
        write(&folder.path().join("notes.txt"), b"n", 0o644);
        let texts: Vec<String> = read(folder.path()).unwrap().into_iter().map(|file| file.text).collect();
        assert_eq!(texts, ["a", "b"]);
        assert_eq!(read(&folder.path().join("b.yaml")).unwrap()[0].text, "b");
    }

    #[test]
    fn what_cannot_be_trusted_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        assert!(matches!(read(folder.path()), Err(RulesDirError::Empty(_))));
        assert!(matches!(read(&path), Err(RulesDirError::Io(..))));
        write(&path, b"x", 0o646);
        let error = read(folder.path()).unwrap_err();
        assert!(matches!(error, RulesDirError::WorldWritable(_)));
        assert!(error.to_string().contains("chmod o-w"));
        write(&path, b"\xff\xfe", 0o644);
        assert!(matches!(read(folder.path()), Err(RulesDirError::NotText(_))));
        write(&path, &vec![b'#'; MAX_BYTES + 1], 0o644);
        assert!(matches!(read(folder.path()), Err(RulesDirError::TooLong(_))));
    }
}
