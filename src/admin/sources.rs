//! What is known of each source, as metrics.

use super::families::{Out, Rows};
use crate::agent::Progress;
use crate::agent::source_counts::{Now, SourceCounts};
use crate::tally::{BOUNDS, Tally};
use std::fmt;
use std::time::Instant;

/// All families with the label `source`, and what is withheld of all of them.
pub(super) fn encode(progress: &Progress, out: &mut Out<'_>) -> fmt::Result {
    let sources: Vec<_> = progress.sources().iter().map(|source| (source, source.now())).collect();
    records(&sources, out)?;
    reading(&sources, out)?;
    let at = Instant::now();
    let by = |value: &dyn Fn(&Now) -> u64| by(&sources, value);
    let lag = |now: &Now| now.behind_since.map_or(0, |since| at.saturating_duration_since(since).as_secs());
    out.gauges("source_lag_seconds", "For how long there has always been more to read", by(&lag))?;
    let age = |now: &Now| progress.checkpoint_age(now, at).as_secs();
    let help = "For how long something waits and the saved place of a source has not moved";
    out.gauges("checkpoint_age_seconds", help, by(&age))?;
    let rows = sources.iter().map(|(source, now)| {
        let scans = now.tally.scans;
        let classes = BOUNDS.into_iter().zip(scans.counts).collect();
        ([("source", source.name.as_str())], scans.nanos as f64 / 1e9, classes)
    });
    out.histograms("scan_seconds", "Time of redaction, a piece of input each", rows.collect())
}

type Sources<'s> = [(&'s SourceCounts, Now)];

fn by<'s>(sources: &Sources<'s>, value: &dyn Fn(&Now) -> u64) -> Rows<'s, 1> {
    sources.iter().map(|(source, now)| ([("source", source.name.as_str())], value(now))).collect()
}

fn records(sources: &Sources<'_>, out: &mut Out<'_>) -> fmt::Result {
    out.counters("lines_read", "Records read", by(sources, &|now| now.tally.records))?;
    out.counters("bytes_read", "Bytes read", by(sources, &|now| now.tally.bytes))?;
    let outcomes: [(&str, fn(&Now) -> u64); 4] = [
        ("clean", |now| now.tally.records - now.tally.masked - now.tally.withheld()),
        ("masked", |now| now.tally.masked),
        ("withheld", |now| now.tally.withheld()),
        ("dropped", |now| now.dropped),
    ];
    let rows = sources.iter().flat_map(|(source, now)| {
        let row =
            |(name, value): (_, fn(&Now) -> u64)| ([("source", source.name.as_str()), ("outcome", name)], value(now));
        outcomes.map(row)
    });
    out.counters("records", "Records by what became of them", rows.collect())?;
    let total = sources.iter().fold(Tally::default(), |mut all, (_, now)| {
        all += now.tally;
        all
    });
    let reasons = [
        ("decode", total.withheld_decode),
        ("internal", total.withheld_internal),
        ("oversize", total.withheld_oversize),
    ];
    let rows = reasons.map(|(reason, count)| ([("reason", reason)], count)).to_vec();
    out.counters("withheld_records", "Records replaced as a whole", rows)
}

fn reading(sources: &Sources<'_>, out: &mut Out<'_>) -> fmt::Result {
    let rows = sources.iter().map(|(source, now)| {
        ([("source", source.name.as_str()), ("format", source.format)], now.met.malformed + now.met.cut_short)
    });
    let help = "Records without the form of their format; shipped as they are";
    out.counters("parse_failures", help, rows.collect())?;
    let by = |value: &dyn Fn(&Now) -> u64| by(sources, value);
    out.counters("source_errors", "Times that a source could not be read", by(&|now| now.errors))?;
    out.counters("source_gaps", "Holes: entries that should have been there", by(&|now| now.met.gaps))?;
    let help = "Records the kernel dropped before they were read";
    out.counters("source_lost_records", help, by(&|now| now.met.lost))?;
    out.gauges("source_open", "1 while all of a source can be read", by(&|now| u64::from(now.is_open())))?;
    out.gauges("source_files", "Files or connections followed", by(&|now| now.streams))?;
    out.gauges("source_unread_bytes", "Bytes there and not read", by(&|now| now.met.unread))
}
