//! Reads a rule file: text in, rules and every mistake of the text out.
//!
//! A rule with a mistake is left out, the rest of the file is still checked. What this module lets through
//! keeps the invariants of [`super::rule`]: bounded windows, anchors of at least four bytes that are no
//! plain words, known checks and shapes, expressions that compile and cannot match nothing, both kinds of
//! examples.
//!
//! ```yaml
//! pack: builtin-vcs
//! version: 0.1.0
//! defaults: {class: credential, since: 0.1.0}   # for rules of this file that do not say otherwise
//! rules:
//!   - id: github-token
//!     title: GitHub token
//!     find: {anchor: [ghp_, gho_], alphabet: base62, min: 36}
//!     tests:
//!       - {in: 'push with ghp_{{base62:36}} failed', out: 'push with [github-token] failed'}
//!       - {same: 'ghp_ is the prefix'}
//! ```

mod context;
mod examples;
mod find;
mod fuzz;
mod json_schema;
mod keep;

#[cfg(test)]
mod tests;

pub use context::read_allow;
pub(in crate::redact) use find::VALUE_KINDS;
pub use fuzz::fuzz_rule_file;
pub use json_schema::json_schema;
pub(crate) use json_schema::{allow_schema, list_of};

use super::filler;
use super::rule::{Class, Find, Origin, Pack, Rule, RuleTest, Severity, Stage, What};
use crate::strict_yaml::{self, Fields, Node, Problem, Problems};

/// The classes and their names.
pub const CLASSES: &[(&str, Class)] = &[
    ("credential", Class::Credential),
    ("identity", Class::Identity),
    ("network", Class::Network),
    ("financial", Class::Financial),
    ("contact", Class::Contact),
    ("device", Class::Device),
];
const SEVERITIES: &[(&str, Severity)] =
    &[("high", Severity::High), ("medium", Severity::Medium), ("low", Severity::Low)];
const STAGES: &[(&str, Stage)] = &[("shadow", Stage::Shadow), ("enforce", Stage::Enforce)];
const MOST_RULES: usize = 10_000;
pub(super) const LONGEST_ID: usize = 48;

/// What a rule file gave.
#[derive(Debug)]
pub struct Loaded {
    /// The rules without mistakes.
    pub pack: Pack,
    /// Everything found wrong, in the order of the text.
    pub problems: Vec<Problem>,
}

impl Loaded {
    /// True when the file may be used.
    pub fn is_clean(&self) -> bool {
        self.problems.iter().all(|problem| problem.severity != strict_yaml::Severity::Error)
    }
}

/// Reads the rule file `text`, which messages call `file`.
pub fn load(file: &str, text: &str) -> Loaded {
    read(file, text, Defaults::default())
}

/// Reads a rule file that somebody else has read in full: the rules come without examples and their expressions are
/// not compiled yet, in a fraction of the time. For the built-in pack, which tests load as a whole.
pub fn load_trusted(file: &str, text: &str) -> Loaded {
    read(file, &examples::blank(text), Defaults { trusted: true, ..Defaults::default() })
}

fn read(file: &str, text: &str, defaults: Defaults) -> Loaded {
    let problems = Problems::new(file, text);
    let mut pack = Pack { name: String::new(), version: String::new(), rules: Vec::new() };
    if let Some(root) = strict_yaml::parse(text, &problems)
        && let Some(fields) = Fields::of(&root, &problems)
    {
        read_pack(file, &fields, defaults, &mut pack);
        fields.finish();
    } else if !problems.any_error() {
        problems.error_with_help(&(0..0), "the file is empty", "it needs pack, version and rules");
    }
    problems.set_subject(None);
    Loaded { pack, problems: problems.into_list() }
}

/// What the rules of a file share.
#[derive(Default)]
struct Defaults {
    class: Option<Class>,
    severity: Option<Severity>,
    since: Option<String>,
    reference: Option<String>,
    /// Examples have been taken out, and expressions are known to compile.
    trusted: bool,
}

fn read_pack(file: &str, fields: &Fields<'_, '_, '_>, given: Defaults, pack: &mut Pack) {
    let problems = fields.problems();
    if let Some(name) = fields.require("pack").and_then(|node| read_name(node, problems)) {
        pack.name = name;
    }
    if let Some(version) = fields.require_text("version") {
        pack.version = version.to_owned();
    }
    fields.text("owner");
    let written = fields.get("defaults").map(|node| read_defaults(node, problems)).unwrap_or_default();
    let defaults = Defaults { trusted: given.trusted, ..written };
    let Some(rules) = fields.require("rules").and_then(|node| node.read_list(problems)) else { return };
    if rules.len() > MOST_RULES {
        problems.error(fields.span(), format!("{} rules in one file, the limit is {MOST_RULES}", rules.len()));
        return;
    }
    let mut line = Lines::new(problems.text());
    let mut ids: Vec<(String, u32)> = Vec::new();
    for node in rules {
        let origin = Origin { pack: pack.name.clone(), file: file.to_owned(), line: line.of(node.span.start) };
        problems.set_subject(None);
        if let Some(rule) = read_rule(node, &defaults, origin, &mut ids, problems) {
            pack.rules.push(rule);
        }
    }
}

/// Line numbers of rising offsets.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Lines<'t> {
        Lines { text, at: 0, line: 1 }
    }

    fn of(&mut self, offset: usize) -> u32 {
        let offset = offset.clamp(self.at, self.text.len());
        let passed = self.text.as_bytes()[self.at..offset].iter().filter(|byte| **byte == b'\n').count();
        self.line += passed as u32;
        self.at = offset;
        self.line
    }
}

fn read_defaults(node: &Node, problems: &Problems<'_>) -> Defaults {
    let Some(fields) = Fields::of(node, problems) else { return Defaults::default() };
    let defaults = Defaults {
        class: fields.choice("class", CLASSES),
        severity: fields.choice("severity", SEVERITIES),
        since: fields.text("since").map(str::to_owned),
        reference: fields.text("reference").map(str::to_owned),
        trusted: false,
    };
    fields.finish();
    defaults
}

fn read_rule(
    node: &Node,
    defaults: &Defaults,
    origin: Origin,
    ids: &mut Vec<(String, u32)>,
    problems: &Problems<'_>,
) -> Option<Rule> {
    let fields = Fields::of(node, problems)?;
    let before = problems.error_count();
    let id = fields.require("id").and_then(|node| read_name(node, problems));
    problems.set_subject(id.as_deref());
    if let (Some(id), Some(entry)) = (&id, fields.entry("id")) {
        match ids.iter().find(|(known, _)| known == id) {
            Some((_, line)) => problems.error_with_help(
                &entry.value.span,
                format!("two rules are called '{id}'"),
                format!("the other stands in line {line}; rename one"),
            ),
            None => ids.push((id.clone(), origin.line)),
        }
    }
    let title = fields.require_text("title").map(str::to_owned);
    let class = fields.choice("class", CLASSES).or(defaults.class);
    if class.is_none() && fields.get("class").is_none() {
        fields.require("class");
    }
    let severity = fields.choice("severity", SEVERITIES).or(defaults.severity);
    let label = fields.get("label").and_then(|node| read_name(node, problems));
    let what = read_what(&fields, defaults.trusted);
    let check = context::read_checks(&fields);
    let near = context::read_words(&fields, "near");
    let not_near = context::read_words(&fields, "not_near");
    if matches!(what, Some(What::Keep(_) | What::Mask(Find::Key(_)))) {
        context::refuse_evidence(&fields);
    }
    let mask = context::read_mask(&fields);
    let allow = context::read_allows(&fields);
    let stage = fields.choice("stage", STAGES).unwrap_or(Stage::Enforce);
    let since = fields.text("since").map(str::to_owned).or(defaults.since.clone()).unwrap_or_default();
    let reference = fields.text("reference").map(str::to_owned).or(defaults.reference.clone()).unwrap_or_default();
    let tests = match defaults.trusted {
        true => Vec::new(),
        false => read_tests(&fields, matches!(what, Some(What::Keep(_)))),
    };
    fields.finish();
    if problems.error_count() > before {
        return None;
    }
    let (id, class) = (id?, class?);
    let severity = severity.unwrap_or(usual_severity(class));
    let label = label.unwrap_or_else(|| id.clone());
    let (title, what) = (title?, what?);
    Some(Rule {
        id,
        title,
        class,
        severity,
        label,
        what,
        check,
        near,
        not_near,
        mask,
        allow,
        stage,
        since,
        reference,
        tests,
        origin,
    })
}

fn usual_severity(class: Class) -> Severity {
    match class {
        Class::Credential | Class::Financial => Severity::High,
        Class::Identity | Class::Contact | Class::Network => Severity::Medium,
        Class::Device => Severity::Low,
    }
}

fn read_what(fields: &Fields<'_, '_, '_>, trusted: bool) -> Option<What> {
    let problems = fields.problems();
    match (fields.get("find"), fields.get("keep")) {
        (Some(find), None) => find::read(find, trusted, problems).map(What::Mask),
        (None, Some(keep)) => keep::read(keep, problems).map(What::Keep),
        (Some(_), Some(keep)) => {
            problems.error_with_help(&keep.span, "a rule either finds or keeps", "make two rules of it");
            None
        }
        (None, None) => {
            problems.error_with_help(
                fields.span(),
                "the rule finds nothing",
                "add 'find: {anchor: …}' (or short_anchor, key, shape, regex), or 'keep: {path: …, shape: …}'",
            );
            None
        }
    }
}

/// Kebab-case: ids, labels, pack names.
fn read_name(node: &Node, problems: &Problems<'_>) -> Option<String> {
    let text = node.read_text(problems)?;
    let fits = text.len() <= LONGEST_ID
        && text.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
    if !fits {
        problems.error_with_help(
            &node.span,
            format!("'{text}' is no name"),
            format!("lower-case letters, digits and single dashes, at most {LONGEST_ID}: github-token"),
        );
        return None;
    }
    Some(text.to_owned())
}

fn read_tests(fields: &Fields<'_, '_, '_>, keeps: bool) -> Vec<RuleTest> {
    let problems = fields.problems();
    let Some(list) = fields.require("tests").and_then(|node| node.read_list(problems)) else { return Vec::new() };
    let tests: Vec<RuleTest> = list.iter().filter_map(|node| read_test(node, problems)).collect();
    let positive = tests.iter().any(|test| matches!(test, RuleTest::Changes { .. }));
    let negative = tests.iter().any(|test| matches!(test, RuleTest::Same(_)));
    let span = fields.entry("tests").map_or(fields.span(), |entry| &entry.span);
    if !positive && !keeps && tests.len() == list.len() {
        problems.error_with_help(span, "no positive example", "add '- {in: …, out: …}': a line that is masked");
    }
    if !negative && tests.len() == list.len() {
        problems.error_with_help(span, "no negative example", "add '- {same: …}': a similar line that must stay");
    }
    tests
}

fn read_test(node: &Node, problems: &Problems<'_>) -> Option<RuleTest> {
    let fields = Fields::of(node, problems)?;
    let text = |name: &'static str| {
        let node = fields.get(name)?;
        let text = node.read_text(problems)?;
        if let Err(message) = filler::expand(text) {
            problems.error(&node.span, message);
            return None;
        }
        Some(text.to_owned())
    };
    let test = match (text("in"), text("out"), text("same")) {
        (Some(input), Some(output), None) => Some(RuleTest::Changes { input, output }),
        (None, None, Some(same)) => Some(RuleTest::Same(same)),
        _ => {
            problems.error_with_help(
                &node.span,
                "an example is {in: …, out: …} or {same: …}",
                "in: the line as logged, out: as shipped, same: a line that stays",
            );
            None
        }
    };
    fields.finish();
    test
}
