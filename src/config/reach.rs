//! Which paths a configuration speaks of, whatever they are for: what the running agent may read.
//!
//! Every text of the file that begins with a slash counts, and so does one behind a scheme (`file:/…`,
//! `unix:///…`): an option that is added later is not forgotten here.

use super::{Config, Loaded};
use crate::agent::settings::SourceKind;
use crate::strict_yaml::{self, Node, Problems, Value};
use std::path::PathBuf;

/// Where the journal lies unless the configuration says otherwise.
const JOURNAL: [&str; 2] = ["/var/log/journal", "/run/log/journal"];
/// Variables that name certificates or secrets.
const VARIABLES: [&str; 3] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "CREDENTIALS_DIRECTORY"];

/// The paths, patterns as they are written.
pub fn paths(loaded: &Loaded, config: &Config) -> Vec<PathBuf> {
    let mut paths = vec![std::path::absolute(&loaded.path).unwrap_or_else(|_| loaded.path.clone())];
    if let Some(root) = strict_yaml::parse(&loaded.text, &Problems::new("", &loaded.text)) {
        gather(&root, &mut paths);
    }
    // Also those that stand for what was not written.
    for source in &config.agent.sources {
        match &source.kind {
            SourceKind::File(files) => paths.extend(files.include.iter().map(PathBuf::from)),
            SourceKind::Journald(journal) => {
                paths.extend(JOURNAL.map(PathBuf::from));
                paths.extend(Some(journal.journalctl.clone()).filter(|program| program.is_absolute()));
            }
            SourceKind::Syslog(_) | SourceKind::Stdin => {}
        }
    }
    paths.extend(VARIABLES.iter().filter_map(std::env::var_os).map(PathBuf::from).filter(|path| path.is_absolute()));
    paths
}

fn gather(node: &Node, paths: &mut Vec<PathBuf>) {
    match &node.value {
        Value::Scalar { text, .. } => {
            let behind = text.split_once(':').map_or(text.as_str(), |(_, behind)| behind.trim_start_matches("//"));
            paths.extend([text.as_str(), behind].into_iter().find(|text| text.starts_with('/')).map(PathBuf::from));
        }
        Value::List(nodes) => nodes.iter().for_each(|node| gather(node, paths)),
        Value::Map(entries) => entries.iter().for_each(|entry| gather(&entry.value, paths)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_a_file_is_found() {
        let text = "a: /one/*.log\nb: [file:/two/key, 'unix:///three/log', 'tcp://127.0.0.1:1', relative/x, 5]\nc: {d: {e: '/four'}}\n";
        let mut paths = Vec::new();
        gather(&strict_yaml::parse(text, &Problems::new("", text)).unwrap(), &mut paths);
        assert_eq!(paths, ["/one/*.log", "/two/key", "/three/log", "/four"].map(PathBuf::from));
    }
}
