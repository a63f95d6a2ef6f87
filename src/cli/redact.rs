//! `logveil redact`: standard input to standard output with the active rules.
//!
//! Line by line: as many lines out as in; every byte outside masks is written as it was read, NUL, CR,
//! invalid UTF-8 and a missing last newline included.

use super::rule_choice::RuleChoice;
use super::{exit, keyring_file};
use crate::keyring::{Keyring, KeyringError};
use crate::redact::{Piece, Redactor, StreamState};
use crate::token::Minter;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Bytes read at a time; a longer line makes the buffer grow to hold it.
const BLOCK: usize = 256 * 1024;

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
}

/// Runs to the end of standard input; 0 whether or not anything was masked.
pub fn run(args: Args) -> ExitCode {
    let rules = match args.rules.load() {
        Ok(rules) => rules,
        Err(code) => return code,
    };
    let mut redactor = Redactor::new(Arc::new(rules));
    if let Some(path) = &args.keyring {
        match minter(path) {
            Ok(minter) => redactor.set_minter(Some(minter)),
            Err(error) => return keyring_file::refuse(&error),
        }
    }
    match pump(&mut redactor, &mut io::stdin().lock(), &mut io::stdout().lock()) {
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

/// The mint of the key in force.
fn minter(path: &Path) -> Result<Minter, KeyringError> {
    let ring = Keyring::load(path)?;
    let key = ring.active(keyring_file::now())?;
    Ok(Minter::new(&key.key, ring.region(), key.epoch, None))
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
pub fn pump(redactor: &mut Redactor, input: &mut dyn Read, output: &mut dyn Write) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let mut stream = StreamState::default();
    let (mut buffer, mut filled) = (vec![0u8; BLOCK], 0);
    let (mut ends, mut out) = (Vec::new(), Vec::with_capacity(BLOCK + BLOCK / 4));
    loop {
        if filled == buffer.len() {
            buffer.resize(buffer.len() * 2, 0);
        }
        let read = match input.read(&mut buffer[filled..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        filled += read;
        summary.bytes += read as u64;
        let whole = match memchr::memrchr(b'\n', &buffer[..filled]) {
            Some(newline) => newline + 1,
            None => 0,
        };
        let block = if read == 0 { filled } else { whole };
        if block > 0 {
            ends.clear();
            ends.extend(memchr::memchr_iter(b'\n', &buffer[..block]).map(|newline| newline as u32 + 1));
            if ends.last().is_none_or(|end| (*end as usize) < block) {
                ends.push(block as u32);
            }
            out.clear();
            redact_block(redactor, &mut stream, &buffer[..block], &ends, &mut out, &mut summary);
            output.write_all(&out)?;
            buffer.copy_within(block..filled, 0);
            filled -= block;
        }
        if read == 0 {
            return output.flush().map(|()| summary);
        }
    }
}

fn redact_block(
    redactor: &mut Redactor,
    stream: &mut StreamState,
    block: &[u8],
    ends: &[u32],
    out: &mut Vec<u8>,
    summary: &mut Summary,
) {
    redactor.redact(stream, block, ends, &mut |record| {
        for piece in record.pieces() {
            match piece {
                Piece::Keep(bytes) | Piece::Mask(bytes) => out.extend_from_slice(bytes),
            }
        }
        let range = record.range();
        if block[range].ends_with(b"\n") {
            out.push(b'\n');
        }
        summary.lines += 1;
        summary.masks += record.masks() as u64;
        summary.masked_lines += u64::from(record.masks() > 0);
        summary.allowed += u64::from(record.allowed());
        summary.withheld += u64::from(record.withheld().is_some());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::RuleSet;

    #[test]
    fn bytes_outside_masks_are_untouched_whatever_they_are() {
        let mut redactor = Redactor::new(RuleSet::builtin());
        let input = b"plain\r\n\0nul\xff\xfe\n\nlast without newline".to_vec();
        let mut out = Vec::new();
        let summary = pump(&mut redactor, &mut input.as_slice(), &mut out).unwrap();
        assert_eq!(out, input);
        assert_eq!((summary.lines, summary.masks), (4, 0));
    }

    #[test]
    fn a_line_longer_than_the_buffer_is_one_line() {
        let mut redactor = Redactor::new(RuleSet::builtin());
        let mut input = vec![b'x'; 3 * BLOCK];
        input.extend_from_slice(b"\nnext\n");
        let mut out = Vec::new();
        assert_eq!(pump(&mut redactor, &mut input.as_slice(), &mut out).unwrap().lines, 2);
        assert_eq!(out, input);
    }
}
