//! Writes a generated corpus to standard output: `write_corpus KIND BYTES`. Needs the standard library only.

#[allow(dead_code, unreachable_pub)] // shared by the benches, each of which uses a part
mod corpus;

use std::io::Write;
use std::process::ExitCode;

#[allow(clippy::print_stderr)] // a tool of the checks
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let kind = words.first().and_then(|name| corpus::KINDS.iter().find(|(known, _)| known == name));
    let bytes = words.get(1).and_then(|text| text.parse().ok());
    let (Some((_, kind)), Some(bytes)) = (kind, bytes) else {
        let names: Vec<&str> = corpus::KINDS.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: write_corpus KIND BYTES; kinds: {}", names.join(", "));
        return ExitCode::from(2);
    };
    match std::io::stdout().write_all(&corpus::generate(*kind, bytes)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
