//! One table: a value of every class, in every encoding and in chains of four of them, in every carrier.
//!
//! Every byte knows whether it is the planted value's ([`Byte`]), through all encodings: the engine has to mask exactly
//! these bytes, of a run in hex or base64 and of an encoded word all. What stands around the value stays.

use super::sample;
use crate::redact::view::chain::MAX_DEPTH;
use crate::redact::{RuleSet, filler};
use std::fmt::Write as _;
use std::sync::Arc;

/// A byte of a text, and whose it is.
#[derive(Clone, Copy)]
struct Byte {
    byte: u8,
    of: Of,
}

/// Whose a byte is: the planted value's, its surroundings', or nobody's: what is not seen beside a value may go with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Value,
    Rest,
    Nobody,
}

type Text = Vec<Byte>;

/// A class of values: its name, and a text in which the value stands between `«` and `»`.
const VALUES: &[(&str, &str)] = &[
    ("credential, anchored", "push with «gh{{}}p_{{base62:36}}» failed"),
    ("credential, short anchor", "key «AK{{}}IA{{upper:16}}» used"),
    ("credential, keyed", "login password=«FAKE-pw-77Qw», then ok"),
    ("credential, in a link", "to https://bot:«FAKEpw9Zt»@example.com/hook ok"),
    ("credential, in a header", "got Authorization: Bearer «FAKE.tok-9Qw7» from there"),
    ("contact, mail", "to «jan.kowalski@example.com» now"),
    ("contact, phone", "call «+48 601 234 567» now"),
    ("network, v4", "from «203.0.113.77» now"),
    ("network, v6", "from «2001:db8::7:53» now"),
    ("device, mac", "mac «00:00:5e:00:53:1a» now"),
    ("financial, card", "paid by «4111 1111 1111 1111» now"),
    ("financial, account", "to «DE89370400440532013000» now"),
    ("identity, number", "pesel «90010112349» now"),
];

/// A writer of texts.
type Encode = fn(&[Byte]) -> Text;

/// Encodings, each in the ways in which it is usual to write it.
const ENCODINGS: &[(&str, Encode)] = &[
    ("escape", |text| {
        each(text, |char| if plain(char) { None } else { Some(units(char, |unit| format!("\\u{unit:04x}"))) })
    }),
    ("escape, all", |text| each(text, |char| Some(units(char, |unit| format!("\\u{unit:04X}"))))),
    ("escape, short", |text| each(text, short_escape)),
    ("escape, \\x", |text| {
        each(text, |char| if plain(char) { None } else { Some(octets(char, |byte| format!("\\x{byte:02x}"))) })
    }),
    ("escape, octal", |text| {
        each(text, |char| if plain(char) { None } else { Some(octets(char, |byte| format!("\\{byte:03o}"))) })
    }),
    ("syslog", |text| each(text, |char| char.is_control().then(|| octets(char, |byte| format!("#{byte:03o}"))))),
    ("percent", |text| {
        each(text, |char| if plain(char) { None } else { Some(octets(char, |byte| format!("%{byte:02X}"))) })
    }),
    ("percent, all", |text| each(text, |char| Some(octets(char, |byte| format!("%{byte:02x}"))))),
    ("percent, wide", |text| {
        each(text, |char| if plain(char) { None } else { Some(units(char, |unit| format!("%u{unit:04X}"))) })
    }),
    ("html", |text| each(text, |char| if plain(char) { None } else { Some(format!("&#{};", char as u32)) })),
    ("html, hex", |text| each(text, |char| if plain(char) { None } else { Some(format!("&#x{:X};", char as u32)) })),
    ("html, named", |text| each(text, named)),
    ("quoted-printable", |text| {
        each(text, |char| if plain(char) { None } else { Some(octets(char, |byte| format!("={byte:02X}"))) })
    }),
    ("encoded-word, B", |text| words(text, |bytes| format!("=?utf-8?B?{}?=", base64(bytes, true)))),
    ("encoded-word, Q", |text| {
        words(text, |bytes| {
            let body: String = String::from_utf8_lossy(bytes)
                .chars()
                .map(|char| match char {
                    ' ' => "_".to_owned(),
                    char if plain(char) => char.to_string(),
                    char => octets(char, |byte| format!("={byte:02X}")),
                })
                .collect();
            format!("=?UTF-8?Q?{body}?=")
        })
    }),
    ("fold, wide", |text| {
        each(text, |char| char.is_ascii_graphic().then(|| char::from_u32(char as u32 + 0xfee0).into_iter().collect()))
    }),
    ("fold, unseen", |text| unseen(text, "\u{200b}")),
    ("fold, colours", |text| unseen(text, "\x1b[1;31m")),
    ("hex", |text| whole(text, |bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect())),
    ("hex, capitals", |text| whole(text, |bytes| bytes.iter().map(|byte| format!("{byte:02X}")).collect())),
    ("base64", |text| whole(text, |bytes| base64(bytes, true))),
    ("base64url", |text| whole(text, |bytes| base64(bytes, false).replace('+', "-").replace('/', "_"))),
    ("base64, one before", |text| whole(text, |bytes| format!("x{}", base64(bytes, false)))),
    ("base64, two before", |text| whole(text, |bytes| format!("xY{}", base64(bytes, false)))),
    ("base64, three before", |text| whole(text, |bytes| format!("xYz{}", base64(bytes, false)))),
    ("base64, wide", |text| {
        whole(text, |bytes| {
            let units = String::from_utf8_lossy(bytes).encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
            base64(&units, true)
        })
    }),
];

/// Encodings of which chains are made: one way each.
const LINKS: [&str; 9] =
    ["escape", "syslog", "percent", "html", "quoted-printable", "encoded-word, B", "fold, wide", "hex", "base64"];

/// What stands around a text in a record, `§` in its place, and how the carrier writes it.
const CARRIERS: &[(&str, &str, Encode)] = &[
    ("bare", "§", |text| text.to_vec()),
    ("line of a log", "2026-03-01T10:00:00Z INFO worker[12] §", |text| text.to_vec()),
    ("syslog", "<165>1 2026-03-01T10:00:00Z h app 1 ID47 [x@32473 note=\"§\"] ok", |text| each(text, data_escape)),
    ("json", r#"{"level":"info","note":"§","n":1}"#, |text| each(text, short_escape)),
    ("json in json", r#"{"level":"info","body":"{\"note\":\"§\",\"n\":7}"}"#, |text| {
        each(&each(text, short_escape), short_escape)
    }),
    ("json list", r#"["a","§",1]"#, |text| each(text, short_escape)),
    ("json key", r#"{"§":1}"#, |text| each(text, short_escape)),
    ("logfmt", r#"level=info note="§" n=1"#, |text| each(text, short_escape)),
    ("query", "GET /v1/notes?note=§&n=1 HTTP/1.1", |text| {
        each(text, |char| if plain(char) { None } else { Some(octets(char, |byte| format!("%{byte:02X}"))) })
    }),
    ("header", "X-Note: §", |text| text.to_vec()),
    ("xml element", "<log n=\"7\"><note>§</note></log>", |text| each(text, named)),
    ("xml attribute", "<note text=\"§\" n=\"1\"/>", |text| each(text, named)),
    ("yaml", "  note: \"§\"", |text| each(text, short_escape)),
    ("flag", "run --note '§' --dry-run", |text| text.to_vec()),
    ("python", "{'level': 'info', 'note': '§', 'n': None}", |text| text.to_vec()),
    ("csv", "17,\"§\",ok", |text| text.to_vec()),
];

fn plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == ' '
}

/// Writes character by character; `None` leaves one as it is.
fn each(text: &[Byte], write: fn(char) -> Option<String>) -> Text {
    let bytes: Vec<u8> = text.iter().map(|byte| byte.byte).collect();
    let chars = std::str::from_utf8(&bytes).expect("texts are UTF-8");
    let written = chars.char_indices().flat_map(|(at, char)| {
        let of = text[at].of;
        let bytes = write(char).unwrap_or(char.to_string()).into_bytes();
        bytes.into_iter().map(move |byte| Byte { byte, of })
    });
    written.collect()
}

/// Writes a text in one piece, which is the value's where any of it is.
fn whole(text: &[Byte], write: fn(&[u8]) -> String) -> Text {
    let of = if text.iter().any(|byte| byte.of == Of::Value) { Of::Value } else { Of::Rest };
    let bytes: Vec<u8> = text.iter().map(|byte| byte.byte).collect();
    write(&bytes).into_bytes().into_iter().map(|byte| Byte { byte, of }).collect()
}

/// Writes a text in encoded words, none longer than mail allows. Words beside the value's may go with it: mail programs
/// read them as one text.
fn words(text: &[Byte], write: fn(&[u8]) -> String) -> Text {
    const LONGEST: usize = 39;
    let (mut out, mut rest) = (Text::new(), text);
    while !rest.is_empty() {
        let begins = |at: &usize| rest.get(*at).is_none_or(|byte| byte.byte & 0xc0 != 0x80);
        let at = (1..=LONGEST.min(rest.len())).rev().find(begins).expect("characters are shorter");
        if !out.is_empty() {
            out.push(Byte { byte: b' ', of: Of::Nobody });
        }
        let word = whole(&rest[..at], write).into_iter();
        let beside = |byte: Byte| if byte.of == Of::Rest { Byte { of: Of::Nobody, ..byte } } else { byte };
        out.extend(word.map(beside));
        rest = &rest[at..];
    }
    out
}

/// Writes what is not seen behind every character.
fn unseen(text: &[Byte], sign: &str) -> Text {
    let mut out = Text::new();
    for (at, byte) in text.iter().enumerate() {
        out.push(*byte);
        let ends = text.get(at + 1).is_none_or(|next| next.byte & 0xc0 != 0x80);
        let sign = sign.bytes().filter(|_| ends);
        out.extend(sign.map(|byte| Byte { byte, of: Of::Nobody }));
    }
    out
}

fn units(char: char, write: fn(u16) -> String) -> String {
    char.encode_utf16(&mut [0; 2]).iter().map(|unit| write(*unit)).collect()
}

fn octets(char: char, write: fn(u8) -> String) -> String {
    char.encode_utf8(&mut [0; 4]).bytes().map(write).collect()
}

/// As JSON must write it, and no more.
fn short_escape(char: char) -> Option<String> {
    match char {
        '"' | '\\' => Some(format!("\\{char}")),
        '\n' => Some("\\n".to_owned()),
        '\t' => Some("\\t".to_owned()),
        char if char.is_control() => Some(units(char, |unit| format!("\\u{unit:04x}"))),
        _ => None,
    }
}

/// As structured data of syslog must write it.
fn data_escape(char: char) -> Option<String> {
    matches!(char, '"' | '\\' | ']').then(|| format!("\\{char}"))
}

fn named(char: char) -> Option<String> {
    let name = match char {
        '&' => "amp",
        '<' => "lt",
        '>' => "gt",
        '"' => "quot",
        '\'' => "apos",
        '@' => "commat",
        '.' => "period",
        ':' => "colon",
        '=' => "equals",
        '/' => "sol",
        '+' => "plus",
        '_' => "lowbar",
        _ => return None,
    };
    Some(format!("&{name};"))
}

fn base64(bytes: &[u8], padded: bool) -> String {
    let mut text = super::fuzz::base64(bytes);
    while padded && !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

fn encoder(name: &str) -> Encode {
    ENCODINGS.iter().find(|(known, _)| *known == name).expect("a known encoding").1
}

/// The text of a value, its control characters where the encoding needs some.
fn planted(template: &str, syslog: bool) -> Text {
    let text = filler::expand(&template.replace("{{}}", "")).expect("fillers expand");
    // Behind a line end a header's value would be none.
    let text =
        if syslog { text.replace(" «", "\n«").replace("» ", "»\t").replace("Bearer\n", "Bearer ") } else { text };
    let (before, rest) = text.split_once('«').expect("a value");
    let (value, after) = rest.split_once('»').expect("its end");
    let parts = [(before, Of::Rest), (value, Of::Value), (after, Of::Rest)];
    parts.into_iter().flat_map(|(part, of)| part.bytes().map(move |byte| Byte { byte, of })).collect()
}

/// A record: the text as the chain (innermost first) and the carrier write it.
struct Record {
    text: Text,
    /// Encodings between the record and the value.
    depth: usize,
}

fn record(template: &str, chain: &[&str], carrier: &(&str, &str, Encode)) -> Record {
    let mut text = planted(template, chain.contains(&"syslog"));
    for link in chain {
        text = encoder(link)(&text);
    }
    let (_, frame, write) = carrier;
    let written = write(&text);
    let rewritten = usize::from(written.len() != text.len()) * if carrier.0 == "json in json" { 2 } else { 1 };
    let (before, after) = frame.split_once('§').expect("a place");
    let around = |part: &str| part.bytes().map(|byte| Byte { byte, of: Of::Rest }).collect::<Text>();
    Record { text: [around(before), written, around(after)].concat(), depth: chain.len() + rewritten }
}

/// What is wrong with the masks of a record.
fn fault(rules: &Arc<RuleSet>, record: &Record) -> Option<String> {
    let raw: Vec<u8> = record.text.iter().map(|byte| byte.byte).collect();
    let mut masked = vec![false; raw.len()];
    sample::masked(rules, &raw).into_iter().flatten().for_each(|at| masked[at] = true);
    let (mut left, mut lost) = (Vec::new(), Vec::new());
    for (at, byte) in record.text.iter().enumerate() {
        match (byte.of, masked[at]) {
            (Of::Value, false) => left.push(byte.byte),
            (Of::Rest, true) => lost.push(byte.byte),
            _ => {}
        }
    }
    if left.is_empty() && lost.is_empty() {
        return None;
    }
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(format!("left {:?}, lost {:?} of {}", show(&left), show(&lost), show(&raw)))
}

/// Values that read as longer ones as they stand where one of these encodings was used: `password=3DFAKE=2C`,
/// `Bearer#012FAKE#011from`, `pesel=2301290010112349`. They may take their surroundings with them.
const WIDER: [(&str, &str); 5] = [
    ("credential, keyed", "quoted-printable"),
    ("credential, in a header", "quoted-printable"),
    ("credential, in a header", "syslog"),
    ("identity, number", "quoted-printable"),
    ("identity, number", "syslog"),
];

/// Asserts that no cell of a table has a fault.
fn assert_all(cells: impl Iterator<Item = Cell>) {
    let rules = sample::builtin();
    let (mut count, mut report) = (0, String::new());
    for Cell { value: (class, template), chain, carrier } in cells {
        count += 1;
        let Some(fault) = fault(&rules, &record(template, &chain, carrier)) else { continue };
        let wider = WIDER.iter().any(|(of, link)| of == class && chain.contains(link));
        if !(wider && fault.starts_with("left \"\"")) {
            let _ = writeln!(report, "{class} / {} / {}: {fault}", chain.join(", then "), carrier.0);
        }
    }
    assert!(count > 0 && report.is_empty(), "{} of {count}:\n{report}", report.lines().count());
}

/// A cell of the table.
struct Cell {
    value: &'static (&'static str, &'static str),
    chain: Vec<&'static str>,
    carrier: &'static (&'static str, &'static str, Encode),
}

/// Cells of every value in every carrier.
fn cells(chains: &[Vec<&'static str>]) -> impl Iterator<Item = Cell> {
    VALUES.iter().flat_map(move |value| {
        CARRIERS
            .iter()
            .flat_map(move |carrier| chains.iter().map(move |chain| Cell { value, chain: chain.clone(), carrier }))
    })
}

/// All chains of `length` links.
fn chains(length: usize) -> Vec<Vec<&'static str>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    let longer = |chain: Vec<&'static str>| LINKS.map(|link| [chain.as_slice(), &[link]].concat());
    chains(length - 1).into_iter().flat_map(longer).collect()
}

#[test]
fn every_value_is_masked_in_every_encoding_and_carrier() {
    let chains: Vec<_> = ENCODINGS.iter().map(|(name, _)| vec![*name]).chain([Vec::new()]).collect();
    assert_all(cells(&chains));
}

#[test]
fn every_value_is_masked_in_every_pair_of_encodings_and_carrier() {
    assert_all(cells(&chains(2)));
}

/// Every chain once, each time with another value in another carrier that leaves it no deeper than four.
#[test]
fn values_are_masked_in_every_chain_of_three_and_of_four() {
    let chains = [3, 4].into_iter().flat_map(chains);
    assert_all(chains.enumerate().map(|(number, chain)| {
        let value = &VALUES[number % VALUES.len()];
        let carriers = CARRIERS.iter().cycle().skip(number % CARRIERS.len()).take(CARRIERS.len());
        let fits = |carrier: &&(&str, &str, Encode)| record(value.1, &chain, carrier).depth <= MAX_DEPTH;
        let carrier = carriers.into_iter().find(fits).expect("a carrier that writes nothing anew");
        Cell { value, carrier, chain }
    }));
}
