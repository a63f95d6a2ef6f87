//! The door: hands the process's arguments to [`logveil::cli`] and turns its verdict into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    logveil::cli::main()
}
