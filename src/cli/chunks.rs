//! Works through streams of lines on several threads, with the result of one.
//!
//! A stream comes in chunks of whole lines. What a line means may depend on lines before it (a key block, a
//! table), so each chunk is worked on ahead from the state the stream is likely to be in, and whoever puts the
//! chunks in order does those again that began in another state than the chunk before ended in. Results are
//! taken in the order of each stream, whatever the number of threads.
//!
//! Memory is bounded: chunks go round, and a reader waits until one comes back.

use crate::redact::{Redacted, Redactor, StreamState, Withheld};
use crossbeam_channel::{Receiver, Sender};
use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// More threads than this are of no use, and no machine is asked for them.
const MOST_THREADS: usize = 64;

/// The argument that says how many threads work.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(super) struct Threads {
    /// Threads that redact; all cores without it. The result is the same.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS as i64))]
    threads: Option<u16>,
}

impl Threads {
    /// How many.
    pub(super) fn count(self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
        self.threads.map_or_else(cores, usize::from)
    }
}

/// Whole lines of one stream.
#[derive(Clone, Default)]
pub(super) struct Chunk {
    /// Number of the stream.
    pub(super) stream: usize,
    /// Number of the chunk in its stream, from 0.
    pub(super) number: u64,
    /// Number of the first line, from 1.
    pub(super) first_line: u64,
    /// The lines.
    pub(super) bytes: Vec<u8>,
    /// Where each line ends, its newline included.
    pub(super) ends: Vec<u32>,
    /// The chunk stands for one line that is too long: of its text only the first byte is here.
    pub(super) oversize: bool,
}

impl Chunk {
    /// Redacts the chunk, which goes on where `state` says.
    pub(super) fn redact(&self, redactor: &mut Redactor, state: &mut StreamState, each: &mut dyn FnMut(&Redacted<'_>)) {
        match self.oversize {
            true => redactor.withhold(&self.bytes[..self.bytes.len().min(1)], Withheld::Oversize, each),
            false => redactor.redact(state, &self.bytes, &self.ends, each),
        }
    }
}

/// What is done with each chunk.
pub(super) trait Job: Send + Sync + 'static {
    /// What a thread has of its own.
    type Desk;
    /// What a stream leaves to its next chunk. Equal states must lead to equal results.
    type State: Clone + Default + PartialEq + Send + 'static;
    /// What is made of a chunk.
    type Made: Default + Send + 'static;

    /// A new desk.
    fn desk(&self) -> Self::Desk;

    /// Makes something of a chunk. `made` may hold what was made of another chunk before.
    fn work(&self, desk: &mut Self::Desk, state: &mut Self::State, chunk: &Chunk, made: &mut Self::Made);
}

/// Hands over a chunk and gets an empty one; none when nobody wants more.
pub(super) type HandOver<'a> = dyn FnMut(Chunk) -> Option<Chunk> + 'a;

/// Reads streams, one after the other, each in the order of its chunks, and says what it has to say at the end.
pub(super) type Reader<R> = Box<dyn FnOnce(&mut HandOver<'_>) -> R + Send>;

/// A chunk on its way, with what was made of it.
#[derive(Default)]
struct Parcel<M> {
    chunk: Chunk,
    made: M,
}

/// What the threads tell the one that puts things in order.
enum Event<J: Job, R> {
    /// A chunk is done: the state it was begun from and the one it ended in.
    Done { parcel: Parcel<J::Made>, began: J::State, ended: J::State },
    /// A reader has come to its end.
    Read(R),
    /// A thread panicked.
    Panic(Box<dyn std::any::Any + Send>),
}

/// States that streams are likely to be in, where it is not the state of their beginning.
type Likely<S> = Mutex<BTreeMap<usize, S>>;

/// Does the job with all chunks of all readers; `take` gets each chunk and what was made of it, those of a stream
/// in their order. Returns what the readers say, in any order.
///
/// # Errors
/// Those of `take`, which end everything: a reader that waits for input is left behind.
pub(super) fn run<J: Job, R: Send + 'static>(
    job: Arc<J>,
    threads: usize,
    readers: Vec<Reader<R>>,
    take: &mut dyn FnMut(&Chunk, &mut J::Made) -> io::Result<()>,
) -> io::Result<Vec<R>> {
    if threads <= 1 {
        return alone(&*job, readers, take);
    }
    let (to_workers, chunks) = crossbeam_channel::bounded(threads * 2);
    let (tell, told) = crossbeam_channel::unbounded();
    let (give_back, spare) = crossbeam_channel::unbounded();
    for _ in 0..threads * 2 {
        let _ = give_back.send(Parcel::default());
    }
    let likely = Arc::new(Likely::<J::State>::default());
    for reader in readers {
        let (to_workers, spare, tell) = (to_workers.clone(), spare.clone(), tell.clone());
        std::thread::spawn(move || read::<J, R>(reader, &to_workers, &spare, &tell));
    }
    for _ in 0..threads {
        let (job, likely, chunks, tell) = (job.clone(), likely.clone(), chunks.clone(), tell.clone());
        std::thread::spawn(move || work(&*job, &likely, &chunks, &tell));
    }
    drop((to_workers, chunks, tell, spare));
    let mut order = Order { job: &*job, likely: &likely, desk: None, tracks: BTreeMap::new() };
    let mut said = Vec::new();
    for event in told {
        match event {
            Event::Read(one) => said.push(one),
            Event::Panic(panic) => resume_unwind(panic),
            Event::Done { parcel, began, ended } => order.arrived(Done { parcel, began, ended }, take, &give_back)?,
        }
    }
    Ok(said)
}

/// The same on this thread alone.
fn alone<J: Job, R>(
    job: &J,
    readers: Vec<Reader<R>>,
    take: &mut dyn FnMut(&Chunk, &mut J::Made) -> io::Result<()>,
) -> io::Result<Vec<R>> {
    let (mut desk, mut state, mut made) = (job.desk(), J::State::default(), J::Made::default());
    let mut taken = Ok(());
    let mut said = Vec::new();
    for reader in readers {
        said.push(reader(&mut |chunk| {
            if chunk.number == 0 {
                state = J::State::default();
            }
            job.work(&mut desk, &mut state, &chunk, &mut made);
            taken = take(&chunk, &mut made);
            taken.is_ok().then_some(chunk)
        }));
        if taken.is_err() {
            break;
        }
    }
    taken.map(|()| said)
}

fn read<J: Job, R>(
    reader: Reader<R>,
    to_workers: &Sender<Parcel<J::Made>>,
    spare: &Receiver<Parcel<J::Made>>,
    tell: &Sender<Event<J, R>>,
) {
    // What was made last of the chunk in the reader's hands, to be used again with it.
    let mut made = J::Made::default();
    let mut send = |chunk: Chunk| {
        to_workers.send(Parcel { chunk, made: std::mem::take(&mut made) }).ok()?;
        let parcel = spare.recv().ok()?;
        made = parcel.made;
        Some(parcel.chunk)
    };
    let said = catch_unwind(AssertUnwindSafe(|| reader(&mut send)));
    let _ = tell.send(said.map_or_else(Event::Panic, Event::Read));
}

fn work<J: Job, R>(job: &J, likely: &Likely<J::State>, chunks: &Receiver<Parcel<J::Made>>, tell: &Sender<Event<J, R>>) {
    let mut desk = job.desk();
    for mut parcel in chunks {
        let known = likely.lock().unwrap_or_else(PoisonError::into_inner).get(&parcel.chunk.stream).cloned();
        let began = known.filter(|_| parcel.chunk.number > 0).unwrap_or_default();
        let mut ended = began.clone();
        let done = catch_unwind(AssertUnwindSafe(|| {
            job.work(&mut desk, &mut ended, &parcel.chunk, &mut parcel.made);
        }));
        let event = match done {
            Ok(()) => Event::Done { parcel, began, ended },
            Err(panic) => Event::Panic(panic),
        };
        if tell.send(event).is_err() {
            return;
        }
    }
}

/// A chunk that was worked on ahead.
struct Done<J: Job> {
    parcel: Parcel<J::Made>,
    began: J::State,
    ended: J::State,
}

/// Where one stream is.
struct Track<J: Job> {
    /// The chunk to be taken next.
    next: u64,
    /// What the chunks so far have left.
    state: J::State,
    /// Chunks that came too early.
    early: BTreeMap<u64, Done<J>>,
}

/// Puts chunks in order.
struct Order<'a, J: Job> {
    job: &'a J,
    likely: &'a Likely<J::State>,
    /// For what has to be done again; made when it is needed.
    desk: Option<J::Desk>,
    tracks: BTreeMap<usize, Track<J>>,
}

impl<J: Job> Order<'_, J> {
    fn arrived(
        &mut self,
        done: Done<J>,
        take: &mut dyn FnMut(&Chunk, &mut J::Made) -> io::Result<()>,
        give_back: &Sender<Parcel<J::Made>>,
    ) -> io::Result<()> {
        let stream = done.parcel.chunk.stream;
        let new = || Track { next: 0, state: J::State::default(), early: BTreeMap::new() };
        let track = self.tracks.entry(stream).or_insert_with(new);
        track.early.insert(done.parcel.chunk.number, done);
        while let Some(mut done) = track.early.remove(&track.next) {
            track.next += 1;
            if done.began != track.state {
                let desk = self.desk.get_or_insert_with(|| self.job.desk());
                done.ended = track.state.clone();
                self.job.work(desk, &mut done.ended, &done.parcel.chunk, &mut done.parcel.made);
            }
            // A state that lasts is the best guess for chunks to come.
            let lasts = done.ended == track.state && done.ended != J::State::default();
            let mut likely = self.likely.lock().unwrap_or_else(PoisonError::into_inner);
            match lasts {
                true => likely.insert(stream, done.ended.clone()),
                false => likely.remove(&stream),
            };
            drop(likely);
            track.state = done.ended;
            take(&done.parcel.chunk, &mut done.parcel.made)?;
            let _ = give_back.send(done.parcel);
        }
        Ok(())
    }
}
