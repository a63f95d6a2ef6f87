//! What every process tells of itself, under the usual names, from `/proc/self`.

use super::families::Out;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use std::fmt;

/// Clock ticks a second in `/proc`, the same on every Linux.
const TICKS: f64 = 100.0;

/// This process.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        if let Some((cpu, threads, started)) = times() {
            let metric = ConstCounter::new(cpu);
            let help = "Time of all cores spent";
            metric.encode(out.0.encode_descriptor("process_cpu_seconds", help, None, metric.metric_type())?)?;
            out.gauge("process_threads", "Threads", threads)?;
            out.gauge("process_start_time_seconds", "Start, Unix time", started)?;
        }
        match resident() {
            Some(bytes) => out.gauge("process_resident_memory_bytes", "Memory in use", bytes),
            None => Ok(()),
        }
    }
}

/// CPU seconds, threads and start.
fn times() -> Option<(f64, i64, i64)> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name before may hold anything, spaces and brackets too.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<f64>().ok();
    let cpu = (number(11)? + number(12)?) / TICKS;
    let up = rustix::system::sysinfo().uptime as f64;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_secs_f64();
    Some((cpu, number(17)? as i64, (now - up + number(19)? / TICKS) as i64))
}

fn resident() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found() {
        let (cpu, threads, started) = times().expect("read");
        assert!(cpu >= 0.0 && threads >= 1 && started > 1_600_000_000);
        assert!(resident().expect("read") > 100_000);
    }
}
