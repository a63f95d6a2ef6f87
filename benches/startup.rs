//! How long a start takes: reading the pack, compiling it, and both commands from their start to their first line.
//!
//! `cargo bench --bench startup [-- RUNS]`. CPU time of this thread for what runs here, wall time for the commands;
//! the median of the runs and the best.

#![allow(clippy::print_stdout)] // a bench reports to its caller

#[allow(dead_code, unreachable_pub)] // shared by the benches, each of which uses a part
mod measure;

use logveil::redact::policy::Policy;
use logveil::redact::{RuleSet, builtin};
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 21;

fn main() -> Result<(), Box<dyn Error>> {
    let runs = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(RUNS).max(1);
    show("read the pack, CPU", runs, || Ok(cpu(builtin::rules)))?;
    let rules = builtin::rules();
    show("compile the pack, CPU", runs, || {
        let rules = rules.clone();
        Ok(cpu(|| RuleSet::compile(rules, &Policy::default())))
    })?;
    show("redact: start to first line", runs, redact)?;
    show("run: start to first line", runs, run)?;
    println!("tables of the prefilter: {} KiB", RuleSet::builtin().prefilter_memory() >> 10);
    Ok(())
}

fn show(
    what: &str,
    runs: usize,
    mut once: impl FnMut() -> Result<Duration, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut times = (0..runs).map(|_| once()).collect::<Result<Vec<_>, _>>()?;
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{what:<30} median {:>7.1} ms   best {:>7.1} ms", milliseconds(times[runs / 2]), milliseconds(times[0]));
    Ok(())
}

fn cpu<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = measure::thread_time();
    black_box(work());
    measure::thread_time() - begun
}

fn redact() -> Result<Duration, Box<dyn Error>> {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_logveil"))
        .arg("redact")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child.stdin.as_mut().ok_or("no input")?.write_all(b"mail jan@example.com\n")?;
    first_line(&mut child, begun)
}

/// The agent on a file of as many lines as fill a batch, with its standard output as the sink: the state
/// directory made, the batch sealed and made durable.
fn run() -> Result<Duration, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("a.log"), "mail jan@example.com\n".repeat(1000))?;
    configure(folder.path())?;
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_logveil"))
        .args(["run", "--config"])
        .arg(folder.path().join("logveil.yaml"))
        .stdout(Stdio::piped())
        .stderr(fs::File::create(folder.path().join("own.log"))?)
        .spawn()?;
    first_line(&mut child, begun).map_err(|error| {
        let log = fs::read_to_string(folder.path().join("own.log")).unwrap_or_default();
        format!("{error}\n{log}").into()
    })
}

fn configure(root: &Path) -> std::io::Result<()> {
    let at = root.display();
    fs::write(
        root.join("logveil.yaml"),
        format!(
            "version: 1\nregion: eu\nstate_dir: {at}/state\nhostname: host-1\nsources:\n  one:\n    type: file\n    \
             include: ['{at}/*.log']\n    start_at: beginning\n    service: bench\n    ddsource: logveil\noutput:\n  \
             stdout: {{}}\nadmin: {{listen: '127.0.0.1:0'}}\n"
        ),
    )
}

/// Time to the first line of the child's output; ends it.
fn first_line(child: &mut Child, begun: Instant) -> Result<Duration, Box<dyn Error>> {
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let took = begun.elapsed();
    child.kill()?;
    child.wait()?;
    match line.contains("[email]") {
        true => Ok(took),
        false => Err(format!("unexpected first line: {line:?}").into()),
    }
}
