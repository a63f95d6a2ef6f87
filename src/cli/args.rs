//! The command line as a whole: one variant a command, whose arguments stand in the command's own file.

use super::{
    bench, check, demo, diff, explain, r#gen, intake, key, redact, reload, retention, rules, run, scan, spool, token,
};
use std::process::ExitCode;

const ABOUT: &str = "Masks personal data and credentials in logs and ships the cleaned records to Datadog";

const AFTER: &str = "\
Exit codes: 0 done, 1 findings, 2 wrong usage, 3 invalid configuration or rules,
4 target not reachable, 5 refused by policy.

No command prints an unmasked value, but for `explain --show-raw` on a terminal. Colours only on
terminals; NO_COLOR switches them off.";

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
    /// Tail, mask and ship until a signal comes.
    Run(run::Args),
    /// Check a configuration without starting anything.
    Check(check::Args),
    /// Ask the running agent to read its rules again, and say what became of it.
    Reload(reload::Args),
    /// Watch the agent work on a sample log; needs no account and no configuration.
    Demo(demo::Args),
    /// Clean standard input to standard output with the built-in rules.
    Redact(redact::Args),
    /// Receive logs as Datadog's intake would, more strictly, and show what arrives.
    Intake(intake::Args),
    /// Make, list and destroy the keys of tokens.
    Key(key::Args),
    /// Show the tokens of a value in all living epochs.
    Token(token::Args),
    /// Show the search that finds a value's records.
    Query(token::Args),
    /// Ask the site where records land and for how long they are kept.
    Retention(retention::Args),
    /// List and show waiting batches, and retry what was refused.
    Spool(spool::Args),
    /// Explain what is masked in a text and why, or an error code.
    Explain(explain::Args),
    /// Count what the rules find in files, with masked samples; nothing leaves the host.
    Scan(scan::Args),
    /// Compare two rule sets over the same lines; 1 when something would become visible.
    Diff(diff::Args),
    /// Measure rules over given lines, and count how often each is asked, proposes and masks.
    Bench(bench::Args),
    /// List, show, test, lint, draft and promote rules.
    Rules(rules::Args),
    /// Make schemas for editors, manual pages and shell completions.
    Gen(r#gen::Args),
}

impl Command {
    /// Runs the command to its exit code.
    pub fn run(self) -> ExitCode {
        match self {
            Command::Run(args) => run::run(args),
            Command::Check(args) => check::run(args),
            Command::Reload(args) => reload::run(args),
            Command::Spool(args) => spool::run(args),
            Command::Explain(args) => explain::run(args),
            Command::Demo(args) => demo::run(args),
            Command::Redact(args) => redact::run(args),
            Command::Intake(args) => intake::run(args),
            Command::Key(args) => key::run(args),
            Command::Token(args) => token::run(args),
            Command::Query(args) => token::run_query(args),
            Command::Retention(args) => retention::run(args),
            Command::Scan(args) => scan::run(args),
            Command::Diff(args) => diff::run(args),
            Command::Gen(args) => r#gen::run(args, <Cli as clap::CommandFactory>::command()),
            Command::Bench(args) => bench::run(args),
            Command::Rules(args) => rules::run(args),
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
