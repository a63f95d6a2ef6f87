//! Carriers: the usual things a text is wrapped in on its way into a log, each with its plain way back.

use super::plain::*;
use serde_json::Value;

/// A wrapping. `wrap` gives none where the text cannot stand in this carrier, `unwrap` none where what came out of
/// the engine is no longer such a carrier.
pub(super) struct Carrier {
    pub(super) name: &'static str,
    pub(super) wrap: fn(&str) -> Option<String>,
    pub(super) unwrap: fn(&str) -> Option<String>,
    /// True when the whole carried text may be masked for one finding in it.
    pub(super) opaque: bool,
}

const fn carrier(name: &'static str, wrap: fn(&str) -> Option<String>, unwrap: fn(&str) -> Option<String>) -> Carrier {
    Carrier { name, wrap, unwrap, opaque: false }
}

/// Every carrier.
pub(super) const ALL: &[Carrier] = &[
    carrier("json", |text| Some(json(text)), un_json),
    carrier("json-in-json", |text| Some(json(&json(text))), |text| un_json(&un_json(text)?)),
    carrier("json-in-json-in-json", |text| Some(json(&json(&json(text)))), |text| un_json(&un_json(&un_json(text)?)?)),
    carrier("json-key", |text| Some(format!("{{{}:1}}", json_string(text))), un_json_key),
    carrier(
        "logfmt-quoted",
        |text| Some(format!("level=info note={} n=1", json_string(text))),
        |text| serde_json::from_str(cut(text, "level=info note=", " n=1")?).ok(),
    ),
    carrier("logfmt-bare", |text| Some(format!("level=info note={text}")), |text| rest(text, "level=info note=")),
    carrier(
        "query",
        |text| Some(format!("GET /v1/notes?note={}&n=1", percent_encode(text))),
        |text| Some(percent_decode(cut(text, "GET /v1/notes?note=", "&n=1")?)),
    ),
    carrier(
        "query-twice",
        |text| Some(format!("GET /v1/notes?note={}&n=1", percent_encode(&percent_encode(text)))),
        |text| Some(percent_decode(&percent_decode(cut(text, "GET /v1/notes?note=", "&n=1")?))),
    ),
    carrier("header", |text| Some(format!("X-Note: {text}")), |text| rest(text, "X-Note: ")),
    carrier(
        "structured-data",
        |text| Some(format!("<165>1 2026-03-01T10:00:00Z h app 1 ID47 [x@32473 note=\"{}\"] ok", sd(text))),
        |text| {
            let value = cut(text, "<165>1 2026-03-01T10:00:00Z h app 1 ID47 [x@32473 note=\"", "\"] ok")?;
            Some(value.replace("\\\"", "\"").replace("\\]", "]").replace("\\\\", "\\"))
        },
    ),
    carrier(
        "xml-attribute",
        |text| Some(format!("<note text=\"{}\" n=\"1\"/>", xml_escape(text))),
        |text| Some(xml_unescape(cut(text, "<note text=\"", "\" n=\"1\"/>")?)),
    ),
    carrier(
        "xml-element",
        |text| Some(format!("<note>{}</note>", xml_escape(text))),
        |text| Some(xml_unescape(cut(text, "<note>", "</note>")?)),
    ),
    carrier("yaml-plain", |text| Some(format!("  note: {text}")), |text| rest(text, "  note: ")),
    carrier(
        "yaml-quoted",
        |text| Some(format!("  note: '{}'", text.replace('\'', "''"))),
        |text| Some(cut(text, "  note: '", "'")?.replace("''", "'")),
    ),
    carrier("yaml-block", |text| Some(format!("note: |\n  {text}")), |text| rest(text, "note: |\n  ")),
    carrier(
        "flag",
        |text| (!text.contains('\'')).then(|| format!("run --note '{text}' --dry-run")),
        |text| Some(cut(text, "run --note '", "' --dry-run")?.to_owned()),
    ),
    Carrier {
        name: "base64",
        wrap: |text| Some(format!("data={} n=1", base64_encode(&json(text)))),
        unwrap: un_base64,
        opaque: true,
    },
    carrier(
        "long-line",
        |text| Some(format!("{} {text}", "x".repeat(65_530))),
        |text| rest(text, &format!("{} ", "x".repeat(65_530))),
    ),
];

fn json(text: &str) -> String {
    format!("{{\"level\":\"info\",\"note\":{},\"n\":1}}", json_string(text))
}

fn un_json(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(value.get("note")?.as_str()?.to_owned())
}

/// The carried text, or what stands in its place when it was masked as a whole.
fn un_base64(text: &str) -> Option<String> {
    let data = cut(text, "data=", " n=1")?;
    Some(base64_decode(data).and_then(|json| un_json(&json)).unwrap_or(data.to_owned()))
}

fn un_json_key(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    value.as_object()?.keys().next().cloned()
}

fn sd(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

fn cut<'t>(text: &'t str, head: &str, tail: &str) -> Option<&'t str> {
    text.strip_prefix(head)?.strip_suffix(tail)
}

fn rest(text: &str, head: &str) -> Option<String> {
    text.strip_prefix(head).map(str::to_owned)
}
