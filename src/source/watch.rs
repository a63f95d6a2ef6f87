//! Hints from the kernel that something changed in a folder. Never the truth: a hint that is lost costs the
//! time to the next sweep, nothing else.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::collections::{BTreeSet, HashMap};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// Watched folders.
pub(super) struct Watch {
    /// None where the kernel gives none.
    fd: Option<OwnedFd>,
    folders: HashMap<i32, PathBuf>,
    watched: BTreeSet<PathBuf>,
    complete: bool,
}

/// What the kernel said.
pub(super) enum Hint {
    /// The file at this path changed.
    Changed(PathBuf),
    /// Names changed, or hints were lost.
    Sweep,
}

impl Watch {
    pub(super) fn new() -> Watch {
        let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok();
        Watch { fd, folders: HashMap::new(), watched: BTreeSet::new(), complete: true }
    }

    /// True when every folder is watched.
    pub(super) fn works(&self) -> bool {
        self.fd.is_some() && self.complete
    }

    /// Watches these folders from now on.
    pub(super) fn folders(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(fd) = &self.fd else { return };
        let events = WatchFlags::MODIFY
            | WatchFlags::CREATE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        self.complete = true;
        for folder in folders {
            if self.watched.contains(folder) {
                continue;
            }
            match inotify::add_watch(fd, folder.as_path(), events) {
                Ok(wd) => {
                    self.folders.insert(wd, folder.clone());
                    self.watched.insert(folder.clone());
                }
                Err(_) => self.complete = false,
            }
        }
    }

    /// Sleeps until the kernel says something, at most `limit`.
    pub(super) fn wait(&mut self, limit: Duration) -> Vec<Hint> {
        let Some(fd) = &self.fd else {
            std::thread::sleep(limit);
            return Vec::new();
        };
        let timeout = rustix::event::Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: limit.subsec_nanos().into() };
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&timeout)) {
            Ok(1..) => self.read(),
            _ => Vec::new(),
        }
    }

    fn read(&mut self) -> Vec<Hint> {
        let Some(fd) = &self.fd else { return Vec::new() };
        let mut space = [MaybeUninit::uninit(); 16 << 10];
        let mut reader = inotify::Reader::new(fd, &mut space);
        let mut hints = Vec::new();
        while let Ok(event) = reader.next() {
            let flags = event.events();
            let over = ReadFlags::IGNORED | ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT;
            if flags.intersects(over) {
                if let Some(folder) = self.folders.remove(&event.wd()) {
                    self.watched.remove(&folder);
                }
                hints.push(Hint::Sweep);
                continue;
            }
            let name = event.file_name().map(|name| std::ffi::OsStr::from_bytes(name.to_bytes()));
            match (self.folders.get(&event.wd()), name) {
                (Some(folder), Some(name)) if flags.contains(ReadFlags::MODIFY) => {
                    hints.push(Hint::Changed(folder.join(name)));
                }
                _ => hints.push(Hint::Sweep),
            }
        }
        hints
    }
}
