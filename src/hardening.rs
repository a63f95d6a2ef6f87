//! What the process gives up before its threads start, and the limits it takes.
//!
//! - what it writes is its own alone (umask);
//! - its memory stands in no core dump and is open to no debugger of another user's making;
//! - it takes as many file descriptors as the system gives without asking, one a followed file;
//! - it can create or change files below its state directory and nowhere else (Landlock, where the kernel
//!   has it). Reading stays free: sources follow links anywhere, certificates and resolvers are the
//!   system's. Child processes inherit all of it.
//!
//! Nothing here stops the agent: what the kernel refuses is told by [`Applied`] and shown by `/readyz`.

use landlock::{ABI, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd};
use landlock::{Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use std::fmt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What was achieved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// Neither dumped nor traced.
    pub undumpable: bool,
    /// Files that may be open at a time; none: without limit.
    pub descriptors: Option<u64>,
    /// Where files may be written.
    pub writes: Writes,
}

/// Where files may be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Writes {
    /// Below this folder only.
    Below(PathBuf),
    /// Anywhere; the text says why.
    Anywhere(String),
}

/// Gives up what a sidecar never needs. To be called once, on the first thread, before any other starts.
pub fn apply(state_dir: &Path) -> Applied {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let undumpable = set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok();
    let undumpable = setrlimit(Resource::Core, none).is_ok() && undumpable;
    Applied { undumpable, descriptors: raise_descriptors(), writes: confine(state_dir) }
}

fn raise_descriptors() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

fn confine(state_dir: &Path) -> Writes {
    // The rule needs a folder to stand on. What is wrong with this one is told when it is opened.
    let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(state_dir);
    match restrict(state_dir) {
        Ok(RulesetStatus::NotEnforced) => Writes::Anywhere("this kernel has no Landlock".to_owned()),
        Ok(_) => Writes::Below(state_dir.to_owned()),
        Err(error) => Writes::Anywhere(error),
    }
}

/// Sockets may still be made, and stale ones removed: they hold no text.
fn restrict(state_dir: &Path) -> Result<RulesetStatus, String> {
    let told = |error: RulesetError| error.to_string();
    let writing: BitFlags<AccessFs> = AccessFs::from_write(ABI::V3) & !(AccessFs::MakeSock | AccessFs::RemoveFile);
    let open = |path: &Path| PathFd::new(path).map_err(|error| error.to_string());
    // Without this right no file may move between our own folders (quarantine): then better no rules at all.
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let ruleset = ruleset.handle_access(AccessFs::Refer).map_err(told)?.set_compatibility(CompatLevel::BestEffort);
    let ruleset = ruleset.handle_access(writing).map_err(told)?.create().map_err(told)?;
    let ruleset = ruleset.add_rule(PathBeneath::new(open(state_dir)?, writing)).map_err(told)?;
    let to_device = AccessFs::WriteFile | AccessFs::Truncate;
    let ruleset = ruleset.add_rule(PathBeneath::new(open(Path::new("/dev/null"))?, to_device)).map_err(told)?;
    ruleset.restrict_self().map(|status| status.ruleset).map_err(told)
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.writes {
            Writes::Below(folder) => write!(f, "writes only below {}", folder.display())?,
            Writes::Anywhere(why) => write!(f, "writes not confined ({why})")?,
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
    fn a_thread_under_the_rules_writes_below_its_folder_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let (ours, other) = (folder.path().join("state"), folder.path().join("other"));
        std::fs::create_dir(&other).expect("a folder");
        std::fs::write(other.join("there"), "x").expect("written");
        // Landlock holds for the thread that asks, and this one ends.
        let under = std::thread::spawn(move || {
            let writes = confine(&ours);
            std::fs::create_dir_all(ours.join("spool")).expect("below ours");
            std::fs::write(ours.join("spool/batch.tmp"), "x").expect("below ours");
            std::fs::create_dir(ours.join("quarantine")).expect("below ours");
            std::fs::rename(ours.join("spool/batch.tmp"), ours.join("quarantine/batch")).expect("between folders");
            std::fs::read(other.join("there")).expect("reading stays free");
            let refused = [
                std::fs::write(other.join("new"), "x").is_err(),
                std::fs::write(other.join("there"), "x").is_err(),
                std::fs::create_dir(other.join("dir")).is_err(),
            ];
            std::process::Command::new("true").stdin(std::process::Stdio::null()).status().expect("a child");
            (writes, refused)
        });
        match under.join().expect("no panic") {
            (Writes::Below(_), refused) => assert_eq!(refused, [true; 3]),
            (Writes::Anywhere(why), refused) => assert_eq!(refused, [false; 3], "not confined: {why}"),
        }
    }
}
