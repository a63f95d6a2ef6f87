//! `logveil diff`: two rule sets over the same lines. What would become masked, what would become visible;
//! the command a reviewer runs before approving a change of rules.

use super::chunks::{Chunk, Job, Threads};
use super::exit;
use super::log_reader::{self, Files, WhatWasRead, shown};
use super::marked_line::printable;
use super::rule_choice;
use crate::redact::rule::RuleIndex;
use crate::redact::{Redacted, Redactor, RuleSet, StreamState};
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LOOSER: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();
/// Bytes of a line shown as context.
const CONTEXT: usize = 240;

/// Compare two rule sets over the same lines; 1 when something would become visible.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Rules in force: 'builtin', a folder or a rule file; with commas between, later packs replace by id.
    #[arg(long, value_name = "PACKS", value_delimiter = ',', required = true)]
    from: Vec<String>,
    /// Rules proposed, written the same way.
    #[arg(long, value_name = "PACKS", value_delimiter = ',', required = true)]
    to: Vec<String>,
    /// Lines to compare over: files and folders, gzip and zstd read through.
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    input: Vec<PathBuf>,
    /// Accept that values masked by this rule become visible; may be given several times.
    #[arg(long, value_name = "ID")]
    allow_loosening: Vec<String>,
    /// Show lines that would lose a mask, as the rules in force mask them.
    #[arg(long)]
    show: bool,
    /// Most lines shown for each rule.
    #[arg(long, value_name = "N", default_value_t = 3)]
    limit: usize,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    threads: Threads,
}

/// What changes about the masks of one rule.
#[derive(Clone, Default)]
struct Change {
    before: u64,
    after: u64,
    /// Masks with at least a byte that no mask covers before.
    gained: u64,
    /// Masks with at least a byte that no mask covers afterwards.
    lost: u64,
    /// Masks over the same bytes that read differently.
    reworded: u64,
    /// First lines that lose a mask, redacted.
    samples: Vec<((usize, u64), String)>,
}

/// The masks of one line by one set.
#[derive(Default)]
struct Side {
    masks: Vec<(Option<RuleIndex>, Range<usize>, Vec<u8>)>,
    ends: Vec<usize>,
    redacted: Vec<u8>,
    redacted_ends: Vec<usize>,
}

/// Comparing two sets.
struct Comparing {
    from: Arc<RuleSet>,
    to: Arc<RuleSet>,
    /// Most samples kept of a rule.
    limit: usize,
}

/// What a thread compares with.
struct Desk {
    from: Redactor,
    to: Redactor,
    sides: (Side, Side),
    /// Something was done with both redactors.
    warm: bool,
}

/// What changes in a chunk, or in all.
#[derive(Default)]
struct Changes {
    rules: BTreeMap<String, Change>,
    lines: u64,
    took: (Duration, Duration),
}

/// Compares: 1 when something would become visible and is not allowed, 3 when a set does not load, 4 when
/// the input cannot be read.
pub fn run(args: Args) -> ExitCode {
    let (from, to) = match (rule_choice::load_named(&args.from), rule_choice::load_named(&args.to)) {
        (Ok(from), Ok(to)) => (Arc::new(from), Arc::new(to)),
        (Err(code), _) | (_, Err(code)) => return code,
    };
    if let Some(id) = args.allow_loosening.iter().find(|id| !from.rules().iter().any(|rule| rule.id == **id)) {
        return exit::fail(exit::USAGE, format_args!("--allow-loosening: --from has no rule '{id}'"));
    }
    let mut files = Files::below(&args.input);
    let bar = log_reader::bar(&files);
    let limit = if args.show { args.limit } else { 0 };
    let comparing = Comparing { from: from.clone(), to: to.clone(), limit };
    let mut changes = Changes::default();
    let read = files.each_chunk(comparing, args.threads.count(), &bar, &mut |_, of_chunk| {
        changes.add(std::mem::take(of_chunk), limit);
    });
    bar.finish_and_clear();
    if let Some((path, error)) = read.failed.first() {
        return exit::fail(exit::UNREACHABLE, format_args!("cannot read {}: {error}", shown(path)));
    }
    let report = Report::of(&args, &from, &to, (&files, read), changes);
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let written = if args.json { writeln!(out, "{}", report.json()) } else { report.print(&mut out) };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            exit::fail(exit::UNREACHABLE, format_args!("cannot write: {error}"))
        }
        _ if report.refused().next().is_some() => ExitCode::from(exit::FINDINGS),
        _ => ExitCode::SUCCESS,
    }
}

impl Job for Comparing {
    type Desk = Desk;
    type State = (StreamState, StreamState);
    type Made = Changes;

    fn desk(&self) -> Desk {
        let redactor = |rules: &Arc<RuleSet>| Redactor::new(rules.clone());
        Desk { from: redactor(&self.from), to: redactor(&self.to), sides: Default::default(), warm: false }
    }

    fn work(&self, desk: &mut Desk, state: &mut Self::State, chunk: &Chunk, changes: &mut Changes) {
        *changes = Changes { lines: chunk.ends.len() as u64, ..Changes::default() };
        // What is worked on first would pay for memory that nobody touched before.
        if !std::mem::replace(&mut desk.warm, true) {
            desk.sides.0.fill(&mut desk.from, &mut StreamState::default(), chunk);
            desk.sides.1.fill(&mut desk.to, &mut StreamState::default(), chunk);
        }
        changes.took.0 = desk.sides.0.fill(&mut desk.from, &mut state.0, chunk);
        changes.took.1 = desk.sides.1.fill(&mut desk.to, &mut state.1, chunk);
        for line in 0..chunk.ends.len() {
            changes.compare_line(desk, line, (chunk.stream, chunk.first_line + line as u64), self.limit);
        }
    }
}

impl Changes {
    fn compare_line(&mut self, desk: &Desk, line: usize, place: (usize, u64), limit: usize) {
        let Desk { from, to, sides, .. } = desk;
        let (before, after) = (sides.0.masks_of(line), sides.1.masks_of(line));
        for (rule, span, text) in before {
            let change = self.rules.entry(name(from.rules(), *rule)).or_default();
            change.before += 1;
            if !covered(span, after) {
                change.lost += 1;
                if change.samples.len() < limit {
                    let shown = sides.0.redacted_of(line);
                    change.samples.push((place, printable(&shown[..shown.len().min(CONTEXT)])));
                }
            } else if after.iter().any(|(_, other, words)| other == span && words != text) {
                change.reworded += 1;
            }
        }
        for (rule, span, _) in after {
            let change = self.rules.entry(name(to.rules(), *rule)).or_default();
            change.after += 1;
            change.gained += u64::from(!covered(span, before));
        }
    }

    /// Adds what changes elsewhere.
    fn add(&mut self, more: Changes, limit: usize) {
        self.lines += more.lines;
        self.took = (self.took.0 + more.took.0, self.took.1 + more.took.1);
        for (id, change) in more.rules {
            let sum = self.rules.entry(id).or_default();
            sum.before += change.before;
            sum.after += change.after;
            sum.gained += change.gained;
            sum.lost += change.lost;
            sum.reworded += change.reworded;
            sum.samples.extend(change.samples);
            sum.samples.sort();
            sum.samples.truncate(limit);
        }
    }
}

/// The id of a mask's rule; a withheld line has none.
fn name(rules: &RuleSet, rule: Option<RuleIndex>) -> String {
    rule.map_or("(withheld)", |rule| rules.id(rule)).to_owned()
}

/// True when the masks, which are sorted and disjoint, cover every byte of `span`.
fn covered(span: &Range<usize>, masks: &[(Option<RuleIndex>, Range<usize>, Vec<u8>)]) -> bool {
    let mut at = span.start;
    for (_, mask, _) in masks {
        if mask.start <= at && at < mask.end {
            at = mask.end;
        }
    }
    at >= span.end
}

impl Side {
    /// Redacts the chunk and remembers every mask; gives the time the engine took.
    fn fill(&mut self, redactor: &mut Redactor, state: &mut StreamState, chunk: &Chunk) -> Duration {
        let Side { masks, ends, redacted, redacted_ends } = self;
        masks.clear();
        ends.clear();
        redacted.clear();
        redacted_ends.clear();
        let mut aside = Duration::ZERO;
        let start = Instant::now();
        chunk.redact(redactor, state, &mut |record: &Redacted<'_>| {
            let noted = Instant::now();
            masks.extend(record.masked().map(|(rule, span, text)| (rule, span, text.to_vec())));
            ends.push(masks.len());
            record.write_to(redacted);
            redacted_ends.push(redacted.len());
            aside += noted.elapsed();
        });
        start.elapsed().saturating_sub(aside)
    }

    fn masks_of(&self, line: usize) -> &[(Option<RuleIndex>, Range<usize>, Vec<u8>)] {
        let from = line.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.masks[from..self.ends[line]]
    }

    fn redacted_of(&self, line: usize) -> &[u8] {
        let from = line.checked_sub(1).map_or(0, |before| self.redacted_ends[before]);
        &self.redacted[from..self.redacted_ends[line]]
    }
}

struct Report<'a> {
    args: &'a Args,
    sets: [String; 2],
    files: &'a Files,
    read: WhatWasRead,
    changes: Changes,
}

impl<'a> Report<'a> {
    fn of(
        args: &'a Args,
        from: &RuleSet,
        to: &RuleSet,
        (files, read): (&'a Files, WhatWasRead),
        changes: Changes,
    ) -> Report<'a> {
        Report { args, sets: [from, to].map(|set| format!("{:016x}", set.fingerprint().0)), files, read, changes }
    }

    /// Rules whose masks go and that nobody allowed to.
    fn refused(&self) -> impl Iterator<Item = (&String, &Change)> {
        self.changes.rules.iter().filter(|(id, change)| change.lost > 0 && !self.args.allow_loosening.contains(id))
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let changed: Vec<(&String, &Change)> = self
            .changes
            .rules
            .iter()
            .filter(|(_, change)| change.gained + change.lost + change.reworded > 0 || change.before != change.after)
            .collect();
        writeln!(
            out,
            "{} lines, {} files; from {} to {}",
            self.changes.lines, self.read.files, self.sets[0], self.sets[1]
        )?;
        let wide = changed.iter().map(|(id, _)| id.len()).max().unwrap_or(0).max(16);
        let heads = ["masked before", "masked after", "new", "gone", "reworded"];
        if changed.is_empty() {
            writeln!(out, "no mask changes")?;
        } else {
            writeln!(
                out,
                "{DIM}{:wide$} {:>14} {:>13} {:>8} {:>8} {:>9}{DIM:#}",
                "rule", heads[0], heads[1], heads[2], heads[3], heads[4]
            )?;
        }
        for (id, change) in changed {
            let Change { before, after, gained, lost, reworded, samples } = change;
            write!(out, "{id:wide$} {before:>14} {after:>13} {gained:>8} {lost:>8} {reworded:>9}")?;
            match (*lost > 0, self.args.allow_loosening.contains(id)) {
                (true, true) => writeln!(out, "   becomes visible, allowed")?,
                (true, false) => writeln!(out, "   {LOOSER}← would become visible{LOOSER:#}")?,
                _ => writeln!(out)?,
            }
            for ((file, line), sample) in samples {
                match self.read.files {
                    1 => writeln!(out, "    line {line}: {sample}")?,
                    _ => writeln!(out, "    {}:{line}: {sample}", shown(&self.files.paths[*file]))?,
                }
            }
        }
        self.print_cost(out)?;
        self.read.print_skipped(self.files, out)?;
        let lost: u64 = self.refused().map(|(_, change)| change.lost).sum();
        if lost > 0 {
            let ids: Vec<String> = self.refused().map(|(id, _)| format!("--allow-loosening {id}")).collect();
            writeln!(out, "\n{lost} masks would go. Show masked context with --show, accept with {}", ids.join(" "))?;
        }
        Ok(())
    }

    fn print_cost(&self, out: &mut impl Write) -> io::Result<()> {
        let (from, to) = self.cost();
        let percent = if from > 0.0 { (to / from - 1.0) * 100.0 } else { 0.0 };
        writeln!(out, "cost of a line: {from:.2} µs before, {to:.2} µs after ({percent:+.1} %)")
    }

    /// Microseconds a line.
    fn cost(&self) -> (f64, f64) {
        let lines = self.changes.lines.max(1) as f64;
        (self.changes.took.0.as_secs_f64() * 1e6 / lines, self.changes.took.1.as_secs_f64() * 1e6 / lines)
    }

    fn json(&self) -> Value {
        let (before, after) = self.cost();
        let rules: Vec<Value> = self
            .changes
            .rules
            .iter()
            .map(|(id, change)| {
                let samples: Vec<&str> = change.samples.iter().map(|(_, sample)| sample.as_str()).collect();
                json!({"rule": id, "before": change.before, "after": change.after, "new": change.gained,
                    "gone": change.lost, "reworded": change.reworded,
                    "allowed": self.args.allow_loosening.contains(id), "samples": samples})
            })
            .collect();
        let (binary, special) = self.read.skipped(self.files);
        json!({"skipped_binary": binary, "skipped_special": special, "from": self.sets[0], "to": self.sets[1], "lines": self.changes.lines, "files": self.read.files, "rules": rules,
            "microseconds_a_line": {"before": before, "after": after},
            "loosens": self.refused().map(|(id, _)| id).collect::<Vec<_>>()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_covered_by_neighbours_together_only() {
        let masks =
            |spans: &[Range<usize>]| -> Vec<_> { spans.iter().map(|span| (None, span.clone(), Vec::new())).collect() };
        assert!(covered(&(2..8), &masks(&[0..4, 4..9])));
        assert!(!covered(&(2..8), &masks(&[0..4, 5..9])));
        assert!(!covered(&(2..8), &masks(&[])));
        assert!(!covered(&(2..8), &masks(&[2..7])));
    }
}
