//! The source alone, with real files: the contract of chunks, long lines, holes, what must not be opened.

use super::*;
use crate::source::Chunk;
use crate::source::contract::Resume;
use crate::source::line_buffer::MAX_LINE;
use proptest::prelude::*;
use std::fs::{self, OpenOptions};
use std::io::Write;
use tempfile::TempDir;

struct Logs {
    folder: TempDir,
    saved: HashMap<StreamId, Saved>,
}

impl Logs {
    fn new() -> Logs {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        fs::create_dir(folder.path().join("state")).unwrap();
        Logs { folder, saved: HashMap::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    fn append(&self, name: &str, bytes: &[u8]) {
        OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap().write_all(bytes).unwrap();
    }

    fn open(&self, start_at: StartAt) -> FileSource {
        let include = vec![format!("{}/logs/*.log", self.folder.path().display())];
        let settings = Settings { include, exclude: Vec::new(), start_at };
        let state = self.folder.path().join("state");
        let (saved, durable) = (self.saved.clone(), Durable::default());
        let parts = Parts {
            settings: &settings,
            source: 0,
            state: &state,
            registry: "s.json",
            host_key: &[7; 32],
            saved,
            durable,
        };
        FileSource::open(parts).unwrap()
    }

    /// Reads all that is there and saves each place as the spool would.
    fn drain(&mut self, source: &mut FileSource) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        source.swept = source.swept.map(|_| Instant::now() - SWEEP * 2);
        loop {
            match source.fill(Vec::new()).unwrap() {
                Fill::Chunk(chunk) => {
                    self.save(&chunk);
                    chunks.push(chunk);
                }
                _ if source.ready.is_empty() => return chunks,
                _ => {}
            }
        }
    }

    fn save(&mut self, chunk: &Chunk) {
        let Resume::Marker { before } = &chunk.resume else { return };
        let own = if chunk.is_whole() { &chunk.bytes[..] } else { &[] };
        let resume = IdentityKey::new(&[7; 32]).marker(before, own, own.len()).to_bytes();
        self.saved.insert(chunk.info.stream, Saved { position: chunk.to, resume, gaps: Vec::new() });
    }
}

fn text(chunks: &[Chunk]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_way_of_writing_gives_the_same_lines_over_restarts(
        pieces in prop::collection::vec((prop::collection::vec(prop_oneof![4 => 97u8..123, 1 => Just(b'\n')], 0..80), any::<bool>()), 1..12)
    ) {
        let mut logs = Logs::new();
        let mut source = logs.open(StartAt::Beginning);
        let (mut written, mut read, mut at) = (Vec::new(), Vec::new(), 0);
        for (piece, restart) in pieces {
            logs.append("a.log", &piece);
            written.extend(piece);
            if restart {
                source = logs.open(StartAt::Beginning);
            }
            for chunk in logs.drain(&mut source) {
                prop_assert_eq!(chunk.from, Position { generation: 0, offset: at });
                at += chunk.bytes.len() as u64;
                prop_assert_eq!(chunk.to.offset, at);
                read.extend(chunk.bytes);
            }
        }
        let end = memchr::memrchr(b'\n', &written).map_or(0, |at| at + 1);
        prop_assert_eq!(&read[..], &written[..end]);
    }
}

#[test]
fn a_line_that_is_too_long_is_told_and_passed() {
    let mut logs = Logs::new();
    logs.append("a.log", b"one\n{");
    let mut source = logs.open(StartAt::Beginning);
    assert_eq!(text(&logs.drain(&mut source)), b"one\n");
    for _ in 0..3 {
        logs.append("a.log", &vec![b'x'; MAX_LINE / 2]);
        assert!(logs.drain(&mut source).is_empty());
    }
    logs.append("a.log", b"}\ntwo\n");
    let chunks = logs.drain(&mut source);
    let long = &chunks[0];
    assert!(long.oversize && long.bytes == b"{" && long.from.offset == 4);
    assert_eq!(long.to.offset, 4 + 1 + 3 * (MAX_LINE as u64 / 2) + 2);
    assert_eq!(text(&chunks[1..]), b"two\n");
    logs.append("a.log", b"three\n");
    let mut again = logs.open(StartAt::Beginning);
    assert_eq!(text(&logs.drain(&mut again)), b"three\n");
}

#[test]
fn the_longest_line_is_whole() {
    let mut logs = Logs::new();
    let mut line = vec![b'x'; MAX_LINE - 1];
    line.push(b'\n');
    logs.append("a.log", &line);
    let mut source = logs.open(StartAt::Beginning);
    let chunks = logs.drain(&mut source);
    assert!(chunks.len() == 1 && !chunks[0].oversize && chunks[0].bytes == line);
}

#[test]
fn a_hole_is_stepped_over() {
    let mut logs = Logs::new();
    let file = File::create(logs.path("a.log")).unwrap();
    file.set_len(10 << 30).unwrap();
    file.write_all_at(b"after\n", 10 << 30).unwrap();
    let mut source = logs.open(StartAt::Beginning);
    let chunks = logs.drain(&mut source);
    assert_eq!(text(&chunks), b"after\n");
    assert_eq!(chunks.last().unwrap().to.offset, (10 << 30) + 6);
}

#[test]
fn start_at_end_counts_for_the_first_start_only() {
    let mut logs = Logs::new();
    logs.append("a.log", b"old\nhalf ");
    let mut source = logs.open(StartAt::End);
    assert!(logs.drain(&mut source).is_empty());
    logs.append("a.log", b"line\n");
    logs.append("b.log", b"late file\n");
    let mut found: Vec<Vec<u8>> = logs.drain(&mut source).into_iter().map(|chunk| chunk.bytes).collect();
    found.sort();
    assert_eq!(found, [&b"half line\n"[..], b"late file\n"]);
    drop(source);
    logs.append("c.log", b"written while down\n");
    let mut source = logs.open(StartAt::End);
    assert_eq!(text(&logs.drain(&mut source)), b"written while down\n");
}

#[test]
fn only_regular_files_are_read() {
    let mut logs = Logs::new();
    let fifo = std::process::Command::new("mkfifo").arg(logs.path("fifo.log")).status();
    assert!(fifo.is_ok_and(|status| status.success()));
    fs::create_dir(logs.path("folder.log")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", logs.path("device.log")).unwrap();
    std::os::unix::fs::symlink("nowhere", logs.path("dangling.log")).unwrap();
    fs::hard_link(logs.path("fifo.log"), logs.path("other.log")).unwrap();
    logs.append("a.log", b"x\n");
    fs::hard_link(logs.path("a.log"), logs.path("b.log")).unwrap();
    let mut source = logs.open(StartAt::Beginning);
    assert_eq!(text(&logs.drain(&mut source)), b"x\n", "two names of one file are read once");
    assert_eq!(source.streams(), 1);
}

#[test]
fn files_with_the_same_beginning_are_all_read() {
    let mut logs = Logs::new();
    let banner = vec![b'#'; 4096];
    for n in 0..100 {
        logs.append(&format!("{n}.log"), &banner);
        logs.append(&format!("{n}.log"), format!("\n{n}\n").as_bytes());
    }
    let mut source = logs.open(StartAt::Beginning);
    let chunks = logs.drain(&mut source);
    let mut last: Vec<Vec<u8>> = chunks.iter().map(|c| c.bytes[4097..].to_vec()).collect();
    last.sort();
    let mut expected: Vec<Vec<u8>> = (0..100).map(|n| format!("{n}\n").into_bytes()).collect();
    expected.sort();
    assert_eq!(last, expected);
}

#[test]
fn truncation_while_down_and_copies_are_recognised() {
    let mut logs = Logs::new();
    let old: Vec<u8> = (0..200).flat_map(|n| format!("old line {n}\n").into_bytes()).collect();
    logs.append("a.log", &old);
    let mut source = logs.open(StartAt::Beginning);
    assert_eq!(text(&logs.drain(&mut source)), old);
    drop(source);
    logs.append("a.log", b"unread\n");
    fs::copy(logs.path("a.log"), logs.path("copy.log")).unwrap();
    fs::write(logs.path("a.log"), b"new\n").unwrap();
    let mut source = logs.open(StartAt::Beginning);
    let chunks = logs.drain(&mut source);
    let mut lines: Vec<&[u8]> = chunks.iter().map(|c| &c.bytes[..]).collect();
    lines.sort();
    assert!(lines == [&b"new\n"[..], b"unread\n"], "{} chunks", lines.len());
    assert!(chunks.iter().any(|c| c.from == Position { generation: 1, offset: 0 }));
}

#[test]
fn a_deleted_file_is_read_to_its_last_unfinished_line() {
    let mut logs = Logs::new();
    logs.append("a.log", b"one\ntwo");
    let mut source = logs.open(StartAt::Beginning);
    assert_eq!(text(&logs.drain(&mut source)), b"one\n");
    fs::remove_file(logs.path("a.log")).unwrap();
    assert!(logs.drain(&mut source).is_empty(), "its writer may still be there");
    source.tails.values_mut().for_each(|tail| tail.changed = Instant::now() - SETTLE_UNLINKED);
    let chunks = logs.drain(&mut source);
    assert_eq!(text(&chunks), b"two");
    assert!(chunks.last().is_some_and(|chunk| chunk.last));
    assert_eq!(source.streams(), 1, "kept until durable");
    let end = chunks.last().unwrap();
    source.durable.advance(end.info.stream, end.to);
    source.tails.values_mut().for_each(|tail| tail.changed = Instant::now() - SETTLE_UNLINKED);
    assert!(logs.drain(&mut source).is_empty());
    assert_eq!(source.streams(), 0);
}
