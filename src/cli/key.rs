//! `logveil key new | list | destroy`: the life of token keys.

use super::keyring_file;
use crate::keyring::destroy::{Which, audit, audit_path, destroy};
use crate::keyring::file::day;
use crate::keyring::{Keyring, KeyringError, State};
use crate::token::EpochId;
use serde_json::json;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Make, list and destroy the keys of tokens.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Create a keyring with a current and a next key, or add the next key to one.
    New {
        /// The keyring file; created with mode 0600.
        #[arg(long, value_name = "FILE")]
        keyring: PathBuf,
        /// Region whose records the keys are for; needed for a new file.
        #[arg(long, value_parser = ["eu", "us"])]
        region: Option<String>,
    },
    /// Show epochs, dates and states; never keys.
    List {
        /// The keyring file.
        #[arg(long, value_name = "FILE")]
        keyring: PathBuf,
        /// One JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Destroy keys: their tokens can never be tied to a value again.
    #[command(group = clap::ArgGroup::new("which").required(true))]
    Destroy {
        /// The keyring file.
        #[arg(long, value_name = "FILE")]
        keyring: PathBuf,
        /// All keys whose time to die has passed.
        #[arg(long, group = "which")]
        overdue: bool,
        /// The key of this epoch, whatever its age.
        #[arg(long, value_name = "EPOCH", group = "which", value_parser = epoch)]
        epoch: Option<EpochId>,
    },
}

fn epoch(text: &str) -> Result<EpochId, String> {
    EpochId::parse(text).ok_or_else(|| "an epoch is two characters, as `logveil key list` shows them".to_owned())
}

/// Runs the command: 0 done, 3 for a keyring that cannot be used, 2 for a missing region.
pub fn run(args: Args) -> ExitCode {
    let now = keyring_file::now();
    let mut out = anstream::stdout().lock();
    let done = match args.command {
        Command::New { keyring, region } => new(&keyring, region.as_deref(), now, &mut out),
        Command::List { keyring, json } => Keyring::load(&keyring).map(|ring| list(&ring, json, now, &mut out)),
        Command::Destroy { keyring, epoch, .. } => {
            let which = epoch.map_or(Which::Overdue, Which::Epoch);
            Keyring::load(&keyring).and_then(|mut ring| remove(&mut ring, which, now, &mut out))
        }
    };
    match done {
        // A closed pipe is no failure of the command.
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => keyring_file::refuse(&error),
    }
}

fn new(
    path: &std::path::Path,
    region: Option<&str>,
    now: i64,
    out: &mut dyn Write,
) -> Result<io::Result<()>, KeyringError> {
    let mut ring = match (path.exists(), region) {
        (true, None) => Keyring::load(path)?,
        (true, Some(region)) => Keyring::load_for(path, region)?,
        (false, Some(region)) => Keyring::empty(path, region),
        (false, None) => {
            let what = "does not exist yet; name its region: --region eu or --region us";
            return Err(KeyringError::Io(path.to_owned(), io::Error::new(io::ErrorKind::NotFound, what)));
        }
    };
    let added = ring.extend(now)?;
    ring.save()?;
    for key in ring.keys().iter().filter(|key| added.contains(&key.epoch)) {
        audit(&ring, "new", key, now)?;
    }
    let said = ring.keys().iter().filter(|key| added.contains(&key.epoch)).try_for_each(|key| {
        let (from, until, by) = (day(key.valid_from), day(key.valid_until), day(key.destroy_by));
        writeln!(out, "epoch {}  region {}  in use {from} to {until}, destroy by {by}", key.epoch, ring.region())
    });
    Ok(said.and_then(|()| writeln!(out, "wrote {} (0600); audit in {}", path.display(), audit_path(path).display())))
}

fn list(ring: &Keyring, as_json: bool, now: i64, out: &mut dyn Write) -> io::Result<()> {
    if as_json {
        let keys: Vec<_> = ring
            .keys()
            .iter()
            .map(|key| {
                json!({
                    "epoch": key.epoch.to_string(), "region": ring.region(), "state": state(key.state(now)),
                    "valid_from": day(key.valid_from), "valid_until": day(key.valid_until), "destroy_by": day(key.destroy_by),
                })
            })
            .collect();
        return writeln!(out, "{}", json!(keys));
    }
    writeln!(out, "epoch  region  first use   last use    destroy by  state")?;
    ring.keys().iter().rev().try_for_each(|key| {
        let last = day(key.valid_until - 1);
        let (from, by, state) = (day(key.valid_from), day(key.destroy_by), state(key.state(now)));
        writeln!(out, "{:<5}  {:<6}  {from}  {last}  {by}  {state}", key.epoch.to_string(), ring.region())
    })
}

fn state(state: State) -> &'static str {
    match state {
        State::Next => "next",
        State::Active => "active",
        State::LookupOnly => "lookup only",
        State::Overdue => "overdue: destroy it now",
    }
}

fn remove(ring: &mut Keyring, which: Which, now: i64, out: &mut dyn Write) -> Result<io::Result<()>, KeyringError> {
    let gone = destroy(ring, which, now)?;
    if gone.is_empty() {
        return Ok(writeln!(out, "no key is overdue"));
    }
    let said =
        gone.iter().try_for_each(|key| writeln!(out, "destroyed epoch {} of region {}", key.epoch, ring.region()));
    Ok(said.and_then(|()| {
        writeln!(out, "Copies in secret stores, on other hosts and in backups are out of reach here: they must follow the same clock.")
    }))
}
