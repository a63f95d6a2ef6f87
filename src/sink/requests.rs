//! What requests to the intake came back with, and how long they took. Numbers under closed names.

use crate::batch::Encoding;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Names under which answers are counted; `io` is no answer.
pub const CODES: [&str; 10] = ["2xx", "3xx", "400", "401", "403", "413", "429", "4xx", "5xx", "io"];
/// Names of encodings.
pub const ENCODINGS: [&str; 3] = ["zstd", "gzip", "none"];
/// Upper ends of the classes of times, seconds.
pub const BOUNDS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, f64::INFINITY];

/// Counters; shared, never reset.
#[derive(Default, Debug)]
pub struct Requests {
    codes: [AtomicU64; CODES.len()],
    bytes: [AtomicU64; ENCODINGS.len()],
    records: [AtomicU64; ENCODINGS.len()],
    times: [AtomicU64; BOUNDS.len()],
    micros: AtomicU64,
}

impl Requests {
    /// Notes a request of `len` bytes that was answered with `status`; none: not answered.
    pub fn note(&self, status: Option<u16>, encoding: Encoding, len: usize, took: Duration) {
        let code = match status {
            Some(200..300) => "2xx",
            Some(300..400) => "3xx",
            Some(400) => "400",
            Some(401) => "401",
            Some(403) => "403",
            Some(413) => "413",
            Some(429) => "429",
            Some(500..) => "5xx",
            Some(_) => "4xx",
            None => "io",
        };
        add(&self.codes, CODES.iter().position(|name| *name == code), 1);
        if code == "2xx" {
            add(&self.bytes, Some(place(encoding)), len as u64);
        }
        add(&self.times, BOUNDS.iter().position(|bound| took.as_secs_f64() <= *bound), 1);
        self.micros.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// Notes records that were taken.
    pub fn note_records(&self, encoding: Encoding, records: u64) {
        add(&self.records, Some(place(encoding)), records);
    }

    /// Records that were taken, by encoding.
    pub fn records_by_encoding(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ENCODINGS.into_iter().zip(self.records.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// Requests by answer.
    pub fn by_code(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CODES.into_iter().zip(self.codes.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// Bytes that were taken, by encoding.
    pub fn by_encoding(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ENCODINGS.into_iter().zip(self.bytes.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// Seconds spent, and requests by the class of their time.
    pub fn times(&self) -> (f64, Vec<(f64, u64)>) {
        let counts = self.times.iter().map(|count| count.load(Ordering::Relaxed));
        (self.micros.load(Ordering::Relaxed) as f64 / 1e6, BOUNDS.into_iter().zip(counts).collect())
    }
}

/// Where an encoding stands in [`ENCODINGS`].
fn place(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Zstd => 0,
        Encoding::Gzip => 1,
        Encoding::None => 2,
    }
}

fn add(counters: &[AtomicU64], place: Option<usize>, more: u64) {
    if let Some(counter) = place.and_then(|place| counters.get(place)) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_one_name() {
        let requests = Requests::default();
        let answers = [200, 202, 302, 400, 401, 403, 404, 413, 415, 429, 500, 503];
        for status in answers.map(Some).into_iter().chain([None]) {
            requests.note(status, Encoding::Gzip, 10, Duration::from_millis(20));
        }
        let counted: Vec<u64> = requests.by_code().map(|(_, count)| count).collect();
        assert_eq!(counted, [2, 1, 1, 1, 1, 1, 1, 2, 2, 1]);
        assert_eq!(requests.by_encoding().collect::<Vec<_>>(), [("zstd", 0), ("gzip", 20), ("none", 0)]);
        let (seconds, classes) = requests.times();
        assert!((seconds - 0.26).abs() < 1e-9);
        assert_eq!(classes[1], (0.05, 13));
    }
}
