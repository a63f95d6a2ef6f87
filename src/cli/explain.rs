//! `logveil explain`: the page of an error code, offline.

use super::exit;
use crate::telemetry::errors;
use std::io::Write;
use std::process::ExitCode;

/// Explain an error code.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A code such as LV0203; without it the list of codes.
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// Prints the page; 2 when there is no such code.
pub fn run(args: Args) -> ExitCode {
    let mut out = anstream::stdout().lock();
    match args.code {
        None => {
            for page in errors::pages() {
                let _ = writeln!(out, "{}", page.lines().next().unwrap_or_default().trim_start_matches("## "));
            }
            ExitCode::SUCCESS
        }
        Some(code) => match errors::page(&code) {
            Some(page) => {
                let _ = writeln!(out, "{}", page.trim_start_matches("## "));
                ExitCode::SUCCESS
            }
            None => exit::fail(exit::USAGE, format_args!("there is no code '{code}'; logveil explain lists them")),
        },
    }
}
