//! What `logveil check` says of each source: files that match, the journal tried out, sockets examined. A source
//! that cannot be read does not stop an agent, so it is no error of the configuration but a failed check.

use crate::agent::{Settings, SourceKind};
use crate::config::Loaded;
use crate::source::syslog::{self, listener};
use crate::source::{journald, syslog::Listen};
use crate::spool::inspect;

/// How a line of the table ends.
pub(super) enum Verdict {
    /// It is as it should be.
    Ok,
    /// It was not looked at; why.
    Skipped(&'static str),
    /// It is not; why, and what to do.
    Failed(String),
}

/// One line of the table for each thing that is read.
pub(super) fn examine(loaded: &Loaded, settings: &Settings, offline: bool) -> Vec<(String, Verdict)> {
    let ours = !offline && inspect::is_in_use(&settings.state_dir);
    let mut lines = Vec::new();
    for source in &settings.sources {
        let name = &source.name;
        match &source.kind {
            SourceKind::File(_) => lines.push(files(loaded, name)),
            SourceKind::Stdin => lines.push((format!("{name}: standard input"), Verdict::Ok)),
            SourceKind::Journald(settings) => {
                let verdict = match offline {
                    true => Verdict::Skipped("journalctl not run: --offline"),
                    false => journald::child::try_out(settings).map_or_else(Verdict::Failed, |()| Verdict::Ok),
                };
                lines.push((format!("{name}: journal by {}", settings.journalctl.display()), verdict));
            }
            SourceKind::Syslog(settings) => {
                let line = |listen| (format!("{name}: {listen}"), socket(settings, listen, offline, ours));
                lines.extend(settings.listen.iter().map(line));
            }
        }
    }
    lines
}

fn files(loaded: &Loaded, name: &str) -> (String, Verdict) {
    let host = loaded.host.as_ref();
    match host.and_then(|host| host.files.iter().find(|(source, _)| source == name)) {
        Some((_, count)) => (format!("{name}: {count} files"), Verdict::Ok),
        None => (name.to_owned(), Verdict::Skipped("files not looked at")),
    }
}

fn socket(settings: &syslog::Settings, listen: &Listen, offline: bool, ours: bool) -> Verdict {
    if offline {
        return Verdict::Skipped("socket not looked at: --offline");
    }
    if let (Listen::Tls(_), Some(files)) = (listen, &settings.tls)
        && let Err(error) = syslog::tls::server(files)
    {
        return Verdict::Failed(error.to_string());
    }
    match listen.examine() {
        Ok(()) => Verdict::Ok,
        Err(error) if ours && error.kind() == std::io::ErrorKind::AddrInUse => {
            Verdict::Skipped("in use: an agent runs with this state directory")
        }
        Err(error) => Verdict::Failed(format!("{error}; {}", listener::advice(&error))),
    }
}
