//! A buffer that shows whole lines only: fill it, look at the lines, hand them out; the unfinished tail
//! waits for the rest.
//!
//! Invariants: what is shown ends with `\n`; the bytes shown over all calls are the bytes filled in, in
//! order, whatever the sizes of the reads. It grows up to its limit for a long line and never beyond.

/// Room for one read, bytes.
pub const READ: usize = 256 << 10;
/// Longest line, its end included, bytes.
pub const MAX_LINE: usize = 16 << 20;

/// The buffer.
pub struct LineBuffer {
    bytes: Vec<u8>,
    filled: usize,
    /// Bytes known to hold no line end.
    searched: usize,
}

/// What a look into the buffer shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// So many bytes of whole lines.
    Lines(usize),
    /// No line is complete yet.
    Nothing,
    /// The line is longer than [`MAX_LINE`].
    TooLong,
}

impl LineBuffer {
    /// An empty buffer that uses the memory of `bytes`.
    pub fn new(bytes: Vec<u8>) -> LineBuffer {
        LineBuffer { bytes, filled: 0, searched: 0 }
    }

    /// Reads once into the free room; gives the number of bytes read.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> std::io::Result<usize>) -> std::io::Result<usize> {
        if self.filled == self.bytes.len() {
            let larger = (self.filled * 2).clamp(READ, MAX_LINE);
            self.bytes.resize(larger.max(self.filled), 0);
        }
        let count = read(&mut self.bytes[self.filled..])?;
        self.filled += count;
        Ok(count)
    }

    /// True when there is room for more, growing included.
    pub fn has_room(&self) -> bool {
        self.filled < MAX_LINE
    }

    /// How much of what was filled in is whole lines.
    pub fn look(&mut self) -> Shown {
        match memchr::memrchr(b'\n', &self.bytes[self.searched..self.filled]) {
            Some(at) => Shown::Lines(self.searched + at + 1),
            None => {
                self.searched = self.filled;
                if self.has_room() { Shown::Nothing } else { Shown::TooLong }
            }
        }
    }

    /// Everything filled in and not handed out.
    pub fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Gives the memory back with the first `len` bytes in it; the rest is dropped.
    pub fn into_bytes(mut self, len: usize) -> Vec<u8> {
        self.bytes.truncate(len.min(self.filled));
        self.bytes
    }

    /// Hands out the first `len` bytes in their memory and goes on in `fresh`, to which the rest is moved.
    pub fn take(&mut self, len: usize, fresh: Vec<u8>) -> Vec<u8> {
        let mut next = LineBuffer::new(fresh);
        let rest = self.filled - len;
        next.bytes.resize(next.bytes.len().max(rest), 0);
        next.bytes[..rest].copy_from_slice(&self.bytes[len..self.filled]);
        next.filled = rest;
        std::mem::replace(self, next).into_bytes(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fills from `input` in reads of the given sizes; gives what was handed out and the rest.
    fn run(input: &[u8], sizes: &[usize]) -> (Vec<u8>, Vec<u8>) {
        let (mut buffer, mut out) = (LineBuffer::new(Vec::new()), Vec::new());
        let (mut at, mut turn) = (0, 0);
        while at < input.len() {
            let size = sizes[turn % sizes.len()].min(input.len() - at);
            at += buffer
                .fill(|room| {
                    let size = size.min(room.len());
                    room[..size].copy_from_slice(&input[at..at + size]);
                    Ok(size)
                })
                .expect("no error");
            turn += 1;
            if let Shown::Lines(len) = buffer.look() {
                let lines = buffer.take(len, Vec::new());
                assert!(lines.ends_with(b"\n"));
                out.extend(lines);
            }
        }
        (out, buffer.filled().to_vec())
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_lines(
            input in prop::collection::vec(prop_oneof![3 => Just(b'a'), 1 => Just(b'\n'), 1 => any::<u8>()], 0..600),
            sizes in prop::collection::vec(1usize..80, 1..6),
        ) {
            let end = memchr::memrchr(b'\n', &input).map_or(0, |at| at + 1);
            let (out, rest) = run(&input, &sizes);
            prop_assert_eq!(&out[..], &input[..end]);
            prop_assert_eq!(&rest[..], &input[end..]);
        }
    }

    #[test]
    fn a_long_line_grows_the_buffer_up_to_its_limit() {
        let mut buffer = LineBuffer::new(Vec::new());
        while buffer.has_room() {
            assert!(matches!(buffer.look(), Shown::Nothing));
            buffer
                .fill(|room| {
                    room.fill(b'x');
                    Ok(room.len())
                })
                .expect("no error");
        }
        assert_eq!(buffer.filled().len(), MAX_LINE);
        assert_eq!(buffer.look(), Shown::TooLong);
    }
}
