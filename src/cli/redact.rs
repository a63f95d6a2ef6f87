//! `logveil redact`: standard input to standard output with the active rules.
//!
//! Line by line: as many lines out as in; every byte outside masks is written as it was read, NUL, CR,
//! invalid UTF-8 and a missing last newline included. What was read is written at once, in its order, whatever the
//! number of threads.

use super::chunks::{self, Chunk, Job, Threads};
use super::cutter::{self, Pace};
use super::exit;
use super::keyring_file::Mint;
use super::rule_choice::RuleChoice;
use crate::redact::{Redacted, Redactor, RuleSet, StreamState};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Clean standard input to standard output with the built-in rules, or those chosen.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    rules: RuleChoice,
    /// Print a summary table on standard error at the end.
    #[arg(long)]
    stats: bool,
    /// Write tokens of this keyring's present key in place of labels of persons.
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
    #[command(flatten)]
    threads: Threads,
}

/// Runs to the end of standard input; 0 whether or not anything was masked.
pub fn run(args: Args) -> ExitCode {
    let rules = match args.rules.load() {
        Ok(rules) => Arc::new(rules),
        Err(code) => return code,
    };
    let mint = match Mint::of(args.keyring.as_deref()) {
        Ok(mint) => mint,
        Err(code) => return code,
    };
    let cleaning = Cleaning { rules, mint };
    match pump(cleaning, args.threads.count(), io::stdin(), &mut io::stdout().lock()) {
        Ok(summary) => {
            if args.stats {
                let _ = summary.print(&mut anstream::stderr());
            }
            ExitCode::SUCCESS
        }
        // The reader of a pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => exit::fail(exit::UNREACHABLE, format_args!("cannot read or write: {error}")),
    }
}

/// Chunks in, cleaned text out.
pub struct Cleaning {
    rules: Arc<RuleSet>,
    mint: Option<Mint>,
}

impl From<Arc<RuleSet>> for Cleaning {
    fn from(rules: Arc<RuleSet>) -> Cleaning {
        Cleaning { rules, mint: None }
    }
}

/// A chunk as it is written.
#[derive(Default)]
pub struct Cleaned {
    text: Vec<u8>,
    summary: Summary,
}

impl Job for Cleaning {
    type Desk = Redactor;
    type State = StreamState;
    type Made = Cleaned;

    fn desk(&self) -> Redactor {
        let mut redactor = Redactor::new(self.rules.clone());
        redactor.set_minter(self.mint.as_ref().map(Mint::minter));
        redactor
    }

    fn work(&self, redactor: &mut Redactor, state: &mut StreamState, chunk: &Chunk, made: &mut Cleaned) {
        made.text.clear();
        made.summary = Summary::default();
        chunk.redact(redactor, state, &mut |record| made.add(record, chunk));
    }
}

impl Cleaned {
    fn add(&mut self, record: &Redacted<'_>, chunk: &Chunk) {
        record.write_to(&mut self.text);
        let ended = match chunk.oversize {
            true => chunk.bytes.ends_with(b"\n"),
            false => chunk.bytes[record.range()].ends_with(b"\n"),
        };
        if ended {
            self.text.push(b'\n');
        }
        self.summary.add(&Summary {
            lines: 1,
            masks: record.masks() as u64,
            masked_lines: u64::from(record.masks() > 0),
            allowed: record.allowed().len() as u64,
            withheld: u64::from(record.withheld().is_some()),
            bytes: 0,
        });
    }
}

/// What went through.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Lines read.
    pub lines: u64,
    /// Lines with at least one mask.
    pub masked_lines: u64,
    /// Masks written.
    pub masks: u64,
    /// Findings that an exception let through.
    pub allowed: u64,
    /// Lines withheld as a whole.
    pub withheld: u64,
    /// Bytes read.
    pub bytes: u64,
}

impl Summary {
    fn add(&mut self, more: &Summary) {
        self.lines += more.lines;
        self.masked_lines += more.masked_lines;
        self.masks += more.masks;
        self.allowed += more.allowed;
        self.withheld += more.withheld;
        self.bytes += more.bytes;
    }

    /// Writes the table of `--stats`.
    ///
    /// # Errors
    /// Those of writing.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        for (name, count) in [
            ("bytes", self.bytes),
            ("lines", self.lines),
            ("lines with masks", self.masked_lines),
            ("masks", self.masks),
            ("allowed", self.allowed),
            ("lines withheld", self.withheld),
        ] {
            writeln!(out, "{name:<18} {count:>14}")?;
        }
        Ok(())
    }
}

/// Redacts `input` to `output` until its end.
///
/// # Errors
/// Those of reading and writing.
pub fn pump(
    cleaning: Cleaning,
    threads: usize,
    mut input: impl Read + Send + 'static,
    output: &mut dyn Write,
) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let reader: chunks::Reader<_> = Box::new(move |send| cutter::cut(0, &mut input, Pace::AtOnce, send));
    let read = chunks::run(Arc::new(cleaning), threads, vec![reader], &mut |_, cleaned| {
        summary.add(&cleaned.summary);
        output.write_all(&cleaned.text)?;
        output.flush()
    })?;
    for cut in read {
        summary.bytes += cut?.bytes;
    }
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    /// Compiling takes long here.
    static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(RuleSet::builtin);

    fn cleaned(threads: usize, input: Vec<u8>) -> (Summary, Vec<u8>) {
        let mut out = Vec::new();
        let summary = pump(RULES.clone().into(), threads, io::Cursor::new(input), &mut out).unwrap();
        (summary, out)
    }

    #[test]
    fn bytes_outside_masks_are_untouched_whatever_they_are() {
        let input = b"plain\r\n\0nul\xff\xfe\n\nlast without newline".to_vec();
        for threads in [1, 2] {
            let (summary, out) = cleaned(threads, input.clone());
            assert_eq!(out, input);
            assert_eq!((summary.lines, summary.masks, summary.bytes), (4, 0, input.len() as u64));
        }
    }

    #[test]
    fn a_line_longer_than_a_chunk_is_one_line() {
        let mut input = vec![b'x'; 3 * cutter::CHUNK];
        input.extend_from_slice(b"\nnext\n");
        let (summary, out) = cleaned(2, input.clone());
        assert_eq!((summary.lines, out), (2, input));
    }

    /// Gives out chunks of the lengths wanted, so that chunks end where a test wants them to.
    struct Steps {
        text: Vec<u8>,
        at: usize,
        steps: Vec<usize>,
        next: usize,
    }

    impl Read for Steps {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let step = self.steps[self.next % self.steps.len()];
            self.next += 1;
            let got = (self.text.len() - self.at).min(step).min(buffer.len());
            buffer[..got].copy_from_slice(&self.text[self.at..self.at + got]);
            self.at += got;
            Ok(got)
        }
    }

    /// Parts of logs that leave something open at each of their line ends.
    fn part() -> impl Strategy<Value = String> {
        let key: String = (0..6).map(|line| format!("MIIEpAIBAAKCAQEA7bq{line}Zk3pQ9vT1xR7mW2nB8cLxyz0\n")).collect();
        let marker = |word: &str| format!("-----{word} RSA PRIVATE KEY-----\n");
        let block = [marker("BEGIN"), key.clone(), marker("END")].concat();
        let open = [marker("BEGIN"), key].concat();
        let table: String = (0..300).map(|row| format!("{row},user{row},Secret{row}x9\n")).collect();
        prop_oneof![
            4 => Just("2026-01-01 plain line of a log\n".to_owned()),
            2 => Just("mail to ana@mail.example\n".to_owned()),
            2 => Just(block),
            1 => Just(open),
            1 => Just(format!("id,user,password\n{table}\n")),
            1 => Just("{\n  \"password\":\n    \"h4rdt0guess\",\n  \"tokens\": [\n    \"a1b2c3d4e5\",\n    \"f6g7h8\"\n  ]\n}\n".to_owned()),
            1 => Just("secret:\n  one: abc1234def\n  two: xyz9876uvw\nplain: yes\n".to_owned()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn any_number_of_threads_writes_what_one_writes(
            parts in proptest::collection::vec(part(), 1..12),
            steps in proptest::collection::vec(1usize..400, 1..6),
            threads in 2usize..5,
        ) {
            let text = parts.concat().into_bytes();
            let (summary, whole) = cleaned(1, text.clone());
            let steps = Steps { text, at: 0, steps, next: 0 };
            let mut out = Vec::new();
            let told = pump(RULES.clone().into(), threads, steps, &mut out).unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&whole));
            prop_assert_eq!(told, summary);
        }
    }
}
