//! Carriers: the usual ways in which a text stands inside a log line, each with its own writing.
//!
//! An example is written into each of them; afterwards the planted value must be gone in every reading and
//! what stood around it must be there, in order.

use std::ops::Range;

/// A way to carry a text.
pub struct Carrier {
    /// Its name.
    pub name: &'static str,
    before: &'static str,
    after: &'static str,
    encode: fn(&str) -> Option<String>,
    /// A hit may take the whole text with it (base64 is masked as a whole).
    whole: bool,
}

/// An example written into a carrier.
pub struct Written {
    before: &'static str,
    body: String,
    after: &'static str,
    encode: fn(&str) -> Option<String>,
    json: bool,
}

/// Every carrier.
pub const ALL: &[Carrier] = &[
    Carrier { name: "json", before: r#"{"ts":17,"note":""#, after: r#"","n":7}"#, encode: json, whole: false },
    Carrier {
        name: "json in json",
        before: r#"{"level":"info","body":"{\"note\":\""#,
        after: r#"\",\"n\":7}"}"#,
        encode: json_twice,
        whole: false,
    },
    Carrier { name: "logfmt", before: r#"level=info note=""#, after: r#"" n=7"#, encode: quoted, whole: false },
    Carrier { name: "query", before: "GET /a?note=", after: "&n=7 HTTP/1.1", encode: percent, whole: false },
    Carrier { name: "header", before: "X-Note: ", after: "", encode: plain, whole: false },
    Carrier { name: "xml", before: r#"<log n="7"><note>"#, after: "</note></log>", encode: xml, whole: false },
    Carrier { name: "yaml", before: r#"note: ""#, after: r#"""#, encode: quoted, whole: false },
    Carrier { name: "flag", before: r#"run --note ""#, after: r#"" --n 7"#, encode: quoted, whole: false },
    Carrier { name: "percent", before: "note ", after: " end", encode: percent, whole: false },
    Carrier { name: "base64", before: r#"{"blob":""#, after: r#"","n":7}"#, encode: base64, whole: true },
];

impl Carrier {
    /// `text` inside this carrier; `None` where it cannot be carried.
    pub fn write(&self, text: &str) -> Option<Written> {
        let body = (self.encode)(text)?;
        let json = self.name.starts_with("json");
        Some(Written { before: self.before, body, after: self.after, encode: self.encode, json })
    }

    /// True when a hit takes the whole text.
    pub fn is_whole(&self) -> bool {
        self.whole
    }
}

impl Written {
    /// The whole line.
    pub fn text(&self) -> String {
        format!("{}{}{}", self.before, self.body, self.after)
    }
}

/// A value that must not be readable, and how often the expected output still shows the same text elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub struct Plant {
    /// The value.
    pub text: String,
    /// Times it stays, under another key.
    pub kept: usize,
}

/// The parts of `input` that `output` replaces by masks. The unchanged parts are found left to right
/// between the masks of `output`.
pub fn plants(input: &str, output: &str) -> Vec<Plant> {
    let mut plants = Vec::new();
    let (mut at, mut rest) = (0, output);
    while let Some(mask) = first_mask(rest) {
        let mut fixed = &rest[..mask.start];
        let mut next = &rest[mask.end..];
        rest = next;
        if !input[at..].starts_with(fixed) {
            // The mask brought quotes of its own: `4821` became `"[pin]"`.
            fixed = fixed.trim_end_matches('"');
            next = next.strip_prefix('"').unwrap_or(next);
        }
        at = (at + fixed.len()).min(input.len());
        let last = first_mask(next);
        let end = match &last {
            None => input.len().saturating_sub(next.len()),
            Some(mask) => input[at..].find(&next[..mask.start]).map_or(input.len(), |found| at + found),
        };
        if end > at && input.is_char_boundary(end) && input.is_char_boundary(at) {
            let text = input[at..end].to_owned();
            let kept = output.matches(text.as_str()).count();
            plants.push(Plant { text, kept });
            at = end;
        }
    }
    plants.retain(|plant| plant.text.len() >= 3);
    plants
}

/// The first `[label]` of a text: lower-case letters, digits and dashes.
fn first_mask(text: &str) -> Option<Range<usize>> {
    text.match_indices('[').find_map(|(start, _)| {
        let end = start + text[start..].find(']')? + 1;
        let label = &text[start + 1..end - 1];
        let fits = label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        (label.len() >= 2 && fits && label.bytes().any(|byte| byte.is_ascii_lowercase())).then_some(start..end)
    })
}

/// What is wrong with `got`: a plant that can still be read, or a carrier that is broken.
pub fn fault(written: &Written, plants: &[Plant], got: &str) -> Option<String> {
    for plant in plants {
        let readable = |text: &str| !text.is_empty() && got.matches(text).count() > plant.kept;
        if readable(&plant.text) || readable(&(written.encode)(&plant.text).unwrap_or_default()) {
            return Some(format!("the value can still be read: {}", plant.text));
        }
    }
    if !got.starts_with(written.before) || !got.ends_with(written.after) {
        return Some("what stands around the text was changed".to_owned());
    }
    if written.json && serde_json::from_str::<serde_json::Value>(got).is_err() {
        return Some("the line is JSON no more".to_owned());
    }
    None
}

fn plain(text: &str) -> Option<String> {
    (!text.contains('\n')).then(|| text.to_owned())
}

fn json(text: &str) -> Option<String> {
    let quoted = serde_json::to_string(text).ok()?;
    Some(quoted[1..quoted.len() - 1].to_owned())
}

fn json_twice(text: &str) -> Option<String> {
    json(&json(text)?)
}

/// Between double quotes, with backslash escapes.
fn quoted(text: &str) -> Option<String> {
    json(text)
}

fn xml(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    Some(out)
}

fn percent(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(out)
}

fn base64(text: &str) -> Option<String> {
    crate::redact::filler::expand(&format!("{{{{base64-of:{text}}}}}")).ok()
}
