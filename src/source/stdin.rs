//! Standard input as a source: what another program writes into a pipe.
//!
//! There is no place to go back to: what was read and is not yet in the spool when the agent is killed is lost,
//! as is an unfinished last line when it is stopped. At the input's end an unfinished line is a record.

use super::contract::{Chunk, Fill, Resume, Source, SourceError, StreamInfo};
use super::line_buffer::{LineBuffer, MAX_LINE, Shown};
use super::stream_ids::{self, StreamIds};
use super::wait_readable;
use crate::record::Position;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

/// The source; `R` is standard input but in tests.
pub struct Stdin<R> {
    input: R,
    info: Arc<StreamInfo>,
    at: Position,
    lines: LineBuffer,
    /// Of a line that is too long: its first byte and the bytes dropped so far.
    skipped: Option<(u8, u64)>,
    ended: bool,
    done: bool,
}

impl<R: Read + AsFd + Send> Stdin<R> {
    /// Reads `input` for the configured source number `source`.
    pub fn new(input: R, ids: StreamIds, source: usize) -> Stdin<R> {
        let info = Arc::new(StreamInfo { stream: ids.only(), source, path: None });
        let lines = LineBuffer::new(Vec::new());
        Stdin { input, info, at: stream_ids::beginning(), lines, skipped: None, ended: false, done: false }
    }

    fn chunk(&mut self, bytes: Vec<u8>, len: u64, oversize: bool) -> Chunk {
        let from = self.at;
        self.at.offset += len;
        let (info, to) = (self.info.clone(), self.at);
        let last = self.ended && self.lines.filled().is_empty();
        Chunk { info, bytes, from, to, resume: Resume::AtEnd(Vec::new()), last, oversize, layout: None }
    }

    /// Drops what belongs to a line that is too long; gives its record when its end has come.
    fn skip(&mut self, first: u8, skipped: u64) -> Option<Chunk> {
        let filled = self.lines.filled();
        let end = memchr::memchr(b'\n', filled).map(|at| at + 1);
        let len = end.unwrap_or(filled.len());
        self.lines.take(len, Vec::new());
        let total = skipped + len as u64;
        if end.is_none() && !self.ended {
            self.skipped = Some((first, total));
            return None;
        }
        self.skipped = None;
        Some(self.chunk(vec![first], total, true))
    }
}

impl<R: Read + AsFd + Send> Source for Stdin<R> {
    fn fill(&mut self, buffer: Vec<u8>) -> Result<Fill, SourceError> {
        if self.done {
            return Ok(Fill::End);
        }
        if !self.ended && wait_readable(self.input.as_fd(), Duration::ZERO) && self.lines.has_room() {
            let input = &mut self.input;
            match self.lines.fill(|room| input.read(room)) {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(SourceError { what: "read standard input".into(), error }),
            }
        }
        if let Some((first, skipped)) = self.skipped {
            return Ok(self.skip(first, skipped).map_or(Fill::Idle, Fill::Chunk));
        }
        match self.lines.look() {
            Shown::Lines(len) => {
                let bytes = self.lines.take(len, buffer);
                Ok(Fill::Chunk(self.chunk(bytes, len as u64, false)))
            }
            Shown::TooLong => {
                tracing::warn!(limit = MAX_LINE, "a line of standard input is too long; it is withheld");
                let first = self.lines.filled().first().copied().unwrap_or_default();
                Ok(self.skip(first, 0).map_or(Fill::Idle, Fill::Chunk))
            }
            Shown::Nothing if self.ended => {
                self.done = true;
                let len = self.lines.filled().len();
                let bytes = self.lines.take(len, buffer);
                Ok(Fill::Chunk(self.chunk(bytes, len as u64, false)))
            }
            Shown::Nothing => Ok(Fill::Idle),
        }
    }

    fn wait(&mut self, limit: Duration) {
        if !self.ended {
            wait_readable(self.input.as_fd(), limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read_all(source: &mut Stdin<io::PipeReader>) -> Vec<(u64, Vec<u8>, bool)> {
        let mut out = Vec::new();
        loop {
            match source.fill(Vec::new()).expect("it reads") {
                Fill::End => return out,
                Fill::Idle => source.wait(Duration::from_secs(1)),
                Fill::Chunk(chunk) => {
                    assert_eq!(chunk.from.offset, out.last().map_or(0, |(end, _, _)| *end), "no gap");
                    out.push((chunk.to.offset, chunk.bytes, chunk.oversize));
                }
            }
        }
    }

    fn pipe(write: impl FnOnce(io::PipeWriter) + Send + 'static) -> Vec<(u64, Vec<u8>, bool)> {
        let (reader, writer) = io::pipe().expect("a pipe");
        let writing = std::thread::spawn(move || write(writer));
        let out = read_all(&mut Stdin::new(reader, StreamIds::new(&[1; 32], "stdin", "in"), 0));
        writing.join().expect("it writes");
        out
    }

    #[test]
    fn any_cut_gives_the_same_lines_and_the_rest_at_the_end() {
        for size in [1, 2, 3, 7, 100] {
            let text = b"one\ntwo\n\nthree without end";
            let out = pipe(move |mut to| text.chunks(size).for_each(|part| to.write_all(part).expect("it writes")));
            assert_eq!(out.iter().flat_map(|(_, bytes, _)| bytes).copied().collect::<Vec<u8>>(), text);
            assert!(out.iter().take(out.len() - 1).all(|(_, bytes, _)| bytes.ends_with(b"\n")));
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_one_withheld_record() {
        let out = pipe(|mut to| {
            to.write_all(b"before\n").expect("it writes");
            for _ in 0..3 * MAX_LINE / (1 << 20) {
                to.write_all(&vec![b'x'; 1 << 20]).expect("it writes");
            }
            to.write_all(b"\nafter\n").expect("it writes");
        });
        let long = 3 * MAX_LINE as u64 + 1;
        let flags: Vec<(u64, bool)> = out.iter().filter(|o| !o.1.is_empty()).map(|o| (o.0, o.2)).collect();
        assert_eq!(flags, [(7, false), (7 + long, true), (7 + long + 6, false)]);
        assert_eq!(out[1].1, b"x");
    }
}
