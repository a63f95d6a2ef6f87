//! The contract, held by every source: in whatever pieces the input comes, and wherever reading is broken off and
//! taken up again, it gives the same records at the same places, without gap and without overlap.

use super::assembled::Assembled;
use super::assembler;
use super::container::Format;
use super::file::{self, FileSource, Saved, StartAt};
use super::identity::IdentityKey;
use super::journald::{self, Journal, entry::Own};
use super::stdin::Stdin;
use super::stream_ids::StreamIds;
use super::syslog::{self, Syslog};
use super::{Chunk, Durable, Fill, Resume, Source, multiline};
use crate::record::{Position, StreamId};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const HOST_KEY: [u8; 32] = [7; 32];
/// Records compared; one more is written, which ends a group of lines before it.
const RECORDS: usize = 9;

/// Where reading goes on, as the spool keeps it.
type Places = HashMap<StreamId, Saved>;

/// A source and its other end.
struct Bench {
    /// Opens the source at the saved places; gives the end to write to, which serves until the next is given.
    open: fn(&Path, &Places) -> (Box<dyn Source>, Option<Box<dyn Write>>),
    /// Input and text of a record.
    record: fn(usize) -> (Vec<u8>, String),
    /// True where a place can be read again.
    replays: bool,
}

#[derive(Default)]
struct Seen {
    places: Places,
    records: Vec<(u64, String)>,
}

impl Seen {
    /// Takes a chunk as the agent would; fails where it breaks the contract.
    fn take(&mut self, chunk: &Chunk) {
        let before = self.places.get(&chunk.info.stream).map_or(chunk.from, |saved| saved.position);
        assert_eq!(before, chunk.from, "no gap, no overlap");
        assert!(chunk.from <= chunk.to && chunk.from.generation == chunk.to.generation);
        let plain = chunk.bytes.split_inclusive(|byte| *byte == b'\n').map(|line| line.len() as u64);
        let mut ends = Vec::new();
        match &chunk.layout {
            Some(layout) => ends.extend(layout.records.iter().map(|record| (u64::from(record.end), record.at))),
            None => {
                assert!(chunk.last || chunk.bytes.is_empty() || chunk.bytes.ends_with(b"\n"), "whole records");
                assert_eq!(chunk.to.offset - chunk.from.offset, chunk.bytes.len() as u64);
                plain.fold(0, |end, len| {
                    ends.push((end + len, chunk.from.offset + end));
                    end + len
                });
            }
        }
        let mut start = 0;
        for (end, at) in ends {
            assert!((chunk.from.offset..chunk.to.offset).contains(&at), "a record stands within its chunk");
            let text = String::from_utf8_lossy(&chunk.bytes[start..end as usize]);
            self.records.push((at, text.trim_end_matches('\n').to_owned()));
            start = end as usize;
        }
        assert_eq!(start, chunk.bytes.len(), "every byte belongs to a record");
        self.save(chunk);
    }

    fn save(&mut self, chunk: &Chunk) {
        let own = if chunk.is_whole() { &chunk.bytes[..] } else { &[] };
        let resume = match &chunk.resume {
            Resume::Marker { before } => IdentityKey::new(&HOST_KEY).marker(before, own, own.len()).to_bytes(),
            Resume::AtEnd(mark) => mark.clone(),
        };
        self.places.insert(chunk.info.stream, Saved { position: chunk.to, resume, gaps: Vec::new() });
    }
}

impl Bench {
    /// The records of one input written in pieces of `size` bytes, with a new source after each `again` chunks.
    fn run(&self, size: usize, again: usize) -> Vec<(u64, String)> {
        let folder = tempfile::tempdir().unwrap();
        let input: Vec<u8> = (0..=RECORDS).flat_map(|n| (self.record)(n).0).collect();
        let mut seen = Seen::default();
        let (mut source, to) = (self.open)(folder.path(), &seen.places);
        let mut to = to.expect("an end to write to");
        let (mut pieces, mut chunks, end) = (input.chunks(size), 0, Instant::now() + Duration::from_secs(60));
        while seen.records.len() < RECORDS {
            assert!(Instant::now() < end, "{} of {RECORDS} records came", seen.records.len());
            if let Some(piece) = pieces.next() {
                to.write_all(piece).unwrap();
            }
            match source.fill(Vec::new()).unwrap() {
                Fill::Chunk(chunk) => {
                    seen.take(&chunk);
                    chunks += 1;
                }
                Fill::Idle if pieces.len() == 0 => source.wait(Duration::from_millis(20)),
                Fill::Idle => {}
                Fill::End => panic!("it does not end"),
            }
            if chunks == again {
                (chunks, source) = (0, (self.open)(folder.path(), &seen.places).0);
            }
        }
        seen.records.truncate(RECORDS);
        seen.records
    }

    fn hold(&self) {
        let whole = self.run(1 << 20, usize::MAX);
        let texts: Vec<String> = whole.iter().map(|(_, text)| text.clone()).collect();
        assert_eq!(texts, (0..RECORDS).map(|n| (self.record)(n).1).collect::<Vec<_>>());
        for size in [1, 13, 200] {
            assert_eq!(self.run(size, usize::MAX), whole, "pieces of {size} bytes");
            if self.replays {
                assert_eq!(self.run(size, 1), whole, "pieces of {size} bytes, taken up again after each chunk");
            }
        }
    }
}

fn line(n: usize) -> (Vec<u8>, String) {
    let text = format!("INFO line {n} of {}", "x".repeat(n * 7 + 1));
    (format!("{text}\n").into_bytes(), text)
}

fn log(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// A file's source and the file, opened for appending.
fn file(folder: &Path, saved: &Places) -> (FileSource, Option<Box<dyn Write>>) {
    let state = folder.join("state");
    std::fs::create_dir_all(&state).unwrap();
    let to = OpenOptions::new().create(true).append(true).open(log(folder)).unwrap();
    let include = vec![log(folder).display().to_string()];
    let settings = file::Settings { include, exclude: Vec::new(), start_at: StartAt::Beginning };
    let parts = file::Parts {
        settings: &settings,
        source: 0,
        state: &state,
        registry: "streams.json",
        abandoned: &[],
        host_key: &HOST_KEY,
        saved: saved.clone(),
        durable: Durable::default(),
    };
    (FileSource::open(parts).unwrap(), Some(Box::new(to)))
}

fn assembled(
    folder: &Path,
    saved: &Places,
    format: Option<Format>,
    multiline: Option<multiline::Settings>,
) -> (Box<dyn Source>, Option<Box<dyn Write>>) {
    let (inner, to) = file(folder, saved);
    (Box::new(Assembled::new(Box::new(inner), assembler::Settings { format, multiline }, &HOST_KEY)), to)
}

#[test]
fn files_hold_the_contract() {
    let open = |folder: &Path, saved: &Places| -> (Box<dyn Source>, _) {
        let (source, to) = file(folder, saved);
        (Box::new(source), to)
    };
    Bench { open, record: line, replays: true }.hold();
}

#[test]
fn containers_hold_the_contract() {
    let open = |folder: &Path, saved: &Places| assembled(folder, saved, Some(Format::Cri), None);
    let record = |n| {
        let (first, text) = (line(n).1, format!("{}, its rest", line(n).1));
        (format!("{0} stdout P {first}\n{0} stdout F , its rest\n", "2025-11-23T10:05:09Z").into_bytes(), text)
    };
    Bench { open, record, replays: true }.hold();
    let open = |folder: &Path, saved: &Places| assembled(folder, saved, Some(Format::Docker), None);
    let record = |n| {
        let (first, text) = (line(n).1, format!("{}, its rest", line(n).1));
        let part =
            |log: &str| format!("{{\"log\":\"{log}\",\"stream\":\"stdout\",\"time\":\"2025-11-23T10:05:09Z\"}}\n");
        ((part(&first) + &part(", its rest\\n")).into_bytes(), text)
    };
    Bench { open, record, replays: true }.hold();
}

#[test]
fn lines_that_belong_together_hold_the_contract() {
    let open = |folder: &Path, saved: &Places| {
        let settings = multiline::Settings { flush: Duration::from_secs(3600), ..multiline::Settings::default() };
        assembled(folder, saved, None, Some(settings))
    };
    let record = |n| {
        let text = format!("ERROR {n}\njava.lang.Error: {n}\n\tat a.B.c(B.java:{n})");
        (format!("{text}\n").into_bytes(), text)
    };
    Bench { open, record, replays: true }.hold();
}

#[test]
fn standard_input_holds_the_contract() {
    let open = |_: &Path, _: &Places| -> (Box<dyn Source>, Option<Box<dyn Write>>) {
        let (from, to) = std::io::pipe().unwrap();
        (Box::new(Stdin::new(from, StreamIds::new(&HOST_KEY, "stdin", "in"), 0)), Some(Box::new(to)))
    };
    Bench { open, record: line, replays: false }.hold();
}

#[test]
fn syslog_holds_the_contract() {
    let open = |_: &Path, _: &Places| -> (Box<dyn Source>, Option<Box<dyn Write>>) {
        let listen = vec![syslog::Listen::Tcp((Ipv4Addr::LOCALHOST, 0).into())];
        let settings = syslog::Settings { listen, tls: None, zone: syslog::Zone::Utc };
        let (ids, durable) = (StreamIds::new(&HOST_KEY, "syslog", "in"), Durable::default());
        let mut source = Syslog::new(syslog::Parts { settings, ids, source: 0, saved: Vec::new(), durable });
        assert!(matches!(source.fill(Vec::new()), Ok(Fill::Idle)));
        let port = source.ports()[0].unwrap();
        (Box::new(source), Some(Box::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap())))
    };
    // Every other message is counted, and holds a line end.
    let record = |n: usize| {
        let text = format!("<13>Nov 23 10:05:09 db1 app: {}", line(n).1);
        match n % 2 {
            0 => (format!("{text}\n").into_bytes(), text),
            _ => (format!("{} {text}\nmore", text.len() + 5).into_bytes(), text + "\nmore"),
        }
    };
    Bench { open, record, replays: false }.hold();
}

fn journal_entry(n: usize) -> (Vec<u8>, String) {
    let text = line(n).1;
    let head = format!("__CURSOR=s=aa;i={n:x};b=bb;m={n:x};t=5f0;x={n:x}\n__REALTIME_TIMESTAMP=1763892309000000\n");
    (format!("{head}PRIORITY=6\nMESSAGE={text}\n\n").into_bytes(), text)
}

/// A `journalctl` that shows what is appended to a file, from the entry of its cursor on.
fn journalctl(folder: &Path) -> PathBuf {
    let program = folder.join("journalctl");
    let mut script = String::from("#!/bin/sh\nat=1\ncase \"$*\" in\n");
    let mut at = 1;
    for n in 0..=RECORDS {
        script.push_str(&format!("*--cursor=*\\;i={n:x}\\;*) at={at};;\n"));
        at += journal_entry(n).0.len();
    }
    script.push_str(&format!("esac\nexec tail -c +$at -f '{}'\n", log(folder).display()));
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn the_journal_holds_the_contract() {
    let open = |folder: &Path, saved: &Places| -> (Box<dyn Source>, Option<Box<dyn Write>>) {
        let to: File = OpenOptions::new().create(true).append(true).open(log(folder)).unwrap();
        let program = folder.join("journalctl");
        let program = if program.exists() { program } else { journalctl(folder) };
        let settings = journald::Settings { journalctl: program, ..journald::Settings::default() };
        let ids = StreamIds::new(&HOST_KEY, "journald", "in");
        let saved = saved.get(&ids.only()).cloned();
        // Places begin at a time; here at nothing, so that two runs can be compared.
        let saved =
            saved.or_else(|| Some(Saved { position: Position::default(), resume: Vec::new(), gaps: Vec::new() }));
        let parts = journald::Parts { settings, ids, source: 0, saved, own: Own::default() };
        (Box::new(Journal::new(parts)), Some(Box::new(to)))
    };
    Bench { open, record: journal_entry, replays: true }.hold();
}
