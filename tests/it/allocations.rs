//! In steady state neither the engine nor the encoder takes memory for a record, and a long record takes little:
//! counted by the allocator itself.

use crate::batches::now;
use logveil::agent::mint::LiveKeys;
use logveil::agent::worker::{Channels, Worker};
use logveil::agent::{Output, Progress, Settings, SourceKind, SourceSettings};
use logveil::batch::{
    Encoder, EncoderSettings, Encoding, Envelope, EnvelopeParts, Facts, Origin, Pushed, RecordHead, RecordKey,
};
use logveil::record::{Position, StreamId};
use logveil::redact::rule::RuleTest;
use logveil::redact::rule_test::carrier;
use logveil::redact::{RawLine, Redactor, RuleSet, StreamState, builtin, filler};
use logveil::source::file::{self, StartAt};
use logveil::source::{Chunk, Resume, StreamInfo};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

thread_local! {
    /// Allocations of this thread; tests run on threads of their own.
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    /// Bytes this thread has taken and not given back, and the most that were.
    static HELD: Cell<(i64, i64)> = const { Cell::new((0, 0)) };
}

fn hold(bytes: i64) {
    HELD.with(|held| {
        let (now, most) = held.get();
        held.set((now + bytes, most.max(now + bytes)));
    });
}

struct Counting;

// SAFETY: every call is handed to the system's allocator unchanged; counting touches one thread-local cell
// without a destructor, which needs no memory itself.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.with(|taken| taken.set(taken.get() + 1));
        hold(layout.size() as i64);
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        hold(-(layout.size() as i64));
        // SAFETY: as above; `at` came from `alloc`, which is the system's.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        TAKEN.with(|taken| taken.set(taken.get() + 1));
        hold(size as i64 - layout.size() as i64);
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

/// The most bytes that `work` held beyond what was held before.
fn most_held(work: impl FnOnce()) -> i64 {
    let before = HELD.with(|held| {
        let (now, _) = held.get();
        held.set((now, now));
        now
    });
    work();
    HELD.with(|held| held.get().1) - before
}

/// Blocks of records of one kind; each holds different values.
const KINDS: [(&str, fn(u32) -> String); 6] = [
    ("plain", |i| format!("    at com.example.flow.Runner.run(Runner.java:{i}) caf\u{e9} took {i} ms\n")),
    ("hits", |i| {
        format!("login password=FAKE{i}pw from 203.0.113.{} card 4111111111111111 u{i}@example.com\n", i % 250)
    }),
    ("json", |i| {
        format!("{{\"n\":{i},\"user\":\"u{i}@example.com\",\"api_key\":\"FAKE{i}x\",\"card\":4111111111111111}}\n")
    }),
    ("escaped", |i| {
        format!(
            "{{\"m\":\"{{\\\"password\\\":\\\"FAKE{i}\\\",\\\"pesel\\\":90010112349}}\",\"u\":\"u{i}\\u0040example.com\"}}\n"
        )
    }),
    ("encoded", |i| {
        format!(
            "q=u{i}%40example.com&pesel%22%3A90010112349 6a616e406578616d706c652e636f6d amFuQGV4YW1wbGUuY29t {i} Basic amFuOkZBS0U=\n"
        )
    }),
    ("tables", |i| format!("id,password,city\n{i},FAKE{i}pw,Rome\nmysql -pFAKE{i} -u root\nCookie: a=FAKE{i}; b=2\n")),
];

#[test]
fn redacting_a_record_takes_no_memory() {
    for (kind, line) in KINDS {
        let mut redactor = Redactor::new(RuleSet::builtin());
        let mut state = StreamState::default();
        let block: Vec<u8> = (0..400).flat_map(|i| line(i + 100).into_bytes()).collect();
        let ends: Vec<u32> = memchr::memchr_iter(b'\n', &block).map(|at| at as u32 + 1).collect();
        for round in 0..3 {
            let mut masks = 0;
            let before = taken();
            redactor.redact(&mut state, &block, &ends, &mut |redacted| masks += redacted.masks());
            let took = taken() - before;
            assert!(masks > 0 || kind == "plain", "{kind}: nothing to mask");
            assert!(round == 0 || took == 0, "{kind}, round {round}: {took} times for {} records", ends.len());
        }
    }
}

/// Every example of every rule as it stands and in every carrier: whatever is read takes no memory.
#[test]
fn no_example_of_any_rule_takes_memory() {
    let packs = builtin::packs();
    let examples = packs.iter().flat_map(|pack| &pack.rules).flat_map(|rule| &rule.tests).map(|test| match test {
        RuleTest::Changes { input, .. } | RuleTest::Same(input) => filler::expand(input).expect("fillers of a rule"),
    });
    let texts: Vec<String> = examples
        .flat_map(|text| {
            let carried = carrier::ALL.iter().filter_map(|carrier| Some(carrier.write(&text)?.text()));
            carried.chain([text.clone()]).collect::<Vec<_>>()
        })
        .collect();
    assert!(texts.len() > 10_000, "{} texts", texts.len());
    let mut redactor = Redactor::new(RuleSet::builtin());
    let mut takers = Vec::new();
    for round in 0..2 {
        for text in &texts {
            let block = format!("{text}\n").into_bytes();
            let ends: Vec<u32> = memchr::memchr_iter(b'\n', &block).map(|at| at as u32 + 1).collect();
            let mut state = StreamState::default();
            let before = taken();
            redactor.redact(&mut state, &block, &ends, &mut |redacted| assert_eq!(redacted.withheld(), None));
            let took = taken() - before;
            if round > 0 && took > 0 {
                takers.push(text);
            }
        }
    }
    assert!(takers.is_empty(), "{} texts take memory: {:?}", takers.len(), &takers[..takers.len().min(20)]);
}

/// One line of 16 MiB: JSON with a secret about every sixty bytes, half of it escaped in strings.
fn longest_line() -> Vec<u8> {
    let mut line = b"[0".to_vec();
    let mut i = 0u32;
    while line.len() < (16 << 20) - 400 {
        i += 1;
        let object = format!(
            "{{\"n\":{i},\"password\":\"FAKE{i}pw\",\"note\":\"mail u{i}@example.com now, and so on\",\"t\":[1,2,3,true]}}"
        );
        let escaped = object.replace('\\', "\\\\").replace('"', "\\\"");
        line.extend_from_slice(format!(",{object},\"{escaped}\"").as_bytes());
    }
    line.push(b']');
    line
}

#[test]
fn the_longest_line_takes_little_memory() {
    let rules = RuleSet::builtin();
    let line = longest_line();
    let mut output = Vec::with_capacity(line.len() + (4 << 20));
    let mut redactor = Redactor::new(rules);
    let held = most_held(|| {
        redactor.redact(&mut StreamState::default(), &line, &[line.len() as u32], &mut |redacted| {
            assert_eq!(redacted.withheld(), None);
            redacted.write_to(&mut output);
        });
    });
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&output).is_ok(), "no JSON any more");
    for left in [&b"FAKE"[..], b"@example.com"] {
        assert!(memchr::memmem::find(&output, left).is_none(), "{} is left", String::from_utf8_lossy(left));
    }
    assert_eq!(
        memchr::memmem::find_iter(&output, b"and so on").count(),
        memchr::memmem::find_iter(&line, b"and so on").count()
    );
    assert!(held < 24 << 20, "{held} bytes beside the line");
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

/// A worker of the agent that nothing is connected to.
fn worker() -> Worker {
    let files = file::Settings { include: Vec::new(), exclude: Vec::new(), start_at: StartAt::Beginning };
    let settings = Settings {
        state_dir: "unused".into(),
        hostname: "h".into(),
        tags: vec!["env:test".into()],
        retention: "retention:90d".into(),
        sources: vec![SourceSettings {
            name: "workflows".into(),
            service: "s".into(),
            ddsource: "logveil".into(),
            tags: Vec::new(),
            trust_origin: false,
            kind: SourceKind::File(files),
            records: Default::default(),
        }],
        output: Output::Stdout,
        batch: EncoderSettings::default(),
        batch_age: Duration::from_secs(3600),
        in_flight: 1,
        spool: Default::default(),
        tokens: None,
        workers: 1,
        apm: None,
    };
    let channels = Channels {
        chunks: crossbeam_channel::never(),
        buffers: crossbeam_channel::bounded(1).0,
        batches: crossbeam_channel::bounded(1).0,
    };
    let progress = Arc::new(Progress::default());
    let keys = LiveKeys::open(None, &progress);
    Worker::new(Arc::new(settings), RuleSet::builtin().into(), keys, &[7; 32], progress, channels)
}

/// From a chunk to sealed batches, the way a line takes in the agent: what is taken is taken for a batch, and the
/// same for batches of few lines and of many.
#[test]
fn a_line_takes_no_memory_on_its_way_through_a_worker() {
    let mut worker = worker();
    let info = Arc::new(StreamInfo { stream: StreamId([5; 16]), source: 0, path: Some("/var/log/a.log".into()) });
    let mut offset = 0;
    let mut take = |lines: u32| {
        let bytes: Vec<u8> = (0..lines).flat_map(|i| line(i).into_bytes()).collect();
        let from = Position { generation: 0, offset };
        offset += bytes.len() as u64;
        let to = Position { generation: 0, offset };
        let chunk = Chunk {
            info: info.clone(),
            bytes,
            from,
            to,
            resume: Resume::Marker { before: Vec::new() },
            last: false,
            oversize: false,
            layout: None,
        };
        let before = taken();
        drop(worker.take(chunk));
        worker.seal();
        let took = taken() - before;
        assert_eq!(worker.sealed().count(), 1);
        took
    };
    for _ in 0..3 {
        take(990);
    }
    let (few, many) = (take(90), take(990));
    assert!(few > 0, "a batch is made");
    // The body of the larger batch grows a few times more.
    assert!(many <= few + 12, "{few} times for a batch of 90 lines, {many} for one of 990");
}

fn line(i: u32) -> String {
    match i % 3 {
        0 => format!("Nov 23 12:00:00 db1 sshd[{i}]: Failed password for root from 203.0.113.{} port 22\n", i % 250),
        1 => format!("{{\"n\":{i},\"level\":\"warn\",\"user\":\"u{i}@example.com\",\"t\":\"a \\\"b\\\" c\"}}\n"),
        _ => format!("    at com.example.flow.Runner.run(Runner.java:{i}) ~[flow-core.jar:?] caf\u{e9}\n"),
    }
}
