//! A configuration held against this machine: key file, CA file, patterns, state directory, user. Reads
//! metadata only; creates and changes nothing. What does not depend on it is examined beside other mistakes, so that
//! all are told in one run.

use super::check::STATE_DIR;
use super::schema::{At, Output, Written};
use super::secret::SecretRef;
use super::settings::Config;
use super::system::Kind;
use crate::agent;
use crate::keyring::Keyring;
use crate::regular_file;
use crate::source::discover::Finder;
use crate::strict_yaml::Problems;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What was found on this machine, a line a source.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Findings {
    /// Name of the source and number of files that match now.
    pub files: Vec<(String, usize)>,
    /// Runs as root.
    pub root: bool,
}

/// Examines the host; without settings only what the text alone names. Mistakes and warnings go to `problems` at the
/// place that names the thing.
pub fn examine(
    config: Option<&Config>,
    written: &Written,
    var: &dyn Fn(&str) -> Option<String>,
    problems: &Problems<'_>,
) -> Findings {
    if let Some(Output::Datadog(datadog)) = &written.output {
        if let Some(at) = &datadog.api_key {
            examine_secret(at, var, problems);
        }
        // Of a path that is not absolute that is said already.
        if let Some(at) = datadog.ca_file.as_ref().filter(|at| Path::new(&at.value).is_absolute())
            && let Err(error) = regular_file::open(Path::new(&at.value))
        {
            problems.error(&at.span, format!("cannot read the CA file: {error}"));
        }
    }
    if let Some(config) = config {
        examine_key(config, written, problems);
        if let Some(at) = &written.keyring {
            examine_keyring(at, config, problems);
        }
    }
    let state_dir = written.state_dir.as_ref().map_or(Path::new(STATE_DIR), |at| Path::new(&at.value));
    examine_state_dir(state_dir, written, problems);
    let files = examine_sources(state_dir, written, problems);
    let root = rustix::process::geteuid().is_root();
    if root {
        let help = "run it as a user of its own; the package's unit does";
        problems.warning(&(0..0), "logveil runs as root", help);
    }
    Findings { files, root }
}

/// A secret's file must be readable by us and should be by nobody else.
fn examine_secret(at: &At<String>, var: &dyn Fn(&str) -> Option<String>, problems: &Problems<'_>) {
    let Ok(Some(path)) = SecretRef::parse(&at.value).and_then(|reference| reference.path(var)) else { return };
    match regular_file::open(&path).and_then(|file| file.metadata()) {
        Err(error) => problems.error(&at.span, format!("cannot read {}: {error}", path.display())),
        Ok(meta) if meta.mode() & 0o007 != 0 => {
            let help = format!("chmod 0400 {}", path.display());
            problems.warning(
                &at.span,
                format!("others can read this secret (mode {:04o})", meta.mode() & 0o7777),
                help,
            );
        }
        Ok(_) => {}
    }
}

/// Keys of another region, open to others or not whole are mistakes. Without a key of now the agent runs, with
/// labels, so that is only a warning here.
fn examine_keyring(at: &At<String>, config: &Config, problems: &Problems<'_>) {
    let Some(tokens) = &config.agent.tokens else { return };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    match Keyring::load_for(&tokens.path, tokens.region) {
        Err(error) => problems.error(&at.span, error.to_string()),
        Ok(ring) => {
            if let Err(error) = ring.active(now) {
                problems.warning(&at.span, error.to_string(), "until then identities become labels, not tokens");
            }
            for key in ring.overdue(now) {
                let help = "run: logveil key destroy --overdue";
                let message = format!("the key of epoch {} should have been destroyed", key.epoch);
                problems.warning(&at.span, message, help);
            }
        }
    }
}

fn examine_key(config: &Config, written: &Written, problems: &Problems<'_>) {
    if let (agent::Output::Datadog(settings), Some(Output::Datadog(datadog))) = (&config.agent.output, &written.output)
        && let Some(at) = &datadog.api_key
        && let Err(error) = settings.key.read()
        // A file that cannot be opened was already reported.
        && error.kind() == std::io::ErrorKind::InvalidData
    {
        problems.error_with_help(&at.span, error.to_string(), "expected one line with the key");
    }
}

/// The directory may be missing (it is created), but must not be somebody else's or open to others.
fn examine_state_dir(path: &Path, written: &Written, problems: &Problems<'_>) {
    if !path.is_absolute() {
        return;
    }
    let span = written.state_dir.as_ref().map_or(0..0, |at| at.span.clone());
    let Ok(meta) = std::fs::symlink_metadata(path) else {
        return examine_parent(path, &span, problems);
    };
    let shown = path.display();
    if meta.is_symlink() || !meta.is_dir() {
        problems.error_with_help(&span, format!("state_dir {shown} is no directory"), "links are not followed");
    } else if meta.uid() != rustix::process::geteuid().as_raw() {
        let help = "it must belong to the user that runs logveil";
        problems.error_with_help(&span, format!("state_dir {shown} belongs to user {}", meta.uid()), help);
    } else if meta.mode() & 0o022 != 0 {
        let help = format!("look what others put there, then chmod 0700 {shown}");
        problems.error_with_help(&span, format!("state_dir {shown} can be written by others"), help);
    } else if meta.mode() & 0o077 != 0 {
        problems.warning(&span, format!("state_dir {shown} can be read by others"), "it is set to 0700 at start");
    }
}

fn examine_parent(path: &Path, span: &std::ops::Range<usize>, problems: &Problems<'_>) {
    let existing = path.ancestors().skip(1).find(|folder| folder.exists());
    let writable = existing.is_some_and(|folder| {
        rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
    });
    if !writable {
        let help = "create it, owned by the user that runs logveil, mode 0700";
        problems.error_with_help(
            span,
            format!("state_dir {} does not exist and cannot be created", path.display()),
            help,
        );
    }
}

fn examine_sources(state_dir: &Path, written: &Written, problems: &Problems<'_>) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for source in written.sources.iter().filter(|source| matches!(source.reading.kind, Kind::File)) {
        let exclude: Vec<String> = source.exclude.iter().map(|at| at.value.clone()).collect();
        let mut all = 0;
        for pattern in source.include.iter().filter(|pattern| pattern.value.starts_with('/')) {
            let finder = Finder::new(std::slice::from_ref(&pattern.value), &exclude, state_dir);
            let files = finder.map_or(0, |finder| finder.list().files.len());
            if files == 0 {
                let help = "it is watched; files that appear later are read";
                problems.warning(&pattern.span, "nothing matches now", help);
            }
            all += files;
        }
        found.push((source.name.value.clone(), all));
    }
    found
}
