//! The agent's counters as OpenMetrics. Numbers only; label values come from closed sets.

use super::health::Health;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Everything `/metrics` shows, as text.
///
/// # Errors
/// None in practice: writing to memory does not fail.
pub fn render(health: &Arc<Health>) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("logveil");
    registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    let digest = health.rules.current().fingerprint().to_string();
    let rules = [("digest", digest), ("region", health.facts.region.to_owned())];
    registry.register("rules", "Rules in force", Info::new(rules));
    registry.register_collector(Box::new(Counters(health.clone())));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}

struct Counters(Arc<Health>);

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counters")
    }
}

impl Collector for Counters {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let p = &self.0.progress;
        let counters: [(&str, &str, &AtomicU64); 18] = [
            ("lines_read", "Records read", &p.records_read),
            ("bytes_read", "Bytes read", &p.bytes_read),
            ("records_masked", "Records with at least one mask", &p.records_masked),
            ("withheld_records", "Records replaced as a whole", &p.records_withheld),
            ("allowed_spans", "Findings that an exception let through", &p.allowed_spans),
            ("batches_spooled", "Batches made durable", &p.batches_spooled),
            ("batches_delivered", "Batches acknowledged", &p.batches_delivered),
            ("sent_records", "Records acknowledged", &p.records_delivered),
            ("send_retries", "Attempts that must be repeated", &p.retries),
            ("rejected_records", "Records put aside because the intake refuses them", &p.dead_letters),
            ("dropped_records", "Records dropped: spool full, or too old", &p.records_dropped),
            ("quarantined_files", "Files of the state directory put aside as damaged", &p.quarantined),
            ("selftest_probes", "Synthetic values sent through the rules in force", &p.selftest_probes),
            ("selftest_misses", "Of those, values that came out readable; must be 0", &p.selftest_misses),
            ("remasked_records", "Waiting records masked once more by changed rules", &p.records_remasked),
            ("rules_reloads", "Rule sets put in force by a reload", &p.rules_reloads),
            ("rules_reload_failures", "Reloads refused; the old rules stayed in force", &p.rules_reload_failures),
            ("disk_errors", "Errors of the state directory's file system", &p.disk_errors),
        ];
        for (name, help, counter) in counters {
            let metric = ConstCounter::new(counter.load(Ordering::Relaxed));
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        let (held, refused) = (u64::from(p.held().is_some()), u64::from(p.reload().is_some()));
        for (name, help, value) in [
            ("spool_batches", "Batches waiting for delivery", p.spool_batches.load(Ordering::Relaxed)),
            ("spool_bytes", "Bytes waiting for delivery", p.spool_bytes.load(Ordering::Relaxed)),
            ("source_streams", "Streams followed", p.streams.load(Ordering::Relaxed)),
            ("rules_loaded", "Rules in force", self.0.rules.current().len() as u64),
            ("delivery_held", "1 while delivery is held", held),
            ("rules_reload_failed", "1 while the last reload is one that was refused", refused),
        ] {
            let metric = ConstGauge::new(value);
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
        }
        let pause = ConstGauge::new(p.rules_pause.load(Ordering::Relaxed) as f64 / 1e9);
        let help = "Longest time a thread that redacts took to change to other rules";
        let descriptor =
            encoder.encode_descriptor("rules_pause_max", help, Some(&Unit::Seconds), pause.metric_type())?;
        pause.encode(descriptor)
    }
}

#[cfg(test)]
mod tests {
    use super::super::health::Facts;
    use super::*;
    use crate::agent::Progress;
    use crate::redact::RuleSet;

    #[test]
    fn the_text_is_openmetrics() {
        let progress = Arc::new(Progress::default());
        Progress::add(&progress.records_read, 7);
        let facts = Facts { region: "eu", hardening: String::new() };
        let rules = RuleSet::builtin();
        let (count, digest) = (rules.len(), rules.fingerprint());
        let text = render(&Arc::new(Health::new(facts, rules.into(), progress))).expect("text");
        for line in [
            "logveil_lines_read_total 7",
            &format!("logveil_rules_loaded {count}"),
            &format!("logveil_rules_info{{digest=\"{digest}\",region=\"eu\"}} 1"),
            "# TYPE logveil_spool_bytes gauge",
            "# TYPE logveil_rules_pause_max_seconds gauge",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nnot in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
