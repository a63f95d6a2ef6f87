//! Reads logs for the tools: folders recursively, gzip and zstd through, several files at a time.
//!
//! Files come in the order of their paths, chunks carry their place, so that results do not depend on which
//! thread was faster. What is no log is named: binary files, and in folders what is neither file nor folder. A
//! pipe that is named is read.

use super::chunks::{self, Chunk, HandOver, Job, Reader};
use super::cutter::{self, Pace};
use super::marked_line::printable;
use indicatif::ProgressBar;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

/// What must be seen of a file before it is called binary, bytes.
const HEAD: usize = 8 * 1024;

/// The files to read, in their order.
#[derive(Default)]
pub(super) struct Files {
    /// Files as named, and those of folders.
    pub(super) paths: Arc<Vec<PathBuf>>,
    /// What folders hold beside files and folders: sockets, pipes, links to folders or to nowhere.
    pub(super) special: Vec<PathBuf>,
    /// Files left out because they are old.
    pub(super) older: usize,
    /// What could not be looked at, and why.
    failed: Vec<(PathBuf, io::Error)>,
}

/// Files found so far.
#[derive(Default)]
struct Found {
    paths: Vec<PathBuf>,
    /// Device and number of those that folders hold.
    seen: HashSet<(u64, u64)>,
}

impl Found {
    fn add(&mut self, path: PathBuf, about: &fs::Metadata) {
        if self.seen.insert((about.dev(), about.ino())) {
            self.paths.push(path);
        }
    }
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
    /// Files that are no text, in order.
    pub(super) binary: Vec<usize>,
    /// Files that could not be read, and why.
    pub(super) failed: Vec<(PathBuf, io::Error)>,
}

impl Files {
    /// The files at and below `paths`: folders recursively, a file once by whatever names a folder holds it. Links in
    /// folders are followed to files (container logs are links), not to folders: they could lead in a circle.
    pub(super) fn below(paths: &[PathBuf]) -> Files {
        let (mut files, mut found) = (Files::default(), Found::default());
        for path in paths {
            match fs::metadata(path) {
                Ok(about) if about.is_dir() => files.walk(path, &mut found),
                Ok(_) => found.paths.push(path.clone()),
                Err(error) => files.failed.push((path.clone(), error)),
            }
        }
        files.paths = Arc::new(found.paths);
        files
    }

    fn walk(&mut self, folder: &Path, found: &mut Found) {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.failed.push((folder.to_owned(), error)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.walk(&entry.path(), found),
                Ok(kind) if kind.is_file() || kind.is_symlink() => match fs::metadata(entry.path()) {
                    Ok(about) if about.is_file() => found.add(entry.path(), &about),
                    // A link to nowhere or to a folder.
                    Ok(_) => self.special.push(entry.path()),
                    Err(_) if kind.is_symlink() => self.special.push(entry.path()),
                    Err(error) => self.failed.push((entry.path(), error)),
                },
                Ok(_) => self.special.push(entry.path()),
                Err(error) => self.failed.push((entry.path(), error)),
            }
        }
    }

    /// Leaves out files that were last written to before `time`.
    pub(super) fn keep_since(&mut self, time: SystemTime) {
        let is_old = |about: fs::Metadata| about.is_file() && about.modified().is_ok_and(|written| written < time);
        let (old, new): (Vec<_>, Vec<_>) =
            self.paths.iter().cloned().partition(|path| fs::metadata(path).is_ok_and(is_old));
        (self.paths, self.older) = (Arc::new(new), old.len());
    }

    /// Bytes on disk.
    pub(super) fn size(&self) -> u64 {
        self.paths.iter().filter_map(|path| fs::metadata(path).ok()).map(|about| about.len()).sum()
    }

    /// Does the job with every chunk of every file, on `threads` threads and as many files at a time; `take` gets
    /// what was made, in the order of each file.
    pub(super) fn each_chunk<J: Job>(
        &mut self,
        job: J,
        threads: usize,
        bar: &ProgressBar,
        take: &mut dyn FnMut(&Chunk, &mut J::Made),
    ) -> WhatWasRead {
        let next = Arc::new(AtomicUsize::new(0));
        let readers = (0..threads.min(self.paths.len()).max(1)).map(|_| {
            let (paths, next, bar) = (self.paths.clone(), next.clone(), bar.clone());
            let reader: Reader<WhatWasRead> = Box::new(move |send| read_some(&paths, &next, &bar, send));
            reader
        });
        let mut take = |chunk: &Chunk, made: &mut J::Made| {
            take(chunk, made);
            Ok(())
        };
        let read = chunks::run(Arc::new(job), threads, readers.collect(), &mut take).unwrap_or_default();
        let mut all = WhatWasRead { failed: std::mem::take(&mut self.failed), ..WhatWasRead::default() };
        read.into_iter().for_each(|some| all.add(some));
        all.binary.sort_unstable();
        all.failed.sort_by(|one, two| one.0.cmp(&two.0));
        all
    }
}

/// A path as it is safe on a terminal: whoever writes logs may name files.
pub(super) fn shown(path: &Path) -> String {
    printable(path.as_os_str().as_encoded_bytes())
}

impl WhatWasRead {
    /// One line for each file that is no text and for each that is no file.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn print_skipped(&self, files: &Files, out: &mut impl io::Write) -> io::Result<()> {
        if files.older > 0 {
            writeln!(out, "left out, older than --since: {} files", files.older)?;
        }
        for file in &self.binary {
            writeln!(out, "skipped, binary: {}", shown(&files.paths[*file]))?;
        }
        files.special.iter().try_for_each(|path| writeln!(out, "skipped, no file: {}", shown(path)))
    }

    /// The same as lists for machines: what is no text, and what is no file.
    pub(super) fn skipped(&self, files: &Files) -> (Vec<String>, Vec<String>) {
        let named = |path: &PathBuf| path.display().to_string();
        let binary = self.binary.iter().map(|file| named(&files.paths[*file]));
        (binary.collect(), files.special.iter().map(named).collect())
    }

    fn add(&mut self, more: WhatWasRead) {
        self.bytes += more.bytes;
        self.lines += more.lines;
        self.files += more.files;
        self.binary.extend(more.binary);
        self.failed.extend(more.failed);
    }
}

/// Reads files that nobody reads yet, until there are none.
fn read_some(paths: &[PathBuf], next: &AtomicUsize, bar: &ProgressBar, send: &mut HandOver<'_>) -> WhatWasRead {
    let mut read = WhatWasRead::default();
    loop {
        let file = next.fetch_add(1, Ordering::Relaxed);
        let Some(path) = paths.get(file) else { return read };
        let mut counted = |chunk: Chunk| {
            read.bytes += chunk.bytes.len() as u64;
            read.lines += chunk.ends.len() as u64;
            send(chunk)
        };
        match read_one(file, path, bar, &mut counted) {
            Ok(true) => read.files += 1,
            Ok(false) => read.binary.push(file),
            Err(error) => read.failed.push((path.clone(), error)),
        }
    }
}

/// Reads one file; false when it is binary.
fn read_one(file: usize, path: &Path, bar: &ProgressBar, send: &mut HandOver<'_>) -> io::Result<bool> {
    let mut input = open(path, bar)?;
    let mut head = Vec::new();
    let failed = input.as_mut().take(HEAD as u64).read_to_end(&mut head).err();
    if head.contains(&0) {
        return Ok(false);
    }
    cutter::cut(file, &mut head.chain(Rest { failed, input }), Pace::Filled, send).map(|_| true)
}

/// What follows the head of a file, which may be an error.
struct Rest<'p> {
    failed: Option<io::Error>,
    input: Box<dyn Read + 'p>,
}

impl Read for Rest<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.failed.take().map_or_else(|| self.input.read(buffer), Err)
    }
}

/// Opens a file, unpacking what its first bytes say is packed.
fn open<'p>(path: &Path, bar: &'p ProgressBar) -> io::Result<Box<dyn Read + 'p>> {
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
    let whole = Counted { inner: start.chain(file), bar };
    Ok(match magic {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(whole)),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(whole)?),
        _ => Box::new(whole),
    })
}

/// Tells how much was read.
struct Counted<'p, R> {
    inner: R,
    bar: &'p ProgressBar,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.bar.inc(got as u64);
        Ok(got)
    }
}

/// The bar on standard error for long work over files; nothing where nobody looks.
pub(super) fn bar(files: &Files) -> ProgressBar {
    styled(ProgressBar::new(files.size()), "{bytes}/{total_bytes} {bytes_per_sec} {eta}")
}

/// The same for steps.
pub(super) fn plain_bar(steps: u64) -> ProgressBar {
    styled(ProgressBar::new(steps), "{pos}/{len} {eta}")
}

fn styled(bar: ProgressBar, figures: &str) -> ProgressBar {
    let quiet = std::env::var_os("NO_COLOR").as_deref().is_some_and(|value| value != OsStr::new(""));
    let color = if quiet { "" } else { ".green" };
    if let Ok(style) = indicatif::ProgressStyle::with_template(&format!("{{bar:30{color}}} {figures}")) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes every chunk.
    struct Notes;

    impl Job for Notes {
        type Desk = ();
        type State = ();
        type Made = ();

        fn desk(&self) {}

        fn work(&self, (): &mut (), (): &mut (), _: &Chunk, (): &mut ()) {}
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
        for threads in [1, 3] {
            let mut found = Files::below(&[folder.path().to_owned()]);
            assert_eq!(*found.paths, paths);
            let mut joined = vec![Vec::new(); 3];
            let mut lines = [1; 3];
            let bar = ProgressBar::hidden();
            let read = found.each_chunk(Notes, threads, &bar, &mut |chunk, ()| {
                assert_eq!(chunk.first_line, lines[chunk.stream]);
                lines[chunk.stream] += chunk.ends.len() as u64;
                joined[chunk.stream].extend_from_slice(&chunk.bytes);
            });
            assert_eq!((read.files, read.lines, &read.binary[..]), (3, 180_000, &[3][..]));
            assert_eq!(joined, vec![text.as_bytes(); 3]);
        }
    }
}
