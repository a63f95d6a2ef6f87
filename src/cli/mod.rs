//! Arguments, exit codes and everything a person sees; one file a command.

pub mod intake;
pub mod key;
mod keyring_file;
pub mod redact;
pub mod token;

use std::process::ExitCode;

/// Parses the process's arguments, runs the command and returns its exit code.
pub fn main() -> ExitCode {
    let mut redactor = crate::redact::Redactor::new(crate::redact::RuleSet::builtin());
    match redact::pump(&mut redactor, &mut std::io::stdin().lock(), &mut std::io::stdout().lock()) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
