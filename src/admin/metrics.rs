//! The agent's counters as OpenMetrics. Numbers only; label values come from closed sets.

use super::families::{Out, Rows};
use super::health::Health;
use super::process::Process;
use super::sources;
use crate::agent::progress::REFUSED;
use crate::redact::rule::{Mask, Stage};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
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
        self.reloads(&mut out)?;
        sources::encode(&self.0.progress, &mut out)?;
        self.by_rule(&mut out)?;
        self.delivery(&mut out)?;
        self.keys(&mut out)
    }
}

impl Counters {
    fn totals(&self, out: &mut Out<'_>) -> fmt::Result {
        let p = &self.0.progress;
        let counters: [(&str, &str, &AtomicU64); 9] = [
            ("records_masked", "Records with at least one mask", &p.records_masked),
            ("batches_spooled", "Batches made durable", &p.batches_spooled),
            ("batches_delivered", "Batches acknowledged", &p.batches_delivered),
            ("send_retries", "Attempts that must be repeated", &p.retries),
            ("dropped_records", "Records dropped: spool full, or too old", &p.records_dropped),
            ("quarantined_files", "Files of the state directory put aside as damaged", &p.quarantined),
            ("remasked_records", "Waiting records masked once more by changed rules", &p.records_remasked),
            ("rules_reload_requests", "Reloads asked for by a signal that have ended", &p.rules_reload_requests),
            ("disk_errors", "Errors of the state directory's file system", &p.disk_errors),
        ];
        for (name, help, counter) in counters {
            out.counter(name, help, counter.load(Ordering::Relaxed))?;
        }
        let probes = p.probes();
        let by_class = |which: usize| -> Rows<'_, 1> {
            probes.iter().map(|(class, counts)| ([("class", *class)], counts[which])).collect()
        };
        out.counters("selftest_probes", "Synthetic values sent through the rules in force", by_class(0))?;
        out.counters("selftest_misses", "Of those, values that came out readable; must be 0", by_class(1))
    }

    fn reloads(&self, out: &mut Out<'_>) -> fmt::Result {
        let p = &self.0.progress;
        let row = |result, count| ([("kind", "rules"), ("result", result)], load(count));
        let rows = vec![row("success", &p.rules_reloads), row("refused", &p.rules_reload_failures)];
        out.counters("reloads", "Reloads by what became of them; a refused one leaves all as it was", rows)?;
        let rules = |value| -> Rows<'_, 1> { vec![([("kind", "rules")], value)] };
        let succeeded = u64::from(p.reload().is_none());
        out.gauges("last_reload_success", "0 while the last reload is one that was refused", rules(succeeded))?;
        let since = self.0.rules.since().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        out.gauges("last_reload_timestamp_seconds", "When what is in force was read", rules(since))?;
        let pause = p.rules_pause.load(Ordering::Relaxed) as f64 / 1e9;
        out.seconds("rules_pause_max", "Longest time a thread that redacts took to change to other rules", pause)?;
        let current = self.0.rules.current();
        let at = |stage: Stage| current.rules().iter().filter(|rule| rule.stage == stage).count() as u64;
        let rows = [("enforce", at(Stage::Enforce)), ("shadow", at(Stage::Shadow))];
        let rows = rows.map(|(stage, count)| ([("stage", stage)], count)).to_vec();
        out.gauges("rules_loaded", "Rules in force or in shadow", rows)
    }

    fn by_rule(&self, out: &mut Out<'_>) -> fmt::Result {
        let (rules, current) = (self.0.progress.rules(), self.0.rules.current());
        let keeps_last = |id: &str| {
            let rule = current.rules().iter().find(|rule| rule.id == id);
            rule.is_some_and(|rule| matches!(rule.mask, Mask::KeepLast(_)))
        };
        let rows = rules.iter().flat_map(|(id, tally)| {
            let row = |stage, count| ([("rule", id.as_str()), ("stage", stage)], count);
            [row("enforce", tally.records), row("shadow", tally.shadowed)]
        });
        out.counters("rule_records", "Records in which a rule masked, or would have in shadow", rows.collect())?;
        let rows = rules.iter().flat_map(|(id, tally)| {
            let label = if keeps_last(id) { "keep_last" } else { "label" };
            let row = |action, count| ([("rule", id.as_str()), ("action", action), ("stage", "enforce")], count);
            [row(label, tally.labels), row("token", tally.tokens)].into_iter().filter(|(_, count)| *count > 0)
        });
        out.counters("masked_spans", "Masks made", rows.collect())?;
        let allowed = rules.iter().filter(|(_, tally)| tally.allowed > 0);
        let rows = allowed.map(|(id, tally)| ([("rule", id.as_str())], tally.allowed));
        out.counters("allowed_spans", "Findings that an exception let through", rows.collect())
    }

    fn delivery(&self, out: &mut Out<'_>) -> fmt::Result {
        let p = &self.0.progress;
        let rows = p.requests.records_by_encoding().map(|(name, count)| ([("encoding", name)], count));
        out.counters("sent_records", "Records acknowledged", rows.collect())?;
        let rows = REFUSED.iter().zip(&p.dead_letters).map(|(code, count)| ([("code", *code)], load(count)));
        out.counters("rejected_records", "Records put aside because the intake refuses them", rows.collect())?;
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
    use crate::tally::{RuleTally, Tally};
    use std::time::Duration;

    use crate::agent::source_counts::tests::two_sources;

    /// Every family with its labels, as the documentation lists them.
    const FAMILIES: &[&str] = &[
        "logveil_allowed_spans{rule}",
        "logveil_apm_traces{outcome}",
        "logveil_batches_delivered{}",
        "logveil_batches_spooled{}",
        "logveil_build_info{version}",
        "logveil_bytes_read{source}",
        "logveil_checkpoint_age_seconds{source}",
        "logveil_delivery_held{}",
        "logveil_disk_errors{}",
        "logveil_dropped_records{}",
        "logveil_last_reload_success{kind}",
        "logveil_last_reload_timestamp_seconds{kind}",
        "logveil_lines_read{source}",
        "logveil_masked_spans{action,rule,stage}",
        "logveil_oldest_unsent_seconds{}",
        "logveil_parse_failures{format,source}",
        "logveil_quarantined_files{}",
        "logveil_queue_batches{stage}",
        "logveil_queue_bytes{stage}",
        "logveil_records{outcome,source}",
        "logveil_records_masked{}",
        "logveil_rejected_records{code}",
        "logveil_reloads{kind,result}",
        "logveil_remasked_records{}",
        "logveil_rule_records{rule,stage}",
        "logveil_rules_info{digest,region}",
        "logveil_rules_loaded{stage}",
        "logveil_rules_pause_max_seconds{}",
        "logveil_rules_reload_requests{}",
        "logveil_scan_seconds{le,source}",
        "logveil_selftest_misses{class}",
        "logveil_selftest_probes{class}",
        "logveil_send_requests{code}",
        "logveil_send_retries{}",
        "logveil_send_seconds{le}",
        "logveil_sent_bytes{encoding}",
        "logveil_sent_records{encoding}",
        "logveil_source_errors{source}",
        "logveil_source_files{source}",
        "logveil_source_gaps{source}",
        "logveil_source_lag_seconds{source}",
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
            now.tally.scans.note(Duration::from_millis(5));
            now.met.malformed = 3;
            now.dropped = 4;
        });
        let email = RuleTally { records: 2, labels: 3, tokens: 1, allowed: 5, ..RuleTally::default() };
        let card = RuleTally { records: 1, labels: 1, ..RuleTally::default() };
        progress.add_rules([("email", email), ("card", card)].into_iter());
        progress.add_probes(&[("contact", [2, 1])]);
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
            "logveil_records_total{source=\"journal\",outcome=\"dropped\"} 4",
            "logveil_masked_spans_total{rule=\"email\",action=\"label\",stage=\"enforce\"} 3",
            "logveil_masked_spans_total{rule=\"email\",action=\"token\",stage=\"enforce\"} 1",
            "logveil_masked_spans_total{rule=\"card\",action=\"keep_last\",stage=\"enforce\"} 1",
            "logveil_allowed_spans_total{rule=\"email\"} 5",
            "logveil_scan_seconds_bucket{le=\"0.01\",source=\"journal\"} 1",
            "logveil_scan_seconds_count{source=\"files\"} 0",
            "logveil_source_lag_seconds{source=\"files\"} 0",
            "logveil_checkpoint_age_seconds{source=\"files\"} 0",
            "logveil_last_reload_success{kind=\"rules\"} 1",
            "logveil_selftest_misses_total{class=\"contact\"} 1",
            "logveil_rejected_records_total{code=\"413\"} 0",
            &format!(
                "logveil_rules_loaded{{stage=\"enforce\"}} {}",
                rules.rules().iter().filter(|rule| rule.stage == Stage::Enforce).count()
            ),
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
