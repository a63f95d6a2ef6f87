//! Properties of the engine over any bytes. Each panics when the property does not hold.

use super::cells::{self, DECODERS};
use super::draw::Draw;
use super::{naive, sample};
use crate::redact::steps;
use crate::redact::view::expander::budget;
use crate::redact::view::{Encodings, Expander};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::ops::Range;

/// The engine masks at least what the oracle finds.
pub fn fuzz_redact_vs_naive(data: &[u8]) {
    // A record of several lines keeps its inner line ends.
    let record = data[..data.len().min(512)].trim_ascii_end();
    let rules = sample::rules();
    let masked = sample::masked(&rules, record);
    for range in naive::masked(rules.rules(), record) {
        let missed =
            range.clone().find(|at| !masked.iter().any(|mask| mask.contains(at)) && !of_carrier(record, &range, *at));
        // What the engine does not hide again are its own masks.
        let own = record[range.clone()].starts_with(b"[") && record[range.clone()].ends_with(b"]");
        let shown = String::from_utf8_lossy(record);
        assert!(missed.is_none() || own, "bytes {range:?} of {shown:?} are left readable from {missed:?}");
    }
}

/// Whether the byte at `at` of what was found is not the value's: a quote at the end that has no partner, the letter of
/// an escape at the start that a string writes (`"HOME\njan@…"`), and what stands between the tokens of JSON.
fn of_carrier(record: &[u8], found: &Range<usize>, at: usize) -> bool {
    let value = &record[found.clone()];
    let real = |at: &usize| value[..*at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0;
    let quotes = memchr::memchr_iter(b'"', value).filter(real).count();
    let closing = record[at] == b'"' && at + 1 == found.end && quotes % 2 == 1;
    let slashes = record[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    let letter = at == found.start && slashes % 2 == 1 && b"nrtbf".contains(&record[at]);
    let escape = letter && record[..at].contains(&b'"');
    let sign = !(record[at].is_ascii_digit() || b"+-.".contains(&record[at]));
    let json = || json_in(record).into_iter().find(|json| json.contains(&at));
    closing || escape || sign && json().is_some_and(|json| !cells::in_string(&record[json.clone()])[at - json.start])
}

/// The JSON at the start of the record, and at its first brace. What is wrong inside of strings is forgiven.
fn json_in(record: &[u8]) -> Vec<Range<usize>> {
    let record = &forgiven(record);
    let starts = [record.iter().position(|byte| !byte.is_ascii_whitespace()), memchr::memchr(b'{', record)];
    let read = |start: usize| {
        let mut values = serde_json::Deserializer::from_slice(&record[start..]).into_iter::<IgnoredAny>();
        let container = matches!(record[start], b'{' | b'[') && values.next()?.is_ok();
        container.then(|| start..start + values.byte_offset())
    };
    starts.into_iter().flatten().filter_map(read).collect()
}

/// `record` with a right escape in the place of each that JSON does not know, and without control characters.
fn forgiven(record: &[u8]) -> Vec<u8> {
    let mut escaped = false;
    let right = |&byte: &u8| {
        let known = !escaped || b"\"\\/bfnrt".contains(&byte);
        escaped = byte == b'\\' && !escaped;
        match byte {
            _ if !known => b'n',
            0x80.. => b'x',
            0..0x20 => b' ',
            byte => byte,
        }
    };
    record.iter().map(right).collect()
}

/// JSON stays JSON of the same shape, nested JSON too.
pub fn fuzz_json_validity(data: &[u8]) {
    let drawn = Draw::new(data).json(4);
    // A number alone on its line is a text, not JSON.
    stays_json(&if drawn.is_object() || drawn.is_array() { drawn } else { Value::from(vec![drawn]) });
}

pub(super) fn stays_json(before: &Value) {
    for rules in [sample::rules(), sample::builtin()] {
        let output = sample::redact(&rules, before.to_string().as_bytes(), &[1]);
        let Ok(after) = serde_json::from_slice::<Value>(&output) else {
            panic!("no JSON any more: {before}\n{}", String::from_utf8_lossy(&output));
        };
        assert!(same_shape(before, &after), "another shape: {before}\n{after}");
    }
}

/// Same nesting and lengths; a masked number is a string; text that held JSON holds it or is one mask.
fn same_shape(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            before.len() == after.len()
                && before.values().zip(after.values()).all(|(before, after)| same_shape(before, after))
        }
        (Value::Array(before), Value::Array(after)) => {
            before.len() == after.len() && before.iter().zip(after).all(|(before, after)| same_shape(before, after))
        }
        (Value::String(before), Value::String(after)) => {
            let nested = |text: &str| {
                serde_json::from_str::<Value>(text).ok().filter(|value| value.is_object() || value.is_array())
            };
            match (nested(before), nested(after)) {
                (Some(before), Some(after)) => same_shape(&before, &after),
                (Some(_), None) => after.starts_with('[') && after.ends_with(']'),
                _ => true,
            }
        }
        (Value::Number(_), Value::String(_)) => true,
        (before, after) => before == after,
    }
}

/// However records are divided into blocks, the output is the same.
pub fn fuzz_split_invariance(data: &[u8]) {
    let mut draw = Draw::new(data);
    let counts: Vec<usize> = (0..4).map(|_| 1 + draw.below(5)).collect();
    let text = &data[data.len().min(8)..];
    for rules in [sample::rules(), sample::builtin()] {
        let whole = sample::redact(&rules, text, &[usize::MAX]);
        assert!(whole == sample::redact(&rules, text, &counts), "blocks of {counts:?} records differ");
        assert!(whole == sample::redact(&rules, text, &[1]), "single records differ");
    }
}

/// No line of a key block survives, whatever stands around it and however its lines are handed over.
pub fn fuzz_multiline(data: &[u8]) {
    let mut draw = Draw::new(data);
    let kind = draw.one_of(&["RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY"]);
    let prefix = draw.one_of(&["", "Mar  1 10:00:00 host app[7]: ", "2026-03-01T10:00:00.000000000Z stdout F "]);
    let bodies: Vec<String> = (0..1 + draw.below(6)).map(|_| draw.letters(64)).collect();
    let last = draw.letters(24);
    let mut lines = vec!["before it".to_owned(), format!("-----BEGIN {kind}-----")];
    lines.extend(bodies.iter().cloned().chain([last.clone()]));
    lines.push(format!("-----END {kind}-----"));
    lines.push("started after it".to_owned());
    let text: String = lines.iter().map(|line| format!("{prefix}{line}\n")).collect();
    let counts: Vec<usize> = (0..4).map(|_| 1 + draw.below(4)).collect();
    let output = String::from_utf8_lossy(&sample::redact(&sample::rules(), text.as_bytes(), &counts)).into_owned();
    for body in bodies.iter().chain([&last]) {
        assert!(!output.contains(body.as_str()), "a line of the block is left: {output}");
    }
    assert!(output.contains("started after it") && output.contains("before it"), "too much is gone: {output}");
}

/// The cells of a secret column go, in every kind of table; all others stay.
pub fn fuzz_planted_table(data: &[u8]) {
    let mut draw = Draw::new(data);
    let sign = draw.one_of(&[",", ";", "\t", " | "]);
    let count = 3 + draw.below(3);
    let secret = draw.below(count);
    let quoted = sign == "," && draw.byte() > 127;
    let names = ["id", "user", "note", "city", "status"];
    let row = |cell: &mut dyn FnMut(usize) -> String| (0..count).map(cell).collect::<Vec<_>>().join(sign);
    let key = draw.one_of(&["password", "api_key", "token"]);
    let mut lines = vec![row(&mut |at| if at == secret { key } else { names[at] }.to_owned())];
    let mut secrets = Vec::new();
    for _ in 0..=draw.below(3) {
        let value = format!("FAKE{}", draw.letters(8));
        let shown = if quoted { format!("\"{value}{sign}x\"") } else { value.clone() };
        secrets.push(value);
        let word = draw.one_of(&["alpha", "beta", "gamma", "delta"]);
        lines.push(row(&mut |at| if at == secret { shown.clone() } else { format!("{word}{at}") }));
    }
    if sign == " | " {
        lines.iter_mut().for_each(|line| *line = format!("| {line} |"));
    }
    let text = lines.join(draw.one_of(&["\n", "\r\n"]));
    let output = match draw.below(3) {
        // A record of all lines, a record a line, a string of JSON.
        0 => sample::redact_record(&sample::rules(), text.as_bytes()),
        1 => sample::redact(&sample::rules(), text.as_bytes(), &[1 + draw.below(3)]),
        _ => {
            let record = serde_json::json!({"n": 1, "text": text}).to_string();
            let output = sample::redact_record(&sample::rules(), record.as_bytes());
            let tree: Value = serde_json::from_slice(&output).expect("JSON stays JSON");
            tree["text"].as_str().expect("a text stays one").as_bytes().to_vec()
        }
    };
    let output = String::from_utf8_lossy(&output).into_owned();
    for secret in &secrets {
        assert!(!output.contains(secret.as_str()), "{secret} is left: {output}");
    }
    let others = |line: &str| line.split(sign).enumerate().filter(|(at, _)| *at != secret).count();
    assert_eq!(
        others(&output.replace("[password]", "x")),
        others(&text.replace(&format!("{sign}x\""), "")),
        "{output}"
    );
    for name in names[..count].iter().enumerate().filter(|(at, _)| *at != secret).map(|(_, name)| name) {
        assert!(output.contains(name), "{name} is gone: {output}");
    }
}

/// The steps that the engine may take for a byte, be it the record's or decoded from it, and those that every record
/// may take beside. Of decoded bytes there are no more than the views' budget. Windows of expressions overlap where the
/// literal of a rule repeats: a byte may lie in as many as a window has literals. What is read again and again takes
/// thousands.
const STEPS_PER_BYTE: u64 = 16;
const STEPS_BASE: u64 = 1 << 14;

/// Whatever is repeated, the engine's readers look at each byte a bounded number of times.
pub fn fuzz_slow_line(data: &[u8]) {
    let (&times, piece) = data.split_first().unwrap_or((&0, &[]));
    // The input as it is, over and over; or its second half over and over behind its first.
    let head = if times % 2 == 0 { 0 } else { piece.len() / 2 };
    if head == piece.len() {
        return;
    }
    let tail = piece[head..].iter().cycle().take(SLOW_LINE);
    let record: Vec<u8> = piece[..head].iter().chain(tail).copied().collect();
    let took = steps_of(&record);
    let decoded = decoded(&record);
    let most = STEPS_PER_BYTE * (record.len() + decoded) as u64 + STEPS_BASE;
    assert!(took <= most, "{took} steps for {} bytes and {decoded} decoded", record.len());
}

/// The bytes of all views of a record, as far as they are made.
fn decoded(record: &[u8]) -> usize {
    let mut decoded = 0;
    let made = Expander::default().expand(record, Encodings::ALL, &mut |view| decoded += view.text().len());
    assert!(made.is_err() || decoded <= budget(record.len()), "{decoded} decoded bytes of {}", record.len());
    decoded
}

/// Bytes of a repeated piece: enough for what grows faster than its length to show.
const SLOW_LINE: usize = 16 << 10;

/// The steps one record takes with the shipped rules.
pub(in crate::redact) fn steps_of(record: &[u8]) -> u64 {
    let rules = sample::builtin();
    steps::of(|| drop(sample::redact_record(&rules, record)))
}

/// A secret in a context and in a chain of encodings is not in the output, nor in what the output decodes to.
pub fn fuzz_planted_secret(data: &[u8]) {
    let mut draw = Draw::new(data);
    let secret = match draw.below(4) {
        0 => format!("ghp_{}", draw.letters(36)),
        1 => format!("glpat-{}", draw.letters(20)),
        2 => format!("jan.{}@example.com", draw.letters(6).to_ascii_lowercase()),
        _ => "4111111111111111".to_owned(),
    };
    let context =
        draw.one_of(&["note # end", "{\"note\":\"#\",\"n\":1}", "a=1&note=#&b=2", "<note>#</note>", "note='#'"]);
    let mut text = context.replace('#', &secret);
    let chain: Vec<usize> = (0..draw.below(4)).map(|_| draw.below(DECODERS.len())).collect();
    for &number in chain.iter().rev() {
        text = encode(DECODERS[number].0, &text);
    }
    let head = draw.letters(3);
    let record = format!("{head} \"{text}\" {}", draw.letters(3));
    let output = sample::redact(&sample::rules(), record.as_bytes(), &[1]);
    let mut reading = cells::raw(&output);
    for step in 0..=chain.len() {
        let shown = String::from_utf8_lossy(&cells::bytes(&reading)).into_owned();
        assert!(!shown.contains(&secret), "{secret} is left in {chain:?} at {step}: {record}");
        if let Some(&number) = chain.get(step) {
            reading = (DECODERS[number].1)(&reading);
        }
    }
}

/// Plain encoders, twins of the decoders.
fn encode(encoding: &str, text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric();
    match encoding {
        "escape" => text
            .chars()
            .map(|char| match char {
                '"' | '\\' => format!("\\{char}"),
                char if plain(char) || char == ' ' => char.to_string(),
                char => char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
            })
            .collect(),
        "percent" => text
            .bytes()
            .map(|byte| match char::from(byte) {
                char if plain(char) => char.to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect(),
        "html" => text
            .chars()
            .map(|char| match char {
                char if plain(char) => char.to_string(),
                char => format!("&#{};", char as u32),
            })
            .collect(),
        "fold" => text.chars().flat_map(|char| [char, '\u{200b}']).collect(),
        "hex" => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        _ => base64(text.as_bytes()),
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let value = |group: &[u8]| {
        let group = format!("{:0<6}", String::from_utf8_lossy(group));
        usize::from_str_radix(&group, 2).unwrap_or(0)
    };
    bits.as_bytes().chunks(6).map(|group| char::from(LETTERS[value(group)])).collect()
}
