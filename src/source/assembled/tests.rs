use super::super::container::Format;
use super::super::multiline;
use super::*;
use proptest::prelude::*;

/// Whole lines of one text, in chunks of the given numbers of lines.
struct Lines {
    info: Arc<StreamInfo>,
    text: Vec<u8>,
    at: usize,
    cuts: Vec<usize>,
    turn: usize,
    idle: bool,
}

impl Lines {
    fn new(text: &[u8], from: u64, cuts: &[usize]) -> Lines {
        let info = Arc::new(StreamInfo { stream: StreamId([1; 16]), source: 0, path: None });
        Lines { info, text: text.to_vec(), at: from as usize, cuts: cuts.to_vec(), turn: 0, idle: false }
    }
}

impl Source for Lines {
    fn fill(&mut self, _: Vec<u8>) -> Result<Fill, SourceError> {
        if self.at == self.text.len() {
            return Ok(Fill::End);
        }
        if std::mem::take(&mut self.idle) {
            return Ok(Fill::Idle);
        }
        let count = self.cuts[self.turn % self.cuts.len()];
        self.turn += 1;
        self.idle = count.is_multiple_of(2);
        let bytes: Vec<u8> =
            self.text[self.at..].split_inclusive(|&b| b == b'\n').take(count).flatten().copied().collect();
        let place = |at: usize| Position { generation: 0, offset: at as u64 };
        let (from, to) = (self.at, self.at + bytes.len());
        self.at = to;
        Ok(Fill::Chunk(Chunk {
            info: self.info.clone(),
            bytes,
            from: place(from),
            to: place(to),
            resume: Resume::Marker { before: self.text[from.saturating_sub(MARKER)..from].to_vec() },
            last: false,
            oversize: false,
            layout: None,
        }))
    }

    fn wait(&mut self, _: Duration) {}
}

/// A record's place and text.
type Found = Vec<(u64, Vec<u8>)>;

/// Records, and the end of each chunk with the number of records handed out by then.
fn run(source: Lines, settings: &Settings) -> (Found, Vec<(u64, usize)>) {
    let text = source.text.clone();
    let key = IdentityKey::new(&[7; 32]);
    let mut next = source.at as u64;
    let mut source = Assembled::new(Box::new(source), settings.clone(), &[7; 32]);
    let (mut records, mut ends) = (Found::new(), Vec::new());
    loop {
        match source.fill(Vec::new()).expect("it reads") {
            Fill::End => return (records, ends),
            Fill::Idle => source.wait(Duration::ZERO),
            Fill::Chunk(chunk) => {
                assert_eq!(chunk.from.offset, next, "no gap, no overlap");
                next = chunk.to.offset;
                let Resume::AtEnd(mark) = &chunk.resume else { panic!("the end is marked") };
                assert_eq!(*mark, key.marker(&[], &text, next as usize).to_bytes());
                let layout = chunk.layout.unwrap_or_default();
                let mut start = 0;
                for placed in &layout.records {
                    records.push((placed.at, chunk.bytes[start..placed.end as usize].to_vec()));
                    start = placed.end as usize;
                }
                assert_eq!(start, chunk.bytes.len());
                ends.push((next, records.len()));
            }
        }
    }
}

fn settings(pick: u8) -> Settings {
    let multiline = multiline::Settings { max_lines: 6, flush: Duration::from_secs(3600), ..Default::default() };
    match pick {
        0 => Settings { format: None, multiline: Some(multiline) },
        1 => Settings { format: Some(Format::Cri), multiline: None },
        _ => Settings { format: Some(Format::Cri), multiline: Some(multiline) },
    }
}

const POOL: [&str; 9] = [
    "INFO x\n",
    "ERROR x\n",
    "java.lang.Error: x\n",
    "\tat a.B.c(B.java:1)\n",
    "2025-11-23T10:05:09Z stdout F java.lang.Error: y\n",
    "2025-11-23T10:05:09Z stdout F \tat a.B.c(B.java:1)\n",
    "2025-11-23T10:05:09Z stdout P half \n",
    "2025-11-23T10:05:09Z stderr P other \n",
    "2025-11-23T10:05:09Z stderr F rest\n",
];

proptest! {
    #[test]
    fn any_chunking_gives_the_same_records(
        picks in prop::collection::vec(0..POOL.len(), 1..60),
        cuts in prop::collection::vec(1usize..9, 1..5),
        pick in 0u8..3,
    ) {
        let text: String = picks.iter().map(|&pick| POOL[pick]).collect();
        let whole = run(Lines::new(text.as_bytes(), 0, &[usize::MAX - 1]), &settings(pick)).0;
        let (found, ends) = run(Lines::new(text.as_bytes(), 0, &cuts), &settings(pick));
        prop_assert_eq!(&found, &whole);
        prop_assert_eq!(ends.last().map(|end| end.0), Some(text.len() as u64));
    }

    /// A restart at any chunk's end loses nothing: what was not handed out by then is handed out after it.
    #[test]
    fn a_restart_at_any_place_loses_nothing(
        picks in prop::collection::vec(0..POOL.len(), 1..40),
        cuts in prop::collection::vec(1usize..4, 1..4),
        pick in 0u8..3,
    ) {
        let text: String = picks.iter().map(|&pick| POOL[pick]).collect();
        let (whole, ends) = run(Lines::new(text.as_bytes(), 0, &cuts), &settings(pick));
        for (place, count) in ends {
            let (again, _) = run(Lines::new(text.as_bytes(), place, &cuts), &settings(pick));
            let starts: Vec<u64> = again.iter().map(|record| record.0).collect();
            for (at, _) in &whole[count..] {
                prop_assert!(*at < place || starts.contains(at), "{} after {}", at, place);
            }
            prop_assert!(whole[count..].iter().all(|(at, _)| *at >= place), "an open record lies before the place");
        }
    }
}

#[test]
fn an_open_group_is_given_out_after_its_time() {
    let mut with = settings(0);
    if let Some(multiline) = &mut with.multiline {
        multiline.flush = Duration::ZERO;
    }
    let source = Lines::new(b"java.lang.Error: x\n\tat a.B.c(B.java:1)\n", 0, &[1]);
    assert_eq!(run(source, &with).0.len(), 2);
}
