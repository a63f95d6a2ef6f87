//! Which files match: a walk of the folders that the patterns name. Folders reached through symbolic links
//! are not entered; a link to a file is followed only when its target lies under one of the patterns' own
//! fixed folders, and nothing is opened outside of them, whatever becomes of a folder after it was listed.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Descriptors that files leave to the spool, to connections and to the listing of folders.
const RESERVE: u64 = 32;

/// Finds the files of one source.
pub struct Finder {
    include: GlobSet,
    exclude: GlobSet,
    roots: Vec<Root>,
    /// Never entered: the agent's own state.
    own: PathBuf,
}

/// The fixed folder at the beginning of a pattern.
struct Root {
    path: PathBuf,
    /// Folders below it that the pattern can reach; none without limit (`**`).
    depth: Option<usize>,
}

/// A pattern that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadPattern {
    /// As written.
    pub pattern: String,
    /// What is wrong with it.
    pub why: String,
}

/// What one walk found.
#[derive(Default)]
pub struct Listing {
    /// Matching paths; links included.
    pub files: BTreeSet<PathBuf>,
    /// Folders that were read.
    pub folders: BTreeSet<PathBuf>,
    /// Folders that could not be read.
    pub unreadable: usize,
}

impl Finder {
    /// Checks the patterns. `own` is the agent's state directory.
    ///
    /// # Errors
    /// [`BadPattern`]: not absolute, or no valid pattern.
    pub fn new(include: &[String], exclude: &[String], own: &Path) -> Result<Finder, BadPattern> {
        let mut roots: Vec<Root> = Vec::new();
        for pattern in include {
            if !pattern.starts_with('/') {
                let why = "it must begin with /".to_owned();
                return Err(BadPattern { pattern: pattern.clone(), why });
            }
            roots.push(root(pattern));
        }
        let own = own.canonicalize().unwrap_or_else(|_| own.to_owned());
        Ok(Finder { include: set(include)?, exclude: set(exclude)?, roots, own })
    }

    /// True when the source reads this path.
    pub fn matches(&self, path: &Path) -> bool {
        self.include.is_match(path) && !self.exclude.is_match(path) && !path.starts_with(&self.own)
    }

    /// Walks all folders.
    pub fn list(&self) -> Listing {
        let mut listing = Listing::default();
        for root in &self.roots {
            self.walk(&root.path, root.depth, &mut listing);
        }
        listing
    }

    /// Opens a file without waiting, without following links on the way and without becoming a terminal's
    /// owner; what is not a regular file must be told by the caller from the descriptor.
    ///
    /// # Errors
    /// The file system refuses, or a link leads out of the patterns' folders.
    pub fn open(&self, path: &Path) -> io::Result<File> {
        let folder = path.parent().unwrap_or(Path::new("/")).canonicalize()?;
        // From here on no part of the way may be a link: who swaps one in now is refused by the kernel.
        self.inside(&folder)?;
        let plain = folder.join(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        let target = match std::fs::symlink_metadata(&plain)?.file_type().is_symlink() {
            false => plain,
            true => self.allowed_target(&plain)?,
        };
        if target.starts_with(&self.own) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is the agent's own state"));
        }
        open_plain(&target)
    }

    fn allowed_target(&self, link: &Path) -> io::Result<PathBuf> {
        let target = link.canonicalize()?;
        self.inside(&target)?;
        Ok(target)
    }

    fn inside(&self, real: &Path) -> io::Result<()> {
        let inside = |root: &Root| root.path.canonicalize().is_ok_and(|root| real.starts_with(root));
        match self.roots.iter().any(inside) {
            true => Ok(()),
            false => {
                Err(io::Error::new(io::ErrorKind::PermissionDenied, "the link leads out of the patterns' folders"))
            }
        }
    }

    fn walk(&self, folder: &Path, depth: Option<usize>, listing: &mut Listing) {
        if folder.starts_with(&self.own) || folder.canonicalize().is_ok_and(|f| f.starts_with(&self.own)) {
            return;
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                listing.unreadable += usize::from(error.kind() != io::ErrorKind::NotFound);
                return;
            }
        };
        listing.folders.insert(folder.to_owned());
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if depth != Some(0) {
                    self.walk(&path, depth.map(|d| d - 1), listing);
                }
            } else if (kind.is_file() || kind.is_symlink()) && self.matches(&path) {
                listing.files.insert(path);
            }
        }
    }
}

fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
    let strict = rustix::fs::openat2(rustix::fs::CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let opened = match strict {
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => rustix::fs::open(path, flags, Mode::empty()),
        other => other,
    };
    let file = File::from(opened?);
    // The lowest number that is free was taken: near the limit, few are left.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit.is_some_and(|limit| file.as_raw_fd() as u64 + RESERVE >= limit) {
        true => Err(io::Error::new(io::ErrorKind::QuotaExceeded, "too many open files; raise the limit (LimitNOFILE)")),
        false => Ok(file),
    }
}

fn set(patterns: &[String]) -> Result<GlobSet, BadPattern> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let bad = |e: globset::Error| BadPattern { pattern: pattern.clone(), why: e.kind().to_string() };
        builder.add(glob.map_err(bad)?);
    }
    builder.build().map_err(|e| BadPattern { pattern: patterns.join(", "), why: e.kind().to_string() })
}

fn root(pattern: &str) -> Root {
    let parts: Vec<&str> = pattern.split('/').collect();
    let special = |part: &&str| part.contains(['*', '?', '[', '{', '\\']);
    let fixed = parts.iter().position(special).unwrap_or(parts.len() - 1).min(parts.len() - 1);
    let path = PathBuf::from(format!("{}/", parts[..fixed].join("/")));
    let depth = (!pattern.contains("**")).then(|| parts.len() - 1 - fixed);
    Root { path, depth }
}

impl std::fmt::Display for BadPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the pattern {} cannot be used: {}", self.pattern, self.why)
    }
}

impl std::error::Error for BadPattern {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, write};
    use std::os::unix::fs::symlink;

    #[test]
    fn roots_are_the_fixed_folders() {
        for (pattern, path, depth) in [
            ("/var/log/*.log", "/var/log/", Some(0)),
            ("/var/log/app.log", "/var/log/", Some(0)),
            ("/var/*/x/*.log", "/var/", Some(2)),
            ("/a/**/b.log", "/a/", None),
            ("/*.log", "/", Some(0)),
        ] {
            let root = root(pattern);
            assert_eq!((root.path.to_str(), root.depth), (Some(path), depth), "{pattern}");
        }
        assert!(Finder::new(&["relative/*.log".into()], &[], Path::new("/s")).is_err());
        assert!(Finder::new(&["/a/[".into()], &[], Path::new("/s")).is_err());
    }

    #[test]
    fn finds_what_matches_and_never_its_own_state() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        create_dir_all(at("one/two")).unwrap();
        create_dir_all(at("state/spool")).unwrap();
        create_dir_all(at("elsewhere")).unwrap();
        for name in ["one/a.log", "one/b.txt", "one/two/c.log", "one/old.log", "state/spool/d.log", "elsewhere/e.log"] {
            write(at(name), "x\n").unwrap();
        }
        symlink(at("elsewhere"), at("one/linked")).unwrap();
        let pattern = |p: &str| format!("{}/{p}", folder.path().display());
        let finder = Finder::new(&[pattern("**/*.log")], &[pattern("one/old.log")], &at("state")).unwrap();
        let found: Vec<PathBuf> = finder.list().files.into_iter().collect();
        assert_eq!(found, [at("elsewhere/e.log"), at("one/a.log"), at("one/two/c.log")]);
    }

    #[test]
    fn links_are_followed_inside_the_folders_only() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        create_dir_all(at("logs")).unwrap();
        write(at("logs/real.log"), "x\n").unwrap();
        write(at("secret"), "x\n").unwrap();
        symlink(at("logs/real.log"), at("logs/inside.log")).unwrap();
        symlink(at("secret"), at("logs/outside.log")).unwrap();
        symlink(at("logs/loop.log"), at("logs/loop.log")).unwrap();
        let finder = Finder::new(&[format!("{}/logs/*.log", folder.path().display())], &[], &at("state")).unwrap();
        assert!(finder.open(&at("logs/inside.log")).is_ok());
        assert!(finder.open(&at("logs/outside.log")).is_err());
        assert!(finder.open(&at("logs/loop.log")).is_err());
    }

    #[test]
    fn x03_a_folder_swapped_for_a_link_after_it_was_listed_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        create_dir_all(at("logs/sub")).unwrap();
        create_dir_all(at("outside")).unwrap();
        write(at("logs/sub/a.log"), "x\n").unwrap();
        write(at("outside/a.log"), "protected\n").unwrap();
        let finder = Finder::new(&[format!("{}/logs/*/*.log", folder.path().display())], &[], &at("state")).unwrap();
        let listed = finder.list().files;
        assert_eq!(listed.iter().collect::<Vec<_>>(), [&at("logs/sub/a.log")]);
        assert!(finder.open(&at("logs/sub/a.log")).is_ok());
        std::fs::rename(at("logs/sub"), at("moved")).unwrap();
        symlink(at("outside"), at("logs/sub")).unwrap();
        assert!(finder.open(&at("logs/sub/a.log")).is_err());
        assert!(finder.list().files.is_empty());
    }
}
