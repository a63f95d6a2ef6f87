//! Texts that keep the grammar of their carrier: quotes and brackets pair, values end where the carrier says, and what
//! is not secret is separated from what is.

use super::draw::Draw;
use serde_json::{Map, Value};

const KEYS: [&str; 12] = [
    "password",
    "n",
    "email",
    "api_key",
    "note",
    "card",
    "token",
    "user",
    "DB_PASSWORD",
    "status",
    "clientSecret",
    "msg",
];

/// One text of one to three records.
pub(super) fn carrier(draw: &mut Draw<'_>) -> String {
    let write = draw.one_of::<fn(&mut Draw<'_>) -> String>(&[
        |draw| json(draw, 3).to_string(),
        |draw| format!("{:#}", json(draw, 3)),
        |draw| format!("INFO request {} done", json(draw, 2)),
        logfmt,
        url,
        prose,
        headers,
    ]);
    // Under a heading every line is a row, so that a table stands alone.
    if draw.below(8) == 0 {
        return table(draw);
    }
    let records: Vec<String> = (0..=draw.below(3)).map(|_| write(draw)).collect();
    records.join("\n")
}

/// A value without a sign of any carrier.
fn word(draw: &mut Draw<'_>) -> String {
    match draw.below(8) {
        0 => "jan@example.com".to_owned(),
        1 => "4111111111111111".to_owned(),
        2 => format!("ghp_{}", draw.letters(36)),
        3 => format!("FAKE{}", draw.letters(9)),
        4 => draw.below(65_536).to_string(),
        5 => "10.20.30.40".to_owned(),
        6 => draw.one_of(&["null", "true", "ok", "none", "alpha"]).to_owned(),
        _ => draw.letters(6),
    }
}

/// Words with a blank between two.
fn words(draw: &mut Draw<'_>) -> String {
    (0..=draw.below(4)).map(|_| word(draw)).collect::<Vec<_>>().join(" ")
}

fn json(draw: &mut Draw<'_>, depth: usize) -> Value {
    let entries = (0..=draw.below(4)).map(|_| (draw.one_of(&KEYS).to_owned(), json_value(draw, depth)));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn json_value(draw: &mut Draw<'_>, depth: usize) -> Value {
    match draw.below(if depth == 0 { 4 } else { 8 }) {
        0 => Value::from(draw.below(65_536)),
        1 => Value::from(4_111_111_111_111_111_u64),
        2 | 3 => Value::from(words(draw)),
        4 => (0..draw.below(4)).map(|_| json_value(draw, depth - 1)).collect(),
        5 => Value::from(json(draw, depth - 1).to_string()),
        6 => Value::from(draw.one_of::<fn(&mut Draw<'_>) -> String>(&[logfmt, url, prose])(draw)),
        _ => json(draw, depth - 1),
    }
}

fn logfmt(draw: &mut Draw<'_>) -> String {
    let pair = |draw: &mut Draw<'_>| {
        let (key, value) = (draw.one_of(&KEYS), words(draw));
        if value.contains(' ') { format!("{key}=\"{value}\"") } else { format!("{key}={value}") }
    };
    (0..=draw.below(5)).map(|_| pair(draw)).collect::<Vec<_>>().join(" ")
}

fn url(draw: &mut Draw<'_>) -> String {
    let user = if draw.byte() > 127 { format!("app:{}@", draw.letters(10)) } else { String::new() };
    // No plus sign for a blank: before digits it makes a number that stands behind a mask one of a phone.
    let pair =
        |draw: &mut Draw<'_>| format!("{}={}", draw.one_of(&KEYS), words(draw).replace(' ', "%20").replace('@', "%40"));
    let query: Vec<String> = (0..=draw.below(4)).map(|_| pair(draw)).collect();
    format!("GET https://{user}host.example/v1/{}?{} 200", draw.below(1000), query.join("&"))
}

fn prose(draw: &mut Draw<'_>) -> String {
    let part = |draw: &mut Draw<'_>| match draw.below(5) {
        0 => format!("{}: {}", draw.one_of(&KEYS), word(draw)),
        1 => format!("the {} is {}", draw.one_of(&KEYS), word(draw)),
        2 => format!("user ({})", word(draw)),
        3 => format!("'{}' was sent", words(draw)),
        _ => format!("found {} here", words(draw)),
    };
    (0..=draw.below(4)).map(|_| part(draw)).collect::<Vec<_>>().join(", ")
}

fn headers(draw: &mut Draw<'_>) -> String {
    let header = |draw: &mut Draw<'_>| match draw.below(4) {
        0 => format!("Authorization: Bearer {}", draw.letters(24)),
        1 => format!("Cookie: sid={}; theme=dark", draw.letters(16)),
        2 => format!("X-Api-Key: {}", draw.letters(20)),
        _ => format!("X-Note: {}", words(draw)),
    };
    (0..=draw.below(4)).map(|_| header(draw)).collect::<Vec<_>>().join("\r\n")
}

fn table(draw: &mut Draw<'_>) -> String {
    let sign = draw.one_of(&[",", ";", "\t", " | "]);
    let names = ["id", draw.one_of(&KEYS), "city", "state"];
    let row = |draw: &mut Draw<'_>| (0..names.len()).map(|_| word(draw)).collect::<Vec<_>>().join(sign);
    let rows: Vec<String> = (0..=draw.below(3)).map(|_| row(draw)).collect();
    format!("{}\n{}", names.join(sign), rows.join("\n"))
}
