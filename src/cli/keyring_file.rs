//! What the commands around tokens share: the clock, the key in force, secret input and refusals.

use super::exit;
use crate::keyring::{EpochKey, Keyring, KeyringError};
use crate::token::Minter;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// Longest value taken, bytes.
const LONGEST: usize = 4096;

/// Unix seconds.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

/// Says why a keyring is refused. 5 where a rule of the house refuses it, else 3.
pub(super) fn refuse(error: &KeyringError) -> ExitCode {
    match error {
        KeyringError::ForeignRegion { .. } | KeyringError::Exposed(..) => exit::fail(exit::POLICY, error),
        _ => exit::fail(exit::INVALID, error),
    }
}

/// The key in force of a keyring, to make minters of.
pub(super) struct Mint {
    key: EpochKey,
    region: String,
}

impl Mint {
    /// Loads the keyring that was named, if one was; why it is refused is shown and gives the exit code.
    pub(super) fn of(keyring: Option<&Path>) -> Result<Option<Mint>, ExitCode> {
        let load = |path| -> Result<Mint, KeyringError> {
            let ring = Keyring::load(path)?;
            Ok(Mint { key: ring.active(now())?.clone(), region: ring.region().to_owned() })
        };
        keyring.map(load).transpose().map_err(|error| refuse(&error))
    }

    /// A minter of this key.
    pub(super) fn minter(&self) -> Minter {
        Minter::new(&self.key.key, &self.region, self.key.epoch, None)
    }
}

/// Reads one line that must not be seen: without echo from a terminal, else the first line of standard
/// input. Never from the arguments, where every process could read it.
///
/// # Errors
/// Those of reading, and an empty or over-long line.
pub(super) fn secret_line(prompt: &str) -> io::Result<Zeroizing<String>> {
    let input = io::stdin();
    let mut line = Zeroizing::new(String::with_capacity(LONGEST));
    if input.is_terminal() {
        write!(anstream::stderr(), "{prompt} (not echoed): ")?;
        anstream::stderr().flush()?;
        let silent = Silent::begin()?;
        input.lock().read_line(&mut line)?;
        drop(silent);
        writeln!(anstream::stderr())?;
    } else {
        io::Read::take(input.lock(), LONGEST as u64).read_line(&mut line)?;
    }
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    let fault = if line.is_empty() {
        Some("no value given")
    } else if line.len() >= LONGEST - 1 {
        Some("the value is longer than 4,094 bytes")
    } else {
        None
    };
    match fault {
        Some(fault) => Err(io::Error::new(io::ErrorKind::InvalidInput, fault)),
        None => Ok(line),
    }
}

/// The terminal without echo, until dropped.
struct Silent(rustix::termios::Termios);

impl Silent {
    fn begin() -> io::Result<Silent> {
        let before = rustix::termios::tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(rustix::termios::LocalModes::ECHO);
        rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Flush, &quiet)?;
        Ok(Silent(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Flush, &self.0);
    }
}
