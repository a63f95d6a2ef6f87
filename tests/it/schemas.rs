//! The schemas that editors get say what the loaders say: whole files are changed place by place, and both judge
//! each change.

use crate::documentation::schema;
use serde_json::{Value, json};
use std::fs;

/// Every section and every kind of source, each field written once.
const CONFIG: &str = "
version: 1
region: eu
state_dir: /var/lib/logveil
hostname: web-1
tags: [env:prod]
retention: {tag: 'retention:30d', allow_longer: false}
sources:
  files: {type: file, include: [/var/log/a.log], exclude: [/var/log/b.log], start_at: end, service: s, ddsource: d,
    tags: [a:b], trust_origin: true, format: text, multiline: {traces: [java], flush: 1s, max_bytes: 64KiB, max_lines: 100}}
  containers: {type: container, format: docker, multiline: {start: '^[0-9]'}}
  journal: {type: journald, units: [ssh.service], fields: [_SYSTEMD_UNIT], start_at: end, journalctl: /bin/journalctl,
    directory: /var/log/journal}
  network: {type: syslog, listen: ['tls://0.0.0.0:6514'], expose: false, timezone: utc,
    tls: {cert_file: /etc/cert.pem, key_file: /etc/key.pem}}
  input: {type: stdin, format: text}
output:
  datadog: {site: datadoghq.eu, url: 'http://127.0.0.1:8750', api_key: 'file:/etc/key', in_flight: 2, compression: gzip,
    batch: {events: 500, bytes: 1MB, age: 1s}, tls: {ca_file: /etc/ca.pem}, proxy: 'http://proxy.example:3128'}
spool: {type: disk, max: 1GiB, max_age: 7d, when_full: block}
admin: {listen: '127.0.0.1:8741', expose: false}
log: {level: info, format: json}
telemetry: {apm: {enabled: false, agent: '127.0.0.1:8126', sample: 10}}
redaction: {packs: [builtin], disable: [email], enforce: [email], keys: [{rule: password, words: [klucz]}],
  allow_loosening: [email], allow: [{exact: noreply@acme.example, reason: ours, until: '2030-01-01'}],
  mask: {identity: label}, user_agents: keep, private_ips: keep, names: 'off'}
limits: {threads: 2}
tokens: {keyring: 'file:/etc/keyring', country: pl}
residency: {allow: [datadoghq.com]}
";

/// What only the program can judge: addresses, patterns, tags, how large a size is, what belongs together.
const BEYOND_A_SCHEMA: &[&str] = &[
    "/tags/0 with more text",
    "/sources/files/tags/0 with more text",
    "/sources/files/multiline/max_bytes 7",
    "/sources/containers/multiline/start with more text",
    "/sources/network/listen/0 with more text",
    "/sources/network without tls",
    "/output/datadog/url with more text",
    "/output/datadog/batch/bytes 7",
    "/output/datadog/proxy with more text",
    "/spool/max 7",
    "/admin/listen with more text",
    "/telemetry/apm/agent with more text",
];

/// The same of rules: a class may come from the pack, a literal may be too weak, an expression needs its anchor.
const BEYOND_A_SCHEMA_OF_RULES: &[&str] = &[
    "/defaults {}",
    "/defaults without class",
    "/rules/1/find/min 7",
    "/rules/2/find/key/0 with more text",
    "/rules/4/find/regex with more text",
    " without defaults",
];

/// A rule of every form.
const RULES: &str = "
pack: acme
version: 1.0.0
owner: security
defaults: {class: credential, severity: low, since: 1.0.0, reference: ours}
rules:
  - {id: acme-a, title: A, class: credential, severity: high, label: badge, stage: shadow, since: 1.0.0, reference: r,
    find: {anchor: [badge_], alphabet: digits, min: 6, max: 12}, mask: label,
    near: {words: [door], within: 20}, not_near: {words: [test], within: 5},
    allow: [{exact: badge_000000, reason: sample}],
    tests: [{in: 'door badge_123456', out: 'door [badge]'}, {same: badge_1}]}
  - {id: acme-b, title: B, find: {short_anchor: [lk-], alphabet: hex, min: 16},
    tests: [{in: 'x lk-0123456789abcdef', out: 'x [acme-b]'}, {same: lk-}]}
  - {id: acme-c, title: C, find: {key: [badge word], value: text}, tests: [{in: 'badge_word=x9', out: 'badge_word=[acme-c]'}, {same: x}]}
  - {id: acme-d, title: D, class: contact, find: {shape: email}, check: [luhn], tests: [{in: a, out: b}, {same: x}]}
  - {id: acme-e, title: E, find: {regex: 'ticket-[0-9]{6}', literals: [ticket-], window: {before: 0, after: 20}},
    tests: [{in: ticket-123456, out: '[acme-e]'}, {same: ticket-}]}
";

/// Where something stands in a tree, as JSON pointers.
fn places(value: &Value, place: String, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| places(value, format!("{place}/{name}"), all)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| places(value, format!("{place}/{n}"), all))
        }
        _ => {}
    }
    all.push(place);
}

/// The tree without what stands at `place`, and with other things there.
fn changes(whole: &Value, place: &str) -> Vec<(String, Value)> {
    let with = |what: &str, change: &dyn Fn(&mut Value)| {
        let mut tree = whole.clone();
        tree.pointer_mut(place).map(change);
        (format!("{place} {what}"), tree)
    };
    let mut all: Vec<(String, Value)> =
        [json!([]), json!({}), json!([[]]), json!(7), json!(-7), json!(true), json!(1.5)]
            .into_iter()
            .map(|other| with(&other.to_string(), &|value| *value = other.clone()))
            .collect();
    match whole.pointer(place) {
        Some(Value::Object(fields)) => {
            all.push(with("with an unknown field", &|value| value["no_such_field"] = json!("x")));
            for name in fields.keys() {
                let without =
                    |value: &mut Value| value.as_object_mut().map(|fields| fields.shift_remove(name)).is_some();
                all.push(with(&format!("without {name}"), &|value| assert!(without(value))));
            }
        }
        Some(Value::Array(items)) if items.len() == 1 && items[0].is_string() => {
            all.push(with("without a list", &|value| *value = items[0].clone()));
        }
        Some(Value::String(text)) => {
            let text = text.clone();
            all.push(with("as a list", &|value| *value = json!([text])));
            all.push(with("twice in a list", &|value| *value = json!([text, text])));
            all.push(with("with more text", &|value| *value = json!(format!("?{text}?"))));
        }
        _ => {}
    }
    all
}

/// Changes that one of the two judges refuses and the other does not: `(only the schema, only the loader)`.
fn differences(of: &str, text: &str, loads: &dyn Fn(&str) -> bool) -> (Vec<String>, Vec<String>) {
    let schema = schema(of);
    let whole: Value = serde_saphyr::from_str(text).expect("YAML");
    let faults: Vec<String> =
        schema.iter_errors(&whole).map(|fault| format!("{} {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty() && loads(text), "{of}: {}", faults.join("\n"));
    let (mut all, mut found) = (Vec::new(), (Vec::new(), Vec::new()));
    places(&whole, String::new(), &mut all);
    for (what, tree) in all.iter().flat_map(|place| changes(&whole, place)) {
        match (schema.is_valid(&tree), loads(&tree.to_string())) {
            (false, true) => found.0.push(what),
            (true, false) => found.1.push(what),
            _ => {}
        }
    }
    found
}

#[test]
fn the_schema_of_configurations_judges_as_the_loader() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let loads = |text: &str| {
        fs::write(file.path(), text).expect("written");
        logveil::config::load(file.path(), logveil::config::Depth::Text).expect("read").config.is_some()
    };
    let (schema, loader) = differences("config", CONFIG, &loads);
    assert_eq!(schema, Vec::<String>::new(), "an editor complains of what the program takes");
    assert_eq!(loader, BEYOND_A_SCHEMA, "an editor lets through what the program refuses");
}

#[test]
fn the_schema_of_rules_judges_as_the_loader() {
    let loads = |text: &str| logveil::redact::rule_file::load("a.yaml", text).is_clean();
    let (schema, loader) = differences("rules", RULES, &loads);
    assert_eq!(schema, Vec::<String>::new(), "an editor complains of what the program takes");
    assert_eq!(loader, BEYOND_A_SCHEMA_OF_RULES, "an editor lets through what the program refuses");
}
