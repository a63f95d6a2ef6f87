//! What a followed file holds: its bytes as they stand or, where it is packed, the bytes that were packed.
//!
//! Invariants: offsets count the bytes as they were before packing; unpacking goes forwards and keeps a window of
//! what it gave last, a read before the window begins anew; nothing unpacked is written anywhere. Packed files
//! are known by their first bytes, never by their name.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, IoSliceMut, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes behind the last place asked for that are always kept, at least as many as a marker covers.
const BEHIND: usize = 1024;
/// Longest window, bytes: the longest line and a read.
const WINDOW: usize = 17 << 20;
/// Unpacked at a time, bytes.
const PIECE: usize = 64 << 10;

/// A followed file's bytes.
pub enum Content {
    /// As they stand.
    Plain(Arc<File>),
    /// To be unpacked.
    Packed(Box<RefCell<Packed>>),
}

/// How far a packed file can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// More may come.
    Open,
    /// It ends as it should.
    Whole,
    /// It ends too early: still being written, or cut.
    Cut,
    /// What follows is not packed as what stands before.
    Damaged,
}

/// Ways of packing that are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Packing {
    Gzip,
    Zstd,
}

/// A file that is unpacked as it is read.
pub struct Packed {
    file: Arc<File>,
    packing: Packing,
    decoder: Box<dyn Read + Send>,
    window: Vec<u8>,
    /// Offset of the window's first byte.
    start: u64,
    end: End,
}

/// What the first bytes of a file say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum First {
    Text,
    Packed(Packing),
    /// Packed in a way that is not read.
    Foreign,
    /// Too few to tell.
    Unclear,
}

const MAGIC: &[(&[u8], First)] = &[
    (&[0x1f, 0x8b, 8], First::Packed(Packing::Gzip)),
    (&[0x28, 0xb5, 0x2f, 0xfd], First::Packed(Packing::Zstd)),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], First::Foreign),
    (b"BZh", First::Unclear),
    (&[0x1f, 0x9d], First::Foreign),
    (&[0x04, 0x22, 0x4d, 0x18], First::Foreign),
];
/// What follows `BZh` and a digit in bzip2.
const BZIP2: &[u8] = &[0x31, 0x41, 0x59, 0x26, 0x53, 0x59];

impl Content {
    /// Looks at the first bytes. None while they are too few to tell.
    ///
    /// # Errors
    /// The file cannot be read, or is packed in a way that is not read.
    pub fn of(file: File) -> io::Result<(Content, bool)> {
        let file = Arc::new(file);
        let mut first = [0; 10];
        let count = file.read_at(&mut first, 0)?;
        match look(&first[..count]) {
            First::Text => Ok((Content::Plain(file), true)),
            First::Unclear => Ok((Content::Plain(file), false)),
            First::Packed(packing) => Ok((Content::packed(file, packing), true)),
            First::Foreign => {
                Err(io::Error::new(io::ErrorKind::Unsupported, "it is packed in another way than gzip and zstd"))
            }
        }
    }

    fn packed(file: Arc<File>, packing: Packing) -> Content {
        let decoder = decoder(&file, packing);
        let packed = Packed { file, packing, decoder, window: Vec::new(), start: 0, end: End::Open };
        Content::Packed(Box::new(RefCell::new(packed)))
    }

    /// The file itself.
    pub fn file(&self) -> Arc<File> {
        match self {
            Content::Plain(file) => file.clone(),
            Content::Packed(packed) => packed.borrow().file.clone(),
        }
    }

    /// True when offsets are not those of the file.
    pub fn is_packed(&self) -> bool {
        matches!(self, Content::Packed(_))
    }

    /// Reads at an offset; fewer bytes than asked for only at the end.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Content::Plain(file) => file.read_at(bytes, at),
            Content::Packed(packed) => packed.borrow_mut().read_at(bytes, at),
        }
    }

    /// Reads all of `bytes` at an offset.
    ///
    /// # Errors
    /// The file system refuses, or so many bytes are not there.
    pub fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        match self {
            Content::Plain(file) => file.read_exact_at(bytes, at),
            Content::Packed(packed) => match packed.borrow_mut().read_at(bytes, at)? {
                count if count == bytes.len() => Ok(()),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            },
        }
    }

    /// Reads what stands before `at` and what follows it, with one call of the system where that is possible: both
    /// belong to the same content. Gives the number of bytes read into `after`; none when `before` is not there.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn read_around(&self, before: &mut [u8], after: &mut [u8], at: u64) -> io::Result<Option<usize>> {
        let Some(start) = at.checked_sub(before.len() as u64) else { return Ok(None) };
        let len = before.len();
        match self {
            Content::Plain(file) => {
                let mut parts = [IoSliceMut::new(before), IoSliceMut::new(after)];
                let count = rustix::io::preadv(file, &mut parts, start)?;
                Ok(count.checked_sub(len))
            }
            Content::Packed(packed) => {
                let mut packed = packed.borrow_mut();
                let count = packed.read_at(after, at)?;
                Ok((packed.read_at(before, start)? == len).then_some(count))
            }
        }
    }

    /// Says that nothing more than a marker's length before `at` will be asked for.
    pub fn release(&self, at: u64) {
        if let Content::Packed(packed) = self {
            packed.borrow_mut().drop_before(at.saturating_sub(BEHIND as u64));
        }
    }

    /// The packed file has changed: what could not be read before is tried again.
    pub fn changed(&self) {
        if let Content::Packed(packed) = self {
            packed.borrow_mut().begin();
        }
    }

    /// How far a packed file can be read; a file that is not packed is always open.
    pub fn end(&self) -> End {
        match self {
            Content::Plain(_) => End::Open,
            Content::Packed(packed) => packed.borrow().end.clone(),
        }
    }
}

impl Packed {
    fn begin(&mut self) {
        self.decoder = decoder(&self.file, self.packing);
        (self.window, self.start, self.end) = (Vec::new(), 0, End::Open);
    }

    fn reached(&self) -> u64 {
        self.start + self.window.len() as u64
    }

    fn read_at(&mut self, bytes: &mut [u8], at: u64) -> io::Result<usize> {
        if at < self.start {
            self.begin();
        }
        while self.reached() < at && self.end == End::Open {
            self.unpack()?;
            self.drop_before(self.reached().min(at).saturating_sub(BEHIND as u64));
        }
        while self.reached() < at + bytes.len() as u64 && self.end == End::Open {
            self.unpack()?;
        }
        let Some(from) = at.checked_sub(self.start).filter(|&from| from <= self.window.len() as u64) else {
            return Ok(0);
        };
        let there = &self.window[from as usize..];
        let count = there.len().min(bytes.len());
        bytes[..count].copy_from_slice(&there[..count]);
        if self.window.len() > WINDOW {
            self.drop_before(self.reached() - (WINDOW / 2) as u64);
        }
        Ok(count)
    }

    fn unpack(&mut self) -> io::Result<()> {
        let filled = self.window.len();
        self.window.resize(filled + PIECE, 0);
        let read = self.decoder.read(&mut self.window[filled..]);
        self.window.truncate(filled + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => self.end = End::Whole,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.end = End::Cut,
            // An error of the file system, not of what is packed.
            Err(error) if error.raw_os_error().is_some() => return Err(error),
            Err(_) => self.end = End::Damaged,
        }
        Ok(())
    }

    fn drop_before(&mut self, at: u64) {
        let superfluous = at.saturating_sub(self.start).min(self.window.len() as u64) as usize;
        if superfluous >= PIECE {
            self.window.drain(..superfluous);
            self.start += superfluous as u64;
        }
    }
}

fn decoder(file: &Arc<File>, packing: Packing) -> Box<dyn Read + Send> {
    let input = BufReader::with_capacity(PIECE, FromStart { file: file.clone(), at: 0 });
    match packing {
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Packing::Zstd => match zstd::stream::read::Decoder::with_buffer(input) {
            Ok(decoder) => Box::new(decoder),
            Err(error) => Box::new(Refusing(Some(error))),
        },
    }
}

/// Reads a file from its beginning, whoever else reads it.
struct FromStart {
    file: Arc<File>,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(bytes, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// A decoder that could not be made.
struct Refusing(Option<io::Error>);

impl Read for Refusing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.take().unwrap_or_else(|| io::ErrorKind::OutOfMemory.into()))
    }
}

fn look(first: &[u8]) -> First {
    if first.is_empty() {
        return First::Unclear;
    }
    for (magic, says) in MAGIC {
        let shared = magic.len().min(first.len());
        if magic[..shared] != first[..shared] {
            continue;
        }
        return match (shared == magic.len(), says) {
            (false, _) => First::Unclear,
            (true, First::Unclear) => bzip2(&first[shared..]),
            (true, says) => *says,
        };
    }
    First::Text
}

/// `BZh` may begin a word.
fn bzip2(rest: &[u8]) -> First {
    match rest.split_first() {
        None => First::Unclear,
        Some((level, block)) => {
            let shared = block.len().min(BZIP2.len());
            match level.is_ascii_digit() && block[..shared] == BZIP2[..shared] {
                false => First::Text,
                true if shared == BZIP2.len() => First::Foreign,
                true => First::Unclear,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    fn content(bytes: &[u8]) -> Content {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        Content::of(file).expect("readable").0
    }

    fn numbers(from: u32, to: u32) -> Vec<u8> {
        (from..to).flat_map(|n| format!("line number {n}\n").into_bytes()).collect()
    }

    #[test]
    fn packed_bytes_are_read_at_any_place_in_any_order() {
        let text = numbers(0, 60_000);
        let several = [gzip(&text[..1000]), gzip(&text[1000..500_000]), gzip(&text[500_000..])].concat();
        let zstd = [zstd::encode_all(&text[..7], 1), zstd::encode_all(&text[7..], 1)].map(|part| part.expect("packed"));
        for packed in [several, zstd.concat()] {
            let content = content(&packed);
            assert!(content.is_packed());
            for at in [0, 5, 999, 400_000, 399_900, 3, 700_000, 499_990, text.len() - 10, text.len(), text.len() + 5] {
                let mut bytes = vec![0; 50];
                let count = content.read_at(&mut bytes, at as u64).expect("read");
                let expected = text.get(at..).unwrap_or_default();
                assert_eq!(&bytes[..count], &expected[..expected.len().min(50)], "at {at}");
            }
            assert_eq!(content.end(), End::Whole);
            let (mut before, mut after) = ([0; 20], [0; 30]);
            assert_eq!(content.read_around(&mut before, &mut after, 100_000).expect("read"), Some(30));
            assert_eq!([&before[..], &after].concat(), &text[99_980..100_030]);
        }
    }

    #[test]
    fn what_is_cut_or_followed_by_other_bytes_is_read_as_far_as_it_goes() {
        let text = numbers(0, 30_000);
        let whole = gzip(&text);
        let mut bytes = vec![0; text.len() + 10];
        let cut = content(&whole[..whole.len() / 2]);
        let count = cut.read_at(&mut bytes, 0).expect("read");
        assert!(count > 1000 && count < text.len() && bytes[..count] == text[..count]);
        assert_eq!(cut.end(), End::Cut);
        let tailed = content(&[&whole[..], b"and some text behind it"].concat());
        assert_eq!(tailed.read_at(&mut bytes, 0).expect("read"), text.len());
        assert_eq!(tailed.end(), End::Damaged);
    }

    #[test]
    fn a_packed_file_is_known_by_its_first_bytes() {
        for (first, expected) in [
            (&b""[..], First::Unclear),
            (b"plain text", First::Text),
            (&[0x1f], First::Unclear),
            (&[0x1f, 0x8b, 8, 0], First::Packed(Packing::Gzip)),
            (&[0x28, 0xb5, 0x2f, 0xfd], First::Packed(Packing::Zstd)),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0], First::Foreign),
            (b"BZh91AY&SY", First::Foreign),
            (b"BZh9", First::Unclear),
            (b"BZhang", First::Text),
            (b"BZh1\n", First::Text),
            ("(µ/".as_bytes(), First::Text),
        ] {
            assert_eq!(look(first), expected, "{first:?}");
        }
    }

    #[test]
    fn a_long_way_into_a_packed_file_needs_little_memory() {
        let packed = gzip(&vec![b'x'; 64 << 20]);
        let content = content(&packed);
        let mut byte = [0];
        assert_eq!(content.read_at(&mut byte, (64 << 20) - 1).expect("read"), 1);
        let Content::Packed(packed) = &content else { panic!("packed") };
        assert!(packed.borrow().window.capacity() < 1 << 20);
    }
}
