//! Reads logs for the tools: folders recursively, gzip and zstd through, in chunks of whole lines that all
//! cores work on.
//!
//! Files come in the order of their paths, chunks carry their place, so that results do not depend on which
//! core was faster. A chunk ends at a line end, not inside a private key block; a line longer than
//! [`LONGEST_LINE`] is cut. Binary files are named and skipped.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes read at a time.
const CHUNK: usize = 512 * 1024;
/// A longer line is cut here, bytes.
const LONGEST_LINE: usize = 16 << 20;
/// What must be seen of a file before it is called binary, bytes.
const HEAD: usize = 8 * 1024;
/// A key block is kept in one chunk when it is not longer, bytes.
const LONGEST_BLOCK: usize = 128 * 1024;

/// Whole lines of one file.
#[derive(Clone)]
pub(super) struct Chunk {
    /// Number of the file, in order.
    pub(super) file: usize,
    /// Number of the first line, from 1.
    pub(super) first_line: u64,
    /// The lines.
    pub(super) bytes: Vec<u8>,
    /// Where each line ends, its newline included.
    pub(super) ends: Vec<u32>,
}

/// What was read.
#[derive(Default)]
pub(super) struct WhatWasRead {
    /// Bytes of text, unpacked.
    pub(super) bytes: u64,
    /// Lines.
    pub(super) lines: u64,
    /// Files read to their end.
    pub(super) files: usize,
    /// Files that are no text.
    pub(super) binary: Vec<usize>,
    /// Files that could not be read, and why.
    pub(super) failed: Vec<(PathBuf, io::Error)>,
}

/// The files below `paths`: files as named, folders recursively, symbolic links inside folders not followed.
pub(super) fn files(paths: &[PathBuf], failed: &mut Vec<(PathBuf, io::Error)>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(about) if about.is_dir() => walk(path, &mut found, failed),
            Ok(_) => found.push(path.clone()),
            Err(error) => failed.push((path.clone(), error)),
        }
    }
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>, failed: &mut Vec<(PathBuf, io::Error)>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return failed.push((folder.to_owned(), error)),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), found, failed),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            Ok(_) => {}
            Err(error) => failed.push((entry.path(), error)),
        }
    }
}

/// Hands every chunk of `files` to one of as many workers as there are cores. `progress` hears how many
/// bytes were read from disk.
pub(super) fn each_chunk<S: Send>(
    files: &[PathBuf],
    progress: &dyn Fn(u64),
    worker: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &Chunk) + Sync,
) -> (WhatWasRead, Vec<S>) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(64);
    let (to_workers, chunks) = crossbeam_channel::bounded::<Chunk>(cores * 2);
    std::thread::scope(|scope| {
        let (worker, work) = (&worker, &work);
        let workers: Vec<_> = (0..cores)
            .map(|_| {
                let chunks = chunks.clone();
                scope.spawn(move || {
                    let mut state = worker();
                    chunks.iter().for_each(|chunk| work(&mut state, &chunk));
                    state
                })
            })
            .collect();
        drop(chunks);
        let mut read = WhatWasRead::default();
        for (file, path) in files.iter().enumerate() {
            let done = cut(file, path, progress, &mut read, &mut |chunk| to_workers.send(chunk).is_ok());
            match done {
                Ok(true) => read.files += 1,
                Ok(false) => read.binary.push(file),
                Err(error) => read.failed.push((path.clone(), error)),
            }
        }
        drop(to_workers);
        // A worker that panicked has said so; its numbers are lost, and so the whole command fails.
        let states =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        (read, states.collect())
    })
}

/// Cuts one file into chunks; false when it is binary.
fn cut(
    file: usize,
    path: &Path,
    progress: &dyn Fn(u64),
    read: &mut WhatWasRead,
    send: &mut dyn FnMut(Chunk) -> bool,
) -> io::Result<bool> {
    let mut input = open(path, progress)?;
    let mut buffer: Vec<u8> = Vec::new();
    let (mut line, mut first) = (1u64, true);
    loop {
        let got = input.as_mut().take(CHUNK as u64).read_to_end(&mut buffer)?;
        if std::mem::take(&mut first) && buffer[..buffer.len().min(HEAD)].contains(&0) {
            return Ok(false);
        }
        let end = if got < CHUNK { buffer.len() } else { whole_lines(&buffer) };
        if end > 0 {
            let rest = buffer[end..].to_vec();
            buffer.truncate(end);
            let bytes = std::mem::replace(&mut buffer, rest);
            let mut ends: Vec<u32> = memchr::memchr_iter(b'\n', &bytes).map(|at| at as u32 + 1).collect();
            if ends.last().is_none_or(|last| (*last as usize) < bytes.len()) {
                ends.push(bytes.len() as u32);
            }
            read.bytes += bytes.len() as u64;
            read.lines += ends.len() as u64;
            let first_line = line;
            line += ends.len() as u64;
            if !send(Chunk { file, first_line, bytes, ends }) {
                return Ok(true);
            }
        }
        if got < CHUNK {
            return Ok(true);
        }
    }
}

/// How much of the buffer can be handed over: whole lines, without the beginning of an unfinished key block.
fn whole_lines(buffer: &[u8]) -> usize {
    let Some(newline) = memchr::memrchr(b'\n', buffer) else {
        return if buffer.len() >= LONGEST_LINE { buffer.len() } else { 0 };
    };
    let end = newline + 1;
    let begin = memchr::memmem::rfind(&buffer[..end], b"-----BEGIN ");
    let open = begin.filter(|at| memchr::memmem::find(&buffer[*at..end], b"-----END ").is_none());
    match open.and_then(|at| memchr::memrchr(b'\n', &buffer[..at])) {
        Some(before) if end - before < LONGEST_BLOCK => before + 1,
        _ => end,
    }
}

/// Opens a file, unpacking what its first bytes say is packed.
fn open<'p>(path: &Path, progress: &'p dyn Fn(u64)) -> io::Result<Box<dyn Read + 'p>> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    let mut filled = 0;
    while filled < magic.len() {
        match file.read(&mut magic[filled..])? {
            0 => break,
            got => filled += got,
        }
    }
    let start = io::Cursor::new(magic).take(filled as u64);
    let whole = Counted { inner: start.chain(file), progress };
    Ok(match magic {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(whole)),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(whole)?),
        _ => Box::new(whole),
    })
}

/// Tells how much was read.
struct Counted<'p, R> {
    inner: R,
    progress: &'p dyn Fn(u64),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        (self.progress)(got as u64);
        Ok(got)
    }
}

/// The bar on standard error for long work; nothing where nobody looks.
pub(super) fn bar(files: &[PathBuf]) -> indicatif::ProgressBar {
    let size = files.iter().filter_map(|path| fs::metadata(path).ok()).map(|about| about.len()).sum();
    let quiet = std::env::var_os("NO_COLOR").as_deref().is_some_and(|value| value != OsStr::new(""));
    let bar = indicatif::ProgressBar::new(size);
    let form = if quiet {
        "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}"
    } else {
        "{bar:30.green} {bytes}/{total_bytes} {bytes_per_sec} {eta}"
    };
    if let Ok(style) = indicatif::ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_end_at_lines_and_never_inside_a_key_block() {
        assert_eq!(whole_lines(b"one\ntwo"), 4);
        assert_eq!(whole_lines(b"no newline"), 0);
        assert_eq!(whole_lines(b"one\n-----BEGIN A KEY-----\nMII\n"), 4);
        assert_eq!(whole_lines(b"one\n-----BEGIN A-----\nMII\n-----END A-----\nx"), 42);
        let mut long = b"-----BEGIN A-----\n".to_vec();
        long.resize(LONGEST_BLOCK * 2, b'\n');
        assert_eq!(whole_lines(&long), long.len(), "a block at the very start is not held back for ever");
    }

    #[test]
    fn every_line_of_every_file_is_read_once_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (0..60_000).map(|number| format!("line {number} of a file\n")).collect();
        let paths = ["a.log", "b.log.gz", "c.zst", "d.bin"].map(|name| folder.path().join(name));
        fs::write(&paths[0], &text).unwrap();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
        fs::write(&paths[1], packed.finish().unwrap()).unwrap();
        fs::write(&paths[2], zstd::bulk::compress(text.as_bytes(), 1).unwrap()).unwrap();
        fs::write(&paths[3], b"\x7fELF\0\0").unwrap();
        let found = files(&[folder.path().to_owned()], &mut Vec::new());
        assert_eq!(found, paths);
        let (read, states) = each_chunk(&found, &|_| {}, Vec::new, |state: &mut Vec<(usize, u64, Vec<u8>)>, chunk| {
            state.push((chunk.file, chunk.first_line, chunk.bytes.clone()));
        });
        assert_eq!((read.files, read.lines, &read.binary[..]), (3, 180_000, &[3][..]));
        let mut chunks: Vec<_> = states.into_iter().flatten().collect();
        chunks.sort();
        for file in 0..3 {
            let of_file = chunks.iter().filter(|chunk| chunk.0 == file);
            let joined: Vec<u8> = of_file.flat_map(|chunk| chunk.2.iter().copied()).collect();
            assert_eq!(joined, text.as_bytes());
        }
    }
}
