//! Arguments, exit codes and everything a person sees; one file a command.

pub mod intake;

use std::process::ExitCode;

/// Parses the process's arguments, runs the command and returns its exit code.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
