//! The promises under faults: numbered records that check themselves, planted values that must show up nowhere,
//! real files, processes, sockets and file systems. `tests/FAULTS.md` says which row of the plan is covered where.

mod changed;
mod clock;
mod copies;
mod disk;
mod hidden;
mod journal;
mod limits;
mod load;
mod matrix;
mod neighbours;
mod network;
mod process;
mod rotation;
mod soak;
mod trust;

use crate::host::{Host, LIMIT, arrived, assert_wire, wait_for};
use logveil::intake::{Intake, Settings};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn intake(script: &str) -> Intake {
    let script = script.parse().expect("a script");
    Intake::start(Settings { script, ..Settings::default() }).expect("an intake")
}

/// What an agent may need at most, whatever happens, KiB. The whole pack takes half of it, and the pages of a binary that
/// tests build a quarter, of which a release has the half.
const MEMORY: u64 = 80 << 10;

/// An intake that follows a script, and a host whose agent ships there.
fn scene(script: &str) -> (Intake, Host) {
    let intake = intake(script);
    let host = Host::new(&intake.origin(), "");
    (intake, host)
}

/// Numbers that arrived under any file name, in order of arrival.
fn numbers(intake: &Intake) -> Vec<u64> {
    arrived(intake.ledger()).into_values().flatten().collect()
}

/// How many records are stored twice under different names: read twice, not sent twice.
fn read_twice(intake: &Intake) -> usize {
    let book = intake.ledger().book();
    let ids: BTreeSet<_> = book.stored.iter().map(|s| s.event["logveil"]["id"].to_string()).collect();
    drop(book);
    ids.len() - numbers(intake).into_iter().collect::<BTreeSet<_>>().len()
}

/// Waits for records `0..n`, then asserts that none is lost, none was read twice and nothing has leaked.
fn assert_whole(intake: &Intake, host: &Host, n: u64) {
    wait_for_numbers(intake, host, n);
    assert_eq!(read_twice(intake), 0, "records read twice");
    assert_wire(intake);
    host.assert_clean();
}

fn wait_for_numbers(intake: &Intake, host: &Host, n: u64) {
    wait_for(intake, host, n as usize);
    let seen: BTreeSet<u64> = numbers(intake).into_iter().collect();
    let lost: Vec<u64> = (0..n).filter(|number| !seen.contains(number)).take(5).collect();
    assert!(lost.is_empty(), "lost, among others: {lost:?}\n{}", host.own_log());
}

fn until(what: &str, host: &Host, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < end, "{what}\n{}", host.own_log());
        pause(30);
    }
}

fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Runs a program, its output to a file if one is named. False, said loudly, where it is missing or refused.
fn run(program: &str, arguments: &[&str], output: Option<&Path>) -> bool {
    let to = output.map_or(Stdio::null(), |path| std::fs::File::create(path).expect("a file").into());
    let done = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(to).stderr(Stdio::null()).status();
    let good = done.is_ok_and(|status| status.success());
    if !good {
        skipped(&format!("{program} {}", arguments.join(" ")));
    }
    good
}

fn skipped(needs: &str) {
    say(&format!("SKIPPED: this test needs what is missing or refused here: {needs}"));
}

#[allow(clippy::print_stderr)]
fn say(text: &str) {
    eprintln!("{text}");
}

/// A file system of its own; unmounted when dropped.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    /// None, said loudly, where this user may not mount.
    fn new(arguments: &[&str], at: &'a Path) -> Option<Mount<'a>> {
        std::fs::create_dir_all(at).expect("a folder");
        let mounted = Command::new("mount").args(arguments).arg(at).output();
        if mounted.as_ref().is_ok_and(|output| output.status.success()) {
            return Some(Mount(at));
        }
        let why = mounted.map_or_else(|e| e.to_string(), |o| String::from_utf8_lossy(&o.stderr).trim().to_owned());
        skipped(&format!("a mount ({why})"));
        None
    }

    /// An ext4 of 64 MiB in a file beside it, on a loop device.
    fn ext4(image: &Path, at: &'a Path) -> Option<Mount<'a>> {
        std::fs::File::create(image).and_then(|file| file.set_len(64 << 20)).expect("an image");
        let made = Command::new("mkfs.ext4").arg("-q").arg("-F").arg(image).status();
        if !made.is_ok_and(|status| status.success()) {
            skipped("mkfs.ext4");
            return None;
        }
        Mount::new(&["-o", "loop", &image.display().to_string()], at)
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}
