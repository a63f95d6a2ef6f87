//! What the benches share: the CPU time of the thread as criterion's measure, and a closing table in which
//! every figure is a ratio too.
//!
//! CPU time, not wall time: other work on the machine then moves the figures less. What still moves them (cache,
//! clock rate) moves all of one run alike, which is why the table gives ratios.

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use rustix::time::{ClockId, clock_gettime};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// CPU time of the calling thread.
pub struct CpuTime(WallTime);

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        thread_time()
    }

    fn end(&self, begun: Duration) -> Duration {
        thread_time().saturating_sub(begun)
    }

    fn add(&self, one: &Duration, two: &Duration) -> Duration {
        *one + *two
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self.0.formatter()
    }
}

/// CPU time of the calling thread so far.
pub fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

/// Runs benches and remembers what to show at the end.
pub struct Bench {
    criterion: Criterion<CpuTime>,
    folder: PathBuf,
    begun: SystemTime,
    rows: Vec<Row>,
}

struct Row {
    group: &'static str,
    name: String,
    bytes: usize,
}

impl Bench {
    /// From the command line of `cargo bench`: short runs, ten samples.
    pub fn from_arguments() -> Bench {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
        let criterion = Criterion::default()
            .with_measurement(CpuTime(WallTime))
            .output_directory(&folder)
            .sample_size(10)
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_millis(1200))
            .configure_from_args();
        Bench { criterion, folder, begun: SystemTime::now(), rows: Vec::new() }
    }

    /// Measures `work`, which goes through `bytes` bytes.
    pub fn bytes<T>(&mut self, group: &'static str, name: &str, bytes: usize, mut work: impl FnMut() -> T) {
        let mut open: BenchmarkGroup<'_, CpuTime> = self.criterion.benchmark_group(group);
        open.throughput(Throughput::Bytes(bytes as u64));
        open.bench_function(BenchmarkId::from_parameter(name), |bencher| bencher.iter(|| std::hint::black_box(work())));
        open.finish();
        self.rows.push(Row { group, name: name.to_owned(), bytes });
    }

    /// Prints every figure of this run beside its ratio to `unit` (`group/name`): how many times its time a byte.
    #[allow(clippy::print_stdout)] // a bench reports to its caller
    pub fn table(self, unit: &str) {
        self.criterion.final_summary();
        let times: Vec<(&Row, f64)> =
            self.rows.iter().filter_map(|row| Some((row, self.nanoseconds(row)? / row.bytes as f64))).collect();
        let one = times.iter().find(|(row, _)| format!("{}/{}", row.group, row.name) == unit).map(|(_, time)| *time);
        println!("\n{:<34} {:>10} {:>10} {:>18}", "CPU time", "ns/byte", "MB/s", format!("times {unit}"));
        for (row, time) in times {
            let ratio = one.map_or("-".to_owned(), |one| format!("{:.2}", time / one));
            println!("{:<34} {time:>10.3} {:>10.0} {ratio:>18}", format!("{}/{}", row.group, row.name), 1e3 / time);
        }
    }

    /// The median that criterion has written in this run; none where the bench was filtered out.
    fn nanoseconds(&self, row: &Row) -> Option<f64> {
        let file = self.folder.join(row.group).join(&row.name).join("new/estimates.json");
        if std::fs::metadata(&file).ok()?.modified().ok()? < self.begun {
            return None;
        }
        let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        estimates["median"]["point_estimate"].as_f64()
    }
}
