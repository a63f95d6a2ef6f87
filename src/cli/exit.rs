//! Exit codes, the same for every command, and the one way an error is shown.

use anstyle::{AnsiColor, Style};
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// Findings, failed tests or a difference over its limits.
pub const FINDINGS: u8 = 1;
/// Wrong usage; also what the argument parser exits with.
pub const USAGE: u8 = 2;
/// Invalid configuration or rules.
pub const INVALID: u8 = 3;
/// The target cannot be reached, or a local resource cannot be used.
pub const UNREACHABLE: u8 = 4;
/// Refused by policy: region, retention, key age, rights.
pub const POLICY: u8 = 5;

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Writes `error: message` to standard error and returns the code.
pub fn fail(code: u8, message: impl Display) -> ExitCode {
    // A closed standard error leaves the exit code to tell.
    let _ = writeln!(anstream::stderr(), "{ERROR}error{ERROR:#}: {message}");
    ExitCode::from(code)
}
