//! The JSON Schema of rule files, for editors. Names come from the loader's own tables, so that an editor
//! offers what the loader takes; what a schema cannot say (windows, plain words) the loader still checks.

use super::find::{ALPHABETS, PLACES, VALUE_KINDS};
use super::{CLASSES, LONGEST_ID, SEVERITIES, STAGES};
use crate::redact::rule::KeepShape;
use crate::redact::{shape, validate};
use serde_json::{Value, json};

/// The schema, draft 2020-12.
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "logveil rule file",
        "type": "object",
        "additionalProperties": false,
        "required": ["pack", "version", "rules"],
        "properties": {
            "pack": name("Name of the pack"),
            "version": {"type": "string"},
            "owner": {"type": "string"},
            "defaults": {
                "type": "object", "additionalProperties": false,
                "properties": {"class": one_of(CLASSES), "severity": one_of(SEVERITIES),
                    "since": {"type": "string"}, "reference": {"type": "string"}},
            },
            "rules": {"type": "array", "items": rule()},
        },
    })
}

fn rule() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "title", "tests"],
        "oneOf": [{"required": ["find"]}, {"required": ["keep"]}],
        "properties": {
            "id": name("Unique in a pack; a later pack replaces the rule of this id"),
            "title": {"type": "string"},
            "class": one_of(CLASSES),
            "severity": one_of(SEVERITIES),
            "label": name("The word the mask shows, without brackets"),
            "find": find(),
            "keep": {
                "type": "object", "additionalProperties": false, "required": ["shape"],
                "properties": {"path": texts(), "shape": one_of(KeepShape::NAMES)},
            },
            "check": list_of(&json!({"enum": validate::names().collect::<Vec<_>>()}), 0),
            "near": words(),
            "not_near": words(),
            "mask": {"oneOf": [
                {"const": "label"},
                {"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
                    "properties": {"token": {"type": "string"}, "keep_last": {"type": "integer", "minimum": 1, "maximum": 4}}},
            ]},
            "allow": {"type": "array", "items": allow_schema()},
            "stage": one_of(STAGES),
            "since": {"type": "string"},
            "reference": {"type": "string"},
            "tests": {"type": "array", "minItems": 1, "items": test()},
        },
    })
}

fn find() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let flag = json!({"type": "boolean"});
    let form = |required: &[&str], properties: Value| json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties});
    json!({"oneOf": [
        form(&["anchor", "alphabet", "min"], json!({"anchor": texts(), "alphabet": one_of(ALPHABETS), "min": count,
            "max": count, "before": count, "keep_anchor": flag, "boundary": flag, "any_case": flag})),
        form(&["short_anchor", "alphabet", "min"], json!({"short_anchor": texts(), "at": count,
            "alphabet": one_of(ALPHABETS), "min": count, "max": count})),
        form(&["key"], json!({"key": texts(), "not": texts(), "value": one_of(VALUE_KINDS), "place": one_of(PLACES),
            "prose": flag})),
        form(&["shape"], json!({"shape": {"enum": shape::names().collect::<Vec<_>>()}})),
        form(&["regex", "literals", "window"], json!({"regex": {"type": "string"}, "literals": texts(),
            "window": {"type": "object", "additionalProperties": false, "required": ["after"], "properties": {"before": count, "after": count}}})),
    ]})
}

fn words() -> Value {
    json!({"type": "object", "additionalProperties": false, "required": ["words"],
        "properties": {"words": list_of(&json!({"type": "string"}), 0), "within": {"type": "integer", "minimum": 1}}})
}

/// An exception; `redaction.allow` of the configuration is written the same way.
pub(crate) fn allow_schema() -> Value {
    let text = json!({"type": "string"});
    json!({"type": "object", "additionalProperties": false, "required": ["reason"],
        "oneOf": [{"required": ["exact"]}, {"required": ["prefix"]}, {"required": ["suffix"]}, {"required": ["domain"]}],
        "properties": {"exact": text, "prefix": text, "suffix": text, "domain": text, "rule": text,
            "reason": {"type": "string", "minLength": 1}, "until": {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}}})
}

fn test() -> Value {
    let text = json!({"type": "string"});
    json!({"oneOf": [
        {"type": "object", "additionalProperties": false, "required": ["in", "out"], "properties": {"in": text, "out": text}},
        {"type": "object", "additionalProperties": false, "required": ["same"], "properties": {"same": text}},
    ]})
}

fn texts() -> Value {
    list_of(&json!({"type": "string"}), 1)
}

/// A list of at least so many, or one of its items alone.
pub(crate) fn list_of(item: &Value, least: usize) -> Value {
    json!({"anyOf": [item, {"type": "array", "minItems": least, "items": item}]})
}

fn name(about: &str) -> Value {
    json!({"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": LONGEST_ID, "description": about})
}

fn one_of<T>(names: &[(&str, T)]) -> Value {
    json!({"enum": names.iter().map(|(name, _)| *name).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::builtin;

    #[test]
    fn every_file_of_the_pack_fits_the_schema_and_mistakes_do_not() {
        let schema = jsonschema::validator_for(&json_schema()).expect("a schema");
        for (file, text) in builtin::FILES {
            let value: Value = serde_saphyr::from_str(text).expect(file);
            let wrong: Vec<String> =
                schema.iter_errors(&value).map(|error| format!("{} {error}", error.instance_path())).collect();
            assert!(wrong.is_empty(), "{file}: {}", wrong.join("\n"));
        }
        let mut value: Value = serde_saphyr::from_str(builtin::FILES[0].1).expect("yaml");
        value["rules"][0]["stage"] = json!("canary");
        assert!(!schema.is_valid(&value));
    }
}
