//! In steady state the encoder takes no memory for a record: counted by the allocator itself.

use crate::batches::now;
use logveil::batch::{
    Encoder, EncoderSettings, Encoding, Envelope, EnvelopeParts, Facts, Origin, Pushed, RecordHead, RecordKey,
};
use logveil::record::{Position, StreamId};
use logveil::redact::{RawLine, Redactor, RuleSet, StreamState};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Allocations of this thread; tests run on threads of their own.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is handed to the system's allocator unchanged; counting touches one thread-local cell
// without a destructor, which needs no memory itself.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.with(|taken| taken.set(taken.get() + 1));
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above; `at` came from `alloc`, which is the system's.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        TAKEN.with(|taken| taken.set(taken.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread so far.
pub(crate) fn taken() -> u64 {
    TAKEN.with(Cell::get)
}

#[test]
fn the_allocator_counts() {
    let before = taken();
    drop(std::hint::black_box(vec![1u8; 100]));
    assert_eq!(taken(), before + 1);
}

#[test]
fn pushing_a_record_takes_no_memory() {
    for encoding in [Encoding::Zstd, Encoding::Gzip] {
        let rules = RuleSet::builtin();
        let mut redactor = Redactor::new(rules.clone());
        let mut encoder = Encoder::new(EncoderSettings { encoding, ..EncoderSettings::default() });
        let mut key = RecordKey::new([9; 32]);
        let envelope = Envelope::new(&EnvelopeParts {
            ddsource: "logveil",
            service: "s",
            hostname: "h",
            tags: &[],
            retention: "retention:90d",
            source: "w",
            file: None,
            trust_origin: false,
        });
        let block: Vec<u8> = (0..900).flat_map(|i| line(i).into_bytes()).collect();
        let ends: Vec<u32> =
            block.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at as u32 + 1).collect();
        let mut state = StreamState::default();
        for round in 0..3 {
            let mut pushing = 0;
            let mut body_grew = 0;
            redactor.redact(&mut state, &block, &ends, &mut |redacted| {
                let range = redacted.range();
                let head = RecordHead {
                    envelope: &envelope,
                    raw: RawLine(&block[range.clone()]),
                    known: Facts::default(),
                    origin: Origin::default(),
                    rules: &rules,
                    id: key.id(StreamId([5; 16]), Position { generation: 0, offset: range.start as u64 }),
                    now: now(),
                };
                let before = taken();
                assert_eq!(encoder.push(redacted, &head), Pushed::Added);
                match taken() - before {
                    0 => {}
                    // The body of the batch itself: it leaves with the batch, so it grows once per batch.
                    _ if encoder.json_len() > 100_000 => body_grew += 1,
                    more => pushing += more,
                }
            });
            assert!(encoder.seal(rules.fingerprint()).is_some());
            if round > 0 {
                assert_eq!(pushing, 0, "{encoding:?}, round {round}");
                assert!(body_grew <= 10, "{body_grew} times in 900 records");
            }
        }
    }
}

fn line(i: u32) -> String {
    match i % 3 {
        0 => format!("Nov 23 12:00:00 db1 sshd[{i}]: Failed password for root from 203.0.113.{} port 22\n", i % 250),
        1 => format!("{{\"n\":{i},\"level\":\"warn\",\"user\":\"u{i}@example.com\",\"t\":\"a \\\"b\\\" c\"}}\n"),
        _ => format!("    at com.example.flow.Runner.run(Runner.java:{i}) ~[flow-core.jar:?] caf\u{e9}\n"),
    }
}
