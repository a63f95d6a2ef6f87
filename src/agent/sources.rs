//! Builds the configured sources, each with the places where it goes on.

use super::error::{AgentError, failed};
use super::settings::{Settings, SourceKind, SourceSettings};
use crate::record::StreamId;
use crate::source::assembled::Assembled;
use crate::source::file::{self, FileSource, Saved};
use crate::source::journald::entry::Own;
use crate::source::journald::{self, Journal};
use crate::source::stdin::Stdin;
use crate::source::stream_ids::StreamIds;
use crate::source::syslog::{self, Syslog};
use crate::source::{Durable, Source};
use crate::spool::Recovered;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

/// How names of files of identities begin.
const REGISTRY: &str = "streams-";

/// What all sources are built from.
struct Builder<'a> {
    state: &'a Path,
    host_key: &'a [u8; 32],
    saved: HashMap<StreamId, Saved>,
    durable: &'a Durable,
    /// Files of identities whose sources are configured no more.
    abandoned: Vec<String>,
}

/// All sources with their names.
pub(super) fn build(
    settings: &Settings,
    state: &Path,
    host_key: &[u8; 32],
    recovered: &Recovered,
    durable: &Durable,
) -> Result<Vec<(String, Box<dyn Source>)>, AgentError> {
    let mut saved = HashMap::new();
    for (stream, place) in recovered.ledger.places() {
        durable.advance(stream, place.position);
        let (position, resume, gaps) = (place.position, place.resume.clone(), place.gaps.clone());
        saved.insert(stream, Saved { position, resume, gaps });
    }
    let abandoned = abandoned(settings, state);
    let builder = Builder { state, host_key, saved, durable, abandoned };
    let numbered = settings.sources.iter().enumerate();
    numbered.map(|(number, source)| Ok((source.name.clone(), builder.source(number, source)?))).collect()
}

/// Names of files of identities that no source of the configuration has.
fn abandoned(settings: &Settings, state: &Path) -> Vec<String> {
    let own: HashSet<String> = settings.sources.iter().map(|source| registry(&source.name)).collect();
    let names = std::fs::read_dir(state).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(REGISTRY) && name.ends_with(".json") && !own.contains(name)).collect()
}

/// Name of a source's file of identities.
fn registry(source: &str) -> String {
    format!("{REGISTRY}{}.json", blake3::hash(source.as_bytes()).to_hex().split_at(16).0)
}

impl Builder<'_> {
    fn source(&self, number: usize, source: &SourceSettings) -> Result<Box<dyn Source>, AgentError> {
        let ids = |kind| StreamIds::new(self.host_key, kind, &source.name);
        let built: Box<dyn Source> = match &source.kind {
            SourceKind::File(files) => Box::new(self.files(number, &source.name, files)?),
            SourceKind::Journald(settings) => {
                let (settings, ids) = (settings.clone(), ids("journald"));
                let saved = self.saved.get(&ids.only()).cloned();
                Box::new(Journal::new(journald::Parts { settings, ids, source: number, saved, own: Own::this() }))
            }
            SourceKind::Syslog(settings) => {
                let (settings, ids) = (settings.clone(), ids("syslog"));
                let (saved, durable) = (self.saved.keys().copied().collect(), self.durable.clone());
                Box::new(Syslog::new(syslog::Parts { settings, ids, source: number, saved, durable }))
            }
            SourceKind::Stdin => {
                // Not through the standard library's own buffer, which polling could not see.
                let input = std::io::stdin().as_fd().try_clone_to_owned();
                let input = input.map_err(|error| failed("use standard input", error))?;
                Box::new(Stdin::new(File::from(input), ids("stdin"), number))
            }
        };
        match source.records.is_plain() {
            true => Ok(built),
            false => Ok(Box::new(Assembled::new(built, source.records.clone(), self.host_key))),
        }
    }

    fn files(&self, number: usize, name: &str, settings: &file::Settings) -> Result<FileSource, AgentError> {
        let registry = registry(name);
        let parts = file::Parts {
            settings,
            source: number,
            state: self.state,
            registry: &registry,
            abandoned: &self.abandoned,
            host_key: self.host_key,
            saved: self.saved.clone(),
            durable: self.durable.clone(),
        };
        FileSource::open(parts).map_err(|error| failed(&format!("open the source {name}"), error))
    }
}
