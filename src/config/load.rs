//! One file from disk to settings, all mistakes in one run.

use super::check::{Checker, Surroundings};
use super::host::{self, Findings};
use super::schema;
use super::settings::{Config, Redaction};
use crate::regular_file;
use crate::strict_yaml::{self, Problem, Problems, Severity};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Read when neither an argument nor `LOGVEIL_CONFIG` names a file.
pub const DEFAULT_PATH: &str = "/etc/logveil/logveil.yaml";
/// Longest configuration, bytes.
const MAX_FILE: u64 = 1 << 20;

/// How far a configuration is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// The text alone.
    Text,
    /// Also files, folders, secrets and the user of this machine.
    Host,
}

/// What became of a file.
pub struct Loaded {
    /// The file as named.
    pub path: PathBuf,
    /// Its text, for showing places.
    pub text: String,
    /// Everything found wrong, in the order of the text.
    pub problems: Vec<Problem>,
    /// Errors among them that are refusals of a policy.
    pub refusals: usize,
    /// The settings, unless there was an error.
    pub config: Option<Config>,
    /// The rules it asks for, so that their mistakes are told beside those of the settings.
    pub redaction: Option<Redaction>,
    /// What was found on this machine; none at [`Depth::Text`].
    pub host: Option<Findings>,
}

impl Loaded {
    /// Number of errors.
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// Number of warnings.
    pub fn warnings(&self) -> usize {
        self.problems.len() - self.errors()
    }
}

/// Which file to read: the argument, `LOGVEIL_CONFIG`, the default.
pub fn locate(argument: Option<&Path>) -> PathBuf {
    match (argument, std::env::var_os("LOGVEIL_CONFIG").filter(|value| !value.is_empty())) {
        (Some(path), _) => path.to_owned(),
        (None, Some(path)) => PathBuf::from(path),
        (None, None) => PathBuf::from(DEFAULT_PATH),
    }
}

/// Loads the file at `path`.
///
/// # Errors
/// The file cannot be read, is no regular file, is longer than 1 MiB or is not UTF-8. What is wrong inside it stands in
/// [`Loaded::problems`].
pub fn load(path: &Path, depth: Depth) -> io::Result<Loaded> {
    let mut bytes = Vec::new();
    regular_file::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "longer than 1 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is no UTF-8 text"))
    })?;
    let var = |name: &str| std::env::var(name).ok();
    let around = Surroundings { var: &var, hostname: hostname(), resolve: depth == Depth::Host };
    Ok(load_text(path, text, &around))
}

/// Loads `text` as if it stood at `path`.
pub fn load_text(path: &Path, text: String, around: &Surroundings<'_>) -> Loaded {
    let problems = Problems::new(&path.display().to_string(), &text);
    let checker = Checker::new(around, &problems);
    let root = strict_yaml::parse(&text, &problems);
    if root.is_none() && !problems.any_error() {
        problems.error_with_help(&(0..0), "the file is empty", "it needs version, region, sources and output");
    }
    let written = root.and_then(|root| schema::read(&root, &problems));
    let redaction = written.as_ref().map(|written| checker.redaction(written));
    let config = written.as_ref().zip(redaction.as_ref());
    let config = config.and_then(|(written, redaction)| checker.check(written, redaction));
    let host = written.as_ref().filter(|_| around.resolve);
    let host = host.map(|written| host::examine(config.as_ref(), written, around.var, &problems));
    let refusals = checker.refusals();
    let failed = problems.any_error();
    let problems = problems.into_list();
    Loaded { path: path.to_owned(), text, problems, refusals, config: config.filter(|_| !failed), redaction, host }
}

/// This host's name as the kernel knows it.
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
