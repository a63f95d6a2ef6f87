//! Copy and truncate around a stop: whenever the agent ends, what was safe is not read again in the copy, and what was
//! not is read in it.

use super::*;

const COPIES: [&str; 3] = ["a-1.log", "copy.log", "a.log.1"];

impl Logs {
    /// As [`Logs::drain`], without a sweep before it.
    fn drain_unswept(&mut self, source: &mut FileSource) -> Vec<Chunk> {
        source.swept = Some(Instant::now());
        source.hurry = false;
        let streams: Vec<StreamId> = source.tails.keys().copied().collect();
        streams.into_iter().for_each(|stream| source.queue(stream));
        let mut chunks = Vec::new();
        while let Some(stream) = source.ready.pop_front() {
            if let Turn::Chunk(chunk) = source.turn(stream, Vec::new()).ok().expect("readable") {
                chunks.push(chunk);
            }
        }
        chunks
    }

    fn copy_and_truncate(&self, copy: &str) {
        fs::copy(self.path("a.log"), self.path(copy)).unwrap();
        self.truncate();
    }

    fn truncate(&self) {
        File::options().write(true).open(self.path("a.log")).unwrap().set_len(0).unwrap();
    }

    /// Everything that two sweeps give, in the order of its bytes.
    fn all(&mut self, source: &mut FileSource) -> Vec<u8> {
        let mut read = self.drain(source);
        read.extend(self.drain(source));
        sorted(read)
    }
}

fn sorted(read: Vec<Chunk>) -> Vec<u8> {
    let mut all: Vec<Vec<u8>> = read.into_iter().map(|chunk| chunk.bytes).filter(|bytes| !bytes.is_empty()).collect();
    all.sort();
    all.concat()
}

/// Compares without showing thousands of bytes.
fn assert_lines(read: &[u8], expected: &[u8], case: &str) {
    let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    assert!(read == expected, "{case}: {} lines for {}", count(read), count(expected));
}

/// A log of which 100 lines were read and are safe.
fn begun() -> (Logs, FileSource) {
    let mut logs = Logs::new();
    logs.append("a.log", &lines(100, 200));
    let mut source = logs.open(StartAt::Beginning);
    assert_lines(&text(&logs.drain(&mut source)), &lines(100, 200), "the beginning");
    (logs, source)
}

#[test]
fn copied_and_truncated_while_down() {
    for copy in COPIES {
        let (mut logs, source) = begun();
        drop(source);
        logs.append("a.log", &lines(200, 300));
        logs.copy_and_truncate(copy);
        logs.append("a.log", &lines(300, 310));
        let mut source = logs.open(StartAt::Beginning);
        assert_lines(&logs.all(&mut source), &lines(200, 310), copy);
    }
}

/// What is stored of a file that was found empty must suffice to know its copy by.
#[test]
fn copied_while_down_and_read_since_it_was_truncated() {
    for copy in COPIES {
        let (mut logs, mut source) = begun();
        logs.truncate();
        assert_lines(&logs.all(&mut source), b"", copy);
        logs.append("a.log", &lines(200, 300));
        for chunk in logs.drain_unswept(&mut source) {
            logs.save(&chunk);
        }
        drop(source);
        logs.append("a.log", &lines(300, 400));
        logs.copy_and_truncate(copy);
        logs.append("a.log", &lines(400, 410));
        let mut source = logs.open(StartAt::Beginning);
        assert_lines(&logs.all(&mut source), &lines(300, 410), copy);
    }
}

/// The truncation was noticed; before the copy was met the agent ended.
#[test]
fn killed_between_the_truncation_and_the_copy() {
    for copy in COPIES {
        for what_followed_is_safe in [false, true] {
            let (mut logs, mut source) = begun();
            logs.append("a.log", &lines(200, 300));
            logs.copy_and_truncate(copy);
            logs.append("a.log", &lines(300, 310));
            for chunk in logs.drain_unswept(&mut source) {
                if what_followed_is_safe {
                    logs.save(&chunk);
                }
            }
            for start in 0..3 {
                drop(source);
                source = logs.open(StartAt::Beginning);
                let expected = match (start, what_followed_is_safe) {
                    (0, false) => lines(200, 310),
                    (0, true) => lines(200, 300),
                    _ => Vec::new(),
                };
                assert_lines(&logs.all(&mut source), &expected, &format!("{copy}, start {start}"));
            }
        }
    }
}

/// A start finds the copy beside its original, which is truncated a moment later.
#[test]
fn started_between_the_copy_and_the_truncation() {
    for copy in COPIES {
        let (mut logs, source) = begun();
        drop(source);
        logs.append("a.log", &lines(200, 300));
        fs::copy(logs.path("a.log"), logs.path(copy)).unwrap();
        let mut source = logs.open(StartAt::Beginning);
        assert_lines(&logs.all(&mut source), &lines(200, 300), copy);
        logs.truncate();
        logs.append("a.log", &lines(300, 310));
        assert_lines(&logs.all(&mut source), &lines(300, 310), copy);
    }
}

/// What was read of the original became safe after the copy was met, and the agent ended at once.
#[test]
fn killed_when_the_original_had_just_become_safe() {
    for copy in COPIES {
        for all_is_safe in [true, false] {
            let (mut logs, mut source) = begun();
            logs.append("a.log", &lines(200, 300));
            let read = logs.drain_unswept(&mut source);
            logs.copy_and_truncate(copy);
            assert_lines(&logs.all(&mut source), b"", copy);
            if all_is_safe {
                read.iter().for_each(|chunk| logs.save(chunk));
            }
            drop(source);
            let mut source = logs.open(StartAt::Beginning);
            let expected = if all_is_safe { Vec::new() } else { lines(200, 300) };
            assert_lines(&logs.all(&mut source), &expected, copy);
        }
    }
}

/// Lines written and read between the copy and the truncation: of the copy only what one read gave is read again.
#[test]
fn read_on_between_the_copy_and_the_truncation() {
    let (mut logs, mut source) = begun();
    logs.append("a.log", &lines(200, 250));
    assert_lines(&text(&logs.drain(&mut source)), &lines(200, 250), "before");
    fs::copy(logs.path("a.log"), logs.path("copy.log")).unwrap();
    logs.append("a.log", &lines(250, 300));
    assert_lines(&sorted(logs.drain_unswept(&mut source)), &lines(250, 300), "behind the copy");
    logs.truncate();
    assert_lines(&logs.all(&mut source), b"", "waits");
    settle(&mut source);
    assert_lines(&logs.all(&mut source), b"", "all of the copy was read");
}
