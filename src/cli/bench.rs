//! `logveil bench`: what a rule set costs over given lines, and which rules are asked most often.

use super::chunks::{Chunk, Job};
use super::exit;
use super::log_reader::{self, Files, shown};
use super::rule_choice::RuleChoice;
use crate::redact::census::{Census, Count};
use crate::redact::rule::RuleIndex;
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
/// Shares are measured over so much of it, bytes.
const SAMPLE: usize = 4 << 20;
/// Rules whose share is measured.
const MOST_SHARES: usize = 50;

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
    /// Of the rules asked most often, in their order: what the run saves without the rule, percent.
    shares: Vec<f64>,
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
    let (mut chunks, mut unpacked): (Vec<Chunk>, u64) = (Vec::new(), 0);
    let read = files.each_chunk(Reading, 1, &ProgressBar::hidden(), &mut |chunk, ()| {
        unpacked += chunk.bytes.len() as u64;
        if unpacked <= MOST {
            chunks.push(chunk.clone());
        }
    });
    if let Some((path, error)) = read.failed.first() {
        return exit::fail(exit::UNREACHABLE, format_args!("cannot read {}: {error}", shown(path)));
    }
    if unpacked > MOST {
        return exit::fail(
            exit::USAGE,
            format_args!("{unpacked} bytes when unpacked; at most {MOST}: choose a sample"),
        );
    }
    if read.lines == 0 {
        let _ = read.print_skipped(&files, &mut anstream::stderr());
        return exit::fail(exit::USAGE, "the input holds no lines");
    }
    // Not counted: what is touched for the first time is slow.
    once(&timed, sample(&chunks));
    let mut runs: Vec<Duration> = (0..args.runs).map(|_| once(&timed, &chunks).0).collect();
    runs.sort();
    let mut census = Census::new(counted);
    chunks.iter().for_each(|chunk| census.take(&chunk.bytes, &chunk.ends));
    let most = if args.top == 0 { MOST_SHARES } else { args.top.min(MOST_SHARES) };
    let shares = shares(&timed, &asked(&census), most, &chunks, args.runs);
    let measured = Measured { lines: read.lines, bytes: read.bytes, runs, shares };
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let written = match args.json {
        true => writeln!(out, "{}", as_json(&measured, &census, read.skipped(&files))),
        false => print(&mut out, &measured, &census, args.top).and_then(|()| read.print_skipped(&files, &mut out)),
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

/// One run over everything, on this thread: how long it took, and the thread's time on a processor.
fn once(rules: &Arc<RuleSet>, chunks: &[Chunk]) -> (Duration, Duration) {
    let (mut redactor, mut state) = (Redactor::new(rules.clone()), StreamState::default());
    let mut masks = 0usize;
    let (start, spent) = (Instant::now(), processor_time());
    for chunk in chunks {
        if chunk.number == 0 {
            state = StreamState::default();
        }
        chunk.redact(&mut redactor, &mut state, &mut |record| masks += record.masks());
    }
    std::hint::black_box(masks);
    (start.elapsed(), processor_time().saturating_sub(spent))
}

fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.max(0) as u64, now.tv_nsec.max(0) as u32)
}

/// The first of the chunks.
fn sample(chunks: &[Chunk]) -> &[Chunk] {
    let starts = chunks.iter().scan(0, |sum, chunk| Some(std::mem::replace(sum, *sum + chunk.bytes.len())));
    &chunks[..starts.take_while(|start| *start < SAMPLE).count()]
}

/// What a run saves without each of the first `most` rules, percent: the least times of runs that take turns.
fn shares(rules: &Arc<RuleSet>, asked: &[Row<'_>], most: usize, chunks: &[Chunk], runs: u32) -> Vec<f64> {
    let sample = sample(chunks);
    let bar = log_reader::plain_bar(asked.len().min(most) as u64);
    let share = |row: &Row<'_>| {
        let without = Arc::new(rules.without(row.rule).ok()?);
        let (mut whole, mut less) = (Duration::MAX, Duration::MAX);
        for _ in 0..runs {
            whole = whole.min(once(rules, sample).1);
            less = less.min(once(&without, sample).1);
        }
        bar.inc(1);
        Some((1.0 - less.as_secs_f64() / whole.as_secs_f64().max(1e-9)).max(0.0) * 100.0)
    };
    let shares = asked.iter().take(most).map(|row| share(row).unwrap_or(0.0)).collect();
    bar.finish_and_clear();
    shares
}

impl Measured {
    fn median(&self) -> Duration {
        self.runs[self.runs.len() / 2]
    }

    fn microseconds_a_line(&self) -> f64 {
        self.median().as_secs_f64() * 1e6 / self.lines as f64
    }

    /// What a rule of this share costs.
    fn nanoseconds_a_line(&self, share: f64) -> f64 {
        self.microseconds_a_line() * 1e3 * share / 100.0
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

/// A rule that was asked, and its counts.
struct Row<'c> {
    rule: RuleIndex,
    id: &'c str,
    count: Count,
}

/// Rules that were asked, most often first.
fn asked(census: &Census) -> Vec<Row<'_>> {
    let rules = census.rules().rules().iter().enumerate();
    let rows = rules.zip(census.counts()).map(|((at, rule), count)| Row {
        rule: RuleIndex(at as u16),
        id: &rule.id,
        count: *count,
    });
    let mut rows: Vec<Row<'_>> = rows.filter(|row| row.count != Count::default()).collect();
    rows.sort_by(|one, two| (two.count.gate, one.id).cmp(&(one.count.gate, two.id)));
    rows
}

fn print(out: &mut impl Write, measured: &Measured, census: &Census, top: usize) -> io::Result<()> {
    let Measured { lines, bytes, runs, shares } = measured;
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
    let wide = rows[..shown].iter().map(|row| row.id.len()).max().unwrap_or(0).max(16);
    let heads = ["share", "ns/line", "gate hits", "per MiB", "candidates", "spans"];
    writeln!(
        out,
        "{DIM}{:wide$} {:>8} {:>8} {:>12} {:>10} {:>12} {:>10}{DIM:#}",
        "rule", heads[0], heads[1], heads[2], heads[3], heads[4], heads[5]
    )?;
    for (at, Row { id, count, .. }) in rows[..shown].iter().enumerate() {
        let Count { gate, candidates, masked } = count;
        let rate = *gate as f64 / size.max(1e-9);
        let share = shares.get(at).map_or(String::new(), |share| format!("{share:.1} %"));
        let cost = shares.get(at).map_or(String::new(), |share| format!("{:.0}", measured.nanoseconds_a_line(*share)));
        writeln!(out, "{id:wide$} {share:>8} {cost:>8} {gate:>12} {rate:>10.0} {candidates:>12} {masked:>10}")?;
    }
    let quiet = census.rules().len() - rows.len();
    writeln!(out, "{} more rules were asked, {quiet} were not", rows.len() - shown)
}

fn as_json(measured: &Measured, census: &Census, (binary, special): (Vec<String>, Vec<String>)) -> Value {
    let megabytes = measured.bytes as f64 / MIB;
    let rules: Vec<Value> = asked(census)
        .into_iter()
        .enumerate()
        .map(|(at, Row { id, count, .. })| {
            let share = measured.shares.get(at);
            let cost = share.map(|share| measured.nanoseconds_a_line(*share));
            json!({"rule": id, "share_percent": share, "nanoseconds_a_line": cost, "gate_hits": count.gate,
                "gate_hits_a_mib": count.gate as f64 / megabytes, "candidates": count.candidates, "spans": count.masked})
        })
        .collect();
    json!({"set": format!("{:016x}", census.rules().fingerprint().0), "lines": measured.lines, "bytes": measured.bytes,
        "skipped_binary": binary, "skipped_special": special, "runs": measured.runs.len(), "microseconds_a_line": measured.microseconds_a_line(),
        "mib_a_second": measured.mib_a_second(), "spread_percent": measured.spread(),
        "prefilter_bytes": census.rules().prefilter_memory(), "rules": rules})
}
