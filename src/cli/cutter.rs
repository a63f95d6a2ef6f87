//! Cuts what is read into chunks of whole lines.
//!
//! As many lines out as in. A line longer than [`LONGEST_LINE`] becomes a chunk of its own that stands for it:
//! its text is not kept, so that memory has a bound.

use super::chunks::{Chunk, HandOver};
use std::io::{self, Read};

/// Bytes of a chunk, unless a single line is longer.
pub(super) const CHUNK: usize = 256 * 1024;
/// A longer line is not taken, bytes.
pub(super) const LONGEST_LINE: usize = 64 << 20;

/// How much is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pace {
    /// What one read gives goes on at once: somebody may be watching.
    AtOnce,
    /// Chunks are filled.
    Filled,
}

/// What was cut.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Cut {
    /// Bytes read.
    pub(super) bytes: u64,
    /// Lines.
    pub(super) lines: u64,
}

/// A stream in work.
struct Cutter<'a, 'b> {
    pace: Pace,
    /// The chunk that is filled.
    chunk: Chunk,
    /// Bytes in it.
    filled: usize,
    /// Bytes of those that are known to hold no newline.
    searched: usize,
    /// The input has come to its end, or nobody wants more.
    ended: bool,
    cut: Cut,
    send: &'a mut HandOver<'b>,
}

/// Reads `input` to its end, or until nobody wants more.
///
/// # Errors
/// Those of reading; whole lines before it were handed over.
pub(super) fn cut(stream: usize, input: &mut dyn Read, pace: Pace, send: &mut HandOver<'_>) -> io::Result<Cut> {
    let chunk = Chunk { stream, first_line: 1, ..Chunk::default() };
    let mut cutter = Cutter { pace, chunk, filled: 0, searched: 0, ended: false, cut: Cut::default(), send };
    loop {
        let fresh = &cutter.chunk.bytes[cutter.searched..cutter.filled];
        match memchr::memrchr(b'\n', fresh) {
            Some(newline) => cutter.hand_over(cutter.searched + newline + 1, false),
            None if cutter.ended && cutter.filled == 0 => return Ok(cutter.cut),
            None if cutter.ended => cutter.hand_over(cutter.filled, false),
            None if cutter.filled >= LONGEST_LINE => cutter.skip(input)?,
            None => {
                cutter.searched = cutter.filled;
                if let Err(error) = cutter.fill(input) {
                    cutter.hand_over_lines();
                    return Err(error);
                }
            }
        }
    }
}

impl Cutter<'_, '_> {
    /// Reads on.
    fn fill(&mut self, input: &mut dyn Read) -> io::Result<()> {
        let buffer = &mut self.chunk.bytes;
        if self.filled == buffer.len() {
            buffer.resize((buffer.len() * 2).clamp(CHUNK, LONGEST_LINE), 0);
        }
        while !self.ended && self.filled < buffer.len() {
            let got = match input.read(&mut buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            (self.filled, self.ended) = (self.filled + got, got == 0);
            self.cut.bytes += got as u64;
            if self.pace == Pace::AtOnce {
                break;
            }
        }
        Ok(())
    }

    /// Hands over what whole lines there are.
    fn hand_over_lines(&mut self) {
        if let Some(newline) = memchr::memrchr(b'\n', &self.chunk.bytes[..self.filled]) {
            self.hand_over(newline + 1, false);
        }
    }

    /// Hands over the first `end` bytes and goes on with the rest.
    fn hand_over(&mut self, end: usize, oversize: bool) {
        let rest = self.chunk.bytes[end..self.filled].to_vec();
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.bytes.truncate(end);
        chunk.oversize = oversize;
        chunk.ends.clear();
        chunk.ends.extend(memchr::memchr_iter(b'\n', &chunk.bytes).map(|newline| newline as u32 + 1));
        if chunk.ends.last().is_none_or(|last| (*last as usize) < end) {
            chunk.ends.push(end as u32);
        }
        let (stream, number) = (chunk.stream, chunk.number + 1);
        let first_line = chunk.first_line + chunk.ends.len() as u64;
        self.cut.lines += chunk.ends.len() as u64;
        (self.filled, self.searched) = (0, 0);
        let Some(next) = (self.send)(chunk) else {
            self.ended = true;
            return;
        };
        self.chunk = Chunk { stream, number, first_line, ..next };
        // One long line must not make every later chunk as large.
        if self.chunk.bytes.capacity() > 4 * CHUNK {
            self.chunk.bytes = Vec::new();
        }
        self.begin_with(&rest);
    }

    /// Puts `text` at the beginning of the chunk, which holds nothing yet.
    fn begin_with(&mut self, text: &[u8]) {
        let bytes = &mut self.chunk.bytes;
        // What stood there is read over: filling all of it with zeros each time would cost as much as reading it.
        bytes.resize(CHUNK.max(text.len()), 0);
        bytes[..text.len()].copy_from_slice(text);
        self.filled = text.len();
    }

    /// Gives up the line that fills the chunk: one that stands for it is handed over, and reading goes on behind it.
    fn skip(&mut self, input: &mut dyn Read) -> io::Result<()> {
        let mut line = vec![self.chunk.bytes[0]];
        let mut rest = Vec::new();
        self.chunk.bytes.truncate(CHUNK);
        while !self.ended {
            self.filled = 0;
            self.fill(input)?;
            if let Some(newline) = memchr::memchr(b'\n', &self.chunk.bytes[..self.filled]) {
                line.push(b'\n');
                rest.extend_from_slice(&self.chunk.bytes[newline + 1..self.filled]);
                break;
            }
        }
        let ended = self.ended;
        self.begin_with(&line);
        self.hand_over(line.len(), true);
        if self.ended == ended {
            self.begin_with(&rest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out a little at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let got = self.0.len().min(self.1).min(buffer.len());
            buffer[..got].copy_from_slice(&self.0[..got]);
            self.0 = &self.0[got..];
            Ok(got)
        }
    }

    fn chunks(input: &mut dyn Read, pace: Pace) -> (Cut, Vec<Chunk>) {
        let mut chunks = Vec::new();
        let cut = cut(7, input, pace, &mut |chunk| {
            chunks.push(chunk);
            Some(Chunk::default())
        });
        (cut.unwrap(), chunks)
    }

    #[test]
    fn chunks_are_whole_lines_and_together_the_input() {
        let text: String = (0..40_000).map(|number| format!("line {number} of it\n")).collect();
        for text in ["", "\n", "no end", "a\n\nb", &text] {
            for (step, pace) in [(1 << 20, Pace::AtOnce), (1000, Pace::AtOnce), (1000, Pace::Filled)] {
                let (cut, chunks) = chunks(&mut Drip(text.as_bytes(), step), pace);
                let joined: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
                assert_eq!(joined, text.as_bytes());
                let lines = text.split_inclusive('\n').count() as u64;
                assert_eq!(cut, Cut { bytes: text.len() as u64, lines });
                let mut line = 1;
                for (number, chunk) in chunks.iter().enumerate() {
                    assert_eq!((chunk.stream, chunk.number, chunk.first_line), (7, number as u64, line));
                    assert!(chunk.bytes.ends_with(b"\n") || number + 1 == chunks.len());
                    line += chunk.ends.len() as u64;
                }
                assert_eq!(line, lines + 1);
            }
        }
    }

    #[test]
    fn a_line_comes_out_when_it_is_read() {
        let (_, chunks) = chunks(&mut Drip(b"one\ntwo\nend", 4), Pace::AtOnce);
        let texts: Vec<&[u8]> = chunks.iter().map(|chunk| &chunk.bytes[..]).collect();
        assert_eq!(texts, [&b"one\n"[..], b"two\n", b"end"]);
    }

    #[test]
    fn a_line_without_end_takes_no_memory_and_is_one_line() {
        let long = io::repeat(b'x').take(LONGEST_LINE as u64 + 3 * CHUNK as u64);
        let mut input = (&b"first\n{"[..]).chain(long).chain(&b"end\nlast\nof all"[..]);
        let (cut, found) = chunks(&mut input, Pace::Filled);
        assert_eq!(cut.lines, 4);
        let texts: Vec<(&[u8], bool)> = found.iter().map(|chunk| (&chunk.bytes[..], chunk.oversize)).collect();
        assert_eq!(texts, [(&b"first\n"[..], false), (b"{\n", true), (b"last\n", false), (b"of all", false)]);
        let (cut, found) = chunks(&mut io::repeat(b'y').take(LONGEST_LINE as u64 + 1), Pace::AtOnce);
        assert_eq!((cut.lines, &found[0].bytes[..], found[0].oversize, found.len()), (1, &b"y"[..], true, 1));
    }
}
