//! The floors, kept by a test: imports go downwards, on one floor only along the edges named here, without
//! cycles; the pure floor touches nothing of the outside; files stay readable; texts name no machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Floor of each top-level module.
const FLOORS: &[(u8, &[&str])] = &[
    (0, &["redact", "batch", "token", "retention", "record", "tally", "strict_yaml"]),
    (
        1,
        &[
            "source",
            "spool",
            "sink",
            "keyring",
            "intake",
            "rules_dir",
            "regular_file",
            "durable",
            "hardening",
            "telemetry",
        ],
    ),
    (2, &["config", "agent", "admin"]),
    (3, &["cli"]),
];

/// Allowed imports between modules of one floor: who, whom, why.
const SAME_FLOOR: &[(&str, &str, &str)] = &[
    ("batch", "record", "positions and ids stand in records"),
    ("batch", "redact", "only redacted text enters a batch"),
    ("batch", "token", "tokens are listed in a record"),
    ("redact", "record", "fingerprints"),
    ("redact", "token", "identity classes become tokens"),
    ("redact", "strict_yaml", "rule files are YAML"),
    ("retention", "record", "positions"),
    ("spool", "durable", "files are replaced durably"),
    ("source", "durable", "marks of files are replaced durably"),
    ("source", "spool", "where a stream resumes stands in the spool"),
    ("rules_dir", "regular_file", "opening must not wait"),
    ("sink", "regular_file", "opening must not wait"),
    ("keyring", "durable", "keyrings are replaced durably"),
    ("keyring", "regular_file", "opening must not wait"),
    ("sink", "durable", "dead letters are written durably"),
    ("config", "agent", "the checked settings are the agent's"),
    ("admin", "agent", "counters of the agent"),
];

/// What the pure floor must not touch.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::process",
    "std::env",
    "Instant::now",
    "SystemTime::now",
    "tracing::",
    "tokio::",
    "reqwest::",
    "static mut ",
];

/// Longest file without its tests, lines.
const LONGEST: usize = 500;
/// Types of bytes that may be printed: none of them holds raw text.
const PRINTABLE: &[(&str, &str)] = &[
    ("redact/carrier/labels.rs", "labels of the rules"),
    ("redact/carrier/quoted.rs", "a closing quote"),
    ("source/file/parts.rs", "a position"),
];
/// Words that a file's name must not be.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helpers", "types", "misc"];

struct Source {
    /// Relative to `src`, such as `redact/view/mod.rs`.
    path: String,
    /// Without tests, comments and text in quotes.
    code: String,
    /// Lines before the tests.
    lines: usize,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut paths = Vec::new();
    files(&src, "rs", &mut paths);
    let sources: Vec<Source> = paths
        .iter()
        .map(|path| (path.strip_prefix(&src).expect("under src").display().to_string(), path))
        .filter(|(name, _)| !is_test_file(name))
        .map(|(name, path)| {
            let text = fs::read_to_string(path).expect("text");
            let body: String = text.lines().take_while(|l| !opens_tests(l)).map(|l| format!("{l}\n")).collect();
            Source { path: name, lines: body.lines().count(), code: without_comments(&body) }
        })
        .collect();
    assert!(sources.len() > 60, "the walk found the program");
    sources
}

/// Files that hold tests, fuzz bodies or properties only.
fn is_test_file(name: &str) -> bool {
    let stem = name.trim_end_matches(".rs");
    stem.split('/').any(|part| part == "tests" || part == "properties" || part.ends_with("_tests"))
}

fn opens_tests(line: &str) -> bool {
    line.starts_with("mod tests {") || line.starts_with("pub(crate) mod tests {")
}

fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code))
        .fold(String::new(), |all, line| all + line + "\n")
}

fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or_default()
}

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, names)| names.contains(&module)).map(|(floor, _)| *floor)
}

/// Every path behind `crate::` in the code, as far as it names modules; groups are opened.
fn imports(code: &str) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let before = code[..at].chars().next_back();
        if !before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            expand(&[], rest, &mut found);
        }
    }
    found
}

/// Reads `a::b::{c, d::E}` from the beginning of `rest`; returns how much was read.
fn expand(before: &[String], rest: &str, found: &mut BTreeSet<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    let mut at = 0;
    loop {
        let name: String = rest[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        at += name.len();
        if !name.is_empty() {
            path.push(name);
        }
        let opener = if path.is_empty() { "{" } else { "::{" };
        if rest[at..].starts_with(opener) {
            at += opener.len();
            loop {
                at += rest[at..].len() - rest[at..].trim_start_matches([' ', '\n', ',']).len();
                if rest[at..].starts_with('}') || rest[at..].is_empty() {
                    return (at + 1).min(rest.len());
                }
                let read = expand(&path, &rest[at..], found);
                at += read.max(rest[at..].chars().next().map_or(1, char::len_utf8));
            }
        }
        if rest[at..].starts_with("::") {
            at += 2;
            continue;
        }
        if !path.is_empty() {
            found.insert(path);
        }
        return at;
    }
}

#[test]
fn imports_go_downwards() {
    let mut wrong = Vec::new();
    for source in sources() {
        let from = module(&source.path);
        if matches!(from, "lib" | "main") {
            continue;
        }
        let Some(own) = floor(from) else {
            wrong.push(format!("{}: '{from}' stands on no floor; add it to the table", source.path));
            continue;
        };
        for path in imports(&source.code) {
            let to = path[0].as_str();
            let Some(other) = floor(to) else { continue };
            let allowed = other < own
                || to == from
                || (other == own && SAME_FLOOR.iter().any(|(a, b, _)| (*a, *b) == (from, to)));
            if !allowed {
                wrong.push(format!("{} (floor {own}) imports {to} (floor {other})", source.path));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_named_edge_is_between_neighbours() {
    for (from, to, _) in SAME_FLOOR {
        assert!(floor(from).is_some() && floor(from) == floor(to), "{from} -> {to}");
    }
    let edges = SAME_FLOOR.iter().map(|(a, b, _)| ((*a).to_owned(), (*b).to_owned()));
    assert_eq!(cycle(&edges.collect()), None);
}

#[test]
fn files_of_a_folder_form_no_cycle() {
    let sources = sources();
    let mut folders: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for source in &sources {
        let Some((folder, file)) = source.path.rsplit_once('/') else { continue };
        let from = file.trim_end_matches(".rs");
        // A folder's story names its files; they do not depend on it.
        if from == "mod" {
            continue;
        }
        let sibling = |name: &str| {
            let (file, inner) = (format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs"));
            sources.iter().any(|other| other.path == file || other.path == inner)
        };
        let inside = folder.split('/').map(str::to_owned).collect::<Vec<_>>();
        let absolute = imports(&source.code)
            .into_iter()
            .filter_map(|path| path.strip_prefix(inside.as_slice()).and_then(|rest| rest.first()).cloned());
        let relative = source.code.replace("pub(super)", "").replace("in super", "");
        let relative = relative.match_indices("super::").flat_map(|(at, _)| {
            let mut found = BTreeSet::new();
            if !relative[..at].ends_with("super::") && !relative[at + 7..].starts_with("super") {
                expand(&[], &relative[at + 7..], &mut found);
            }
            found.into_iter().filter_map(|path| path.first().cloned())
        });
        let edges = folders.entry(folder.to_owned()).or_default();
        for to in absolute.chain(relative.collect::<Vec<_>>()).filter(|to| to != from && sibling(to)) {
            edges.insert((from.to_owned(), to));
        }
    }
    assert!(folders.values().map(BTreeSet::len).sum::<usize>() > 40, "edges were found");
    let cycles: Vec<_> =
        folders.iter().filter_map(|(folder, edges)| cycle(edges).map(|way| format!("{folder}: {way}"))).collect();
    assert!(cycles.is_empty(), "{}", cycles.join("\n"));
}

/// A way that comes back to its beginning.
fn cycle(edges: &BTreeSet<(String, String)>) -> Option<String> {
    fn walk<'e>(edges: &'e BTreeSet<(String, String)>, at: &'e str, way: &mut Vec<&'e str>) -> Option<String> {
        if let Some(start) = way.iter().position(|seen| *seen == at) {
            return Some(format!("{} -> {at}", way[start..].join(" -> ")));
        }
        way.push(at);
        let found = edges.iter().filter(|(from, _)| from == at).find_map(|(_, to)| walk(edges, to, way));
        way.pop();
        found
    }
    edges.iter().find_map(|(from, _)| walk(edges, from, &mut Vec::new()))
}

#[test]
fn the_pure_floor_touches_nothing_outside() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| floor(module(&source.path)) == Some(0)) {
        for word in IMPURE.iter().filter(|word| source.code.contains(**word)) {
            wrong.push(format!("{}: {word}", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn raw_text_is_not_printed() {
    let raw = |folder: &str| ["source", "redact"].contains(&folder);
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| raw(module(&source.path))) {
        // From one derive of `Debug` to the brace that closes its type.
        for part in source
            .code
            .split("#[derive(")
            .skip(1)
            .filter(|part| part.split(')').next().is_some_and(|list| list.contains("Debug")))
        {
            let body = part.split("\n}").next().unwrap_or_default();
            let body = &body[..body.find(";\n").unwrap_or(body.len())];
            let bytes = ["Vec<u8>", "[u8]"].iter().any(|bytes| body.contains(bytes));
            if bytes && !PRINTABLE.iter().any(|(path, _)| *path == source.path) {
                wrong.push(format!(
                    "{}: {}",
                    source.path,
                    body.lines().find(|l| l.contains("struct") || l.contains("enum")).unwrap_or_default()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "bytes that Debug would print:\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_readable() {
    let mut wrong = Vec::new();
    for source in sources() {
        let stem = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        if source.lines > LONGEST {
            wrong.push(format!("{}: {} lines; at most {LONGEST}", source.path, source.lines));
        }
        if EMPTY_NAMES.contains(&stem.as_str()) {
            wrong.push(format!("{}: the name says nothing", source.path));
        }
        let text = fs::read_to_string(root().join("src").join(&source.path)).expect("text");
        if !text.starts_with("//!") {
            wrong.push(format!("{}: does not say what it is for", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn texts_name_no_machine() {
    let mut paths = Vec::new();
    for (folder, ending) in
        [("src", "rs"), ("tests", "rs"), ("rules", "yaml"), ("rules", "md"), ("docs", "md"), ("packaging", "yaml")]
    {
        if root().join(folder).is_dir() {
            files(&root().join(folder), ending, &mut paths);
        }
    }
    paths.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)));
    // Written in two parts, so that this file does not hold them.
    let forbidden: Vec<String> =
        [("/work", "/"), ("/bui", "ld/"), ("/ro", "ot/")].iter().map(|(a, b)| format!("{a}{b}")).collect();
    let mut wrong = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (number, line) in text.lines().enumerate() {
            let hit = forbidden.iter().any(|word| {
                line.match_indices(word.as_str()).any(|(at, _)| {
                    // Only absolute paths; `a/build/b` is somebody's relative one.
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '*'))
                })
            });
            if hit {
                wrong.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "paths of a machine:\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_imports_opens_groups() {
    let found =
        imports("use crate::{h, i::j};\nuse crate::a::{b, c::{D, e}};\nlet x = crate::f::g(1);\nother_crate::z");
    let names: Vec<String> = found.iter().map(|path| path.join("::")).collect();
    assert_eq!(names, ["a::b", "a::c::D", "a::c::e", "f::g", "h", "i::j"]);
    assert_eq!(
        cycle(&[("a", "b"), ("b", "c"), ("c", "b")].map(|(a, b)| (a.to_owned(), b.to_owned())).into()),
        Some("b -> c -> b".to_owned())
    );
}
