//! The door: hands the process's arguments to [`logveil::cli`] and turns its verdict into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Tests choose by `FAILPOINTS` at which durable step the process hangs and is killed.
    // Outside of tests there are none.
    let _scenario = fail::has_failpoints().then(fail::FailScenario::setup);
    logveil::cli::main()
}
