//! The JSON Schema of the configuration, for editors. What a schema cannot say (addresses, rights, the
//! site's region) `logveil check` says.

use super::schema::COUNTRIES;
use super::site::{REGIONS, SITES};
use super::units::{duration_pattern, size_pattern};
use crate::redact::rule_file::{CLASSES, allow_schema, list_of};
use crate::source::multiline::LANGUAGES;
use serde_json::{Map, Value, json};

/// The schema, draft 2020-12.
pub fn json_schema() -> Value {
    let text = json!({"type": "string"});
    let flag = json!({"type": "boolean"});
    let mut schema = section(
        &["version", "region", "sources", "output"],
        json!({
            "version": {"const": 1},
            "region": names(REGIONS),
            "state_dir": path(),
            "hostname": text,
            "tags": texts(),
            "retention": section(&[], json!({"tag": {"type": "string", "pattern": "^retention:[0-9]+d$"}, "allow_longer": flag})),
            "sources": {"type": "object", "minProperties": 1, "additionalProperties": source()},
            "output": {"oneOf": [
                section(&["datadog"], json!({"datadog": datadog()})),
                section(&["stdout"], json!({"stdout": section(&[], json!({}))})),
            ]},
            "spool": section(&[], json!({"type": {"enum": ["disk", "memory"]}, "max": size(), "max_age": duration(),
                "when_full": {"enum": ["block", "drop_oldest"]}})),
            "admin": section(&[], json!({"listen": text, "expose": flag})),
            "log": section(&[], json!({"level": {"enum": ["error", "warn", "info", "debug"]},
                "format": {"enum": ["text", "json"]}})),
            "telemetry": section(&[], json!({"apm": section(&[], json!({"enabled": flag, "agent": text,
                "sample": {"type": "integer", "minimum": 1, "maximum": 1_000_000}}))})),
            "redaction": redaction(),
            "limits": section(&[], json!({"threads": {"type": "integer", "minimum": 1, "maximum": 64}})),
            "tokens": section(&["keyring"], json!({"keyring": secret(), "country": names(COUNTRIES)})),
            "residency": section(&[], json!({"allow": texts()})),
        }),
    );
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("logveil configuration");
    schema
}

fn source() -> Value {
    let start_at = json!({"enum": ["beginning", "end"]});
    let format = json!({"enum": ["text", "cri", "docker"]});
    let files =
        json!({"include": list_of(&path(), 1), "exclude": texts(), "start_at": start_at, "multiline": multiline()});
    let typed = |name: &str, required: &[&str], own: Value| {
        let text = json!({"type": "string"});
        let mut all = json!({"type": {"enum": [name]}, "service": text, "ddsource": text, "tags": texts(),
            "trust_origin": {"type": "boolean"}});
        if let (Value::Object(all), Value::Object(own)) = (&mut all, own) {
            all.extend(own);
        }
        section(required, all)
    };
    let with = |mut base: Value, name: &str, value: Value| {
        base[name] = value;
        base
    };
    json!({"oneOf": [
        typed("file", &["include"], with(files.clone(), "format", format.clone())),
        typed("container", &["type"], with(files, "format", json!({"enum": ["cri", "docker"]}))),
        typed("journald", &["type"], json!({"units": texts(), "fields": list_of(&json!({"type": "string", "pattern": "^[A-Z0-9_]{1,64}$"}), 0), "start_at": start_at,
            "journalctl": path(), "directory": path()})),
        typed("syslog", &["type", "listen"], json!({"listen": some_texts(), "expose": {"type": "boolean"},
            "timezone": {"enum": ["local", "utc"]},
            "tls": section(&["cert_file", "key_file"], json!({"cert_file": path(), "key_file": path()}))})),
        typed("stdin", &["type"], json!({"format": format, "multiline": multiline()})),
    ]})
}

fn multiline() -> Value {
    let languages: Vec<&str> = LANGUAGES.iter().map(|(name, _)| *name).chain(["all"]).collect();
    let mut schema = section(
        &[],
        json!({"start": {"type": "string"}, "traces": list_of(&json!({"enum": languages}), 0), "flush": duration(), "max_bytes": size(),
            "max_lines": {"type": "integer", "minimum": 2, "maximum": 10_000}}),
    );
    schema["not"] = json!({"required": ["start", "traces"]});
    schema
}

fn datadog() -> Value {
    let text = json!({"type": "string"});
    section(
        &["api_key"],
        json!({"site": names(SITES), "url": text, "api_key": secret(), "in_flight": {"type": "integer", "minimum": 1, "maximum": 4}, "compression": {"enum": ["zstd", "gzip", "none"]},
            "batch": section(&[], json!({"events": {"type": "integer", "minimum": 1, "maximum": 1000},
                "bytes": size(), "age": duration()})),
            "tls": section(&[], json!({"ca_file": path()})), "proxy": text}),
    )
}

fn redaction() -> Value {
    let style = json!({"enum": ["rule", "label"]});
    let classes: Map<String, Value> = CLASSES.iter().map(|(name, _)| ((*name).to_owned(), style.clone())).collect();
    let keys = section(&["rule", "words"], json!({"rule": {"type": "string"}, "words": some_texts()}));
    section(
        &[],
        json!({"packs": list_of(&json!({"type": "string", "pattern": "^(builtin$|/)"}), 0), "disable": texts(), "enforce": texts(), "keys": {"type": "array", "items": keys}, "allow_loosening": texts(), "allow": {"type": "array", "items": allow_schema()},
            "mask": section(&[], Value::Object(classes)), "user_agents": {"enum": ["keep", "mask"]},
            "private_ips": {"enum": ["mask", "keep"]}, "names": {"enum": ["keys", "off", "false", false]}}),
    )
}

fn section(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}

fn texts() -> Value {
    list_of(&json!({"type": "string"}), 0)
}

/// At least one text.
fn some_texts() -> Value {
    list_of(&json!({"type": "string"}), 1)
}

/// An absolute path.
fn path() -> Value {
    json!({"type": "string", "pattern": "^/"})
}

fn secret() -> Value {
    json!({"type": "string", "pattern": "^(file|env|credential):", "description": "file:/path, env:NAME or credential:name"})
}

fn size() -> Value {
    json!({"type": ["string", "integer"], "minimum": 0, "pattern": size_pattern(), "description": "bytes, or a size such as 64MiB"})
}

fn duration() -> Value {
    json!({"type": "string", "pattern": duration_pattern(), "description": "such as 200ms, 2s, 7d"})
}

fn names<T>(table: &[(&str, T)]) -> Value {
    json!({"enum": table.iter().map(|(name, _)| *name).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_fits_the_schema_and_mistakes_do_not() {
        let schema = jsonschema::validator_for(&json_schema()).expect("a schema");
        let example = include_str!("../../packaging/examples/logveil.yaml");
        let mut value: Value = serde_saphyr::from_str(example).expect("yaml");
        let wrong: Vec<String> =
            schema.iter_errors(&value).map(|error| format!("{} {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        value["output"]["datadog"]["retension"] = json!("90d");
        assert!(!schema.is_valid(&value));
    }
}
