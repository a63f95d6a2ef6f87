//! `logveil gen`: what packages and editors need, made from the program itself: JSON Schemas of
//! configuration and rule files, manual pages, shell completions.

use super::exit;
use crate::config;
use crate::redact::rule_file;
use clap_complete::Shell;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Make schemas for editors, manual pages and shell completions.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Print the JSON Schema of rule files or of the configuration.
    Schema {
        /// Of what.
        #[arg(value_enum, default_value = "rules")]
        of: Of,
    },
    /// Write a manual page for every command.
    Man {
        /// Folder to write to; made when missing.
        dir: PathBuf,
    },
    /// Write completions for bash, zsh and fish.
    Completions {
        /// Folder to write to; made when missing.
        dir: PathBuf,
    },
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Of {
    /// Rule files.
    Rules,
    /// The configuration.
    Config,
}

/// Makes it of the command line `cli`; 4 when the folder cannot be written.
pub fn run(args: Args, cli: clap::Command) -> ExitCode {
    let done = match &args.what {
        What::Schema { of } => print_schema(*of),
        What::Man { dir } => man(dir, cli),
        What::Completions { dir } => completions(dir, cli),
    };
    match (done, args.what) {
        (Ok(()), _) => ExitCode::SUCCESS,
        (Err(error), What::Schema { .. }) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        (Err(error), What::Schema { .. }) => exit::fail(exit::UNREACHABLE, format_args!("cannot write: {error}")),
        (Err(error), What::Man { dir } | What::Completions { dir }) => {
            exit::fail(exit::UNREACHABLE, format_args!("cannot write into {}: {error}", dir.display()))
        }
    }
}

fn print_schema(of: Of) -> io::Result<()> {
    let schema = match of {
        Of::Rules => rule_file::json_schema(),
        Of::Config => config::json_schema(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(io::Error::other)?;
    writeln!(anstream::stdout(), "{text}")
}

fn man(dir: &Path, cli: clap::Command) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(cli, dir)
}

fn completions(dir: &Path, mut cli: clap::Command) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut cli, "logveil", dir)?;
    }
    Ok(())
}
