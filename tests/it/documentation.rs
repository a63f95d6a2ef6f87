//! The documentation tells the truth: every console example of every page is run and compared with what stands
//! there, every YAML example is a configuration or a rule file that loads and fits its schema.
//!
//! A page is run from top to bottom in a folder of its own; `/etc/logveil/` is a folder in it. In a page
//!
//! - a fenced block with a file's name behind its language is that file;
//! - a `console` block is `$ COMMAND` lines, each followed by what it prints;
//! - `<!-- run before: COMMAND -->` is run and not shown;
//! - `<!-- input: TEXT -->` is what is typed in the next block;
//! - `<!-- not run: WHY -->` takes out the next block, or, in the first ten lines, `<!-- run by FILE -->` the page.
//!
//! `UPDATE_EXAMPLES=1` writes what is printed into the pages instead.

use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let docs = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let others = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md", "rules/README.md"];
    let mut pages: Vec<PathBuf> = others.iter().map(|name| root().join(name)).chain(docs).collect();
    pages.sort();
    assert!(pages.len() > 12, "the walk found the pages");
    pages
}

/// A fenced block.
struct Block {
    /// Number of the line behind the opening fence.
    line: usize,
    /// What stands behind the fence: language, then a file's name.
    title: String,
    /// Its lines, without the fence's own indentation.
    body: Vec<String>,
    /// Bytes of that indentation.
    indent: usize,
    /// Remarks since the block before: `name: text`.
    remarks: Vec<(String, String)>,
}

impl Block {
    fn language(&self) -> &str {
        self.title.split(' ').next().unwrap_or_default()
    }

    fn file(&self) -> Option<&str> {
        self.title.split_once(' ').map(|(_, file)| file)
    }

    fn remark(&self, name: &str) -> Option<&str> {
        self.remarks.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut remarks) = (Vec::new(), Vec::new());
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        if let Some(remark) = line.trim().strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
            let (name, text) = remark.split_once(": ").unwrap_or((remark, ""));
            remarks.push((name.to_owned(), text.to_owned()));
        }
        let Some(title) = line.trim_start().strip_prefix("```") else { continue };
        let body = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
        let body = body.map(|line| line.get(indent..).unwrap_or_default().to_owned()).collect();
        let remarks = std::mem::take(&mut remarks);
        blocks.push(Block { line: number + 1, title: title.to_owned(), body, indent, remarks });
    }
    blocks
}

/// A page's folder.
struct Room {
    dir: tempfile::TempDir,
}

impl Room {
    fn new() -> Room {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(dir.path().join("etc/logveil")).expect("a folder");
        Room { dir }
    }

    fn here(&self, text: &str) -> String {
        text.replace("/etc/logveil/", &format!("{}/etc/logveil/", self.dir.path().display()))
    }

    fn write(&self, name: &str, lines: &[String]) {
        let path = PathBuf::from(self.here(&self.dir.path().join(name).display().to_string()));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, self.here(&(lines.join("\n") + "\n"))).expect("written");
    }

    /// What a command prints, on both outputs as a terminal shows them.
    fn run(&self, command: &str, input: &str) -> String {
        let programs = Path::new(env!("CARGO_BIN_EXE_logveil")).parent().expect("a folder");
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
        let mut child = Command::new("timeout")
            .args(["300", "sh", "-c", &format!("exec 2>&1\n{}", self.here(command))])
            .current_dir(self.dir.path())
            .env("PATH", path)
            .env_remove("LOGVEIL_CONFIG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("an end");
        let shown = String::from_utf8(output.stdout).expect("text");
        shown.replace(&self.dir.path().display().to_string(), "")
    }
}

/// What differs from run to run and from machine to machine, taken out.
fn steady(shown: &str) -> String {
    static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let rule = |pattern: &str, put: &'static str| (Regex::new(pattern).expect("an expression"), put);
        vec![
            rule(r"\b[0-9a-f]{16}\b", "DIGEST"),
            rule(r"(em|ipn|ip|ph|cd|ib|id|ac|nm)_[0-9a-hjkmnp-tv-z]{14}\b", "${1}_TOKEN"),
            rule(r"epoch [0-9a-z]{2}\b", "epoch EE"),
            rule(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}(T[0-9:]+Z)?", "DAY"),
            rule(r"\b[0-9]{3,}( more)? rules", "N$1 rules"),
            rule(r"\b([a-z-]+\.yaml):[0-9]+", "$1:N"),
            // A share of `bench` and what it comes to.
            rule(r"[0-9.]+ % +[0-9]+ ", "FIGURE FIGURE "),
            rule(r"[+-]?[0-9]+(\.[0-9]+)? ?(µs|ms|s|[KMG]iB/s|MiB|%)(/line)?", "FIGURE"),
            rule(r" {2,}", "  "),
        ]
    });
    let text = RULES.iter().fold(shown.to_owned(), |text, (rule, put)| rule.replace_all(&text, *put).into_owned());
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Runs one block; returns it as it should stand in the page.
fn run(room: &Room, block: &Block) -> Vec<String> {
    let input = block.remark("input").map(|text| format!("{text}\n")).unwrap_or_default();
    let mut now = Vec::new();
    for line in block.body.iter().filter(|line| line.starts_with("$ ")) {
        now.push(line.clone());
        now.extend(room.run(&line[2..], &input).lines().map(|line| line.trim_end().to_owned()));
    }
    now
}

/// Runs a page; returns its text as it should be, and what is wrong.
fn checked(path: &Path, text: &str) -> (String, Vec<String>, usize) {
    let name = path.strip_prefix(root()).expect("a page").display().to_string();
    let room = Room::new();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (mut wrong, mut ran) = (Vec::new(), 0);
    // From the last to the first, so that the places of the others stay; they are run in their order before.
    let mut changes = Vec::new();
    for block in blocks(text) {
        for (_, command) in block.remarks.iter().filter(|(name, _)| name == "run before") {
            room.run(command, "");
        }
        match (block.language(), block.file(), block.remark("not run")) {
            ("console" | "sh" | "bash", _, Some(why)) => assert!(why.len() > 8, "{name}:{}: why?", block.line),
            (_, _, Some(_)) => wrong.push(format!("{name}:{}: only commands are run", block.line)),
            (_, Some(file), None) => room.write(file, &block.body),
            ("console", None, None) => {
                let now = run(&room, &block);
                ran += now.iter().filter(|line| line.starts_with("$ ")).count();
                if steady(&now.join("\n")) != steady(&block.body.join("\n")) {
                    let (was, is) = (block.body.join("\n"), now.join("\n"));
                    wrong.push(format!("{name}:{}: the page says\n{was}\nand it is\n{is}", block.line));
                    changes.push((block, now));
                }
            }
            ("sh" | "bash", None, None) => {
                wrong.push(format!("{name}:{}: commands are `console` blocks with what they print", block.line));
            }
            (_, None, None) if block.body.iter().any(|line| line.starts_with("$ ")) => {
                wrong.push(format!("{name}:{}: commands stand in `console` blocks", block.line));
            }
            _ => {}
        }
    }
    for (block, now) in changes.into_iter().rev() {
        let now = now.into_iter().map(|line| format!("{}{line}", " ".repeat(block.indent)).trim_end().to_owned());
        lines.splice(block.line..block.line + block.body.len(), now);
    }
    (lines.join("\n") + "\n", wrong, ran)
}

/// The file that runs the page, where it says so.
fn run_elsewhere(text: &str) -> Option<&str> {
    let remark = text.lines().take(10).find_map(|line| line.strip_prefix("<!-- run by "))?;
    remark.strip_suffix(" -->")
}

#[test]
fn every_console_example_shows_what_the_program_prints() {
    let update = std::env::var_os("UPDATE_EXAMPLES").is_some();
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for path in pages() {
        let text = fs::read_to_string(&path).expect("a page");
        if let Some(file) = run_elsewhere(&text) {
            let script = fs::read_to_string(root().join(file)).expect(file);
            let page = path.file_name().expect("a name").to_string_lossy();
            assert!(script.contains(&*page), "{file} runs {page}");
            continue;
        }
        let (now, mistakes, count) = checked(&path, &text);
        if update && now != text {
            fs::write(&path, now).expect("written");
        }
        wrong.extend(mistakes);
        ran += count;
    }
    assert!(wrong.is_empty(), "{}\n(UPDATE_EXAMPLES=1 writes what is printed into the pages)", wrong.join("\n\n"));
    assert!(ran >= 15, "only {ran} commands were run");
}

#[test]
fn an_example_that_lies_is_found() {
    let page =
        |printed: &str| format!("<!-- input: x ana@mail.example -->\n```console\n$ logveil redact\n{printed}\n```\n");
    let path = root().join("docs/page.md");
    assert_eq!(checked(&path, &page("x [email]")).1, Vec::<String>::new());
    let (now, wrong, ran) = checked(&path, &page("x [mail]"));
    assert_eq!((now, wrong.len(), ran), (page("x [email]"), 1, 1));
    assert_eq!(checked(&path, "```sh\nlogveil redact\n```\n").1.len(), 1);
    assert_eq!(
        steady("4 lines in 0.0 s (68.5 KiB/s), digest b040f19abbea4139"),
        "4 lines in FIGURE (FIGURE), digest DIGEST\n"
    );
}

fn schema_text(of: &str) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_logveil")).args(["gen", "schema", of]).output().expect("the binary");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

pub(crate) fn schema(of: &str) -> jsonschema::Validator {
    jsonschema::validator_for(&schema_text(of)).expect("a schema")
}

/// The names that a schema lets stand in a file.
fn names(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(map) => {
            let properties = map.get("properties").and_then(|properties| properties.as_object());
            found.extend(properties.into_iter().flat_map(|properties| properties.keys().cloned()));
            map.values().for_each(|inner| names(inner, found));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|inner| names(inner, found)),
        _ => {}
    }
}

#[test]
fn every_setting_stands_in_the_documentation() {
    let code = Regex::new("(?s)```.*?```|`[^`]*`").expect("an expression");
    let word = Regex::new("[a-z0-9_]+").expect("an expression");
    for (of, pages) in [("config", &["docs/configuration.md", "docs/sources.md"][..]), ("rules", &["rules/README.md"])]
    {
        let text: String = pages.iter().map(|page| fs::read_to_string(root().join(page)).expect("a page")).collect();
        let told: BTreeSet<&str> =
            code.find_iter(&text).flat_map(|code| word.find_iter(code.as_str())).map(|word| word.as_str()).collect();
        let mut known = BTreeSet::new();
        names(&schema_text(of), &mut known);
        let missing: Vec<&String> = known.iter().filter(|name| !told.contains(name.as_str())).collect();
        assert!(known.len() > 30 && missing.is_empty(), "{pages:?} say nothing of {missing:?}");
    }
}

/// A configuration of which the page shows only sections.
fn completed(text: &str) -> String {
    let mut text = text.to_owned();
    for (section, rest) in [
        ("version:", "version: 1\n"),
        ("region:", "region: eu\n"),
        ("sources:", "sources:\n  workflows: {include: ['/var/log/workflows/*.jsonl']}\n"),
        ("output:", "output: {stdout: {}}\n"),
    ] {
        if !text.lines().any(|line| line.starts_with(section)) {
            text.push_str(rest);
        }
    }
    text
}

#[test]
fn every_yaml_example_loads_and_fits_its_schema() {
    let (rules, config) = (schema("rules"), schema("config"));
    let mut seen = (0, 0);
    for path in pages() {
        let text = fs::read_to_string(&path).expect("a page");
        for block in blocks(&text).into_iter().filter(|block| block.language() == "yaml") {
            let place = format!("{}:{}", path.display(), block.line);
            let body = block.body.join("\n") + "\n";
            let is_rules = body.starts_with("pack:");
            let whole = if is_rules { body } else { completed(&body) };
            let value: serde_json::Value = serde_saphyr::from_str(&whole).expect(&place);
            let schema = if is_rules { &rules } else { &config };
            let faults: Vec<String> =
                schema.iter_errors(&value).map(|fault| format!("{} {fault}", fault.instance_path())).collect();
            assert!(faults.is_empty(), "{place}: {}", faults.join("\n"));
            if is_rules {
                let loaded = logveil::redact::rule_file::load(&place, &whole);
                let report = logveil::redact::rule_test::run(&loaded.pack.rules).expect("rules");
                assert!(loaded.problems.is_empty() && report.totals().1 == 0, "{place}: {:?}", loaded.problems);
                seen.0 += 1;
            } else {
                let file = tempfile::NamedTempFile::new().expect("a file");
                fs::write(file.path(), &whole).expect("written");
                let loaded = logveil::config::load(file.path(), logveil::config::Depth::Text).expect("read");
                assert!(loaded.config.is_some(), "{place}: {:?}", loaded.problems);
                seen.1 += 1;
            }
        }
    }
    assert!(seen.0 >= 4 && seen.1 >= 7, "{seen:?} examples were found");
}

/// Mistakes in either kind of file, each of which the program refuses: an editor must see them too.
#[test]
fn what_the_program_refuses_an_editor_sees() {
    let rule = "pack: acme\nversion: 1.0.0\nrules:\n  - id: acme-badge\n    title: T\n    class: credential\n    \
                find: {anchor: [badge_], alphabet: digits, min: 6}\n    tests:\n      \
                - {in: 'x badge_123456', out: 'x [acme-badge]'}\n      - {same: 'badge_12'}\n";
    let config = completed("redaction: {packs: [builtin], disable: [email]}\n");
    let (rules_schema, config_schema) = (schema("rules"), schema("config"));
    let fits = |schema: &jsonschema::Validator, text: &str| {
        schema.is_valid(&serde_saphyr::from_str::<serde_json::Value>(text).expect("YAML"))
    };
    assert!(fits(&rules_schema, rule) && fits(&config_schema, &config));
    for (from, to) in [
        ("pack: acme", "pack: Acme Corp"),
        ("version: 1.0.0", "vershun: 1.0.0"),
        ("title: T", "titel: T"),
        ("credential", "credentials"),
        ("alphabet: digits", "alphabet: digitz"),
        ("min: 6", "min: -1"),
        ("anchor: [badge_], ", ""),
        ("anchor: [badge_]", "anchor: []"),
        ("min: 6}", "min: 6}\n    stage: canary"),
        ("min: 6}", "min: 6}\n    check: [lun]"),
        ("min: 6}", "min: 6}\n    near: {within: 3}"),
        ("min: 6}", "min: 6}\n    mask: {keep_last: 9}"),
        ("min: 6}", "min: 6}\n    allow: [{exact: x}]"),
        ("{same: 'badge_12'}", "{sane: 'badge_12'}"),
    ] {
        let broken = rule.replacen(from, to, 1);
        assert!(broken != rule && !fits(&rules_schema, &broken), "an editor lets through: {to}");
        assert!(!logveil::redact::rule_file::load("a.yaml", &broken).is_clean(), "the loader lets through: {to}");
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    for (from, to) in [
        ("version: 1", "version: 2"),
        ("region: eu", "region: mars"),
        ("region: eu", "regio: eu"),
        ("disable:", "disabel:"),
        ("stdout: {}", "stdout: {}, datadog: {api_key: 'file:/x'}"),
        ("stdout: {}", "datadog: {api_key: 0123}"),
        ("stdout: {}", "datadog: {api_key: 'file:/x', compression: lz4}"),
        ("stdout: {}", "datadog: {}"),
        ("include:", "incude:"),
        ("include: [", "type: fyle, include: ["),
        ("sources:", "spool: {when_full: panic}\nsources:"),
        ("sources:", "spool: {type: tape}\nsources:"),
        ("sources:", "log: {level: loud}\nsources:"),
        ("sources:", "limits: {threads: 0}\nsources:"),
        ("sources:", "admin: {lisen: '127.0.0.1:1'}\nsources:"),
        ("sources:", "retention: {tag: 90d, allow_longer: maybe}\nsources:"),
    ] {
        let broken = config.replacen(from, to, 1);
        assert!(broken != config && !fits(&config_schema, &broken), "an editor lets through: {to}");
        fs::write(file.path(), &broken).expect("written");
        let loaded = logveil::config::load(file.path(), logveil::config::Depth::Text).expect("read");
        assert!(loaded.config.is_none(), "the loader lets through: {to}");
    }
}
