//! Views against plain encoders: whatever is encoded, in whatever chain, is read and maps back.

use super::super::chain::Encoding;
use super::*;
use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

fn views(record: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let shown = Expander::default().expand(record.as_bytes(), Encodings::ALL, &mut |view| {
        found.push((view.chain().to_string(), String::from_utf8_lossy(view.text()).into_owned()));
    });
    assert_eq!(shown, Ok(()));
    found
}

/// Raw bytes that `needle` maps back to in the first view of that chain which has it.
fn raw_of(record: &str, chain: &str, needle: &str) -> Option<String> {
    let mut found = None;
    let shown = Expander::default().expand(record.as_bytes(), Encodings::ALL, &mut |view| {
        let at = memchr::memmem::find(view.text(), needle.as_bytes());
        if let Some(at) = at.filter(|_| found.is_none() && view.chain().to_string() == chain) {
            let raw = view.to_raw(Span::new(at, at + needle.len()));
            found = Some(String::from_utf8_lossy(raw.of(record.as_bytes())).into_owned());
        }
    });
    assert_eq!(shown, Ok(()));
    found
}

#[test]
fn every_encoding_and_chain_maps_back_to_its_raw_bytes() {
    let mail = "jan@example.com";
    let table = [
        (r#"{"contact":"jan\u0040example.com","id":17}"#, "escape", mail, r"jan\u0040example.com"),
        (r#"{"m":"{\"c\":\"jan\\u0040example.com\"}"}"#, "escape>escape", mail, r"jan\\u0040example.com"),
        (r"mail jan\x40example.com", "escape", mail, r"jan\x40example.com"),
        ("GET /i?email=jan%40example.com&plan=pro", "percent", mail, "jan%40example.com"),
        ("GET /r?n=email%3Djan%2540example.com%26p", "percent>percent", mail, "jan%2540example.com"),
        ("<td>jan&#64;example.com</td>", "html", mail, "jan&#64;example.com"),
        ("X-Orig: jan=40example.com", "quoted-printable", mail, "jan=40example.com"),
        ("to jan＠example．com.", "fold", mail, "jan＠example．com"),
        ("a#012jan@example.com#012b", "syslog", "\njan@example.com", "#012jan@example.com"),
        ("From: =?utf-8?Q?jan=40example.com?= x", "encoded-word", mail, "=?utf-8?Q?jan=40example.com?="),
        ("id 6a616e406578616d706c652e636f6d.", "hex", mail, "6a616e406578616d706c652e636f6d"),
        (
            r#"{"data":"eyJlbWFpbCI6ImphbkBleGFtcGxlLmNvbSJ9\n"}"#,
            "base64",
            mail,
            "eyJlbWFpbCI6ImphbkBleGFtcGxlLmNvbSJ9",
        ),
        (r#"{"u":"a\/b?d=eyJlbWFpbCI6ImphbkBleGFtcGxlLmNvbSJ9%3D%3D"}"#, "escape>percent", "d=", "d="),
    ];
    for (record, chain, needle, raw) in table {
        assert_eq!(raw_of(record, chain, needle).as_deref(), Some(raw), "{record}: {:?}", views(record));
    }
}

#[test]
fn no_reading_joins_two_strings() {
    let record = r#"{"a":"x \"password\": \"FAKE","next":"sta\u0079","n":1}"#;
    for (_, text) in views(record) {
        assert!(!(text.contains("FAKE") && text.contains("next")), "{text}");
    }
}

#[test]
fn a_region_keeps_its_key_and_a_key_its_value() {
    assert_eq!(views(r#"{"kod":"a\u0062"}"#), [("escape".into(), r#""kod":"ab"#.into())]);
    let value = r#"{"has\u0142o":"FA\"KE","n":1}"#;
    let found = views(value);
    assert!(found.iter().any(|(_, text)| text == r#""hasło":"FA\"KE""#), "{found:?}");
}

#[test]
fn plain_records_have_no_views() {
    for record in [
        "2026-03-01T10:00:00Z INFO worker[12] took 12ms status=200 id=8812 done 100%",
        r#"{"level":"info","path":"/v1/orders","request_id":"6f1c2a9e-fa4e-4b7d-9c11-0a5d3c2e7b88"}"#,
        "Zażółć gęślą jaźń",
    ] {
        assert_eq!(views(record), [], "{record}");
    }
}

#[test]
fn too_many_readings_are_refused() {
    let record = r#"{"\u0061":["#.repeat(4000);
    assert_eq!(Expander::default().expand(record.as_bytes(), Encodings::ALL, &mut |_| ()), Err(Exhausted));
}

/// A plain encoder for each encoding.
fn encode(encoding: Encoding, text: &str) -> String {
    match encoding {
        Encoding::Escape => text.chars().map(escaped).collect(),
        Encoding::Syslog => text.replace('\n', "#012").replace('\t', "#011"),
        Encoding::Percent => utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        Encoding::Html => {
            text.chars().map(|char| if plain(char) { char.into() } else { format!("&#{};", char as u32) }).collect()
        }
        Encoding::QuotedPrintable => text
            .bytes()
            .map(|byte| if plain(byte.into()) { char::from(byte).into() } else { format!("={byte:02X}") })
            .collect(),
        Encoding::EncodedWord => format!("=?utf-8?B?{}?=", STANDARD.encode(text)),
        Encoding::Fold => text.chars().map(|char| if char.is_ascii_graphic() { wide(char) } else { char }).collect(),
        Encoding::Hex => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        Encoding::Base64 => STANDARD.encode(text),
    }
}

fn plain(char: char) -> bool {
    char.is_ascii_alphanumeric()
}

fn escaped(char: char) -> String {
    match char {
        '"' => "\\\"".into(),
        '\\' => "\\\\".into(),
        '\n' => "\\n".into(),
        char if plain(char) || char == ' ' => char.into(),
        char => char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    }
}

fn wide(char: char) -> char {
    char::from_u32(char as u32 + 0xfee0).unwrap_or(char)
}

fn any_encoding() -> impl Strategy<Value = Encoding> {
    use Encoding::*;
    prop::sample::select(vec![Escape, Syslog, Percent, Html, QuotedPrintable, EncodedWord, Fold, Hex, Base64])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_in_any_chain_is_read(
        chain in prop::collection::vec(any_encoding(), 1..=MAX_DEPTH),
        head in "[a-z ]{0,40}",
        note in "[ -~\n\t\u{105}\u{142}]{0,30}",
        tail in "( [a-z]{0,20})?",
    ) {
        let secret = "jan.kowalski@example.com";
        let text = format!("{{\"note\":\"{note}\",\"email\":\"{secret}\"}}");
        let encoded = chain.iter().rev().fold(text, |text, &encoding| encode(encoding, &text));
        let record = format!("{head} \"{encoded}\"{tail}");
        let place = head.len() + 2..head.len() + 2 + encoded.len();
        let mut found = memchr::memmem::find(record.as_bytes(), secret.as_bytes()).is_some();
        let shown = Expander::default().expand(record.as_bytes(), Encodings::ALL, &mut |view| {
            for at in memchr::memmem::find_iter(view.text(), secret.as_bytes()) {
                let raw = view.to_raw(Span::new(at, at + secret.len()));
                found |= place.start <= raw.start as usize && raw.end as usize <= place.end;
            }
        });
        prop_assert_eq!(shown, Ok(()));
        prop_assert!(found, "{:?} {}", chain, record);
    }

    #[test]
    fn maps_hold_for_any_bytes(data in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz_offset_maps(&data);
    }
}
