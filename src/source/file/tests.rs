//! The source alone, with real files: the contract of chunks, long lines, holes, what must not be opened.

use super::turn::SETTLE_UNLINKED;
use super::*;
use crate::record::Position;
use crate::source::Chunk;
use crate::source::content::Content;
use crate::source::contract::Resume;
use crate::source::line_buffer::MAX_LINE;
use proptest::prelude::*;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use tempfile::TempDir;

mod restarts;

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
            abandoned: &[],
            host_key: &[7; 32],
            saved,
            durable,
        };
        FileSource::open(parts).unwrap()
    }

    /// Reads all that is there and saves each place as the spool would.
    fn drain(&mut self, source: &mut FileSource) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        source.sweep_now();
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

impl FileSource {
    /// Lets the next fill sweep, however long the last sweep took.
    fn sweep_now(&mut self) {
        self.swept = self.swept.map(|_| Instant::now() - SWEEP_SLOWEST * 2);
    }
}

fn text(chunks: &[Chunk]) -> Vec<u8> {
    chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect()
}

#[test]
fn nothing_is_handed_out_before_its_identity_is_stored() {
    let logs = Logs::new();
    logs.append("a.log", b"one\n");
    let mut source = logs.open(StartAt::Beginning);
    fs::remove_dir(logs.folder.path().join("state")).unwrap();
    for _ in 0..3 {
        assert!(source.fill(Vec::new()).is_err());
    }
    fs::create_dir(logs.folder.path().join("state")).unwrap();
    assert!(matches!(source.fill(Vec::new()), Ok(Fill::Chunk(chunk)) if chunk.bytes == b"one\n"));
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
fn s16_a_file_that_grows_byte_by_byte_past_what_it_is_known_by() {
    let mut logs = Logs::new();
    let mut source = logs.open(StartAt::Beginning);
    let (written, mut read) = (lines(100, 150), Vec::new());
    let (first, rest) = written.split_at(100);
    for (n, piece) in first.chunks(1).chain(rest.chunks(17)).enumerate() {
        logs.append("a.log", piece);
        if n % 30 == 0 {
            source = logs.open(StartAt::Beginning);
        }
        read.extend(text(&logs.drain(&mut source)));
    }
    assert!(written.len() > PREFIX && read == written);
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
    // A tebibyte, or what the file system takes.
    let len = [1u64 << 40, 10 << 30].into_iter().find(|len| file.set_len(*len).is_ok()).unwrap();
    file.write_all_at(b"after\n", len).unwrap();
    let mut source = logs.open(StartAt::Beginning);
    let chunks = logs.drain(&mut source);
    assert_eq!(text(&chunks), b"after\n");
    assert_eq!(chunks.last().unwrap().to.offset, len + 6);
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
    let _socket = std::os::unix::net::UnixListener::bind(logs.path("socket.log")).unwrap();
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

fn lines(from: usize, to: usize) -> Vec<u8> {
    (from..to).flat_map(|n| format!("event number {n} of many\n").into_bytes()).collect()
}

fn packed(program: &str, path: &Path) {
    let status = std::process::Command::new(program).args(["-q", "--rm"]).arg(path).status();
    assert!(status.is_ok_and(|status| status.success()));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Lets time pass for everything that waits to become clear.
fn settle(source: &mut FileSource) {
    source.newcomers.let_settle();
    source.tails.values_mut().for_each(|tail| tail.changed = Instant::now() - SETTLE_UNLINKED * 10);
}

#[test]
fn what_was_not_read_of_a_truncated_file_is_read_in_its_copy() {
    for copy in ["copy.log", "a.log.1"] {
        let mut logs = Logs::new();
        logs.append("a.log", &lines(0, 200));
        let mut source = logs.open(StartAt::Beginning);
        assert!(text(&logs.drain(&mut source)) == lines(0, 200));
        logs.append("a.log", &lines(200, 300));
        fs::copy(logs.path("a.log"), logs.path(copy)).unwrap();
        fs::write(logs.path("a.log"), lines(300, 310)).unwrap();
        let mut read = logs.drain(&mut source);
        read.extend(logs.drain(&mut source));
        let mut all: Vec<Vec<u8>> = read.into_iter().map(|chunk| chunk.bytes).filter(|b| !b.is_empty()).collect();
        all.sort();
        assert!(all.concat() == lines(200, 310), "{copy}");
        drop(source);
        let mut source = logs.open(StartAt::Beginning);
        assert_eq!(text(&logs.drain(&mut source)), b"", "{copy} after a restart");
    }
}

#[test]
fn a_copy_in_the_making_waits_and_a_twin_is_read() {
    let mut logs = Logs::new();
    logs.append("a.log", &lines(0, 200));
    let mut source = logs.open(StartAt::Beginning);
    logs.drain(&mut source);
    logs.append("copy.log", &lines(0, 90));
    assert_eq!(text(&logs.drain(&mut source)), b"");
    logs.append("copy.log", &lines(90, 200));
    assert_eq!(text(&logs.drain(&mut source)), b"");
    fs::write(logs.path("a.log"), b"").unwrap();
    assert_eq!(text(&logs.drain(&mut source)), b"");
    assert_eq!(text(&logs.drain(&mut source)), b"", "all of it had been read");
    logs.append("b.log", &lines(1000, 1150));
    assert!(text(&logs.drain(&mut source)) == lines(1000, 1150));
    logs.append("twin.log", &lines(1000, 1100));
    assert_eq!(text(&logs.drain(&mut source)), b"");
    settle(&mut source);
    assert!(text(&logs.drain(&mut source)) == lines(1000, 1100));
}

#[test]
fn a_file_packed_while_down_goes_on_where_it_was_read() {
    for (program, name) in [("gzip", "a.log.1.gz"), ("zstd", "a.log.1.zst"), ("zstd", "packed.log")] {
        let mut logs = Logs::new();
        logs.append("a.log", &lines(0, 2000));
        let mut source = logs.open(StartAt::Beginning);
        assert!(text(&logs.drain(&mut source)) == lines(0, 2000));
        drop(source);
        logs.append("a.log", &lines(2000, 3000));
        fs::rename(logs.path("a.log"), logs.path("a.log.1")).unwrap();
        match program {
            "gzip" => {
                let (one, two) = (gzip(&lines(0, 1500)), gzip(&lines(1500, 3000)));
                fs::write(logs.path(name), [one, two].concat()).unwrap();
                fs::remove_file(logs.path("a.log.1")).unwrap();
            }
            _ => {
                packed(program, &logs.path("a.log.1"));
                let _ = fs::rename(logs.path("a.log.1.zst"), logs.path(name));
            }
        }
        logs.append("a.log", &lines(3000, 3100));
        let mut source = logs.open(StartAt::Beginning);
        let mut read = logs.drain(&mut source);
        read.sort_by_key(|chunk| chunk.from.offset == 0);
        assert!(text(&read) == lines(2000, 3100), "{name}");
        settle(&mut source);
        let last = logs.drain(&mut source);
        for end in last.iter().filter(|chunk| chunk.last) {
            source.durable.advance(end.info.stream, end.to);
        }
        settle(&mut source);
        logs.drain(&mut source);
        assert_eq!(source.tails.len(), 1, "the packed file is closed: {name}");
        drop(source);
        let mut source = logs.open(StartAt::Beginning);
        assert_eq!(text(&logs.drain(&mut source)), b"", "{name} after another start");
    }
}

#[test]
fn a_packed_file_beside_its_original_is_not_read_twice() {
    let mut logs = Logs::new();
    logs.append("a.log", &lines(0, 2000));
    let mut source = logs.open(StartAt::Beginning);
    assert!(text(&logs.drain(&mut source)) == lines(0, 2000));
    fs::rename(logs.path("a.log"), logs.path("a-1.log")).unwrap();
    let whole = gzip(&lines(0, 2000));
    fs::write(logs.path("gz.log"), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(text(&logs.drain(&mut source)), b"");
    fs::write(logs.path("gz.log"), &whole).unwrap();
    assert_eq!(text(&logs.drain(&mut source)), b"");
    fs::remove_file(logs.path("a-1.log")).unwrap();
    logs.append("a.log", &lines(2000, 2100));
    assert!(text(&logs.drain(&mut source)) == lines(2000, 2100));
    for _ in 0..3 {
        settle(&mut source);
        assert_eq!(text(&logs.drain(&mut source)), b"");
    }
}

#[test]
fn a_cut_or_damaged_packed_file_gives_whole_lines_only() {
    let mut logs = Logs::new();
    let whole = gzip(&lines(0, 30_000));
    logs.append("cut.log", &whole[..whole.len() / 2]);
    logs.append("tailed.log", &[&gzip(&lines(0, 10))[..], b"something else"].concat());
    let mut source = logs.open(StartAt::Beginning);
    let mut read = Vec::new();
    for _ in 0..3 {
        read.extend(logs.drain(&mut source));
        settle(&mut source);
    }
    let cut: Vec<u8> =
        read.iter().filter(|c| c.info.path == Some(logs.path("cut.log"))).flat_map(|c| c.bytes.clone()).collect();
    assert!(cut.ends_with(b"\n") && lines(0, 30_000).starts_with(&cut) && cut.len() > 1000);
    let tailed = read.iter().filter(|c| c.info.path == Some(logs.path("tailed.log")));
    assert!(tailed.flat_map(|c| c.bytes.clone()).collect::<Vec<u8>>() == lines(0, 10));
    logs.append("cut.log", &whole[whole.len() / 2..]);
    let rest = text(&logs.drain(&mut source));
    assert!([&cut[..], &rest].concat() == lines(0, 30_000), "the rest came later");
}

#[test]
fn a_file_replaced_between_look_and_read_is_read_from_its_beginning() {
    let mut logs = Logs::new();
    logs.append("a.log", &lines(0, 100));
    let mut source = logs.open(StartAt::Beginning);
    assert!(text(&logs.drain(&mut source)) == lines(0, 100));
    let stream = *source.tails.keys().next().unwrap();
    let key = source.key.clone();
    let tail = source.tails.get_mut(&stream).unwrap();
    tail.look(&key).unwrap();
    fs::write(logs.path("a.log"), lines(500, 900)).unwrap();
    let read = tail.read(&key, Vec::new(), false).unwrap();
    assert!(matches!(read, crate::source::tail::Read::Again(_)), "nothing from the middle of other content");
    source.queue(stream);
    assert!(text(&logs.drain(&mut source)) == lines(500, 900));
}

#[test]
fn a_file_that_cannot_be_read_stops_no_other() {
    let mut logs = Logs::new();
    logs.append("a.log", b"one\n");
    let mut source = logs.open(StartAt::Beginning);
    logs.drain(&mut source);
    let stream = *source.tails.keys().next().unwrap();
    // A folder cannot be read: what a broken disk says looks the same here.
    let folder = File::open(logs.folder.path()).unwrap();
    let good = std::mem::replace(&mut source.tails.get_mut(&stream).unwrap().content, Content::Plain(folder.into()));
    logs.append("b.log", b"two\n");
    source.queue(stream);
    source.swept = None;
    assert!(matches!(source.fill(Vec::new()).unwrap(), Fill::Chunk(chunk) if chunk.bytes == b"two\n"));
    assert_eq!(source.met().closed, 1);
    source.tails.get_mut(&stream).unwrap().content = good;
    logs.append("a.log", b"three\n");
    std::thread::sleep(Duration::from_millis(600));
    source.sweep_now();
    let mut read = Vec::new();
    while let Fill::Chunk(chunk) = source.fill(Vec::new()).unwrap() {
        read.extend(chunk.bytes);
    }
    assert_eq!(read, b"three\n");
    assert_eq!(source.met().closed, 0);
}

#[test]
fn utf16_is_read_as_its_text_over_restarts() {
    let encoded = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut logs = Logs::new();
    logs.append("a.log", &encoded("\u{feff}żółw one\ntw"));
    let mut source = logs.open(StartAt::Beginning);
    assert_eq!(text(&logs.drain(&mut source)), "żółw one\n".as_bytes());
    logs.append("a.log", &encoded("o\nthree\n"));
    assert_eq!(text(&logs.drain(&mut source)), b"two\nthree\n");
    drop(source);
    logs.append("a.log", &encoded("four\n"));
    logs.append("a.log", &encoded(&"x".repeat(MAX_LINE)));
    logs.append("a.log", &encoded("\nfive\n"));
    let mut source = logs.open(StartAt::Beginning);
    let chunks = logs.drain(&mut source);
    assert_eq!(chunks.iter().filter(|chunk| chunk.oversize).count(), 1);
    assert_eq!(text(&chunks), b"four\nxfive\n");
    fs::write(logs.path("a.log"), b"plain again\n").unwrap();
    assert_eq!(text(&logs.drain(&mut source)), b"plain again\n");
}
