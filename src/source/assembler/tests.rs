use super::*;
use crate::source::Placed;
use crate::source::multiline::Start;
use proptest::prelude::*;

fn made_with(settings: &Settings, input: &[u8]) -> (Vec<(u64, String)>, u64) {
    let (mut assembler, mut made, mut at) = (Assembler::new(settings), Made::default(), 0);
    for line in input.split_inclusive(|&b| b == b'\n') {
        assembler.push(line, at, &mut made);
        at += line.len() as u64;
    }
    assembler.flush(&mut made);
    assert_eq!(assembler.open(), None);
    (records(&made), assembler.take_malformed())
}

fn records(made: &Made) -> Vec<(u64, String)> {
    let mut start = 0;
    let text = |placed: &Placed| {
        let text = &made.bytes[start..placed.end as usize];
        start = placed.end as usize;
        (placed.at, String::from_utf8_lossy(text).into_owned())
    };
    made.layout.records.iter().map(text).collect()
}

fn cri() -> Settings {
    Settings { format: Some(Format::Cri), multiline: Some(multiline::Settings::default()) }
}

const TIME: &str = "2025-11-23T10:05:09Z";

#[test]
fn parts_are_joined_across_the_other_output() {
    let input = format!(
        "{TIME} stdout P pass\n{TIME} stderr F other\n{TIME} stdout P word=\n{TIME} stdout F secret\n{TIME} stdout F x\n"
    );
    let (found, malformed) = made_with(&Settings { multiline: None, ..cri() }, input.as_bytes());
    let len = TIME.len() as u64;
    let expected = [(len + 15, "other\n"), (0, "password=secret\n"), (input.len() as u64 - len - 12, "x\n")];
    assert_eq!(found, expected.map(|(at, text)| (at, text.to_owned())));
    assert_eq!(malformed, 0);
}

#[test]
fn traces_inside_container_lines_are_joined() {
    let input = format!(
        "{TIME} stderr F java.lang.Error: x\n{TIME} stdout F GET /\n{TIME} stderr F \tat a.B.c(B.java:1)\n\
         {TIME} stdout F GET /2\n"
    );
    let texts: Vec<String> = made_with(&cri(), input.as_bytes()).0.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["GET /\n", "GET /2\n", "java.lang.Error: x\n\tat a.B.c(B.java:1)\n"]);
}

#[test]
fn a_line_without_its_tag_is_counted_and_stands_as_it_is() {
    let input = format!("{TIME} stdout P half\n{TIME} stdout no tag\nplain\n{TIME} stdout F rest\n");
    let (found, malformed) = made_with(&Settings { multiline: None, ..cri() }, input.as_bytes());
    let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["half\n", &format!("{TIME} stdout no tag\n"), "plain\n", "rest\n"]);
    assert_eq!(malformed, 2);
}

#[test]
fn too_many_parts_are_withheld_not_cut() {
    let part = format!("{TIME} stdout P {}\n", "x".repeat(1 << 20));
    let input = format!("{}{TIME} stdout F end\n{TIME} stdout F next\n", part.repeat(5));
    let (mut assembler, mut made) = (Assembler::new(&cri()), Made::default());
    for line in input.as_bytes().split_inclusive(|&b| b == b'\n') {
        assembler.push(line, 0, &mut made);
    }
    assembler.flush(&mut made);
    let flags: Vec<bool> = made.layout.records.iter().map(|record| record.too_long).collect();
    assert_eq!(flags, [true, false]);
    assert!(made.bytes.len() < 20);
}

#[test]
fn docker_text_is_decoded_once() {
    let line = |log: &str| format!("{{\"log\":\"{log}\",\"stream\":\"stdout\",\"time\":\"{TIME}\"}}\n");
    let settings = Settings { format: Some(Format::Docker), multiline: None };
    let input = [line(r#"{\"token\":\"a"#), line(r#"b\"}\n"#)].concat();
    assert_eq!(made_with(&settings, input.as_bytes()).0, [(0, "{\"token\":\"ab\"}\n".to_owned())]);
}

proptest! {
    /// Every raw line is in exactly one record, whatever the pattern joins.
    #[test]
    fn plain_lines_are_kept_byte_for_byte(picks in prop::collection::vec("[a ]{0,3}\r?\n", 0..40), traces: bool) {
        let start = match traces {
            true => Start::Traces(multiline::Languages::ALL),
            false => Start::Pattern(regex::bytes::Regex::new("^a").unwrap()),
        };
        let multiline = multiline::Settings { start, max_lines: 5, ..Default::default() };
        let settings = Settings { format: None, multiline: Some(multiline) };
        let input = picks.concat();
        let (found, _) = made_with(&settings, input.as_bytes());
        let mut at = 0;
        for (place, text) in &found {
            prop_assert_eq!(*place, at);
            at += text.len() as u64;
        }
        prop_assert_eq!(found.into_iter().map(|(_, text)| text).collect::<String>(), input);
    }
}
