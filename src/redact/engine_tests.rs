//! The engine end to end over a small set of rules of every form.

use super::rule_file;
use super::{Redactor, RuleSet, StreamState};
use crate::redact::policy::Policy;
use std::sync::Arc;

const RULES: &str = r"
pack: test
version: 0.1.0
rules:
  - {id: password, title: t, class: credential, severity: high, find: {key: [password, token, api key]}, mask: label, since: 0.1.0, reference: none, tests: [{in: 'password=abc', out: 'password=[password]'}, {same: x}]}
  - {id: nested-key, title: t, class: credential, severity: high, label: api-key, find: {key: [key], value: service}, mask: label, since: 0.1.0, reference: none, tests: [{in: x, out: x}, {same: x}]}
  - {id: pesel, title: t, class: identity, severity: medium, find: {key: [pesel], value: digits}, mask: label, since: 0.1.0, reference: none, tests: [{in: 'pesel=90010112349', out: 'pesel=[pesel]'}, {same: x}]}
  - {id: email, title: t, class: identity, severity: medium, find: {shape: email}, mask: {token: em}, since: 0.1.0, reference: none, tests: [{in: a@example.com, out: '[email]'}, {same: x}]}
  - {id: card, title: t, class: financial, severity: high, find: {shape: card}, mask: {keep_last: 4}, since: 0.1.0, reference: none, tests: [{in: '4111111111111111', out: '[card-1111]'}, {same: x}]}
  - {id: private-key, title: t, class: credential, severity: high, find: {shape: key-block}, mask: label, since: 0.1.0, reference: none, tests: [{in: x, out: x}, {same: x}]}
  - {id: keep-trace, title: t, class: identity, severity: low, keep: {path: [trace id], shape: digits}, since: 0.1.0, reference: none, tests: [{same: x}]}
";

fn redactor() -> Redactor {
    let loaded = rule_file::load("test.yaml", RULES);
    Redactor::new(Arc::new(RuleSet::compile(loaded.pack.rules, &Policy::default()).unwrap()))
}

fn redact(lines: &[&str]) -> Vec<String> {
    let block: String = lines.iter().flat_map(|line| [*line, "\n"]).collect();
    let ends: Vec<u32> = memchr::memchr_iter(b'\n', block.as_bytes()).map(|at| at as u32 + 1).collect();
    let mut out = Vec::new();
    redactor().redact(&mut StreamState::default(), block.as_bytes(), &ends, &mut |record| {
        let mut text = Vec::new();
        record.write_to(&mut text);
        out.push(String::from_utf8(text).unwrap());
    });
    out
}

#[test]
fn values_go_and_the_rest_stays() {
    let table = [
        (r#"{"password":"x\"y","n":1}"#, r#"{"password":"[password]","n":1}"#),
        (r#"{"pesel":90010112349,"amount":120}"#, r#"{"pesel":"[pesel]","amount":120}"#),
        (r#"{"m":"{\"pesel\":90010112349}"}"#, r#"{"m":"{\"pesel\":\"[pesel]\"}"}"#),
        (r#"{"a@example.com":1,"b@example.com":2}"#, r#"{"[email]":1,"[email-2]":2}"#),
        ("mail jan%40example.com ok", "mail [email] ok"),
        (r#"{"contact":"x\njan\u0040example.com"}"#, r#"{"contact":"x\n[email]"}"#),
        ("pay 4111 1111 1111 1111 ok", "pay [card-1111] ok"),
        (r#"{"dd":{"trace_id":"4117003120044556679"}}"#, r#"{"dd":{"trace_id":"4117003120044556679"}}"#),
        ("data=eyJlbWFpbCI6ImphbkBleGFtcGxlLmNvbSIsIm4iOjF9 x", "data=[email] x"),
        ("mail [email] token=[password]", "mail [email] token=[password]"),
    ];
    for (input, want) in table {
        assert_eq!(redact(&[input]), [want], "{input}");
    }
}

#[test]
fn what_oracle_and_fuzzing_found_stays_mended() {
    let table = [
        // Only labels of the rule set are masks: another word in brackets is a list of one value.
        ("password=[hunter] n=1", "password=[[password]] n=1"),
        ("map[token:[abc-def-77] n:[1]]", "map[token:[[password]] n:[1]]"),
        // A mask of ours behind a quoted key is its whole value.
        (r#"password"=[password]"#, r#"password"=[password]"#),
        (r#""password":[password] and more"#, r#""password":[password] and more"#),
        // Bare numbers of JSON get quotes wherever they stand, and are taken whole.
        (r#"["a{b",4111111111111111]"#, r#"["a{b","[card-1111]"]"#),
        (r#"{"g":[["x",1],[4111111111111111,2]]}"#, r#"{"g":[["x",1],["[card-1111]",2]]}"#),
        (r#"{"pesel":-90010112349}"#, r#"{"pesel":"[pesel]"}"#),
        // Texts of two encodings in one run are both read.
        ("x 6a616e406578616d706c652e636f6d3bRXZhQGV4YW1wbGUuY29t y", "x [email][email] y"),
        // A container behind the key of a string in a string ends with that string.
        (r#"{"n":"{\"password\":\"Ux\\\": [%40\"}"}"#, r#"{"n":"{\"password\":\"[password]\"}"}"#),
        // A mask in front of a colour is no text in brackets.
        ("token 4111111111111111\u{1b}[1m", "token [card-1111]\u{1b}[1m"),
        // No escape of JSON is cut, and no letter stays that may be the value's first.
        (r#"{"a":"x\njan@example.com"}"#, r#"{"a":"x\n[email]"}"#),
        (r"HOME\jan@example.com", r"HOME\[email]"),
    ];
    for (input, want) in table {
        assert_eq!(redact(&[input]), [want], "{input}");
        assert_eq!(redact(&[want]), [want], "a second pass over {want}");
    }
}

#[test]
fn key_blocks_reach_over_records() {
    let marker = |word: &str| format!("-----{word} RSA PRIVATE KEY-----");
    let body = "MIIBAEZBS0UgS0VZIE1BVEVSSUFMIE5PVCBBIFJFQUwgS0VZIEZBS0UgS0VZIE1B";
    let out = redact(&["a", &marker("BEGIN"), body, &body[..20], &marker("END"), "done"]);
    assert_eq!(out, ["a", &marker("BEGIN"), "[private-key]", "[private-key]", &marker("END"), "done"]);
}

#[test]
fn a_heading_names_the_cells_of_the_rows_below() {
    for (lines, want) in [
        (
            &["id,token,city", "7,FAKE-1,Oslo", "8,FAKE-2,Rome", "done: a, b, c", "9,FAKE-3,Rome"][..],
            &["id,token,city", "7,[password],Oslo", "8,[password],Rome", "done: a, b, c", "9,FAKE-3,Rome"][..],
        ),
        (&["id\ttoken\tsku", "7\tFAKE-1\tA-1"], &["id\ttoken\tsku", "7\t[password]\tA-1"]),
        (
            &["| user | password |", "|------|:--------:|", "| svc | FAKE-1 |", "| svc | [password] |"],
            &["| user | password |", "|------|:--------:|", "| svc | [password] |", "| svc | [password] |"],
        ),
        (&[r#"{"m":"a,token,b\n1,FAKE-1,2\n","n":1}"#], &[r#"{"m":"a,token,b\n1,[password],2\n","n":1}"#]),
        (&["Wrong user, password, or host", "1, 2, 3"], &["Wrong user, password, or host", "1, 2, 3"]),
    ] {
        assert_eq!(redact(lines), want);
    }
}

#[test]
fn values_are_found_where_another_place_names_them() {
    let table = [
        ("cs2=FAKE-x1 cs2Label=Token cnt=5", "cs2=[password] cs2Label=Token cnt=5"),
        (
            r#"[{"path":"/password","op":"replace","value":"FAKE"}]"#,
            r#"[{"path":"/password","op":"replace","value":"[password]"}]"#,
        ),
        (
            "WHERE token = $1 parameters: $1 = 'FAKE', $2 = '7'",
            "WHERE token = $1 parameters: $1 = '[password]', $2 = '7'",
        ),
        ("Key (id, token)=(7, FAKE1) already exists.", "Key (id, token)=(7, [password]) already exists."),
        (r#"Config - password........"FAKE1""#, r#"Config - password........"[password]""#),
        ("https://h/app;token=FAKE1?order=7", "https://h/app;token=[password]?order=7"),
        ("a=1&amp;token=FAKE1&amp;b=2", "a=1&amp;token=[password]&amp;b=2"),
        ("a=1&password=o8'FAKE&next=2", "a=1&password=[password]&next=2"),
    ];
    for (input, want) in table {
        assert_eq!(redact(&[input]), [want], "{input}");
        assert_eq!(redact(&[want]), [want], "a second pass over {input}");
    }
}

#[test]
fn values_bound_to_a_statement_are_found_in_its_record_and_behind_it() {
    let table: &[(&[&str], &[&str])] = &[
        (
            &[
                "execute: INSERT INTO u (id, token) VALUES ($1, $2)",
                "DETAIL: parameters: $1 = '7', $2 = 'FAKE-x1'",
                "$2 = 'x'",
            ],
            &[
                "execute: INSERT INTO u (id, token) VALUES ($1, $2)",
                "DETAIL: parameters: $1 = '7', $2 = '[password]'",
                "$2 = 'x'",
            ],
        ),
        (
            &["INSERT INTO u (id, password) VALUES (?, ?)", "[generated in 0.01s] ('a', 'FAKE-x1')"],
            &["INSERT INTO u (id, password) VALUES (?, ?)", "[generated in 0.01s] ('a', '[password]')"],
        ),
        (
            &["INSERT INTO u (id, password) VALUES (?, ?)", "GET /items 200", "done", "args=['a', 'FAKE-x1']"],
            &["INSERT INTO u (id, password) VALUES (?, ?)", "GET /items 200", "done", "args=['a', 'FAKE-x1']"],
        ),
        (
            &["==> Preparing: INSERT INTO u (token, n) VALUES (?, ?) ==> Parameters: FAKE x1(String), 7(Integer)"],
            &["==> Preparing: INSERT INTO u (token, n) VALUES (?, ?) ==> Parameters: [password](String), 7(Integer)"],
        ),
        (
            &["[@p0='FAKE-x1' (Size = 9), @p1='7'] INSERT INTO [u] ([Token], [N]) VALUES (@p0, @p1)"],
            &["[@p0='[password]' (Size = 9), @p1='7'] INSERT INTO [u] ([Token], [N]) VALUES (@p0, @p1)"],
        ),
        (
            &["params=[app, FAKE-x1] sql=SELECT id FROM u WHERE login=$1 AND password=$2 rows=7"],
            &["params=[app, [password]] sql=SELECT id FROM u WHERE login=$1 AND password=$2 rows=7"],
        ),
    ];
    for (lines, want) in table {
        assert_eq!(redact(lines), *want);
        assert_eq!(redact(want), *want, "a second pass");
    }
}

#[test]
fn the_key_of_a_service_stands_on_a_line_of_its_section() {
    let key = ["aB3dE6gH9jK2", "mN5pQ8rS1tU4"].concat();
    let (yaml, json) = (format!("  key: {key}"), format!("  \"key\": \"{key}\","));
    let cache = ["cache:", &yaml, "stripe:", "other: 1", &yaml];
    assert_eq!(redact(&["stripe:", "  mode: live", &yaml]), ["stripe:", "  mode: live", "  key: [api-key]"]);
    assert_eq!(redact(&["\"api\": {", &json, "}"]), ["\"api\": {", "  \"key\": \"[api-key]\",", "}"]);
    assert_eq!(redact(&cache), cache);
}

#[test]
fn a_quote_behind_a_sign_opens_the_value_in_a_view_of_escapes() {
    let input = r#"{"m":"user password=\u0022FAKE-x1\u0022 refused","n":1}"#;
    assert_eq!(redact(&[input]), [r#"{"m":"user password=\u0022[password]\u0022 refused","n":1}"#]);
    let closed = r#"msg="wrong password=" user=app"#;
    assert_eq!(redact(&[closed]), [closed]);
}

#[test]
fn a_value_is_found_where_its_name_labels_a_block_over_records() {
    let out = redact(&[
        "variable \"db_password\" {",
        "  type    = string",
        "  default = \"FAKE-x1\"",
        "}",
        "default = \"eu\"",
    ]);
    let want =
        ["variable \"db_password\" {", "  type    = string", "  default = \"[password]\"", "}", "default = \"eu\""];
    assert_eq!(out, want);
    let plain = ["{ \"name\": \"token\",", "  \"type\": \"tls\",", "  \"age\": \"12d\" }", "\"value\": 7"];
    assert_eq!(redact(&plain), plain);
}

/// Rules have other numbers in another set: what a heading said of its columns goes on under the same ids.
#[test]
fn a_table_goes_on_under_a_set_of_other_numbers() {
    let rules = rule_file::load("test.yaml", RULES).pack.rules;
    let set = |without: &str| {
        let kept = rules.iter().filter(|rule| rule.id != without).cloned().collect();
        Arc::new(RuleSet::compile(kept, &Policy::default()).unwrap())
    };
    let read = |stream: &mut StreamState, rules: &Arc<RuleSet>, line: &str| {
        let mut out = Vec::new();
        let mut redactor = Redactor::new(Arc::clone(rules));
        redactor.redact(stream, line.as_bytes(), &[line.len() as u32], &mut |record| record.write_to(&mut out));
        String::from_utf8(out).unwrap().trim_end().to_owned()
    };
    let old = set("");
    for (without, expected) in [("nested-key", "7,[password],[pesel]"), ("password", "7,FAKEpw9,[pesel]")] {
        let (mut stream, new) = (StreamState::default(), set(without));
        assert_eq!(read(&mut stream, &old, "id,password,pesel\n"), "id,password,pesel");
        assert_eq!(read(&mut stream, &old, "6,FAKEpw8,90010112349\n"), "6,[password],[pesel]");
        stream.follow(&old, &new);
        assert_eq!(read(&mut stream, &new, "7,FAKEpw9,90010112349\n"), expected, "without {without}");
    }
}
