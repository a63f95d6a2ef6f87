//! `logveil spool list | show | retry-dead-letters`: what waits, what was put aside, and another try.
//!
//! `list` and `show` work beside a running agent and change nothing. `retry-dead-letters` takes the agent's
//! lock, so it is refused while one runs. Nothing shown is raw: the spool holds masked records only.

use super::configured::ConfigFile;
use super::exit;
use crate::batch::{Batch, reseal};
use crate::config::Depth;
use crate::durable;
use crate::spool::inspect::{self, Contents, Waiting};
use crate::spool::{self, Spool, StateDir, StateDirError, Stored};
use serde_json::json;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// List and show waiting batches, and retry what was refused.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// The state directory itself, instead of a configuration.
    #[arg(long, value_name = "DIR", global = true)]
    state_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Waiting batches, dead letters and damaged files.
    List {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// The masked records of one batch or dead letter, one JSON object a line.
    Show {
        /// A sequence number, or the name of a dead letter, as `list` prints them.
        name: String,
    },
    /// Put the dead letters back into the spool; the agent must not be running.
    RetryDeadLetters,
}

/// Runs the command: 0 done, 1 when nothing has that name, 4 when the directory cannot be used.
pub fn run(args: Args) -> ExitCode {
    let state_dir = match (args.state_dir, args.config) {
        (Some(path), _) => path,
        (None, config) => match config.load(Depth::Text).map(|loaded| loaded.config) {
            Ok(Some(config)) => config.agent.state_dir,
            Ok(None) => return ExitCode::from(exit::INVALID),
            Err(code) => return code,
        },
    };
    // What is not there holds nothing, which is no answer to a slip of the pen.
    if let Err(error) = std::fs::read_dir(&state_dir) {
        let told = format!("cannot read the state directory {}: {error}", state_dir.display());
        return exit::fail(exit::UNREACHABLE, told);
    }
    let done = match args.command {
        Command::List { json } => inspect::contents(&state_dir).map(|found| list(&found, json)),
        Command::Show { name } => inspect::contents(&state_dir).map(|found| show(&found, &name)),
        Command::RetryDeadLetters => retry(&state_dir),
    };
    done.unwrap_or_else(|error| exit::fail(exit::UNREACHABLE, format_args!("[LV0401] {error}")))
}

fn list(found: &Contents, json: bool) -> ExitCode {
    let mut out = anstream::stdout().lock();
    let written = if json { list_json(found, &mut out) } else { list_text(found, &mut out) };
    finish(written)
}

fn list_text(found: &Contents, out: &mut impl Write) -> io::Result<()> {
    if let Some(sequence) = found.acknowledged {
        writeln!(out, "acknowledged up to {sequence}")?;
    }
    writeln!(out, "{:>12} {:>8} {:>12}  packed", "waiting", "records", "bytes")?;
    for Waiting { path, bytes, batch } in &found.waiting {
        match batch {
            Some(Batch { header, .. }) => {
                let packed = format!("{:?}", header.encoding).to_lowercase();
                writeln!(out, "{:>12} {:>8} {bytes:>12}  {packed}", header.sequence, header.entries)?;
            }
            None => writeln!(out, "{:>12} {:>8} {bytes:>12}  damaged", file_name(path), "-")?,
        }
    }
    for (title, paths) in [("dead letter", &found.dead_letters), ("quarantine", &found.quarantined)] {
        for path in paths {
            writeln!(out, "{title}: {}", file_name(path))?;
        }
    }
    let (waiting, letters) = (found.waiting.len(), found.dead_letters.len());
    writeln!(out, "{waiting} batches wait, {letters} dead letters, {} damaged files", found.quarantined.len())
}

fn list_json(found: &Contents, out: &mut impl Write) -> io::Result<()> {
    let waiting = found.waiting.iter().map(|Waiting { path, bytes, batch }| match batch {
        Some(Batch { header, .. }) => json!({
            "sequence": header.sequence, "records": header.entries, "bytes": bytes,
            "json_bytes": header.raw_len, "encoding": header.encoding,
        }),
        None => json!({ "file": file_name(path), "bytes": bytes, "damaged": true }),
    });
    let names = |paths: &[PathBuf]| paths.iter().map(|path| file_name(path)).collect::<Vec<_>>();
    let all = json!({
        "acknowledged": found.acknowledged,
        "waiting": waiting.collect::<Vec<_>>(),
        "dead_letters": names(&found.dead_letters),
        "quarantine": names(&found.quarantined),
    });
    writeln!(out, "{all:#}")
}

fn show(found: &Contents, name: &str) -> ExitCode {
    let batch = found.waiting.iter().filter_map(|waiting| waiting.batch.as_ref());
    let batch = name.parse().ok().and_then(|number: u64| batch.into_iter().find(|b| b.header.sequence == number));
    let letter = found.dead_letters.iter().find(|path| file_name(path) == name);
    let json = match (batch, letter) {
        (Some(batch), _) => reseal::open(batch).map_err(|error| error.to_string()),
        (None, Some(path)) => std::fs::read(path).map_err(|error| error.to_string()),
        (None, None) => {
            return exit::fail(exit::FINDINGS, "no batch and no dead letter of that name; logveil spool list");
        }
    };
    let records = json.and_then(|json| {
        let records = reseal::records(&json).map_err(|error| error.to_string())?;
        Ok(records.iter().map(|record| format!("{}\n", record.get())).collect::<String>())
    });
    match records {
        Ok(text) => finish(anstream::stdout().lock().write_all(text.as_bytes())),
        Err(error) => exit::fail(exit::UNREACHABLE, format_args!("it cannot be opened: {error}")),
    }
}

/// Each letter becomes a batch; its file goes once the batch is durable.
fn retry(state_dir: &Path) -> Result<ExitCode, StateDirError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| StateDirError::Io(path, error)
    };
    let state = StateDir::open(state_dir)?;
    let settings = spool::Settings { max_bytes: u64::MAX, ..spool::Settings::default() };
    let (spool, _) = Spool::open(state, settings)?;
    let (mut moved, mut left) = (0, 0);
    for path in inspect::contents(state_dir)?.dead_letters {
        let json = std::fs::read(&path).map_err(failed(&path))?;
        let Ok(batch) = reseal::revive(&json) else {
            left += 1;
            continue;
        };
        if spool.store(&mut [batch], &mut |_| {}).map_err(failed(&path))? == Stored::Yes {
            std::fs::remove_file(&path).map_err(failed(&path))?;
            moved += 1;
        }
    }
    let folder = state_dir.join("dead-letters");
    durable::sync_directory(&folder).map_err(failed(&folder))?;
    let told = writeln!(anstream::stdout(), "{moved} dead letters wait for delivery again, {left} cannot be read");
    Ok(if left > 0 { ExitCode::from(exit::FINDINGS) } else { finish(told) })
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A closed pipe is no error: its reader has seen enough.
fn finish(written: io::Result<()>) -> ExitCode {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            exit::fail(exit::UNREACHABLE, format_args!("cannot write: {error}"))
        }
        _ => ExitCode::SUCCESS,
    }
}
