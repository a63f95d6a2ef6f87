//! Reads rule files from disk: the only place where rules touch the file system.
//!
//! A path is one file or a folder of `*.yaml` files (not its sub-folders; symlinks are followed, as
//! Kubernetes mounts need). Refused: a folder without rule files, files that others may write, that are no
//! UTF-8, or longer than the loader takes.
//!
//! What is read is one state of the folder: when it changes in the middle, as a mounted ConfigMap does when
//! its link moves to the next version, it is read again from the start.

use crate::regular_file;
use crate::strict_yaml::MAX_BYTES;
use rustix::fs::StatVfsMountFlags;
use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a folder is read that changes meanwhile.
const TRIES: usize = 10;
/// Wait before it is read again.
const PAUSE: Duration = Duration::from_millis(20);

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
    /// A link of the folder that leads nowhere. It is looked at again: a ConfigMap that loses a file keeps the link to it
    /// for a moment.
    Gone(PathBuf),
    /// The folder holds no `*.yaml` file.
    Empty(PathBuf),
    /// Everybody may write to it, so anybody could switch redaction off.
    WorldWritable(PathBuf),
    /// Not UTF-8.
    NotText(PathBuf),
    /// Longer than [`MAX_BYTES`].
    TooLong(PathBuf),
    /// It changed each time it was read.
    Restless(PathBuf),
}

/// What the files of some paths look like from outside: another look, another content. Cheap to take.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Look(Vec<(PathBuf, Option<Mark>)>);

/// What tells two states of a file apart; links are followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mark {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Look {
    /// Looks at files, and at folders with their rule files.
    pub fn at<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Look {
        let mut look = Look::default();
        for path in paths {
            look.add(path);
            for file in rule_files(path).unwrap_or_default() {
                look.add(&file);
            }
        }
        look
    }

    fn add(&mut self, path: &Path) {
        let mark = fs::metadata(path).ok().map(|about| Mark {
            device: about.dev(),
            inode: about.ino(),
            size: about.size(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        });
        self.0.push((path.to_owned(), mark));
    }
}

impl fmt::Display for RulesDirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RulesDirError::Io(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            RulesDirError::Gone(path) => write!(f, "{} is a link to a file that is not there", path.display()),
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
            RulesDirError::Restless(path) => {
                write!(f, "{} changed each time it was read; nothing of it is used", path.display())
            }
        }
    }
}

impl std::error::Error for RulesDirError {}

/// Reads the rule file or the folder of rule files at `path`, in the order of their names.
pub fn read(path: &Path) -> Result<Vec<RuleText>, RulesDirError> {
    let mut last = None;
    for _ in 0..TRIES {
        let before = Look::at([path]);
        let read = read_once(path);
        if Look::at([path]) == before && !matches!(read, Err(RulesDirError::Gone(_))) {
            return read;
        }
        last = read.err().filter(|error| matches!(error, RulesDirError::Gone(_)));
        std::thread::sleep(PAUSE);
    }
    Err(last.unwrap_or_else(|| RulesDirError::Restless(path.to_owned())))
}

fn read_once(path: &Path) -> Result<Vec<RuleText>, RulesDirError> {
    let failed = |error| RulesDirError::Io(path.to_owned(), error);
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_dir() {
        return Ok(vec![read_file(path)?]);
    }
    refuse_writable(path, about.mode())?;
    let files = rule_files(path).map_err(failed)?;
    if files.is_empty() {
        return Err(RulesDirError::Empty(path.to_owned()));
    }
    files.iter().map(|file| read_file(file)).collect()
}

/// The rule files of a folder in the order of their names; none where `path` is no folder.
fn rule_files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        // What is no folder is read, or said to be unreadable: a link to nowhere is a pack that is missing.
        if !hidden && file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") && !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Others may write there, and the mount does not keep them from it (that of a ConfigMap does: it has mode
/// 0777 and is read-only).
fn refuse_writable(path: &Path, mode: u32) -> Result<(), RulesDirError> {
    let read_only = || rustix::fs::statvfs(path).is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::RDONLY));
    match may_be_written(mode, read_only) {
        true => Err(RulesDirError::WorldWritable(path.to_owned())),
        false => Ok(()),
    }
}

fn may_be_written(mode: u32, read_only: impl FnOnce() -> bool) -> bool {
    mode & 0o002 != 0 && !read_only()
}

fn read_file(path: &Path) -> Result<RuleText, RulesDirError> {
    let failed = |error| RulesDirError::Io(path.to_owned(), error);
    let file = regular_file::open(path).map_err(|error| match fs::read_link(path) {
        Ok(_) if error.kind() == std::io::ErrorKind::NotFound => RulesDirError::Gone(path.to_owned()),
        _ => failed(error),
    })?;
    refuse_writable(path, file.metadata().map_err(failed)?.mode())?;
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
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::atomic::{AtomicBool, Ordering};

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

    #[test]
    fn a_link_to_nowhere_is_a_pack_that_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("a.yaml"), b"a", 0o644);
        let link = folder.path().join("b.yaml");
        symlink("nowhere", &link).unwrap();
        assert!(matches!(read(folder.path()), Err(RulesDirError::Gone(path)) if path == link));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(PAUSE * 2);
                fs::remove_file(&link).unwrap();
            });
            assert_eq!(read(folder.path()).unwrap().len(), 1, "gone a moment later, as a mount does it");
        });
    }

    #[test]
    fn a_folder_for_everybody_is_refused_unless_the_mount_is_read_only() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("a.yaml"), b"a", 0o644);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(read(folder.path()), Err(RulesDirError::WorldWritable(_))));
        assert!(may_be_written(0o40777, || false) && !may_be_written(0o40777, || true));
        assert!(!may_be_written(0o40775, || false));
    }

    #[test]
    fn every_kind_of_change_is_another_look() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        let look = || Look::at([folder.path()]);
        write(&file, b"a", 0o644);
        let mut seen = vec![look()];
        assert_eq!(look(), seen[0]);
        write(&file, b"b", 0o644);
        seen.push(look());
        fs::write(folder.path().join("new"), b"b").unwrap();
        fs::rename(folder.path().join("new"), &file).unwrap();
        seen.push(look());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).unwrap();
        seen.push(look());
        fs::remove_file(&file).unwrap();
        seen.push(look());
        for (place, one) in seen.iter().enumerate() {
            assert!(!seen[..place].contains(one), "{place}");
        }
    }

    /// A folder as Kubernetes mounts a ConfigMap: files are links through `..data`, which moves to a folder
    /// with the next version of all of them. Whatever is read is one version, never a mixture.
    #[test]
    fn a_swap_in_the_middle_of_a_read_gives_no_mixture() {
        const FILES: usize = 40;
        let folder = tempfile::tempdir().unwrap();
        let mount = folder.path();
        let version = |number: usize| {
            let name = format!("..version_{number}");
            fs::create_dir(mount.join(&name)).unwrap();
            for file in 0..FILES {
                write(&mount.join(&name).join(format!("{file}.yaml")), number.to_string().as_bytes(), 0o644);
            }
            symlink(&name, mount.join("..data_tmp")).unwrap();
            fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
        };
        version(0);
        for file in 0..FILES {
            symlink(format!("..data/{file}.yaml"), mount.join(format!("{file}.yaml"))).unwrap();
        }
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1..60 {
                    version(number);
                    std::thread::sleep(Duration::from_millis(3));
                }
                done.store(true, Ordering::Relaxed);
            });
            let mut seen = std::collections::BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                match read(mount) {
                    Ok(files) => {
                        assert_eq!(files.len(), FILES);
                        assert!(files.iter().all(|file| file.text == files[0].text), "a mixture of versions");
                        seen.insert(files[0].text.clone());
                    }
                    Err(RulesDirError::Restless(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(read(mount).unwrap()[0].text, "59", "after {} versions", seen.len());
        });
    }
}
