//! The JSON Schema of the configuration, for editors. What a schema cannot say (addresses, rights, the
//! site's region) `logveil check` says.

use super::schema::COUNTRIES;
use super::site::{REGIONS, SITES};
use crate::redact::rule_file::{CLASSES, allow_schema};
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
            "state_dir": text,
            "hostname": text,
            "tags": texts(),
            "retention": section(&[], json!({"tag": text, "allow_longer": flag})),
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
            "tokens": section(&[], json!({"keyring": secret(), "country": names(COUNTRIES)})),
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
    let files = json!({"include": texts(), "exclude": texts(), "start_at": start_at, "multiline": multiline()});
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
    let text = json!({"type": "string"});
    json!({"oneOf": [
        typed("file", &["include"], with(files.clone(), "format", format.clone())),
        typed("container", &["type"], with(files, "format", json!({"enum": ["cri", "docker"]}))),
        typed("journald", &["type"], json!({"units": texts(), "fields": texts(), "start_at": start_at,
            "journalctl": text, "directory": text})),
        typed("syslog", &["type", "listen"], json!({"listen": texts(), "expose": {"type": "boolean"},
            "timezone": {"enum": ["local", "utc"]},
            "tls": section(&["cert_file", "key_file"], json!({"cert_file": text, "key_file": text}))})),
        typed("stdin", &["type"], json!({"format": format, "multiline": multiline()})),
    ]})
}

fn multiline() -> Value {
    section(
        &[],
        json!({"start": {"type": "string"}, "traces": texts(), "flush": duration(), "max_bytes": size(),
            "max_lines": {"type": "integer", "minimum": 2, "maximum": 10_000}}),
    )
}

fn datadog() -> Value {
    let text = json!({"type": "string"});
    section(
        &["api_key"],
        json!({"site": names(SITES), "url": text, "api_key": secret(), "in_flight": {"type": "integer", "minimum": 1, "maximum": 4}, "compression": {"enum": ["zstd", "gzip", "none"]},
            "batch": section(&[], json!({"events": {"type": "integer", "minimum": 1, "maximum": 1000},
                "bytes": size(), "age": duration()})),
            "tls": section(&[], json!({"ca_file": text})), "proxy": text}),
    )
}

fn redaction() -> Value {
    let style = json!({"enum": ["rule", "label"]});
    let classes: Map<String, Value> = CLASSES.iter().map(|(name, _)| ((*name).to_owned(), style.clone())).collect();
    let keys = section(&["rule", "words"], json!({"rule": {"type": "string"}, "words": texts()}));
    section(
        &[],
        json!({"packs": texts(), "disable": texts(), "enforce": texts(), "keys": {"type": "array", "items": keys}, "allow_loosening": texts(), "allow": {"type": "array", "items": allow_schema()},
            "mask": section(&[], Value::Object(classes)), "user_agents": {"enum": ["keep", "mask"]},
            "private_ips": {"enum": ["mask", "keep"]}, "names": {"enum": ["keys", "off"]}}),
    )
}

fn section(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

fn secret() -> Value {
    json!({"type": "string", "pattern": "^(file|env|credential):", "description": "file:/path, env:NAME or credential:name"})
}

fn size() -> Value {
    json!({"type": ["string", "integer"], "description": "bytes, or a size such as 64MiB"})
}

fn duration() -> Value {
    json!({"type": "string", "description": "such as 200ms, 2s, 7d"})
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
