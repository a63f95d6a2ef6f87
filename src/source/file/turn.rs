//! One file's turn: a look, a read, and what follows when nothing more is to come.

use super::FileSource;
use super::newcomers::SETTLE;
use crate::record::StreamId;
use crate::source::SourceError;
use crate::source::checkpoint::Known;
use crate::source::content::End;
use crate::source::contract::Chunk;
use crate::source::copies::SHORTEST;
use crate::source::identity::PREFIX;
use crate::source::tail::{Look, Read, Tail};
use std::io;
use std::time::Duration;

/// A file without a name counts as ended when it has not changed for this long: its writer may still be there.
pub(super) const SETTLE_UNLINKED: Duration = Duration::from_secs(60);
/// The same for a file that was moved away: its writer may be slow to open the new one.
const SETTLE_MOVED: Duration = Duration::from_secs(300);

/// What a turn gave.
pub(super) enum Turn {
    Chunk(Chunk),
    Nothing(Vec<u8>),
}

/// Why a turn came to nothing.
pub(super) enum Failed {
    /// This file cannot be read.
    File(io::Error),
    /// Nothing can be handed out at all.
    Source(SourceError),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::File(error)
    }
}

impl FileSource {
    /// One file's turn.
    pub(super) fn turn(&mut self, stream: StreamId, buffer: Vec<u8>) -> Result<Turn, Failed> {
        if let Some(tail) = self.tails.get_mut(&stream) {
            tail.queued = false;
        }
        self.look(stream)?;
        self.make_known(stream)?;
        self.read(stream, buffer)
    }

    /// Looks at a file; where its content was replaced, its identity is renewed and a copy of the old content is
    /// looked for.
    pub(super) fn look(&mut self, stream: StreamId) -> Result<Look, Failed> {
        let Some(tail) = self.tails.get(&stream) else { return Ok(Look::Same) };
        let reached = self.reached(tail);
        let Some(tail) = self.tails.get_mut(&stream) else { return Ok(Look::Same) };
        let look = tail.look(&self.key)?;
        match look {
            Look::Rewritten => {
                tail.ended = false;
                let prefix = self.key.prefix(&tail.content)?;
                let (generation, inode, folder) = (tail.generation, tail.seen.inode, tail.path.parent());
                if let Some(reached) = reached {
                    self.orphans.add(reached.clone(), folder);
                    self.past.add(reached);
                    self.hurry = true;
                }
                self.registry.enter(Known { generation, ..Known::new(stream, inode, prefix) });
                tracing::info!(source = self.source, generation, "a file was truncated or rewritten");
                self.save().map_err(Failed::Source)?;
            }
            Look::Changed => tail.ended = false,
            Look::Same => {}
        }
        Ok(look)
    }

    /// What is handed out of a file must be recognised in a copy, whenever the agent ends: enough of its beginning is
    /// stored before.
    fn make_known(&mut self, stream: StreamId) -> Result<(), Failed> {
        let short = |source: &FileSource| source.registry.get(stream).is_some_and(|known| known.prefix.len < SHORTEST);
        if short(self) && self.tails.get(&stream).is_some_and(|tail| tail.seen.size >= u64::from(SHORTEST)) {
            self.grow_prefix(stream);
            if !short(self) {
                self.save().map_err(Failed::Source)?;
            }
        }
        Ok(())
    }

    fn read(&mut self, stream: StreamId, buffer: Vec<u8>) -> Result<Turn, Failed> {
        let Some(tail) = self.tails.get_mut(&stream) else { return Ok(Turn::Nothing(buffer)) };
        let settled = is_settled(tail);
        let whole = !tail.content.is_packed() || tail.content.end() == End::Whole;
        match tail.read(&self.key, buffer, settled && whole)? {
            Read::Chunk(chunk) => {
                tail.failures = 0;
                if chunk.to == tail.position() {
                    tail.remember(&self.key, &chunk);
                }
                // What is read must be recognised in a copy, even if the file is truncated before the next sweep.
                if self.registry.get(stream).is_some_and(|known| usize::from(known.prefix.len) < PREFIX) {
                    self.grow_prefix(stream);
                }
                self.queue(stream);
                Ok(Turn::Chunk(chunk))
            }
            Read::Again(buffer) => {
                self.queue(stream);
                Ok(Turn::Nothing(buffer))
            }
            Read::Nothing(buffer) if settled => Ok(self.finish(stream, buffer)),
            Read::Nothing(buffer) => {
                tail.failures = 0;
                Ok(Turn::Nothing(buffer))
            }
        }
    }

    /// A file whose end is reached and that no name leads to, or that is packed: its end is handed out once, and
    /// when that is durable the file is closed.
    fn finish(&mut self, stream: StreamId, buffer: Vec<u8>) -> Turn {
        let Some(tail) = self.tails.get_mut(&stream) else { return Turn::Nothing(buffer) };
        if !std::mem::replace(&mut tail.ended, true) {
            if matches!(tail.content.end(), End::Cut | End::Damaged) {
                tracing::warn!(
                    source = self.source,
                    "a packed file ends too early or is damaged; what is before was read"
                );
            }
            return Turn::Chunk(tail.end(buffer));
        }
        let begin = self.registry.get(stream).map_or(0, |known| known.begin);
        let safe = self.durable.position(stream).is_some_and(|at| at >= tail.position());
        if safe || tail.position().offset <= begin {
            self.close(stream);
        }
        Turn::Nothing(buffer)
    }

    fn close(&mut self, stream: StreamId) {
        let Some(tail) = self.tails.remove(&stream) else { return };
        let Some(known) = self.registry.get(stream).cloned() else { return };
        self.past.extend(self.reached(&tail));
        match tail.content.is_packed() && !tail.gone {
            true => {
                let done = Some((tail.seen.size, tail.seen.modified));
                self.registry.enter(Known { done, generation: tail.generation, ..known });
            }
            false => self.forget(&known),
        }
    }
}

/// True when nothing more is expected of a file.
fn is_settled(tail: &Tail) -> bool {
    let still = tail.changed.elapsed();
    match (tail.content.is_packed(), tail.gone, tail.seen.links) {
        (true, ..) => tail.content.end() != End::Open && still >= SETTLE,
        (false, true, 0) => still >= SETTLE_UNLINKED,
        (false, gone, _) => gone && still >= SETTLE_MOVED,
    }
}
