//! The store against a plain model, through restarts, damage and failing steps.

use super::*;
use crate::batch::{Encoder, EncoderSettings, Encoding};
use crate::record::{Covers, Fingerprint, Position, StreamId};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

const STREAM: StreamId = StreamId([9; 16]);

fn at(offset: u64) -> Position {
    Position { generation: 0, offset }
}

fn batch(from: u64, to: u64) -> Batch {
    let settings = EncoderSettings { encoding: Encoding::None, ..EncoderSettings::default() };
    let mut encoder = Encoder::new(settings);
    encoder.cover(Covers { stream: STREAM, from: at(from), to: at(to), resume: vec![to as u8] });
    encoder.seal(Fingerprint(1)).expect("a covered range")
}

fn open(path: &Path, settings: &Settings) -> (Spool, Recovered) {
    let state = StateDir::open(path).expect("a state directory");
    Spool::open(state, settings.clone()).expect("a spool")
}

fn store(spool: &Spool, batch: Batch) -> io::Result<Stored> {
    spool.store(&mut [batch], &mut |_| {})
}

fn range(batch: &Batch) -> (u64, u64) {
    let covers = &batch.header.covers[0];
    (covers.from.offset, covers.to.offset)
}

#[derive(Clone, Debug)]
enum Step {
    Store(u64),
    Acknowledge,
    Restart,
    Damage(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u64..9).prop_map(Step::Store),
        3 => Just(Step::Acknowledge),
        2 => Just(Step::Restart),
        1 => (0usize..4).prop_map(Step::Damage),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn agrees_with_a_list_of_ranges(steps in prop::collection::vec(step(), 1..25)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let settings = Settings::default();
        let (mut spool, _) = open(&path, &settings);
        // The model: ranges waiting in order, bytes acknowledged, and the end of what was read.
        let (mut waiting, mut safe, mut end): (Vec<(u64, u64)>, BTreeSet<u64>, u64) = (Vec::new(), BTreeSet::new(), 0);
        for step in steps {
            match step {
                Step::Store(len) => {
                    prop_assert_eq!(store(&spool, batch(end, end + len)).unwrap(), Stored::Yes);
                    waiting.push((end, end + len));
                    end += len;
                }
                Step::Acknowledge => {
                    let next = spool.next().unwrap();
                    prop_assert_eq!(next.as_deref().map(range), waiting.first().copied());
                    if let Some(next) = next {
                        spool.acknowledge(&next.header).unwrap();
                        let (from, to) = waiting.remove(0);
                        safe.extend(from..to);
                    }
                }
                Step::Damage(place) => {
                    let mut files: Vec<_> = std::fs::read_dir(path.join("spool")).unwrap().map(|e| e.unwrap().path()).collect();
                    files.sort();
                    let Some(file) = files.get(place) else { continue };
                    let mut bytes = std::fs::read(file).unwrap();
                    bytes.truncate(bytes.len() - 1);
                    std::fs::write(file, bytes).unwrap();
                    waiting.remove(place);
                    spool = restart(spool, &path, &settings, &waiting, &safe, &mut end)?;
                }
                Step::Restart => spool = restart(spool, &path, &settings, &waiting, &safe, &mut end)?,
            }
            prop_assert_eq!(spool.usage().batches as usize, waiting.len());
        }
    }
}

/// Opens the spool again and compares where the stream goes on; what is missing counts as to be read again,
/// so the model reads on behind everything known.
fn restart(
    spool: Spool,
    path: &Path,
    settings: &Settings,
    waiting: &[(u64, u64)],
    safe: &BTreeSet<u64>,
    end: &mut u64,
) -> Result<Spool, TestCaseError> {
    drop(spool);
    let (spool, recovered) = open(path, settings);
    let mut known = safe.clone();
    waiting.iter().for_each(|&(from, to)| known.extend(from..to));
    *end = known.last().map_or(0, |last| last + 1);
    let place = recovered.ledger.place(STREAM).cloned().unwrap_or_default();
    prop_assert_eq!(place.position.offset, *end);
    let gaps: Vec<u64> = place.gaps.iter().flat_map(|(a, b)| a.offset..b.offset).collect();
    prop_assert_eq!(gaps, (0..*end).filter(|at| !known.contains(at)).collect::<Vec<_>>());
    prop_assert_eq!(recovered.waiting, waiting.len());
    Ok(spool)
}

#[test]
fn a_full_spool_blocks_or_drops_its_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let block = Settings { max_bytes: 1, ..Settings::default() };
    let path = folder.path().join("state");
    let (spool, _) = open(&path, &block);
    assert_eq!(store(&spool, batch(0, 1)).unwrap(), Stored::Yes, "one always fits");
    assert_eq!(store(&spool, batch(1, 2)).unwrap(), Stored::Full);
    drop(spool);
    let (spool, recovered) = open(&path, &Settings { when_full: WhenFull::DropOldest, ..block });
    assert_eq!(recovered.ledger.place(STREAM).unwrap().position, at(1));
    let mut dropped = Vec::new();
    let stored = spool.store(&mut [batch(1, 2)], &mut |header| dropped.push(header.sequence)).unwrap();
    assert_eq!((stored, dropped), (Stored::Yes, vec![1]));
    assert_eq!(range(&spool.next().unwrap().unwrap()), (1, 2));
    assert!(!spool.is_waiting(1));
}

#[test]
fn what_the_intake_has_taken_is_not_dropped_for_want_of_room() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { max_bytes: 1, when_full: WhenFull::DropOldest, ..Settings::default() };
    let (spool, _) = open(&folder.path().join("state"), &settings);
    store(&spool, batch(0, 1)).unwrap();
    let first = spool.next_after(0).unwrap().unwrap();
    assert!(spool.next_after(first.header.sequence).unwrap().is_none());
    spool.keep_until_acknowledged(first.header.sequence);
    assert_eq!(store(&spool, batch(1, 2)).unwrap(), Stored::Full);
    spool.acknowledge(&first.header).unwrap();
    assert_eq!(store(&spool, batch(1, 2)).unwrap(), Stored::Yes);
    assert_eq!(range(&spool.next_after(first.header.sequence).unwrap().unwrap()), (1, 2));
}

#[test]
fn memory_keeps_no_file_and_its_place_only_when_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let settings = Settings { kind: Kind::Memory, ..Settings::default() };
    let (spool, _) = open(&path, &settings);
    store(&spool, batch(0, 4)).unwrap();
    store(&spool, batch(4, 9)).unwrap();
    assert_eq!(std::fs::read_dir(path.join("spool")).unwrap().count(), 0);
    let first = spool.next().unwrap().unwrap();
    spool.acknowledge(&first.header).unwrap();
    drop(spool);
    let (spool, recovered) = open(&path, &settings);
    assert_eq!(recovered.ledger.place(STREAM).unwrap().position, at(4));
    assert!(spool.next().unwrap().is_none());
}

#[test]
fn newer_forms_are_refused_and_a_cut_checkpoint_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let (spool, _) = open(&path, &Settings::default());
    store(&spool, batch(0, 4)).unwrap();
    store(&spool, batch(4, 9)).unwrap();
    spool.acknowledge(&spool.next().unwrap().unwrap().header).unwrap();
    drop(spool);
    for name in ["checkpoint", "spool/00000000000000000002.batch"] {
        let file = path.join(name);
        let good = std::fs::read(&file).unwrap();
        let text = String::from_utf8(good.clone()).unwrap();
        std::fs::write(&file, text.replace("\"format\":1", "\"format\":2")).unwrap();
        let opened = Spool::open(StateDir::open(&path).unwrap(), Settings::default());
        assert!(matches!(opened, Err(StateDirError::Newer(_, 2))), "{name}");
        std::fs::write(&file, good).unwrap();
    }
    let good = std::fs::read(path.join("checkpoint")).unwrap();
    for cut in 0..good.len() {
        std::fs::write(path.join("checkpoint"), &good[..cut]).unwrap();
        let (_, recovered) = open(&path, &Settings::default());
        assert_eq!(recovered.quarantined, 1, "cut at {cut}");
        // Without the checkpoint the acknowledged range shows as a gap: sent again rather than lost.
        assert_eq!(recovered.ledger.place(STREAM).unwrap().gaps, [(at(0), at(4))]);
    }
}

#[test]
fn an_ended_stream_leaves_with_its_last_batch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let (spool, _) = open(&path, &Settings::default());
    store(&spool, batch(0, 4)).unwrap();
    store(&spool, batch(4, 9)).unwrap();
    spool.forget(&[STREAM]);
    for known in [true, false] {
        spool.acknowledge(&spool.next().unwrap().unwrap().header).unwrap();
        let checkpoint = frame::read_checkpoint(&std::fs::read(path.join("checkpoint")).unwrap()).unwrap();
        assert_eq!(checkpoint.ledger.place(STREAM).is_some(), known);
    }
}

/// At each durable step: the step fails, the process is gone, the next start finds everything.
#[test]
fn a_crash_at_any_step_loses_nothing() {
    // The points are the process's: only a runner with a process for each test leaves other tests alone.
    if std::env::var_os("NEXTEST").is_none() {
        return;
    }
    for point in ["spool-half-written", "spool-written", "spool-renamed", "spool-checkpoint", "spool-acknowledged"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (spool, _) = open(&path, &Settings::default());
        store(&spool, batch(0, 4)).unwrap();
        fail::cfg(point, "return").unwrap();
        let stored = store(&spool, batch(4, 9)).is_ok();
        let acknowledged = spool.acknowledge(&spool.next().unwrap().unwrap().header).is_ok();
        fail::remove(point);
        assert!(!stored || !acknowledged, "{point} is on the way");
        drop(spool);
        let (spool, recovered) = open(&path, &Settings::default());
        let place = recovered.ledger.place(STREAM).cloned().unwrap_or_default();
        assert_eq!(place.gaps, [], "{point}");
        assert_eq!(place.position, at(if stored { 9 } else { 4 }), "{point}");
        let mut left = Vec::new();
        while let Some(next) = spool.next().unwrap() {
            left.push(range(&next));
            spool.acknowledge(&next.header).unwrap();
        }
        // What was acknowledged may be sent again only when the checkpoint could not be written.
        let first = (!acknowledged && point == "spool-checkpoint").then_some((0, 4));
        let second = stored.then_some((4, 9));
        assert_eq!(left, first.into_iter().chain(second).collect::<Vec<_>>(), "{point}");
    }
}
