//! What the process gives up before its threads start, and the limits it takes.
//!
//! - what it writes is its own alone (umask);
//! - its memory stands in no core dump and is open to no debugger of another user's making;
//! - it takes as many file descriptors as the system gives without asking, one a followed file;
//! - with Landlock, where the kernel has it, it can create or change files below its state directory and nowhere
//!   else, and read only what the system's folders and the configuration's paths hold: not the homes, not the data
//!   of other services. Child processes inherit all of it.
//!
//! A rule holds for a folder, not for its name. So that rotation, a folder made anew and a file replaced by another
//! are no end of reading, the rule stands on the folder above the one that is named. Where that would be the root of
//! everything, or a way leads through a link that may lead elsewhere tomorrow, reading stays free, and that is told.
//!
//! Nothing here stops the agent: what the kernel refuses is told by [`Applied`] and shown by `/readyz`.

use landlock::{ABI, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd};
use landlock::{Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use std::collections::BTreeSet;
use std::fmt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

/// What programs of a system are made of and configured by; those that are there.
const SYSTEM: [&str; 13] =
    ["/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc", "/run", "/proc", "/sys", "/dev", "/nix", "/gnu"];

/// What was achieved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// Neither dumped nor traced.
    pub undumpable: bool,
    /// Files that may be open at a time; none: without limit.
    pub descriptors: Option<u64>,
    /// Where files may be written.
    pub writes: Writes,
    /// None: files are read only where the configuration and the system need it; else why anywhere.
    pub reads_anywhere: Option<String>,
}

/// Where files may be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Writes {
    /// Below this folder only.
    Below(PathBuf),
    /// Anywhere; the text says why.
    Anywhere(String),
}

/// Gives up what a sidecar never needs; `reads` are the paths and patterns that it will read. To be called once, on
/// the first thread, before any other starts.
pub fn apply(state_dir: &Path, reads: &[PathBuf]) -> Applied {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let undumpable = set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok();
    let undumpable = setrlimit(Resource::Core, none).is_ok() && undumpable;
    let (writes, reads_anywhere) = confine(state_dir, reads);
    Applied { undumpable, descriptors: raise_descriptors(), writes, reads_anywhere }
}

fn raise_descriptors() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

fn confine(state_dir: &Path, reads: &[PathBuf]) -> (Writes, Option<String>) {
    // The rule needs a folder to stand on. What is wrong with this one is told when it is opened.
    let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(state_dir);
    let folders = readable(reads);
    let told = |error: String| (Writes::Anywhere(error.clone()), Some(error));
    match restrict(state_dir, folders.as_ref().ok()) {
        Ok(RulesetStatus::NotEnforced) => told("this kernel has no Landlock".to_owned()),
        Ok(_) => (Writes::Below(state_dir.to_owned()), folders.err()),
        Err(error) => told(error),
    }
}

/// The folders that must be readable for these paths; the text says why that cannot be told.
fn readable(paths: &[PathBuf]) -> Result<BTreeSet<PathBuf>, String> {
    let system: Vec<&Path> = SYSTEM.iter().map(Path::new).filter(|path| path.exists()).collect();
    let mut folders: BTreeSet<PathBuf> = system.iter().map(|path| path.to_path_buf()).collect();
    // Some systems keep it where nobody looks for it.
    folders.extend(std::fs::canonicalize("/etc/resolv.conf").ok().and_then(|path| path.parent().map(Path::to_owned)));
    for path in paths {
        let folder = standing(path);
        if folder.parent().is_none() {
            return Err(format!("{} lies at the root", path.display()));
        }
        // Where the named thing itself is, and where the folder above it is.
        let real = [path.as_path(), &folder].map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
        let stays = |real: &PathBuf| real.starts_with(&folder) || system.iter().any(|path| real.starts_with(path));
        if !real.iter().all(stays) {
            return Err(format!("{} is reached through a link", path.display()));
        }
        folders.insert(folder);
    }
    Ok(folders)
}

/// The folder on which the rule for a path or pattern stands: the one above its fixed folder, but no folder of the
/// second level above one of the third; the nearest one that is there.
fn standing(path: &Path) -> PathBuf {
    let fixed = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\']);
    let mut parts: Vec<Component<'_>> = path.components().take_while(fixed).collect();
    if parts.len() == path.components().count() && !path.is_dir() {
        parts.pop();
    }
    // The root counts as one.
    if parts.len() > 3 {
        parts.pop();
    }
    let folder: PathBuf = parts.iter().collect();
    folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

/// Sockets may still be made, and stale ones removed: they hold no text.
fn restrict(state_dir: &Path, readable: Option<&BTreeSet<PathBuf>>) -> Result<RulesetStatus, String> {
    let told = |error: RulesetError| error.to_string();
    let writing: BitFlags<AccessFs> = AccessFs::from_write(ABI::V3) & !(AccessFs::MakeSock | AccessFs::RemoveFile);
    let reading: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    let open = |path: &Path| PathFd::new(path).map_err(|error| format!("{}: {error}", path.display()));
    // Without this right no file may move between our own folders (quarantine): then better no rules at all.
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let ruleset = ruleset.handle_access(AccessFs::Refer).map_err(told)?.set_compatibility(CompatLevel::BestEffort);
    let handled = if readable.is_some() { writing | reading } else { writing };
    let mut ruleset = ruleset.handle_access(handled).map_err(told)?.create().map_err(told)?;
    let to_device = AccessFs::WriteFile | AccessFs::Truncate;
    let mut rules = vec![(state_dir, handled), (Path::new("/dev/null"), to_device & handled)];
    rules.extend(readable.into_iter().flatten().map(|folder| (folder.as_path(), reading)));
    for (path, access) in rules {
        ruleset = ruleset.add_rule(PathBeneath::new(open(path)?, access)).map_err(told)?;
    }
    ruleset.restrict_self().map(|status| status.ruleset).map_err(told)
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.writes {
            Writes::Below(folder) => write!(f, "writes only below {}", folder.display())?,
            Writes::Anywhere(why) => write!(f, "writes not confined ({why})")?,
        }
        match (&self.writes, &self.reads_anywhere) {
            (Writes::Below(_), None) => f.write_str(", reads only what it is configured for")?,
            (Writes::Below(_), Some(why)) => write!(f, ", reads not confined ({why})")?,
            (Writes::Anywhere(_), _) => {}
        }
        f.write_str(if self.undumpable { ", memory in no dump" } else { ", memory can be dumped" })?;
        match self.descriptors {
            Some(count) => write!(f, ", {count} descriptors"),
            None => f.write_str(", descriptors without limit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_above_what_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a path");
        std::fs::create_dir_all(root.join("logs/app")).expect("folders");
        std::fs::write(root.join("key"), "x").expect("written");
        for (path, stands) in [
            ("logs/app/*.log", "logs"),
            ("logs/*/*.log", ""),
            ("logs/app/one.log", "logs"),
            ("logs/app", "logs"),
            ("missing/folder/*.log", ""),
        ] {
            assert_eq!(standing(&root.join(path)), root.join(stands).components().collect::<PathBuf>(), "{path}");
        }
        assert_eq!(standing(Path::new("/usr/*.log")), Path::new("/usr"));
        assert_eq!(standing(Path::new("/usr/lib/*.log")), Path::new("/usr/lib"));
        assert!(readable(&["/*.log".into()]).is_err());
        std::os::unix::fs::symlink(root.join("logs"), root.join("link")).expect("a link");
        assert!(readable(&[root.join("link/app/x/*.log")]).is_err());
        assert!(readable(&[root.join("logs/app/*.log")]).is_ok_and(|folders| folders.contains(&root.join("logs"))));
    }

    #[test]
    fn a_thread_under_the_rules_reads_and_writes_its_folders_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["other", "data/logs/app", "private"] {
            std::fs::create_dir_all(at(name)).expect("a folder");
            std::fs::write(at(name).join("there"), "x").expect("written");
        }
        let (ours, other, logs, private) = (at("state"), at("other"), at("data/logs"), at("private"));
        // Landlock holds for the thread that asks, and this one ends.
        let under = std::thread::spawn(move || {
            let confined = confine(&ours, &[logs.join("app/*.log")]);
            std::fs::create_dir_all(ours.join("spool")).expect("below ours");
            std::fs::write(ours.join("spool/batch.tmp"), "x").expect("below ours");
            std::fs::create_dir(ours.join("quarantine")).expect("below ours");
            std::fs::rename(ours.join("spool/batch.tmp"), ours.join("quarantine/batch")).expect("between folders");
            std::fs::read(ours.join("quarantine/batch")).expect("ours");
            std::fs::read(logs.join("app/there")).expect("what is named");
            std::fs::read_to_string("/etc/hosts").expect("the system's");
            let refused = [
                std::fs::write(other.join("new"), "x").is_err(),
                std::fs::write(other.join("there"), "x").is_err(),
                std::fs::create_dir(other.join("dir")).is_err(),
                std::fs::read(private.join("there")).is_err(),
                std::fs::read_dir(&private).is_err(),
            ];
            std::process::Command::new("true").stdin(std::process::Stdio::null()).status().expect("a child");
            (confined, refused)
        });
        match under.join().expect("no panic") {
            ((Writes::Below(_), None), refused) => assert_eq!(refused, [true; 5]),
            ((Writes::Below(_), Some(why)), _) => panic!("reading is not confined: {why}"),
            ((Writes::Anywhere(why), _), refused) => assert_eq!(refused, [false; 5], "not confined: {why}"),
        }
    }
}
