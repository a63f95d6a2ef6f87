//! The spool against an obvious model, on a disk that loses power at any step.
//!
//! The model is a list: what the spool said is stored and is neither delivered nor dropped, in order. Whatever
//! goes wrong, after each start
//! - everything on the list is there, once and in order (more may be: batches that were on their way);
//! - the places cover nothing but what is delivered, dropped or there: the rest is read again;
//! - and they cover all of what is there and of what the spool said is acknowledged: none of it is read twice.
//!
//! At the end every byte has been delivered or dropped, twice only where an answer was lost with the process.

mod disk;

use super::frame;
use super::store::{Spool, Stored};
use super::{Kind, Ledger, Settings, StateDir, WhenFull};
use crate::batch::{Batch, Encoding, Header};
use crate::durable::FileSystem;
use crate::record::{Covers, Fingerprint, Position, StreamId};
use disk::{Disk, Fault};
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Streams that are read.
const STREAMS: usize = 2;
/// Limits of the spool, bytes: one that is reached before the disk is full, and one that is not.
const LIMITS: [u64; 2] = [60_000, 1 << 20];
/// Size of the disk: what is to be left free of it, and a few batches.
const DISK: u64 = (256 << 10) + 70_000;

#[derive(Clone, Debug)]
enum Step {
    /// Batches are read and handed over together: stream, bytes covered, length of the body.
    Store(Vec<(usize, u64, usize)>),
    /// The oldest batch that was not yet is delivered.
    Deliver,
    /// The oldest batch that was delivered is acknowledged.
    Acknowledge,
    /// So many steps of the disk from now something goes wrong.
    Arm(usize, Fault, Crash),
    /// The agent ends and starts again.
    Crash(Crash),
    /// A waiting file changes on the disk.
    Damage(usize),
    /// Somebody else fills the disk but for so many bytes, or empties it.
    Fill(Option<u64>),
}

/// An end without goodbye.
#[derive(Clone, Copy, Debug)]
struct Crash {
    /// Power is lost too, and this decides what of the unsynced is left.
    power: Option<u64>,
    /// The start after it ends at this step of the disk, once.
    again: Option<usize>,
}

fn crash() -> impl Strategy<Value = Crash> {
    (prop::option::weighted(0.6, any::<u64>()), prop::option::weighted(0.3, 0usize..12))
        .prop_map(|(power, again)| Crash { power, again })
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![4 => Just(Fault::Dead), 2 => Just(Fault::Refused), 1 => Just(Fault::Full)];
    let batch = (0..STREAMS, 1u64..9, prop_oneof![4 => 1usize..200, 1 => 9000usize..40_000, 1 => 60_000usize..90_000]);
    prop_oneof![
        6 => prop::collection::vec(batch, 1..4).prop_map(Step::Store),
        5 => Just(Step::Deliver),
        5 => Just(Step::Acknowledge),
        5 => (0usize..20, fault, crash()).prop_map(|(steps, fault, crash)| Step::Arm(steps, fault, crash)),
        3 => crash().prop_map(Step::Crash),
        1 => (0usize..4).prop_map(Step::Damage),
        1 => prop::option::of(0u64..300_000).prop_map(Step::Fill),
    ]
}

/// Bytes of a stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Range {
    stream: usize,
    from: u64,
    to: u64,
}

impl Range {
    fn of(header: &Header) -> Range {
        let covers = &header.covers[0];
        Range { stream: usize::from(covers.stream.0[0]), from: covers.from.offset, to: covers.to.offset }
    }

    fn bytes(self) -> impl Iterator<Item = (usize, u64)> {
        (self.from..self.to).map(move |at| (self.stream, at))
    }

    fn filling(self) -> u8 {
        (self.from * 7 + self.stream as u64 + 1) as u8
    }
}

fn at(offset: u64) -> Position {
    Position { generation: 0, offset }
}

fn batch(range: Range, len: usize) -> Batch {
    let stream = StreamId([range.stream as u8; 16]);
    let covers = Covers { stream, from: at(range.from), to: at(range.to), resume: range.to.to_le_bytes().to_vec() };
    let header = Header {
        sequence: 0,
        oldest: 0,
        set: Fingerprint(1),
        covers: vec![covers],
        encoding: Encoding::None,
        entries: 1,
        raw_len: len as u32,
        sources: Vec::new(),
    };
    let body = vec![range.filling(); len];
    let refused = Batch::from_spooled(header.clone(), body.clone(), 0).expect_err("no checksum yet");
    Batch::from_spooled(header, body, refused.found).expect("its checksum")
}

/// A source: what is to be read again, then everything from a place on.
#[derive(Clone, Default)]
struct Reader {
    gaps: VecDeque<(u64, u64)>,
    next: u64,
}

impl Reader {
    fn read(&mut self, stream: usize, len: u64) -> Range {
        if let Some((from, end)) = self.gaps.pop_front() {
            let to = end.min(from + len);
            if to < end {
                self.gaps.push_front((to, end));
            }
            return Range { stream, from, to };
        }
        let from = self.next;
        self.next += len;
        Range { stream, from, to: self.next }
    }
}

/// The spool, everything around it, and the model.
struct World {
    folder: tempfile::TempDir,
    settings: Settings,
    disk: Disk,
    spool: Option<Spool>,
    /// What happens when the armed fault strikes.
    crash: Crash,
    foreign: bool,
    armed: bool,
    readers: [Reader; STREAMS],
    /// Read, and not taken by the spool: lost with the process.
    held: Vec<Batch>,
    /// The list.
    stored: VecDeque<Range>,
    /// Delivered, the acknowledgement not through: the first of the list.
    doubtful: VecDeque<Header>,
    /// The first of the list, when dropping it has not come to its end.
    dropping: Option<Range>,
    /// Bytes delivered, how often.
    delivered: Vec<(usize, u64)>,
    /// Bytes that may be delivered twice.
    excused: BTreeSet<(usize, u64)>,
    /// Bytes acknowledged or dropped for good.
    settled: BTreeSet<(usize, u64)>,
    /// Bytes dropped, or perhaps dropped.
    dropped: BTreeSet<(usize, u64)>,
    /// What a start found may be more than the limit.
    most: u64,
}

/// Rounds of storing and shipping in which everything must have arrived at last.
const ROUNDS: usize = 10_000;

impl World {
    fn new(settings: Settings) -> World {
        let (folder, disk) = (tempfile::tempdir().expect("a folder"), Disk::new(DISK));
        let crash = Crash { power: None, again: None };
        let mut world = World {
            folder,
            settings,
            disk,
            spool: None,
            crash,
            foreign: false,
            armed: false,
            readers: Default::default(),
            held: Vec::new(),
            stored: VecDeque::new(),
            doubtful: VecDeque::new(),
            dropping: None,
            delivered: Vec::new(),
            excused: BTreeSet::new(),
            settled: BTreeSet::new(),
            dropped: BTreeSet::new(),
            most: 0,
        };
        world.open(None);
        world
    }

    fn spool(&self) -> &Spool {
        self.spool.as_ref().expect("it runs")
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Store(batches) => self.store(&batches),
            Step::Deliver => self.deliver(),
            Step::Acknowledge => self.acknowledge(),
            Step::Arm(steps, fault, crash) => {
                self.disk.arm(steps, fault);
                (self.crash, self.armed) = (crash, true);
            }
            Step::Crash(crash) => self.end(crash),
            Step::Damage(place) => self.damage(place),
            Step::Fill(left) => {
                self.disk.fill_but(left);
                self.foreign = left.is_some();
            }
        }
        if self.disk.is_dead() {
            self.end(self.crash);
        }
        let usage = self.spool().usage();
        assert!(
            usage.bytes <= self.settings.max_bytes.max(self.most) || usage.batches <= 1,
            "{usage:?} is over the limit"
        );
    }

    fn store(&mut self, batches: &[(usize, u64, usize)]) {
        if self.held.is_empty() {
            let read = batches.iter().map(|&(stream, len, body)| batch(self.readers[stream].read(stream, len), body));
            self.held = read.collect();
        }
        let group_sizes = if self.held.is_empty() { Vec::new() } else { vec![self.held.len(), 1] };
        for together in group_sizes {
            let mut group: Vec<Batch> = self.held.iter().take(together).cloned().collect();
            let mut dropped = Vec::new();
            let outcome = self.spool().store(&mut group, &mut |header| dropped.push(Range::of(header)));
            for range in dropped {
                assert!(self.doubtful.is_empty(), "what was delivered is not dropped");
                assert_eq!(self.stored.pop_front(), Some(range), "the oldest are dropped, in order");
                self.dropped.extend(range.bytes());
                self.settled.extend(range.bytes());
            }
            match outcome {
                Ok(Stored::Yes) => {
                    self.stored.extend(self.held.drain(..together).map(|batch| Range::of(&batch.header)));
                    break;
                }
                Ok(Stored::Full) => {}
                Err(_) => {
                    self.note_dropping();
                    break;
                }
            }
        }
    }

    /// The oldest may have been on its way out when the disk refused.
    fn note_dropping(&mut self) {
        if self.settings.when_full == WhenFull::DropOldest
            && self.doubtful.is_empty()
            && let Some(first) = self.stored.front()
        {
            self.dropped.extend(first.bytes());
            self.dropping = Some(*first);
        }
    }

    fn deliver(&mut self) {
        let after = self.doubtful.back().map_or(0, |header| header.sequence);
        let next = match self.spool().next_after(after) {
            Ok(next) => next,
            Err(error) => return assert!(self.is_excused(), "{error}"),
        };
        let expected = self.stored.get(self.doubtful.len());
        assert_eq!(next.as_ref().map(|next| Range::of(&next.header)).as_ref(), expected, "in order, none left out");
        let Some(next) = next else { return };
        let range = Range::of(&next.header);
        assert!(next.body().iter().all(|&byte| byte == range.filling()), "as it was stored");
        self.delivered.extend(range.bytes());
        self.spool().keep_until_acknowledged(next.header.sequence);
        self.doubtful.push_back(next.header.clone());
    }

    fn acknowledge(&mut self) {
        let Some(header) = self.doubtful.front() else { return };
        match self.spool().acknowledge(header) {
            Ok(()) => {
                let range = Range::of(header);
                assert_eq!(self.stored.pop_front(), Some(range));
                self.settled.extend(range.bytes());
                self.doubtful.pop_front();
            }
            Err(error) => assert!(self.is_excused(), "room for the checkpoint is left: {error}"),
        }
    }

    fn ship(&mut self) {
        self.deliver();
        self.acknowledge();
    }

    fn is_excused(&self) -> bool {
        self.armed || self.foreign
    }

    fn damage(&mut self, place: usize) {
        let paths = self.disk.paths(&self.folder.path().join("state/spool"));
        let Some(path) = paths.iter().filter(|path| path.extension().is_some_and(|e| e == "batch")).nth(place) else {
            return;
        };
        let Ok(batch) = frame::read_batch(self.disk.content(path).expect("there")) else { return };
        self.disk.damage(path);
        let range = Range::of(&batch.header);
        // What was delivered is in memory: its file is needed no more.
        if !self.doubtful.iter().any(|header| Range::of(header) == range) {
            self.stored.retain(|stored| *stored != range);
        }
    }

    /// The process ends as told, and a new one starts.
    fn end(&mut self, crash: Crash) {
        self.spool = None;
        self.held.clear();
        for header in self.doubtful.drain(..) {
            // Its acknowledgement may be on the disk or not.
            self.excused.extend(Range::of(&header).bytes());
            self.stored.pop_front();
        }
        if let Some(range) = self.dropping.take() {
            self.stored.retain(|stored| *stored != range);
        }
        if self.settings.kind == Kind::Memory {
            self.stored.clear();
        }
        self.power(crash);
        self.open(crash.again.map(|steps| (steps, crash)));
    }

    fn power(&mut self, crash: Crash) {
        match crash.power {
            Some(choice) => self.disk.lose_power(choice),
            None => self.disk.restart(),
        }
        self.armed = false;
    }

    fn open(&mut self, again: Option<(usize, Crash)>) {
        let state = || StateDir::open(&self.folder.path().join("state")).expect("a state directory");
        if let Some((steps, crash)) = again {
            self.disk.arm(steps, Fault::Dead);
            drop(Spool::open_on(Arc::new(self.disk.clone()), state(), self.settings.clone()));
            self.power(crash);
        }
        let state = StateDir::open(&self.folder.path().join("state")).expect("a state directory");
        let opened = Spool::open_on(Arc::new(self.disk.clone()), state, self.settings.clone());
        let (spool, recovered) = opened.unwrap_or_else(|error| panic!("a start is never refused: {error}"));
        let waiting = self.waiting();
        self.check(&waiting, &recovered.ledger);
        self.most = spool.usage().bytes;
        assert_eq!((spool.usage().batches, recovered.waiting), (waiting.len() as u64, waiting.len()));
        self.stored = waiting.into();
        self.spool = Some(spool);
        for (stream, reader) in self.readers.iter_mut().enumerate() {
            let place = recovered.ledger.place(StreamId([stream as u8; 16])).cloned().unwrap_or_default();
            let gaps = place.gaps.iter().map(|(from, to)| (from.offset, to.offset)).collect();
            *reader = Reader { gaps, next: place.position.offset };
        }
    }

    /// What waits on the disk, in order.
    fn waiting(&self) -> Vec<Range> {
        let paths = self.disk.paths(&self.folder.path().join("state/spool"));
        let batch = |path| frame::read_batch(self.disk.content(path).expect("there")).expect("sound after a start");
        paths.iter().map(|path| Range::of(&batch(path).header)).collect()
    }

    fn check(&self, waiting: &[Range], ledger: &Ledger) {
        let mut found = waiting.iter();
        assert!(
            self.stored.iter().all(|stored| found.any(|range| range == stored)),
            "stored: {:?}, there: {waiting:?}",
            self.stored
        );
        let there: BTreeSet<_> = waiting.iter().flat_map(|range| range.bytes()).collect();
        let count: usize = waiting.iter().map(|range| range.bytes().count()).sum();
        assert_eq!(there.len(), count, "nothing waits twice: {waiting:?}");
        let delivered: BTreeSet<_> = self.delivered.iter().copied().collect();
        let mut safe = BTreeSet::new();
        for (id, place) in ledger.places() {
            let stream = usize::from(id.0[0]);
            safe.extend((0..place.position.offset).map(|at| (stream, at)));
            for (from, to) in &place.gaps {
                (from.offset..to.offset).for_each(|at| _ = safe.remove(&(stream, at)));
            }
            assert_eq!(place.resume, place.position.offset.to_le_bytes(), "the mark of the place");
        }
        let covered =
            |byte: &&(usize, u64)| !there.contains(byte) && !delivered.contains(byte) && !self.dropped.contains(byte);
        assert_eq!(safe.iter().find(covered), None, "passed, and nowhere");
        let unsafe_one = there.iter().chain(&self.settled).find(|byte| !safe.contains(byte));
        assert_eq!(unsafe_one, None, "to be read twice");
        assert_eq!(self.settled.intersection(&there).next(), None, "acknowledged, and there again");
    }

    /// Nothing goes wrong any more: all of it arrives, within a number of rounds.
    fn finish(mut self) {
        self.disk.fill_but(None);
        self.foreign = false;
        let ends = self.readers.clone().map(|reader| reader.next);
        self.end(Crash { power: None, again: None });
        // The operator takes what was set aside: on a disk this small nothing might fit beside it.
        for path in self.disk.paths(&self.folder.path().join("state/quarantine")) {
            self.disk.remove(&path).expect("a sound disk");
        }
        let mut rounds = 0;
        for (stream, end) in ends.into_iter().enumerate() {
            while self.readers[stream].next < end || !self.readers[stream].gaps.is_empty() {
                self.store(&[(stream, 5, 100)]);
                self.ship();
                rounds += 1;
                assert!(rounds < ROUNDS, "no end in sight: {} of {end}", self.readers[stream].next);
            }
        }
        while !self.held.is_empty() || !self.stored.is_empty() {
            self.store(&[]);
            self.ship();
            rounds += 1;
            assert!(rounds < ROUNDS, "{} batches stay", self.held.len() + self.stored.len());
        }
        let mut seen = BTreeSet::new();
        for byte in &self.delivered {
            assert!(seen.insert(*byte) || self.excused.contains(byte), "{byte:?} came twice");
        }
        for (stream, end) in ends.into_iter().enumerate() {
            let lost = (0..end).find(|&at| !seen.contains(&(stream, at)) && !self.dropped.contains(&(stream, at)));
            assert_eq!(lost, None, "lost of stream {stream}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn nothing_is_lost_or_kept_twice_whatever_the_disk_does(
        steps in prop::collection::vec(step(), 1..40),
        limit in prop::sample::select(&LIMITS),
        drop_oldest: bool,
        memory in prop::bool::weighted(0.15),
    ) {
        let kind = if memory { Kind::Memory } else { Kind::Disk };
        let when_full = if drop_oldest { WhenFull::DropOldest } else { WhenFull::Block };
        let mut world = World::new(Settings { kind, max_bytes: limit, max_age: None, when_full });
        steps.into_iter().for_each(|step| world.play(step));
        world.finish();
    }
}

/// Whatever is stored, there is room to acknowledge it.
#[test]
fn a_disk_filled_to_the_last_byte_still_takes_the_checkpoint() {
    let mut world = World::new(Settings { max_bytes: 1 << 20, ..Settings::default() });
    for len in [90_000, 9_000].into_iter().chain((1..1000).rev()) {
        while world.held.is_empty() {
            world.store(&[(0, 1, len)]);
        }
        world.held.clear();
        world.readers[0].next -= 1;
    }
    assert!(world.stored.len() > 3);
    while !world.stored.is_empty() {
        world.ship();
    }
}

#[test]
fn a_batch_that_cannot_be_read_is_set_aside_and_read_again_at_the_next_start() {
    let mut world = World::new(Settings::default());
    world.store(&[(0, 3, 10), (0, 3, 10), (0, 3, 10)]);
    let asked = (1..=super::recover::TRIES).filter(|_| {
        world.disk.arm(0, Fault::Refused);
        world.spool().next().is_err()
    });
    assert_eq!(asked.count() as u32, super::recover::TRIES - 1);
    assert_eq!(world.spool().take_quarantined(), 1);
    assert_eq!(world.stored.pop_front(), Some(Range { stream: 0, from: 0, to: 3 }));
    world.ship();
    world.ship();
    assert_eq!(world.disk.paths(&world.folder.path().join("state/quarantine")).len(), 1);
    world.finish();
}
