//! `logveil scan`: what is in these files. Counts for each rule and file with masked samples; nothing leaves
//! the host and no raw value is shown.

use super::chunks::{Chunk, Job, Threads};
use super::exit;
use super::log_reader::{self, Files, WhatWasRead, shown};
use super::marked_line::printable;
use super::rule_choice::RuleChoice;
use super::suspect;
use crate::config::units;
use crate::redact::rule::{RuleIndex, Stage};
use crate::redact::{Piece, Redacted, Redactor, RuleSet, StreamState};
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

const DIM: Style = Style::new().dimmed();
const SHADOW: Style = AnsiColor::Yellow.on_default();
/// Characters of a line shown on each side of what it is a sample of.
const AROUND: usize = 28;

/// Count what the rules find in files, with masked samples; nothing leaves the host.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Files and folders; folders are read recursively, gzip and zstd are read through.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only files that were written to within this time, such as 12h or 7d.
    #[arg(long, value_name = "AGE", value_parser = units::duration)]
    since: Option<Duration>,
    /// Also list the counts of every file.
    #[arg(long)]
    by_file: bool,
    /// Also list long random strings that no rule claims, each by its place.
    #[arg(long)]
    suspects: bool,
    /// Most suspects listed.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "suspects")]
    limit: usize,
    /// Count rules in shadow as if they were in force.
    #[arg(long)]
    shadow: bool,
    /// Exit with 1 when anything was found; without it findings are no failure.
    #[arg(long)]
    fail_on_findings: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    rules: RuleChoice,
}

/// Place of a line: file, then line number from 1.
type Place = (usize, u64);

/// Counts of one rule in one file.
#[derive(Clone, Copy, Default)]
struct Count {
    spans: u64,
    lines: u64,
}

/// A masked piece of a line, and where it stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    place: Place,
    text: String,
}

/// What was found in all files.
#[derive(Default)]
struct Found {
    counts: BTreeMap<(RuleIndex, usize), Count>,
    samples: BTreeMap<RuleIndex, Sample>,
    suspects: u64,
    suspect_samples: Vec<Sample>,
    withheld: u64,
    masked_lines: u64,
}

/// What was found in a chunk.
#[derive(Default)]
struct OfChunk {
    /// By rule.
    counts: Vec<Count>,
    samples: Vec<(RuleIndex, Sample)>,
    suspects: u64,
    suspect_samples: Vec<Sample>,
    withheld: u64,
    masked_lines: u64,
}

/// For each rule a place that there is a sample of: one of a later place is not worth making.
#[derive(Clone, Default)]
struct Sampled(Vec<Option<Place>>);

/// Counting what the rules find.
struct Counting {
    rules: Arc<RuleSet>,
    /// Most suspects kept.
    keep: usize,
    /// Of the samples in [`Found`].
    sampled: Arc<Mutex<Sampled>>,
}

/// What a thread has of its own.
struct Desk {
    redactor: Redactor,
    /// A line as it would be shipped.
    text: Vec<u8>,
    /// What may be a suspect, in the chunk.
    candidates: Vec<Range<usize>>,
    sampled: Sampled,
}

/// Scans to the end: 1 with `--fail-on-findings` when something was found, 4 when a file could not be read.
pub fn run(args: Args) -> ExitCode {
    let mut in_shadow = Vec::new();
    let loaded = args.rules.load_changed(&mut |rule| {
        if args.shadow && rule.stage == Stage::Shadow {
            rule.stage = Stage::Enforce;
            in_shadow.push(rule.id.clone());
        }
    });
    let rules = match loaded {
        Ok(rules) => Arc::new(rules),
        Err(code) => return code,
    };
    let mut files = Files::below(&args.paths);
    if let Some(since) = args.since.and_then(|age| SystemTime::now().checked_sub(age)) {
        files.keep_since(since);
    }
    let bar = log_reader::bar(&files);
    let start = Instant::now();
    let keep = if args.suspects { args.limit } else { 0 };
    let sampled = Arc::new(Mutex::default());
    let counting = Counting { rules: rules.clone(), keep, sampled: sampled.clone() };
    let mut found = Found::default();
    let read = files.each_chunk(counting, args.threads.count(), &bar, &mut |chunk, of_chunk| {
        found.add(chunk.stream, of_chunk, keep, &sampled);
    });
    bar.finish_and_clear();
    let report = Report { rules: &rules, in_shadow: &in_shadow, files: &files, read: &read, found: &found };
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let written =
        if args.json { writeln!(out, "{}", report.json()) } else { report.print(&mut out, &args, start.elapsed()) };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return exit::fail(exit::UNREACHABLE, format_args!("cannot write: {error}"));
        }
        _ => {}
    }
    for (path, error) in &read.failed {
        exit::fail(exit::UNREACHABLE, format_args!("cannot read {}: {error}", shown(path)));
    }
    match (read.failed.is_empty(), args.fail_on_findings && !found.counts.is_empty()) {
        (false, _) => ExitCode::from(exit::UNREACHABLE),
        (true, true) => ExitCode::from(exit::FINDINGS),
        (true, false) => ExitCode::SUCCESS,
    }
}

impl Job for Counting {
    type Desk = Desk;
    type State = StreamState;
    type Made = OfChunk;

    fn desk(&self) -> Desk {
        let redactor = Redactor::new(self.rules.clone());
        Desk { redactor, text: Vec::new(), candidates: Vec::new(), sampled: Sampled::default() }
    }

    fn work(&self, desk: &mut Desk, state: &mut StreamState, chunk: &Chunk, found: &mut OfChunk) {
        found.clear();
        let Desk { redactor, text, candidates, sampled } = desk;
        sampled.0.clone_from(&self.sampled.lock().unwrap_or_else(PoisonError::into_inner).0);
        match chunk.oversize {
            true => candidates.clear(),
            false => suspect::candidates(&chunk.bytes, candidates),
        }
        let (mut place, mut rest) = ((chunk.stream, chunk.first_line), &candidates[..]);
        chunk.redact(redactor, state, &mut |record| {
            found.take(record, place, sampled, text);
            let here = rest.iter().take_while(|run| run.start < record.range().end).count();
            found.take_suspects(record, &rest[..here], place, self.keep);
            (rest, place.1) = (&rest[here..], place.1 + 1);
        });
    }
}

impl Sampled {
    /// Whether `place` comes before the sample there is of `rule`; then it counts as sampled.
    fn is_first(&mut self, rule: RuleIndex, place: Place) -> bool {
        let known = slot(&mut self.0, rule);
        let first = known.is_none_or(|known| place < known);
        if first {
            *known = Some(place);
        }
        first
    }
}

/// What a list by rule holds of a rule.
fn slot<T: Clone + Default>(list: &mut Vec<T>, rule: RuleIndex) -> &mut T {
    let at = usize::from(rule.0);
    if list.len() <= at {
        list.resize(at + 1, T::default());
    }
    &mut list[at]
}

impl OfChunk {
    /// Forgets what was found in another chunk.
    fn clear(&mut self) {
        let mut counts = std::mem::take(&mut self.counts);
        counts.clear();
        *self = OfChunk { counts, ..OfChunk::default() };
    }

    fn take(&mut self, record: &Redacted<'_>, place: Place, sampled: &mut Sampled, text: &mut Vec<u8>) {
        self.withheld += u64::from(record.withheld().is_some());
        self.masked_lines += u64::from(record.masks() > 0);
        let mut shift = 0isize;
        for (rule, raw, mask) in record.masked() {
            let Some(rule) = rule else { continue };
            slot(&mut self.counts, rule).spans += 1;
            if sampled.is_first(rule, place) {
                text.clear();
                record.write_to(text);
                let at = raw.start.saturating_add_signed(shift);
                self.samples.push((rule, Sample { place, text: around(text, at..at + mask.len(), mask) }));
            }
            shift += mask.len() as isize - raw.len() as isize;
        }
        for rule in record.rules() {
            slot(&mut self.counts, *rule).lines += 1;
        }
    }

    /// Takes the suspects of a record; `candidates` are those in it, as ranges of the chunk.
    fn take_suspects(&mut self, record: &Redacted<'_>, candidates: &[Range<usize>], place: Place, keep: usize) {
        if candidates.is_empty() {
            return;
        }
        // Where the next piece begins in the chunk. What a mask leaves of a candidate is one if it is long enough.
        let mut at = record.range().start;
        let mut masked = record.masked().map(|(_, raw, _)| record.range().start + raw.end);
        for piece in record.pieces() {
            let Piece::Keep(kept) = piece else {
                at = masked.next().unwrap_or(at);
                continue;
            };
            for run in candidates {
                let left = run.start.max(at)..run.end.min(at + kept.len());
                if left.len() >= suspect::SHORTEST && suspect::is_random(&kept[left.start - at..left.end - at]) {
                    self.take_suspect(kept, left.start - at..left.end - at, place, keep);
                }
            }
        }
    }

    fn take_suspect(&mut self, kept: &[u8], run: Range<usize>, place: Place, keep: usize) {
        self.suspects += 1;
        if self.suspect_samples.len() < keep {
            let shown = format!("[suspect-{}]", run.len());
            self.suspect_samples.push(Sample { place, text: around(kept, run, shown.as_bytes()) });
        }
    }
}

impl Found {
    /// Adds what was found in a chunk of `file`.
    fn add(&mut self, file: usize, found: &mut OfChunk, keep: usize, sampled: &Mutex<Sampled>) {
        for (rule, count) in found.counts.iter().enumerate().filter(|(_, count)| count.lines + count.spans > 0) {
            let sum = self.counts.entry((RuleIndex(rule as u16), file)).or_default();
            (sum.spans, sum.lines) = (sum.spans + count.spans, sum.lines + count.lines);
        }
        for (rule, sample) in found.samples.drain(..) {
            let known = self.samples.get(&rule);
            if known.is_none_or(|known| sample < *known) {
                sampled.lock().unwrap_or_else(PoisonError::into_inner).is_first(rule, sample.place);
                self.samples.insert(rule, sample);
            }
        }
        self.suspects += found.suspects;
        self.suspect_samples.append(&mut found.suspect_samples);
        self.suspect_samples.sort();
        self.suspect_samples.truncate(keep);
        self.withheld += found.withheld;
        self.masked_lines += found.masked_lines;
    }
}

/// The text with its suspects taken out.
fn hidden(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for span in suspect::suspects(text) {
        out.extend_from_slice(&text[at..span.start]);
        out.extend_from_slice("•••".as_bytes());
        at = span.end;
    }
    out.extend_from_slice(&text[at..]);
    out
}

/// What stands in a line around `place`, with `shown` in its place: safe to print, suspects taken out.
fn around(text: &[u8], place: Range<usize>, shown: &[u8]) -> String {
    let (before, after) = (hidden(&text[..place.start]), hidden(&text[place.end..]));
    let before = String::from_utf8_lossy(&before).into_owned();
    let after = String::from_utf8_lossy(&after).into_owned();
    let start = before.char_indices().rev().nth(AROUND - 1).map_or(0, |(at, _)| at);
    let end = after.char_indices().nth(AROUND).map_or(after.len(), |(at, _)| at);
    let (first, last) = (if start > 0 { "…" } else { "" }, if end < after.len() { "…" } else { "" });
    let parts = [&before.as_bytes()[start..], shown, &after.as_bytes()[..end]];
    format!("{first}{}{last}", printable(&parts.concat()).trim())
}

/// Everything a report needs.
struct Report<'a> {
    rules: &'a RuleSet,
    in_shadow: &'a [String],
    files: &'a Files,
    read: &'a WhatWasRead,
    found: &'a Found,
}

/// A row of the table.
struct Row<'a> {
    id: &'a str,
    shadow: bool,
    count: Count,
    files: usize,
    sample: &'a str,
}

impl Report<'_> {
    /// One row a rule, most spans first.
    fn rows(&self) -> Vec<Row<'_>> {
        let mut sums: BTreeMap<RuleIndex, (Count, usize)> = BTreeMap::new();
        for ((rule, _), count) in &self.found.counts {
            let (sum, files) = sums.entry(*rule).or_default();
            (sum.spans, sum.lines, *files) = (sum.spans + count.spans, sum.lines + count.lines, *files + 1);
        }
        let mut rows: Vec<Row<'_>> = sums
            .into_iter()
            .map(|(rule, (count, files))| {
                let id = self.rules.id(rule);
                let sample = self.found.samples.get(&rule).map_or("", |sample| &sample.text);
                Row { id, shadow: self.in_shadow.iter().any(|known| known == id), count, files, sample }
            })
            .collect();
        rows.sort_by(|one, two| (two.count.spans, one.id).cmp(&(one.count.spans, two.id)));
        rows
    }

    fn print(&self, out: &mut impl Write, args: &Args, took: Duration) -> io::Result<()> {
        let read = self.read;
        let rate = read.bytes as f64 / took.as_secs_f64().max(1e-9);
        let (size, speed) = (bytes(read.bytes as f64), bytes(rate));
        writeln!(out, "{} files, {size}, {} lines in {:.1} s ({speed}/s)", read.files, read.lines, took.as_secs_f64())?;
        let rows = self.rows();
        let wide = rows.iter().map(|row| row.id.len()).max().unwrap_or(0).max(24);
        writeln!(out, "{DIM}{:wide$} {:>10} {:>10} {:>6}  sample (masked){DIM:#}", "rule", "spans", "lines", "files")?;
        for Row { id, shadow, count, files, sample } in &rows {
            let mark = if *shadow { format!("  {SHADOW}in shadow{SHADOW:#}") } else { String::new() };
            writeln!(out, "{id:wide$} {:>10} {:>10} {files:>6}  {sample}{mark}", count.spans, count.lines)?;
        }
        if self.found.withheld > 0 {
            writeln!(out, "{:wide$} {:>10}  lines withheld as a whole", "", self.found.withheld)?;
        }
        let about = if args.suspects { "" } else { ": logveil scan --suspects" };
        let suspects = self.found.suspects;
        writeln!(
            out,
            "{:wide$} {suspects:>10}  long random strings that no rule claims{about}",
            "unmasked look-alikes"
        )?;
        if args.by_file {
            self.print_files(out, wide)?;
        }
        for sample in &self.found.suspect_samples {
            let (file, line) = sample.place;
            writeln!(out, "  {}:{line}  {}", shown(&self.files.paths[file]), sample.text)?;
        }
        if suspects > self.found.suspect_samples.len() as u64 && args.suspects {
            writeln!(out, "  … more: --limit")?;
        }
        read.print_skipped(self.files, out)
    }

    fn print_files(&self, out: &mut impl Write, wide: usize) -> io::Result<()> {
        for (file, path) in self.files.paths.iter().enumerate() {
            let rows: Vec<_> = self.found.counts.iter().filter(|((_, place), _)| *place == file).collect();
            if !rows.is_empty() {
                writeln!(out, "{}", shown(path))?;
            }
            for ((rule, _), count) in rows {
                writeln!(out, "  {:wide$} {:>8} {:>10}", self.rules.id(*rule), count.spans, count.lines)?;
            }
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let rules: Vec<Value> = self
            .rows()
            .iter()
            .map(|row| {
                json!({"rule": row.id, "shadow": row.shadow, "spans": row.count.spans, "lines": row.count.lines,
                    "files": row.files, "sample": row.sample})
            })
            .collect();
        let by_file: Vec<Value> = self
            .found
            .counts
            .iter()
            .map(|((rule, file), count)| {
                json!({"file": self.files.paths[*file].display().to_string(), "rule": self.rules.id(*rule),
                    "spans": count.spans, "lines": count.lines})
            })
            .collect();
        let suspects: Vec<Value> = self
            .found
            .suspect_samples
            .iter()
            .map(|s| json!({"file": self.files.paths[s.place.0].display().to_string(), "line": s.place.1, "sample": s.text}))
            .collect();
        let named = |path: &PathBuf| path.display().to_string();
        let (binary, special) = self.read.skipped(self.files);
        let failed =
            self.read.failed.iter().map(|(path, error)| json!({"file": named(path), "error": error.to_string()}));
        let failed: Vec<Value> = failed.collect();
        json!({"set": format!("{:016x}", self.rules.fingerprint().0), "files": self.read.files,
            "bytes": self.read.bytes, "lines": self.read.lines, "older_files": self.files.older, "masked_lines": self.found.masked_lines,
            "withheld": self.found.withheld, "rules": rules, "by_file": by_file,
            "suspect_count": self.found.suspects, "suspects": suspects, "skipped_binary": binary,
            "skipped_special": special, "failed": failed})
    }
}

/// A size for people: `2.1 GiB`.
fn bytes(count: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (count, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0);
    format!("{value:.digits$} {}", units[unit])
}
