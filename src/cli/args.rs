//! The command line as a whole: one variant a command, whose arguments stand in the command's own file.

use super::{intake, redact};
use std::process::ExitCode;

const ABOUT: &str = "Masks personal data and credentials in logs and ships the cleaned records to Datadog";

const AFTER: &str = "\
Exit codes: 0 done, 1 findings, 2 wrong usage, 3 invalid configuration or rules,
4 target not reachable, 5 refused by policy.

No command prints an unmasked value. Colours only on terminals; NO_COLOR switches them off.";

/// The whole command line.
#[derive(clap::Parser, Debug)]
#[command(name = "logveil", version, about = ABOUT, after_help = AFTER)]
#[command(arg_required_else_help = true, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Clean standard input to standard output with the built-in rules.
    Redact(redact::Args),
    /// Receive logs as Datadog's intake would, more strictly, and show what arrives.
    Intake(intake::Args),
}

impl Command {
    /// Runs the command to its exit code.
    pub fn run(self) -> ExitCode {
        match self {
            Command::Redact(args) => redact::run(args),
            Command::Intake(args) => intake::run(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
