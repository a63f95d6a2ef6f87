//! A fake `journalctl` plays recorded streams: a shell script that notes its arguments.

use super::entry::Own;
use super::*;
use crate::record::Position;
use crate::source::file::Saved;
use crate::source::stream_ids::StreamIds;
use crate::source::{Chunk, Fill, Resume, Source};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

fn entry(number: u32, fields: &str) -> String {
    format!(
        "__CURSOR=s=aa;i={number:x};b=bb;m={number};t=5f0;x={number}\n__REALTIME_TIMESTAMP=1763892309000{number:03}\n\
         _HOSTNAME=db1\nSYSLOG_IDENTIFIER=sshd\nPRIORITY=4\n{fields}\n"
    )
}

struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    /// Plays `script` with `$1` … as given; `stream` is its file `stream`.
    fn new(script: &str, stream: &[u8]) -> Fake {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("journalctl");
        let path = folder.path().display();
        let text = format!("#!/bin/sh\nexec 9>>'{path}/arguments'; echo \"$@\" >&9\nS='{path}/stream'\n{script}\n");
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(folder.path().join("stream"), stream).unwrap();
        Fake { folder }
    }

    fn journal(&self, fields: &[&str], saved: Option<Saved>) -> Journal {
        let settings = Settings {
            fields: fields.iter().map(|name| (*name).to_owned()).collect(),
            journalctl: self.folder.path().join("journalctl"),
            ..Settings::default()
        };
        let own = Own {
            name: "logveil".into(),
            pid: "4242".into(),
            boot: "bb".into(),
            invocation: Some("0abc".into()),
            unit: Some("logveil.service".into()),
        };
        Journal::new(Parts { settings, ids: StreamIds::new(&[1; 32], "journald", "host"), source: 0, saved, own })
    }

    fn arguments(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("arguments")).unwrap_or_default()
    }
}

fn texts(chunk: &Chunk) -> Vec<String> {
    let mut start = 0;
    let layout = chunk.layout.as_ref().expect("entries are laid out");
    let text = |record: &crate::source::Placed| {
        let text = &chunk.bytes[start..record.end as usize];
        start = record.end as usize;
        String::from_utf8_lossy(text).trim_end().to_owned()
    };
    layout.records.iter().map(text).collect()
}

/// Chunks until there are `count` records or an error, within ten seconds.
fn take(journal: &mut Journal, count: usize) -> (Vec<String>, Vec<Chunk>, Option<String>) {
    let (mut found, mut chunks) = (Vec::new(), Vec::new());
    let end = Instant::now() + Duration::from_secs(10);
    while found.len() < count && Instant::now() < end {
        match journal.fill(Vec::new()) {
            Ok(Fill::Chunk(chunk)) => {
                found.extend(texts(&chunk));
                chunks.push(chunk);
            }
            Ok(_) => journal.wait(Duration::from_millis(50)),
            Err(error) => return (found, chunks, Some(error.to_string())),
        }
    }
    (found, chunks, None)
}

fn saved(number: u32) -> Option<Saved> {
    let cursor = format!("s=aa;i={number:x};b=bb;m={number};t=5f0;x={number}");
    let position = Position { generation: 7, offset: 100 };
    Some(Saved { position, resume: cursor.into_bytes(), gaps: Vec::new() })
}

#[test]
fn entries_become_records_and_the_cursor_is_the_place() {
    let stream = [entry(1, "MESSAGE=one\n"), entry(2, "MESSAGE=two\n"), entry(3, "MESSAGE=three\n")].concat();
    let fake = Fake::new("cat \"$S\"; exec sleep 60", stream.as_bytes());
    let mut journal = fake.journal(&[], None);
    let (found, chunks, _) = take(&mut journal, 3);
    assert_eq!(found, ["one", "two", "three"]);
    let last = chunks.last().unwrap();
    assert!(matches!(&last.resume, Resume::AtEnd(cursor) if cursor.starts_with(b"s=aa;i=3;")));
    assert_eq!((chunks[0].from.offset, last.to.offset), (0, 3));
    let layout = chunks[0].layout.as_ref().unwrap();
    let record = &layout.records[0];
    assert_eq!((layout.text(&record.host), layout.text(&record.service)), (&b"db1"[..], &b"sshd"[..]));
    assert_eq!(record.facts.status, Some(crate::record::Status::Warning));
    assert_eq!(record.facts.time, Some(1_763_892_309_000));
    assert!(fake.arguments().contains("--output=export --follow --all"), "{}", fake.arguments());
    assert!(fake.arguments().contains("--no-tail"));
}

#[test]
fn reading_goes_on_behind_the_saved_entry_only_when_it_is_there() {
    let stream = [entry(1, "MESSAGE=one\n"), entry(2, "MESSAGE=two\n")].concat();
    let fake = Fake::new("cat \"$S\"; exec sleep 60", stream.as_bytes());
    let mut journal = fake.journal(&[], saved(1));
    let (found, chunks, _) = take(&mut journal, 1);
    assert_eq!((found, journal.met().gaps), (vec!["two".to_owned()], 0));
    assert_eq!((chunks[0].from, chunks[0].to.offset), (Position { generation: 7, offset: 100 }, 101));
    assert!(fake.arguments().contains("--cursor=s=aa;i=1;"));
    let mut journal = fake.journal(&[], saved(9));
    let (found, ..) = take(&mut journal, 2);
    assert_eq!((found, journal.met().gaps), (vec!["one".to_owned(), "two".to_owned()], 1), "nothing is skipped");
}

#[test]
fn own_entries_and_empty_ones_are_passed_over() {
    let ours = [
        "MESSAGE=this process\n_PID=4242\n_BOOT_ID=bb\n_COMM=logveil\n",
        "MESSAGE=this invocation\n_PID=1\n_SYSTEMD_INVOCATION_ID=0abc\n_COMM=logveil\n",
        "MESSAGE=an earlier one\n_PID=7\n_BOOT_ID=aa\n_SYSTEMD_UNIT=logveil.service\n_COMM=logveil\n",
        "MESSAGE=\n",
    ];
    let theirs = [
        "MESSAGE=another process\n_PID=4243\n_BOOT_ID=bb\n_COMM=logveil\n",
        "MESSAGE=that number in another boot\n_PID=4242\n_BOOT_ID=aa\n_COMM=logveil\n",
        "MESSAGE=that number of another program\n_PID=4242\n_BOOT_ID=bb\n_COMM=systemd\n",
        "MESSAGE=another program of the unit\n_PID=7\n_SYSTEMD_INVOCATION_ID=0abc\n_COMM=shop\n",
        "MESSAGE=without anything\n",
    ];
    let stream: String = (1..).zip(ours.iter().chain(&theirs)).map(|(number, fields)| entry(number, fields)).collect();
    let fake = Fake::new("cat \"$S\"; exec sleep 60", stream.as_bytes());
    let (found, chunks, _) = take(&mut fake.journal(&[], None), theirs.len());
    let expected = theirs.map(|fields| fields.lines().next().unwrap().trim_start_matches("MESSAGE=").to_owned());
    assert_eq!(found, expected);
    assert_eq!(chunks.last().unwrap().to.offset, 9, "the place passes them");
}

#[test]
fn chosen_fields_are_part_of_the_record() {
    let message = b"two\nlines \"quoted\"";
    let mut stream = entry(1, "_CMDLINE=mysql -u root\n_PID=12\n").into_bytes();
    stream.pop();
    stream.extend([b"MESSAGE\n", &(message.len() as u64).to_le_bytes()[..], message, b"\n\n"].concat());
    let fake = Fake::new("cat \"$S\"; exec sleep 60", &stream);
    let (found, ..) = take(&mut fake.journal(&["_CMDLINE", "_PID", "MISSING"], None), 1);
    assert_eq!(found, [r#"{"message":"two\nlines \"quoted\"","_CMDLINE":"mysql -u root","_PID":"12"}"#]);
}

#[test]
fn an_end_of_the_child_is_told_and_it_is_started_again() {
    let script = "case \"$*\" in *--cursor=*) tail -c +1 \"$S.more\"; exec sleep 60;; *) cat \"$S\"; exit 3;; esac";
    let fake = Fake::new(script, entry(1, "MESSAGE=one\n").as_bytes());
    let more = [entry(1, "MESSAGE=one\n"), entry(2, "MESSAGE=two\n")].concat();
    std::fs::write(fake.folder.path().join("stream.more"), more).unwrap();
    let mut journal = fake.journal(&[], None);
    let (found, _, error) = take(&mut journal, 2);
    assert_eq!(found, ["one"]);
    assert!(error.is_some_and(|error| error.contains("exit status: 3")));
    let (found, ..) = take(&mut journal, 1);
    assert_eq!((found, journal.met().gaps), (vec!["two".to_owned()], 0));
}

#[test]
fn failures_say_what_to_do() {
    for (script, expected) in [
        ("echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1", "systemd-journal"),
        ("printf 'this is no export format, not at all\\n\\n'; exec sleep 60", "export format"),
    ] {
        let (_, _, error) = take(&mut Fake::new(script, b"").journal(&[], None), 1);
        assert!(error.as_ref().is_some_and(|error| error.contains(expected)), "{error:?}");
    }
    let settings = Settings { journalctl: "/no/such/journalctl".into(), ..Settings::default() };
    let ids = StreamIds::new(&[1; 32], "journald", "host");
    let mut journal = Journal::new(Parts { settings, ids, source: 0, saved: None, own: Own::default() });
    let (_, _, error) = take(&mut journal, 1);
    assert!(error.is_some_and(|error| error.contains("install systemd")));
    assert!(matches!(journal.fill(Vec::new()), Ok(Fill::Idle)), "it waits before it tries again");
}

#[test]
fn the_child_is_killed_with_the_source() {
    let fake = Fake::new("echo $$ > \"$S.pid\"; cat \"$S\"; exec sleep 600", entry(1, "MESSAGE=one\n").as_bytes());
    let mut journal = fake.journal(&[], None);
    take(&mut journal, 1);
    let pid = std::fs::read_to_string(fake.folder.path().join("stream.pid")).unwrap();
    let process = std::path::PathBuf::from(format!("/proc/{}", pid.trim()));
    assert!(process.exists());
    drop(journal);
    assert!(!process.exists());
}

#[test]
fn any_cut_of_the_stream_gives_the_same_records_and_places() {
    let stream: String = (1..40).map(|i| entry(i, &format!("MESSAGE=message {i}\n"))).collect();
    for script in ["cat \"$S\"", "dd if=\"$S\" bs=7 status=none", "dd if=\"$S\" bs=1000 status=none"] {
        let fake = Fake::new(&format!("{script}; exec sleep 60"), stream.as_bytes());
        let (found, chunks, _) = take(&mut fake.journal(&[], None), 39);
        assert_eq!(found, (1..40).map(|i| format!("message {i}")).collect::<Vec<_>>());
        let places = chunks.iter().flat_map(|chunk| &chunk.layout.as_ref().unwrap().records);
        assert!(places.map(|record| record.at).eq(0..39));
        assert!(chunks.windows(2).all(|pair| pair[0].to == pair[1].from));
    }
}
