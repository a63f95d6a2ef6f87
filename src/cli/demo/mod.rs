//! `logveil demo`: the real agent on a log that the demo writes itself, shipping over HTTP to the development
//! intake in the same process; every record is shown as it arrives.
//!
//! Everything is real: the configuration is a file and goes through the loader, the log is a file and is
//! tailed, batches are spooled, sent and acknowledged. At the end the demo looks for the values it
//! planted in everything that arrived; one found is a failure.

mod sample;

use super::intake::print;
use super::{configured, exit};
use crate::agent::{self, Progress};
use crate::config::{self, Config, Depth};
use crate::intake::{Intake, Settings};
use crate::telemetry::{self, Format, Level};
use sample::Line;
use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

const KEY: &str = "demo-key";
/// Pause after a line, so that arrivals can be followed.
const PAUSE: Duration = Duration::from_millis(250);
/// Everything must have arrived this long after the last line.
const PATIENCE: Duration = Duration::from_secs(30);

/// Watch the agent work on a sample log; needs no account and no configuration.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Leave the folder with log, configuration and state behind.
    #[arg(long)]
    keep: bool,
}

/// How the demo ended.
enum End {
    Delivered,
    Interrupted,
    Late,
}

/// Runs the demo: 0 when every record arrived clean or it was interrupted, 1 when a planted value arrived,
/// 4 when records did not arrive.
pub fn run(args: Args) -> ExitCode {
    let folder = std::env::temp_dir().join(format!("logveil-demo-{}", std::process::id()));
    let shown = play(&folder);
    if args.keep {
        let _ = writeln!(anstream::stderr(), "left behind: {}", folder.display());
    } else {
        let _ = std::fs::remove_dir_all(&folder);
    }
    shown.unwrap_or_else(|error| exit::fail(exit::UNREACHABLE, format_args!("the demo cannot run: {error}")))
}

fn play(folder: &Path) -> io::Result<ExitCode> {
    let intake = Intake::start(Settings {
        keys: Some(vec![KEY.to_owned()]),
        on_request: Some(Box::new(|request, stored| {
            // A closed pipe ends the showing, not the demo.
            let _ = print(&mut anstream::stdout().lock(), request, stored);
        })),
        ..Settings::default()
    })?;
    let config = prepare(folder, &intake.origin())?;
    let loaded = config::load(&config, Depth::Text)?;
    let Some(config) = loaded.config else { return Err(io::Error::other("its configuration does not load")) };
    let rules = match configured::rules(&config) {
        Ok(rules) => rules,
        Err(code) => return Ok(code),
    };
    telemetry::install(Level::Warn, Format::Text, rules.clone());
    let log = folder.join("logs/workflow.log");
    let _ = writeln!(
        anstream::stderr(),
        "log      {}\nintake   {}\nrules    {}\n",
        log.display(),
        intake.origin(),
        rules.len()
    );
    let now = jiff::Timestamp::try_from(SystemTime::now()).unwrap_or_default();
    let lines = sample::lines(&format!("{now:.3}"));
    let end = drive(config, rules, &log, &lines)?;
    Ok(conclude(&intake, &lines, &end))
}

/// Folders, key and configuration.
fn prepare(folder: &Path, origin: &str) -> io::Result<PathBuf> {
    DirBuilder::new().mode(0o700).create(folder)?;
    DirBuilder::new().mode(0o700).create(folder.join("logs"))?;
    write_private(&folder.join("key"), KEY)?;
    let at = folder.display();
    let text = format!(
        "version: 1\nregion: eu\nstate_dir: '{at}/state'\ntags: [env:demo]\n\
         sources:\n  workflows: {{include: ['{at}/logs/*.log'], service: workflow-engine}}\n\
         output:\n  datadog: {{url: '{origin}', api_key: 'file:{at}/key', batch: {{age: 300ms}}}}\n"
    );
    let path = folder.join("logveil.yaml");
    write_private(&path, &text)?;
    Ok(path)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// Runs the agent while the log is written, until everything was acknowledged.
fn drive(config: Config, rules: Arc<crate::redact::RuleSet>, log: &Path, lines: &[Line]) -> io::Result<End> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut log = std::fs::OpenOptions::new().append(true).create_new(true).mode(0o600).open(log)?;
    let progress = Arc::new(Progress::default());
    let (mut end, watched) = (Ok(End::Late), progress.clone());
    let ended = runtime.block_on(async {
        let stop = async {
            let work = async {
                for line in lines {
                    log.write_all(format!("{}\n", line.text).as_bytes())?;
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(arrived(&watched, lines.len() as u64).await)
            };
            end = tokio::select! {
                done = work => done,
                _ = tokio::signal::ctrl_c() => Ok(End::Interrupted),
            };
        };
        agent::run(config.agent, rules, progress, stop).await
    });
    ended.map_err(|error| io::Error::other(error.to_string()))?;
    end
}

async fn arrived(progress: &Progress, expected: u64) -> End {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if progress.records_delivered.load(Ordering::Relaxed) >= expected {
            return End::Delivered;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    End::Late
}

/// Says what arrived, and looks for what must not have.
fn conclude(intake: &Intake, lines: &[Line], end: &End) -> ExitCode {
    let book = intake.ledger().book();
    let planted: Vec<&String> = lines.iter().flat_map(|line| &line.planted).collect();
    let bodies = || book.requests.iter().map(|request| String::from_utf8_lossy(&request.decoded));
    let leaked = planted.iter().filter(|value| bodies().any(|body| body.contains(value.as_str()))).count();
    let _ = writeln!(
        anstream::stdout(),
        "\n{} of {} records arrived; {} sensitive values were planted, {leaked} of them arrived",
        book.stored.len() - book.lost(),
        lines.len(),
        planted.len(),
    );
    match end {
        _ if leaked > 0 => exit::fail(exit::FINDINGS, "a planted value arrived unmasked"),
        End::Late => exit::fail(exit::UNREACHABLE, "not every record arrived in time"),
        End::Delivered | End::Interrupted => ExitCode::SUCCESS,
    }
}
