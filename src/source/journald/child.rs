//! The child process `journalctl`: started, read without blocking, killed and reaped.

use super::Settings;
use super::resume::Begin;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::{Child as Process, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Names this host in its journal's entries.
const MACHINE_ID: &str = "/etc/machine-id";

/// Of what the program says about itself, bytes looked at.
const SAID: usize = 4096;

/// Longest time for trying it out.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running child; killed when dropped.
pub struct Child {
    process: Process,
    out: ChildStdout,
    err: ChildStderr,
}

/// What a read gave.
pub enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// The child has ended.
    Ended,
}

impl Child {
    /// Starts the program.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(settings: &Settings, begin: &Begin) -> io::Result<Child> {
        Child::spawn(settings, &arguments(settings, begin))
    }

    fn spawn(settings: &Settings, arguments: &[String]) -> io::Result<Child> {
        let mut command = Command::new(&settings.journalctl);
        command.args(arguments);
        // The format must not depend on the user's environment.
        command.env("LC_ALL", "C").env_remove("SYSTEMD_LOG_LEVEL").env_remove("SYSTEMD_COLORS");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn()?;
        match (process.stdout.take(), process.stderr.take()) {
            (Some(out), Some(err)) => Ok(Child { process, out, err }),
            _ => Err(io::Error::other("its output is not connected")),
        }
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// The pipe cannot be read.
    pub fn read(&mut self, room: &mut [u8]) -> io::Result<Got> {
        if !self.wait(Duration::ZERO) {
            return Ok(Got::Nothing);
        }
        match self.out.read(room) {
            Ok(0) => Ok(Got::Ended),
            Ok(count) => Ok(Got::Bytes(count)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Got::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Waits until there is something to read; false when the time is over.
    pub fn wait(&self, limit: Duration) -> bool {
        super::super::wait_readable(self.out.as_fd(), limit)
    }

    /// Why it ended, in our own words: what it said is looked at, but not repeated.
    pub fn verdict(self) -> String {
        let (status, hint) = self.end();
        let separator = if hint.is_empty() { "" } else { "; " };
        format!("it ended ({}){separator}{hint}", status.map_or_else(|error| error.to_string(), |s| s.to_string()))
    }

    /// How it ended, and what to do about it; empty when that is not known.
    fn end(mut self) -> (io::Result<ExitStatus>, &'static str) {
        let mut said = [0; SAID];
        let mut len = 0;
        // Only what is there already: a grandchild might keep the pipe open.
        while len < SAID && super::super::wait_readable(self.err.as_fd(), Duration::ZERO) {
            match self.err.read(&mut said[len..]) {
                Ok(count) if count > 0 => len += count,
                _ => break,
            }
        }
        let _ = self.process.kill();
        let status = self.process.wait();
        let said = |words: &str| memchr::memmem::find(&said[..len], words.as_bytes()).is_some();
        let why =
            if ["insufficient permissions", "Permission denied", "not seeing messages"].iter().any(|words| said(words))
            {
                "add the user to the group systemd-journal"
            } else if said("No journal files were found") {
                "there is no journal: is systemd-journald running, is Storage= not none?"
            } else if said("boot id") {
                "it may not read /proc/sys/kernel/random/boot_id: remove ProcSubset=pid from the unit"
            } else if said("unrecognized option") || said("invalid option") {
                "this journalctl is too old"
            } else {
                ""
            };
        (status, why)
    }
}

/// Reads one entry as the source would, and gives up after a moment: whether program, rights and journal are there.
///
/// # Errors
/// What is missing and what to do, in our own words.
pub fn try_out(settings: &Settings) -> Result<(), String> {
    let program = settings.journalctl.display();
    let mut arguments: Vec<String> = ["--output=export", "--lines=1", "--no-pager"].map(String::from).into();
    arguments.extend(selection(settings));
    let mut child = Child::spawn(settings, &arguments)
        .map_err(|error| format!("cannot {}: {error}", cannot_run(settings, &error)))?;
    let (begun, mut room) = (Instant::now(), [0; SAID]);
    while begun.elapsed() < PATIENCE {
        match child.read(&mut room) {
            Ok(Got::Nothing) => _ = child.wait(Duration::from_millis(100)),
            Ok(Got::Bytes(_)) => {}
            Ok(Got::Ended) => {
                return match child.end() {
                    (_, hint) if !hint.is_empty() => Err(hint.to_owned()),
                    (Ok(status), _) if !status.success() => Err(format!("{program} ended ({status})")),
                    _ => Ok(()),
                };
            }
            Err(error) => return Err(format!("{program}: {error}")),
        }
    }
    Err(format!("{program} does not end"))
}

/// What to say when the program cannot be run.
pub fn cannot_run(settings: &Settings, error: &io::Error) -> String {
    let program = settings.journalctl.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("run {program}: install systemd, or remove the journald source"),
        _ => format!("run {program}"),
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn arguments(settings: &Settings, begin: &Begin) -> Vec<String> {
    let mut args: Vec<String> =
        ["--output=export", "--follow", "--all", "--quiet", "--no-pager"].map(String::from).into();
    match begin {
        Begin::First => args.push("--no-tail".into()),
        Begin::Cursor(cursor) => args.extend(["--no-tail".into(), format!("--cursor={cursor}")]),
        Begin::Time(micros) => {
            args.extend(["--no-tail".into(), format!("--since=@{}.{:06}", micros / 1_000_000, micros % 1_000_000)]);
        }
        Begin::Boot => args.extend(["--no-tail".into(), "--boot".into()]),
    }
    if *begin != Begin::Boot {
        args.extend(every_boot(settings));
    }
    args.extend(selection(settings));
    args
}

/// From version 251 on, `--follow` shows one boot only: what was logged before a restart of the host would be lost.
/// `--merge` lifts that from 254 on, where `--boot=all` alone does not; before, the two go together only so.
/// Merged, the journals of other machines come too, which the match keeps out.
fn every_boot(settings: &Settings) -> impl Iterator<Item = String> {
    let machine = settings.directory.is_none().then(|| std::fs::read_to_string(MACHINE_ID).ok()).flatten();
    let machine = machine.filter(|id| id.trim().len() == 32).map(|id| format!("_MACHINE_ID={}", id.trim()));
    ["--merge", "--boot=all"].map(String::from).into_iter().chain(machine)
}

/// Which journal, and which of its entries.
fn selection(settings: &Settings) -> impl Iterator<Item = String> {
    let directory = settings.directory.iter().map(|directory| format!("--directory={}", directory.display()));
    directory.chain(settings.units.iter().map(|unit| format!("--unit={unit}")))
}
