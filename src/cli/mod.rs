//! Arguments, exit codes and everything a person sees; one file a command.
//!
//! [`args`] is the command line. A command is a file with `Args` (its arguments, help included) and
//! `run(Args) -> ExitCode`, and one variant in [`args::Command`]. [`exit`] holds the codes. Results go to
//! standard output, everything else to standard error; both through `anstream`, which drops colours
//! where nobody sees them.

mod admin_client;
pub mod args;
pub mod bench;
pub mod check;
mod check_sources;
mod chunks;
pub mod configured;
mod cutter;
pub mod demo;
pub mod diff;
pub mod exit;
pub mod explain;
pub mod r#gen;
pub mod intake;
mod junit;
pub mod key;
mod keyring_file;
mod log_reader;
mod marked_line;
pub mod redact;
pub mod reload;
pub mod retention;
mod rule_choice;
pub mod rules;
mod rules_new;
mod rules_promote;
pub mod run;
pub mod scan;
mod shadow_samples;
pub mod spool;
mod suspect;
pub mod token;

use clap::Parser;
use std::process::ExitCode;

/// Parses the process's arguments, runs the command and returns its exit code.
pub fn main() -> ExitCode {
    crate::telemetry::quiet_panics();
    args::Cli::parse().command.run()
}
