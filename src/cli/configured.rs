//! What `run` and `check` share: finding the configuration, loading it, showing every problem.

use super::exit;
use crate::config::rules::{Mistake, RulesError};
use crate::config::{self, Depth, Loaded};
use crate::redact::RuleSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// The argument that names a configuration.
#[derive(clap::Args, Default, Debug)]
pub struct ConfigFile {
    /// Configuration; without it $LOGVEIL_CONFIG, then /etc/logveil/logveil.yaml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// The configuration at `path`.
    pub fn named(path: PathBuf) -> ConfigFile {
        ConfigFile { config: Some(path) }
    }

    /// Loads the file and shows its problems on standard error. The exit code is that of an unusable file.
    pub fn load(&self, depth: Depth) -> Result<Loaded, ExitCode> {
        let loaded = self.read(depth)?;
        show_problems(&loaded);
        if loaded.config.is_some() {
            return Ok(loaded);
        }
        let mistakes = rule_mistakes(&loaded);
        if !mistakes.is_empty() {
            show_mistakes(&RulesError(mistakes.clone()));
        }
        let (code, page) = unusable(&loaded, &mistakes);
        let (errors, warnings) = (loaded.errors(), loaded.warnings());
        let path = loaded.path.display();
        let told = format!("[{page}] {errors} errors, {warnings} warnings in {path}; logveil explain {page}");
        Err(exit::fail(code, told))
    }

    /// Reads the file; its problems are not shown. The exit code is that of a file that cannot be read.
    pub fn read(&self, depth: Depth) -> Result<Loaded, ExitCode> {
        let path = config::locate(self.config.as_deref());
        config::load(&path, depth).map_err(|error| {
            let message = format!("[LV0101] cannot read the configuration {}: {error}", path.display());
            exit::fail(exit::INVALID, message)
        })
    }
}

/// What is wrong with the rules of a configuration with errors.
pub fn rule_mistakes(loaded: &Loaded) -> Vec<Mistake> {
    loaded.redaction.as_ref().map(config::rules::mistakes).unwrap_or_default()
}

/// Exit code and page of a configuration with errors, and with these mistakes of its rules.
pub fn unusable(loaded: &Loaded, mistakes: &[Mistake]) -> (u8, &'static str) {
    match (loaded.errors() == loaded.refusals, mistakes.is_empty()) {
        (true, true) => (exit::POLICY, "LV0204"),
        (true, false) => (exit::INVALID, "LV0204"),
        (false, _) => (exit::INVALID, "LV0203"),
    }
}

/// Compiles the rules of a configuration; every mistake is shown.
pub fn rules(config: &config::Config) -> Result<Arc<RuleSet>, ExitCode> {
    config::rules::compile(&config.redaction).map_err(|error| show_mistakes(&error))
}

/// Shows every mistake of rules that do not load, and gives the exit code.
pub fn show_mistakes(error: &RulesError) -> ExitCode {
    let mut out = anstream::stderr().lock();
    for mistake in &error.0 {
        let _ = writeln!(out, "{}\n", mistake.shown);
    }
    drop(out);
    exit::fail(exit::INVALID, format!("[LV0301] rules do not load, {} mistakes; logveil explain LV0301", error.0.len()))
}

fn show_problems(loaded: &Loaded) {
    let mut out = anstream::stderr().lock();
    for problem in &loaded.problems {
        let _ = writeln!(out, "{}\n", problem.render(&loaded.text, true));
    }
}
