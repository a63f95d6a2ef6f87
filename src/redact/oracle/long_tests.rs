//! Records that are read in windows come out as if they had been read at once.

use super::sample;
use serde_json::Value;

/// Elements of JSON and what must become of them, together over `len` bytes; `quote` is how a quote is written.
fn elements(len: usize, quote: &str) -> (String, String) {
    let (mut raw, mut masked) = (String::new(), String::new());
    for number in 0.. {
        if raw.len() > len {
            break;
        }
        let comma = if number == 0 { "" } else { "," };
        let element = |password: &str, mail: &str, card: &str| {
            let text = format!(
                "{comma}{{'n':{number},'password':'{password}','note':'to {mail}, ok','card':{card},'t':[true,null]}}"
            );
            text.replace('\'', quote)
        };
        raw += &element(&format!("FAKE{number}pw"), &format!("jan{number}@example.com"), "4111111111111111");
        masked += &element("[password]", "[email]", "'[card-1111]'");
    }
    (raw, masked)
}

fn assert_same(record: &str, want: &str) {
    let output = sample::redact_record(&sample::rules(), record.as_bytes());
    let at = output.iter().zip(want.as_bytes()).position(|(one, two)| one != two);
    let around = |text: &[u8], at: usize| {
        String::from_utf8_lossy(&text[at.saturating_sub(80)..text.len().min(at + 80)]).into_owned()
    };
    if let Some(at) = at {
        panic!("at {at}: {}\nwant {}", around(&output, at), around(want.as_bytes(), at));
    }
    assert_eq!(output.len(), want.len());
}

const LEN: usize = 5 << 19;

#[test]
fn a_long_array_of_json_is_masked_in_every_window() {
    let (raw, masked) = elements(LEN, "\"");
    let record = format!("{{\"all\":[{raw}],\"end\":\"FAKE\"}}");
    assert_same(&record, &format!("{{\"all\":[{masked}],\"end\":\"FAKE\"}}"));
}

#[test]
fn long_json_in_a_string_is_masked_in_every_window() {
    let (raw, masked) = elements(LEN, "\\\"");
    let want = format!("{{\"m\":\"[{masked}]\",\"password\":\"[password]\"}}");
    assert_same(&format!("{{\"m\":\"[{raw}]\",\"password\":\"FAKEend\"}}"), &want);
    assert!(serde_json::from_str::<Value>(&want).is_ok());
}

#[test]
fn a_long_text_is_masked_in_every_window() {
    let line = |password: &str, mail: &str| format!("password={password} mail {mail} id 12345; ").repeat(LEN / 60);
    assert_same(&line("FAKE17pw", "jan@example.com"), &line("[password]", "[email]"));
}

#[test]
fn numbers_of_a_long_array_are_quoted_in_every_window() {
    let list = |number: &str| format!("[{}0]", format!("{number},7,").repeat(LEN / 20));
    assert_same(&list("4111111111111111"), &list("\"[card-1111]\""));
}

#[test]
fn a_value_longer_than_a_window_goes_whole() {
    let filler = "a b, ".repeat(LEN / 5);
    for (open, close) in [("\"", "\""), ("", "")] {
        let long = "FAKE-".repeat(300_000);
        let record = |value: &str| format!("{filler} password={open}{value}{close} {filler}");
        assert_same(&record(&long), &record("[password]"));
    }
}

#[test]
fn a_container_longer_than_the_overlap_goes_whole() {
    let filler = "{\"a\":\"b\"},".repeat(LEN / 10);
    let list = |value: &str| format!("[{}]", vec![format!("\"{value}\""); 40_000].join(","));
    let record = |value: &str| format!("[{filler}{{\"password\":{}}},{filler}0]", list(value));
    assert_same(&record("FAKE1234"), &record("[password]"));
}
