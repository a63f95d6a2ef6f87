//! The agent's counters as OpenMetrics. Numbers only; label values come from closed sets.

use super::families::{Out, Rows};
use super::health::Health;
use super::process::Process;
use crate::agent::source_counts::Now;
use crate::tally::Tally;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everything `/metrics` shows, as text.
///
/// # Errors
/// None in practice: writing to memory does not fail.
pub fn render(health: &Arc<Health>) -> Result<String, fmt::Error> {
    let mut all = Registry::default();
    all.register_collector(Box::new(Process));
    let registry = all.sub_registry_with_prefix("logveil");
    registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    let digest = health.rules.current().fingerprint().to_string();
    let rules = [("digest", digest), ("region", health.facts.region.to_owned())];
    registry.register("rules", "Rules in force", Info::new(rules));
    registry.register_collector(Box::new(Counters(health.clone())));
    let mut out = String::new();
    text::encode(&mut out, &all)?;
    Ok(out)
}

struct Counters(Arc<Health>);

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counters")
    }
}

impl Collector for Counters {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        self.totals(&mut out)?;
        self.by_source(&mut out)?;
        self.by_rule(&mut out)?;
        self.delivery(&mut out)?;
        self.keys(&mut out)
    }
}

impl Counters {
    fn totals(&self, out: &mut Out<'_>) -> fmt::Result {
        let p = &self.0.progress;
        let counters: [(&str, &str, &AtomicU64); 15] = [
            ("masked_spans", "Masks made", &p.spans),
            ("allowed_spans", "Findings that an exception let through", &p.allowed_spans),
            ("records_masked", "Records with at least one mask", &p.records_masked),
            ("batches_spooled", "Batches made durable", &p.batches_spooled),
            ("batches_delivered", "Batches acknowledged", &p.batches_delivered),
            ("sent_records", "Records acknowledged", &p.records_delivered),
            ("send_retries", "Attempts that must be repeated", &p.retries),
            ("rejected_records", "Records put aside because the intake refuses them", &p.dead_letters),
            ("dropped_records", "Records dropped: spool full, or too old", &p.records_dropped),
            ("quarantined_files", "Files of the state directory put aside as damaged", &p.quarantined),
            ("remasked_records", "Waiting records masked once more by changed rules", &p.records_remasked),
            ("rules_reloads", "Rule sets put in force by a reload", &p.rules_reloads),
            ("rules_reload_failures", "Reloads refused; the old rules stayed in force", &p.rules_reload_failures),
            ("rules_reload_requests", "Reloads asked for by a signal that have ended", &p.rules_reload_requests),
            ("disk_errors", "Errors of the state directory's file system", &p.disk_errors),
        ];
        for (name, help, counter) in counters {
            out.counter(name, help, counter.load(Ordering::Relaxed))?;
        }
        out.counter("selftest_probes", "Synthetic values sent through the rules in force", load(&p.selftest_probes))?;
        out.counter("selftest_misses", "Of those, values that came out readable; must be 0", load(&p.selftest_misses))?;
        let refused = i64::from(p.reload().is_some());
        out.gauge("rules_reload_failed", "1 while the last reload is one that was refused", refused)?;
        let pause = ConstGauge::new(p.rules_pause.load(Ordering::Relaxed) as f64 / 1e9);
        let help = "Longest time a thread that redacts took to change to other rules";
        let descriptor = out.0.encode_descriptor("rules_pause_max", help, Some(&Unit::Seconds), pause.metric_type())?;
        pause.encode(descriptor)?;
        out.gauge("rules_loaded", "Rules in force", self.0.rules.current().len() as i64)
    }

    fn by_source(&self, out: &mut Out<'_>) -> fmt::Result {
        let sources: Vec<_> = self.0.progress.sources().iter().map(|source| (source, source.now())).collect();
        let by = |value: &dyn Fn(&Now) -> u64| -> Rows<'_, 1> {
            sources.iter().map(|(source, now)| ([("source", source.name.as_str())], value(now))).collect()
        };
        out.counters("lines_read", "Records read", by(&|now| now.tally.records))?;
        out.counters("bytes_read", "Bytes read", by(&|now| now.tally.bytes))?;
        let outcomes: [(&str, fn(&Tally) -> u64); 3] = [
            ("clean", |tally| tally.records - tally.masked - tally.withheld()),
            ("masked", |tally| tally.masked),
            ("withheld", Tally::withheld),
        ];
        let rows = sources.iter().flat_map(|(source, now)| {
            let row = |(name, value): (_, fn(&Tally) -> u64)| {
                ([("source", source.name.as_str()), ("outcome", name)], value(&now.tally))
            };
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
        out.counters("withheld_records", "Records replaced as a whole", rows)?;
        let rows = sources.iter().map(|(source, now)| {
            ([("source", source.name.as_str()), ("format", source.format)], now.met.malformed + now.met.cut_short)
        });
        out.counters(
            "parse_failures",
            "Records without the form of their format; shipped as they are",
            rows.collect(),
        )?;
        out.counters("source_errors", "Times that a source could not be read", by(&|now| now.errors))?;
        out.counters("source_gaps", "Holes: entries that should have been there", by(&|now| now.met.gaps))?;
        out.counters(
            "source_lost_records",
            "Records the kernel dropped before they were read",
            by(&|now| now.met.lost),
        )?;
        out.gauges("source_open", "1 while all of a source can be read", by(&|now| u64::from(now.is_open())))?;
        out.gauges("source_files", "Files or connections followed", by(&|now| now.streams))?;
        out.gauges("source_unread_bytes", "Bytes there and not read", by(&|now| now.met.unread))
    }

    fn by_rule(&self, out: &mut Out<'_>) -> fmt::Result {
        let rules = self.0.progress.rules();
        let rows = rules.iter().flat_map(|(id, [enforced, shadowed])| {
            let row = |stage, count| ([("rule", id.as_str()), ("stage", stage)], count);
            [row("enforce", *enforced), row("shadow", *shadowed)]
        });
        out.counters("rule_records", "Records in which a rule masked, or would have in shadow", rows.collect())
    }

    fn delivery(&self, out: &mut Out<'_>) -> fmt::Result {
        let p = &self.0.progress;
        let rows = p.requests.by_encoding().map(|(name, count)| ([("encoding", name)], count));
        out.counters("sent_bytes", "Bytes of requests that were taken", rows.collect())?;
        let rows = p.requests.by_code().map(|(name, count)| ([("code", name)], count));
        out.counters("send_requests", "Requests by answer; io is no answer", rows.collect())?;
        let (seconds, times) = p.requests.times();
        let count = times.iter().map(|(_, count)| count).sum();
        let mut histogram = out.0.encode_descriptor("send_seconds", "Time of requests", None, MetricType::Histogram)?;
        histogram.encode_histogram::<NoLabelSet>(seconds, count, &times, None)?;
        let spooled = |value| -> Rows<'_, 1> { vec![([("stage", "spool")], value)] };
        out.gauges("queue_batches", "Batches waiting", spooled(load(&p.spool_batches)))?;
        out.gauges("queue_bytes", "Bytes waiting", spooled(load(&p.spool_bytes)))?;
        out.gauge("spool_bytes", "Bytes waiting for delivery", load(&p.spool_bytes) as i64)?;
        let oldest = p.oldest_unsent.load(Ordering::Relaxed);
        let age = if oldest > 0 { (unix_ms() - oldest).max(0) / 1000 } else { 0 };
        out.gauge("oldest_unsent_seconds", "Age of the oldest record that waits for delivery", age)?;
        out.gauge("delivery_held", "1 while delivery is held", i64::from(p.held().is_some()))?;
        let spans = [("sent", &p.apm.sent), ("dropped", &p.apm.dropped)];
        let rows = spans.map(|(outcome, count)| ([("outcome", outcome)], load(count))).to_vec();
        out.counters("apm_traces", "Traces of batches for the Datadog Agent", rows)
    }

    fn keys(&self, out: &mut Out<'_>) -> fmt::Result {
        let Some(keys) = self.0.progress.keys() else { return Ok(()) };
        out.gauge("token_keys_alive", "Keys of tokens that exist", keys.alive as i64)?;
        out.gauge("token_epoch_remaining_seconds", "Time for which the key in use mints", keys.remaining)?;
        out.gauge("token_key_overdue_seconds", "Time since a key should have been destroyed; must be 0", keys.overdue)
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::super::health::Facts;
    use super::*;
    use crate::agent::Progress;
    use crate::redact::RuleSet;

    use crate::agent::source_counts::tests::two_sources;

    /// Every family with its labels, as the documentation lists them.
    const FAMILIES: &[&str] = &[
        "logveil_allowed_spans{}",
        "logveil_apm_traces{outcome}",
        "logveil_batches_delivered{}",
        "logveil_batches_spooled{}",
        "logveil_build_info{version}",
        "logveil_bytes_read{source}",
        "logveil_delivery_held{}",
        "logveil_disk_errors{}",
        "logveil_dropped_records{}",
        "logveil_lines_read{source}",
        "logveil_masked_spans{}",
        "logveil_oldest_unsent_seconds{}",
        "logveil_parse_failures{format,source}",
        "logveil_quarantined_files{}",
        "logveil_queue_batches{stage}",
        "logveil_queue_bytes{stage}",
        "logveil_records{outcome,source}",
        "logveil_records_masked{}",
        "logveil_rejected_records{}",
        "logveil_remasked_records{}",
        "logveil_rule_records{rule,stage}",
        "logveil_rules_info{digest,region}",
        "logveil_rules_loaded{}",
        "logveil_rules_pause_max_seconds{}",
        "logveil_rules_reload_failed{}",
        "logveil_rules_reload_failures{}",
        "logveil_rules_reload_requests{}",
        "logveil_rules_reloads{}",
        "logveil_selftest_misses{}",
        "logveil_selftest_probes{}",
        "logveil_send_requests{code}",
        "logveil_send_retries{}",
        "logveil_send_seconds{le}",
        "logveil_sent_bytes{encoding}",
        "logveil_sent_records{}",
        "logveil_source_errors{source}",
        "logveil_source_files{source}",
        "logveil_source_gaps{source}",
        "logveil_source_lost_records{source}",
        "logveil_source_open{source}",
        "logveil_source_unread_bytes{source}",
        "logveil_spool_bytes{}",
        "logveil_token_epoch_remaining_seconds{}",
        "logveil_token_key_overdue_seconds{}",
        "logveil_token_keys_alive{}",
        "logveil_withheld_records{reason}",
        "process_cpu_seconds{}",
        "process_resident_memory_bytes{}",
        "process_start_time_seconds{}",
        "process_threads{}",
    ];

    fn rendered() -> String {
        let progress = Arc::new(Progress::default());
        progress.meet(&two_sources());
        progress.sources()[1].change_for_tests(|now| {
            now.tally = Tally { records: 7, masked: 2, withheld_oversize: 1, ..Tally::default() };
            now.met.malformed = 3;
        });
        progress.add_rules([("email", [2, 0])].into_iter());
        progress.set_keys(Some(crate::agent::progress::KeyState { alive: 2, remaining: 60, overdue: 0 }));
        let facts = Facts { region: "eu", hardening: String::new() };
        render(&Arc::new(Health::new(facts, RuleSet::builtin().into(), progress))).expect("text")
    }

    #[test]
    fn the_text_is_openmetrics() {
        let (text, rules) = (rendered(), RuleSet::builtin());
        for line in [
            "logveil_lines_read_total{source=\"journal\"} 7",
            "logveil_records_total{source=\"journal\",outcome=\"clean\"} 4",
            "logveil_records_total{source=\"journal\",outcome=\"withheld\"} 1",
            "logveil_withheld_records_total{reason=\"oversize\"} 1",
            "logveil_parse_failures_total{source=\"journal\",format=\"journal\"} 3",
            "logveil_source_open{source=\"files\"} 1",
            "logveil_rule_records_total{rule=\"email\",stage=\"enforce\"} 2",
            &format!("logveil_rules_loaded {}", rules.len()),
            &format!("logveil_rules_info{{digest=\"{}\",region=\"eu\"}} 1", rules.fingerprint()),
            "# TYPE logveil_rules_pause_max_seconds gauge",
            "# TYPE logveil_spool_bytes gauge",
            "logveil_token_key_overdue_seconds 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nnot in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn names_and_labels_are_those_that_are_documented() {
        let text = rendered();
        let mut families = std::collections::BTreeMap::<String, std::collections::BTreeSet<String>>::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, _) = line.rsplit_once(' ').expect("a number");
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let name =
                ["_total", "_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            let labels = labels.trim_end_matches('}').split("\",").filter_map(|pair| pair.split_once('='));
            families.entry(name.to_owned()).or_default().extend(labels.map(|(label, _)| label.to_owned()));
        }
        let found: Vec<String> = families
            .iter()
            .map(|(name, labels)| format!("{name}{{{}}}", labels.iter().cloned().collect::<Vec<_>>().join(",")))
            .collect();
        assert_eq!(found, FAMILIES);
        let page = include_str!("../../docs/operating.md");
        for name in families.keys() {
            assert!(page.contains(&format!("`{name}")), "docs/operating.md does not tell of {name}");
        }
    }
}
