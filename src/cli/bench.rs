//! `logveil bench`: what a rule set costs over given lines, and which rules are asked most often.

use super::chunks::{Chunk, Job};
use super::exit;
use super::log_reader::Files;
use super::rule_choice::RuleChoice;
use crate::redact::census::{Census, Count};
use crate::redact::{Redactor, RuleSet, StreamState};
use anstyle::Style;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const DIM: Style = Style::new().dimmed();
const MIB: f64 = 1_048_576.0;
/// Input is held in memory; more than this is refused, bytes.
const MOST: u64 = 1 << 30;

/// Measure the rules over given lines, and count for each how often it is asked, proposes and masks.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Files and folders of lines; gzip and zstd read through; at most 1 GiB.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    input: Vec<PathBuf>,
    /// Runs of which the median counts.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Rules shown, those asked most often first; 0 shows all that were asked.
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    rules: RuleChoice,
}

/// What was measured.
struct Measured {
    lines: u64,
    bytes: u64,
    /// Shortest first; never empty.
    runs: Vec<Duration>,
}

/// Measures on one thread: 3 when the rules do not load, 4 when the input cannot be read.
pub fn run(args: Args) -> ExitCode {
    let (timed, counted) = match (args.rules.load(), args.rules.load()) {
        (Ok(timed), Ok(counted)) => (Arc::new(timed), counted),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    let mut files = Files::below(&args.input);
    let size = files.size();
    if size > MOST {
        return exit::fail(exit::USAGE, format_args!("{size} bytes of input; at most {MOST}: choose a sample"));
    }
    let mut chunks: Vec<Chunk> = Vec::new();
    let read = files.each_chunk(Reading, 1, &ProgressBar::hidden(), &mut |chunk, ()| chunks.push(chunk.clone()));
    if let Some((path, error)) = read.failed.first() {
        return exit::fail(exit::UNREACHABLE, format_args!("cannot read {}: {error}", path.display()));
    }
    if read.lines == 0 {
        return exit::fail(exit::USAGE, "the input holds no lines");
    }
    let mut runs: Vec<Duration> = (0..args.runs).map(|_| once(&timed, &chunks)).collect();
    runs.sort();
    let mut census = Census::new(counted);
    chunks.iter().for_each(|chunk| census.take(&chunk.bytes, &chunk.ends));
    let measured = Measured { lines: read.lines, bytes: read.bytes, runs };
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let written = match args.json {
        true => writeln!(out, "{}", as_json(&measured, &census)),
        false => print(&mut out, &measured, &census, args.top),
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            exit::fail(exit::UNREACHABLE, format_args!("cannot write: {error}"))
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Chunks are only read.
struct Reading;

impl Job for Reading {
    type Desk = ();
    type State = ();
    type Made = ();

    fn desk(&self) {}

    fn work(&self, (): &mut (), (): &mut (), _: &Chunk, (): &mut ()) {}
}

/// One run over everything, on this thread.
fn once(rules: &Arc<RuleSet>, chunks: &[Chunk]) -> Duration {
    let (mut redactor, mut state) = (Redactor::new(rules.clone()), StreamState::default());
    let mut masks = 0usize;
    let start = Instant::now();
    for chunk in chunks {
        if chunk.number == 0 {
            state = StreamState::default();
        }
        chunk.redact(&mut redactor, &mut state, &mut |record| masks += record.masks());
    }
    std::hint::black_box(masks);
    start.elapsed()
}

impl Measured {
    fn median(&self) -> Duration {
        self.runs[self.runs.len() / 2]
    }

    fn microseconds_a_line(&self) -> f64 {
        self.median().as_secs_f64() * 1e6 / self.lines as f64
    }

    fn mib_a_second(&self) -> f64 {
        self.bytes as f64 / MIB / self.median().as_secs_f64().max(1e-9)
    }

    /// Longest run over shortest, percent above it.
    fn spread(&self) -> f64 {
        let (first, last) = (self.runs[0].as_secs_f64(), self.runs[self.runs.len() - 1].as_secs_f64());
        (last / first.max(1e-9) - 1.0) * 100.0
    }
}

/// Rules that were asked, most often first.
fn asked(census: &Census) -> Vec<(&str, Count)> {
    let rules = census.rules().rules().iter().map(|rule| rule.id.as_str());
    let mut rows: Vec<(&str, Count)> =
        rules.zip(census.counts().iter().copied()).filter(|(_, count)| *count != Count::default()).collect();
    rows.sort_by(|one, two| (two.1.gate, one.0).cmp(&(one.1.gate, two.0)));
    rows
}

fn print(out: &mut impl Write, measured: &Measured, census: &Census, top: usize) -> io::Result<()> {
    let Measured { lines, bytes, runs } = measured;
    let (line, rate) = (measured.microseconds_a_line(), measured.mib_a_second());
    let (size, runs, spread) = (*bytes as f64 / MIB, runs.len(), measured.spread());
    writeln!(
        out,
        "{lines} lines, {size:.1} MiB, {runs} runs, median {line:.2} µs/line ({rate:.0} MiB/s per thread), spread {spread:.1} %"
    )?;
    let tables = census.rules().prefilter_memory() as f64 / MIB;
    writeln!(out, "{} rules, {tables:.1} MiB of prefilter tables", census.rules().len())?;
    let rows = asked(census);
    let shown = if top == 0 { rows.len() } else { top.min(rows.len()) };
    let wide = rows[..shown].iter().map(|(id, _)| id.len()).max().unwrap_or(0).max(16);
    let heads = ["gate hits", "per MiB", "candidates", "spans"];
    writeln!(out, "{DIM}{:wide$} {:>12} {:>10} {:>12} {:>10}{DIM:#}", "rule", heads[0], heads[1], heads[2], heads[3])?;
    for (id, Count { gate, candidates, masked }) in &rows[..shown] {
        let rate = *gate as f64 / size.max(1e-9);
        writeln!(out, "{id:wide$} {gate:>12} {rate:>10.0} {candidates:>12} {masked:>10}")?;
    }
    let quiet = census.rules().len() - rows.len();
    writeln!(out, "{} more rules were asked, {quiet} were not", rows.len() - shown)
}

fn as_json(measured: &Measured, census: &Census) -> Value {
    let rules: Vec<Value> = asked(census)
        .into_iter()
        .map(|(id, count)| {
            json!({"rule": id, "gate_hits": count.gate, "candidates": count.candidates, "spans": count.masked})
        })
        .collect();
    json!({"set": format!("{:016x}", census.rules().fingerprint().0), "lines": measured.lines, "bytes": measured.bytes,
        "runs": measured.runs.len(), "microseconds_a_line": measured.microseconds_a_line(),
        "mib_a_second": measured.mib_a_second(), "spread_percent": measured.spread(),
        "prefilter_bytes": census.rules().prefilter_memory(), "rules": rules})
}
