//! Every mistake of a configuration, all in one run, at its place.

use super::check::Surroundings;
use super::load::{Loaded, load_text};
use super::*;
use crate::agent::{Output, SourceKind};
use crate::redact::policy::Names;
use std::path::Path;
use std::time::Duration;

const MINIMAL: &str = "\
version: 1
region: eu
sources:
  workflows: {include: [/var/log/workflows/*.jsonl]}
output:
  datadog: {api_key: file:/etc/logveil/dd_api_key}
";

fn read(text: &str) -> Loaded {
    let var = |name: &str| (name == "DD_KEY").then(|| "0123456789abcdef".to_owned());
    let around = Surroundings { var: &var, hostname: "host-1".into(), resolve: false };
    load_text(Path::new("t.yaml"), text.to_owned(), &around)
}

fn problems(text: &str) -> Vec<String> {
    read(text).problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_minimal_file_has_safe_defaults() {
    let loaded = read(MINIMAL);
    assert_eq!(problems(MINIMAL), Vec::<String>::new());
    let config = loaded.config.expect("settings");
    assert_eq!(config.agent.retention, "retention:90d");
    assert_eq!(config.agent.hostname, "host-1");
    assert_eq!(config.agent.sources[0].service, "workflows");
    assert_eq!(config.agent.batch_age, Duration::from_secs(2));
    assert_eq!(config.admin.to_string(), "127.0.0.1:8741");
    let Output::Datadog(output) = config.agent.output else { panic!("datadog expected") };
    assert_eq!(output.origin.as_str(), "https://http-intake.logs.datadoghq.eu/");
}

#[test]
fn every_field_is_read() {
    let text = "\
version: 1
region: us
state_dir: /srv/state
hostname: app-17
tags: [env:prod, team]
retention: {tag: 'retention:30d', allow_longer: false}
sources:
  workflows:
    type: file
    include: ['/var/log/workflows/*.jsonl']
    exclude: ['*.gz']
    start_at: end
    service: workflow-engine
    ddsource: engine
    tags: [a:b]
    trust_origin: true
output:
  datadog:
    site: us5.datadoghq.com
    url: http://127.0.0.1:8750
    api_key: env:DD_KEY
    compression: gzip
    batch: {events: 500, bytes: 1MiB, age: 500ms}
    in_flight: 2
    tls: {ca_file: /etc/ca.pem}
    proxy: http://proxy:3128
spool: {type: memory, max: 64MiB, max_age: 1h, when_full: drop_oldest}
admin: {listen: '127.0.0.1:9000'}
log: {level: debug, format: json}
telemetry: {apm: {enabled: true, agent: '127.0.0.1:8127', sample: 3}}
redaction: {packs: [builtin, /etc/logveil/rules.d], disable: [mac], enforce: [customer-id], keys: [{rule: customer-id, words: [numer kontrahenta]}], mask: {financial: label}, allow: [{exact: a@b.example, reason: docs}], user_agents: mask, private_ips: keep, names: off}
limits: {threads: 2}
tokens: {keyring: credential:keyring, country: pl}
residency: {allow: [ap1.datadoghq.com]}
";
    assert_eq!(problems(text), Vec::<String>::new());
    let config = read(text).config.expect("settings");
    assert_eq!((config.agent.workers, config.agent.in_flight, config.retention_days), (2, 2, 30));
    assert_eq!((config.agent.batch.max_entries, config.agent.batch.max_json), (500, 1 << 20));
    assert_eq!(config.redaction.policy.disable, ["mac"]);
    assert_eq!(config.redaction.packs.len(), 2);
    let SourceKind::File(file) = &config.agent.sources[0].kind else { panic!("a file source") };
    assert_eq!(file.exclude, ["*.gz"]);
}

#[test]
fn all_mistakes_come_in_one_run_at_their_place() {
    let text = "\
version: 2
regoin: eu
tags: [env:prod, 'retention:15d', 'a b']
retention: {tag: 'retention:120d'}
sources:
  a: {include: [var/log/x], start_at: middle}
  b: {service: 12}
output:
  datadog:
    api_key: 0123abcd0123abcd
    url: http://intake.example
    batch: {events: 5000, age: 2}
    retension: 90d
spool: {max: 1G}
admin: {listen: 0.0.0.0:8741}
spool: {}
";
    let found = problems(text);
    for part in [
        "t.yaml:1:10: 2 is out of range: 1 to 1",
        "t.yaml:2:1: unknown field 'regoin' (did you mean 'region'?)",
        "t.yaml:3:18: a retention tag among other tags",
        "t.yaml:3:35: 'a b' would be changed by the intake",
        "t.yaml:4:18: 120 days is longer than 90",
        "t.yaml:6:17: the path is not absolute",
        "t.yaml:6:39: 'middle' is not known here",
        "t.yaml:7:6: field 'include' is missing",
        "t.yaml:7:16: expected text, found a number",
        "t.yaml:10:14: a secret is never written here",
        "t.yaml:11:10: unencrypted delivery to another host",
        "t.yaml:12:21: 5000 is out of range: 1 to 1000",
        "t.yaml:12:32: '2' is no duration",
        "t.yaml:13:5: unknown field 'retension'",
        "t.yaml:14:14: '1G' is no size",
        "t.yaml:15:17: the admin endpoints would be open to other hosts",
        "t.yaml:16:1: key 'spool' is written twice",
    ] {
        assert!(found.iter().any(|line| line.contains(part)), "{part}\nnot in\n{}", found.join("\n"));
    }
    assert!(!found.join("\n").contains("0123abcd"), "a secret was repeated");
    assert!(read(text).config.is_none());
}

#[test]
fn region_site_and_address_must_agree() {
    for (region, output, good) in [
        ("eu", "site: datadoghq.eu", true),
        ("eu", "site: us3.datadoghq.com", false),
        ("us", "site: datadoghq.com", true),
        ("us", "site: datadoghq.eu", false),
        ("eu", "site: ap1.datadoghq.com", false),
        ("eu", "site: datadog.eu", false),
        ("eu", "url: 'https://http-intake.logs.datadoghq.eu'", true),
        ("eu", "url: 'https://http-intake.logs.us5.datadoghq.com'", false),
        ("eu", "url: 'https://logs.example.net'", false),
        ("eu", "url: 'https://datadoghq.eu.example.net'", false),
        ("eu", "url: 'http://http-intake.logs.datadoghq.eu'", false),
        ("us", "url: 'http://127.0.0.1:8750'", true),
        ("us", "url: 'http://[::1]:8750'", true),
        ("us", "url: 'http://localhost:8750'", true),
        ("us", "url: 'http://127.0.0.1.example.net'", false),
        ("us", "url: 'http://127.0.0.1:8750/api'", false),
        ("eu", "url: 'ftp://datadoghq.eu'", false),
        ("eu", "url: 'http://127.0.0.1:1', site: us3.datadoghq.com", false),
    ] {
        let text = MINIMAL.replace("region: eu", &format!("region: {region}"));
        let text = text.replace("{api_key:", &format!("{{{output}, api_key:"));
        assert_eq!(read(&text).config.is_some(), good, "{region} {output}: {:?}", problems(&text));
    }
}

#[test]
fn what_lies_elsewhere_can_be_allowed_by_name() {
    for (output, allow) in
        [("site: ap1.datadoghq.com", "ap1.datadoghq.com"), ("url: 'https://logs.example.net'", "logs.example.net")]
    {
        let text = MINIMAL.replace("{api_key:", &format!("{{{output}, api_key:"));
        assert!(read(&text).config.is_none());
        let text = format!("{text}residency: {{allow: ['{allow}']}}\n");
        assert!(read(&text).config.is_some(), "{:?}", problems(&text));
    }
}

#[test]
fn refusals_are_told_from_mistakes() {
    for (more, refused) in [
        ("retention: {tag: 'retention:91d'}\n", true),
        ("retention: {tag: 'retention:forever'}\n", false),
        ("admin: {listen: 0.0.0.0:1}\n", true),
        ("admin: {listen: here}\n", false),
    ] {
        let loaded = read(&format!("{MINIMAL}{more}"));
        assert_eq!(loaded.errors(), 1, "{more}");
        assert_eq!(loaded.refusals == 1, refused, "{more}");
    }
}

#[test]
fn longer_retention_needs_a_word() {
    let text = format!("{MINIMAL}retention: {{tag: 'retention:365d', allow_longer: true}}\n");
    assert_eq!(read(&text).config.expect("settings").retention_days, 365);
}

#[test]
fn a_file_that_is_no_configuration() {
    for text in ["", "- a\n", "just text\n", "version: [\n"] {
        let loaded = read(text);
        assert!(loaded.config.is_none() && loaded.errors() > 0, "{text:?}");
    }
}

#[test]
fn the_host_is_examined() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(at("state")).expect("created");
    std::fs::set_permissions(at("state"), std::fs::Permissions::from_mode(0o755)).expect("mode");
    std::fs::write(at("key"), "0123456789abcdef\n").expect("written");
    std::fs::set_permissions(at("key"), std::fs::Permissions::from_mode(0o644)).expect("mode");
    let text = MINIMAL.replace("/etc/logveil/dd_api_key", &at("key"));
    let text = text.replace("/var/log/workflows", &at("logs"));
    let text = format!("{text}state_dir: {}\n", at("state"));
    let path = folder.path().join("c.yaml");
    let host = |text: &str| {
        std::fs::write(&path, text).expect("written");
        let loaded = load(&path, Depth::Host).expect("readable");
        loaded.problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("\n")
    };
    let found = host(&text);
    for part in ["nothing matches now", "others can read this secret", "can be read by others"] {
        assert!(found.contains(part), "{part} not in {found}");
    }
    assert!(load(&path, Depth::Host).expect("readable").config.is_some(), "warnings do not stop it: {found}");
    std::fs::write(at("key"), "\n").expect("written");
    assert!(host(&text).contains("no usable API key"));
    std::fs::remove_file(at("key")).expect("removed");
    assert!(host(&text).contains("cannot read"));
    std::fs::set_permissions(at("state"), std::fs::Permissions::from_mode(0o777)).expect("mode");
    assert!(host(&text).contains("can be written by others"));
}

#[test]
fn system_sources_are_read_by_their_type() {
    let text = "version: 1\nregion: eu\nsources:\n\
        \x20 host: {type: journald, units: [ssh.service], fields: [_SYSTEMD_UNIT], start_at: end}\n\
        \x20 net: {type: syslog, listen: ['udp://127.0.0.1:5514', 'unix:///run/logveil/log'], timezone: utc}\n\
        \x20 pods: {type: container, multiline: {traces: [java, go], flush: 2s}}\n\
        \x20 app: {include: [/var/log/app.log], multiline: {start: '^20'}}\n\
        \x20 in: {type: stdin}\noutput: {stdout: {}}\n";
    let config = read(text).config.expect("settings");
    let kinds = config.agent.sources.iter().map(|source| match &source.kind {
        SourceKind::File(files) => files.include.join(" "),
        SourceKind::Journald(journal) => format!("{:?} {:?} {:?}", journal.units, journal.fields, journal.start_at),
        SourceKind::Syslog(syslog) => format!("{:?} {:?}", syslog.listen.len(), syslog.zone),
        SourceKind::Stdin => "stdin".into(),
    });
    let expected =
        ["[\"ssh.service\"] [\"_SYSTEMD_UNIT\"] End", "2 Utc", "/var/log/pods/*/*/*.log", "/var/log/app.log", "stdin"];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    let joined: Vec<bool> = config.agent.sources.iter().map(|source| source.records.multiline.is_some()).collect();
    assert_eq!(joined, [false, false, true, true, false]);
}

/// Every key that some type of source has is no mistake of its own where nobody knows the type.
#[test]
fn an_unknown_type_of_source_is_one_mistake() {
    let schema = crate::config::json_schema();
    let types = schema["properties"]["sources"]["additionalProperties"]["oneOf"].as_array().expect("types");
    let mut keys: Vec<&str> =
        types.iter().flat_map(|one| one["properties"].as_object().expect("keys").keys()).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| !["type", "service", "ddsource", "tags", "trust_origin"].contains(key));
    let written = keys.iter().map(|key| format!(", {key}: x")).collect::<Vec<_>>();
    for (keys, mistakes) in [(String::new(), 1), (written.concat(), 1), (format!("{}, nope: x", written.concat()), 2)] {
        let text =
            format!("version: 1\nregion: eu\nsources:\n  one: {{type: journal{keys}}}\noutput: {{stdout: {{}}}}\n");
        let told = problems(&text);
        assert_eq!(told.len(), mistakes, "{}", told.join("\n"));
        assert!(told[0].contains("did you mean 'journald'?"), "{}", told[0]);
    }
}

#[test]
fn names_are_off_however_a_tool_writes_it() {
    for (written, off) in [("keys", false), ("off", true), ("'off'", true), ("false", true)] {
        let text = format!("{MINIMAL}redaction: {{names: {written}}}\n");
        assert_eq!(problems(&text), Vec::<String>::new());
        assert_eq!(read(&text).config.expect("settings").redaction.policy.names == Names::Off, off, "{written}");
    }
}

#[test]
fn mistakes_in_system_sources_are_told() {
    for (source, expected) in [
        ("{type: journald, include: [/x]}", "include"),
        ("{type: journald, fields: [lower]}", "no field of the journal"),
        ("{type: syslog}", "listen"),
        ("{type: syslog, listen: ['udp://0.0.0.0:514']}", "in clear"),
        ("{type: syslog, listen: ['tls://127.0.0.1:6514']}", "no certificate"),
        ("{type: syslog, listen: ['5514']}", "expected udp://"),
        ("{include: [/x/*.log], multiline: {traces: [cobol]}}", "no known kind of trace"),
        ("{include: [/x/*.log], multiline: {start: '('}}", "no pattern"),
        ("{include: [/x/*.log], multiline: {start: 'a', traces: [go]}}", "two answers"),
        ("{type: stdin}\n  two: {type: stdin}", "standard input is read by two sources (it is the input of 'one'"),
        ("{type: pigeon, include: [/x]}", "pigeon"),
    ] {
        let text = format!("version: 1\nregion: eu\nsources:\n  one: {source}\noutput: {{stdout: {{}}}}\n");
        let told = problems(&text).join("\n");
        assert!(told.contains(expected), "{source}: {told}");
    }
}
