//! The fuzz properties over a fixed number of drawn inputs.

use super::fuzz::*;
use super::second_pass::fuzz_idempotence;
use proptest::prelude::*;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// Texts in which something is to be found more often than in plain noise.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "ghp_",
        "glpat-",
        "abcdefgh01234567",
        "password",
        "=",
        ":",
        "\"",
        "\\\"",
        "jan@example.com",
        "%40",
        "%67hp_",
        "{",
        "}",
        "\\u0067hp_",
        "&#103;",
        "4111111111111111",
        " ",
        ",",
        "\n",
        "Z2hwX2FiY2RlZmdoMDEyMzQ1Njc4OQ",
        "\u{200b}",
        "\x1b[1m",
        "6768705f6162636465666768303132333435363738",
        "\\",
        "[password]",
        "token",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----",
        "[",
        "]",
        "\\n",
        "\nid,password,user\n",
        "a;b;",
        "| password | id |\\n",
        "| x | y |",
        "é",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_masks_what_the_oracle_finds(data in texts()) {
        fuzz_redact_vs_naive(data.as_bytes());
    }

    #[test]
    fn json_stays_json(data in bytes()) {
        fuzz_json_validity(&data);
    }

    #[test]
    fn a_second_pass_changes_nothing(data in texts()) {
        fuzz_idempotence(data.as_bytes());
    }

    #[test]
    fn blocks_do_not_matter(data in texts()) {
        fuzz_split_invariance(data.as_bytes());
    }

    #[test]
    fn key_blocks_do_not_survive(data in bytes()) {
        fuzz_multiline(&data);
    }

    #[test]
    fn secret_columns_do_not_survive(data in bytes()) {
        fuzz_planted_table(&data);
    }

    #[test]
    fn planted_secrets_do_not_survive(data in bytes()) {
        fuzz_planted_secret(&data);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn repeated_texts_take_few_steps(data in texts(), head in any::<u8>()) {
        fuzz_slow_line(&[&[head], data.as_bytes()].concat());
    }
}

/// What fuzzing and other seeds found; each was a byte too much or too few once.
mod mended {
    use super::super::fuzz::*;
    use super::super::sample;
    use super::super::second_pass::{fuzz_idempotence, stays_masked};
    use serde_json::Value;

    #[test]
    fn a_value_behind_an_escaped_quote_in_a_key_breaks_no_json() {
        fuzz_json_validity(include_bytes!("../../../fuzz/seeds/json_validity/escaped-quote-before-a-key"));
    }

    #[test]
    fn a_key_at_the_end_of_a_nested_string_breaks_no_nested_json() {
        fuzz_json_validity(include_bytes!("../../../fuzz/seeds/json_validity/key-at-the-end-of-a-nested-string"));
    }

    #[test]
    fn digits_behind_a_colon_in_a_string_get_no_quotes() {
        stays_json(&serde_json::json!([": 4111111111111111}"]));
    }

    #[test]
    fn quotes_in_a_string_of_json_are_escaped_in_views_too() {
        for sign in ["\u{200b}", "\u{a0}", "\u{1b}[0m"] {
            let text = format!("[4111111111111111{sign}]");
            stays_json(&serde_json::json!({"a": text}));
            stays_json(&serde_json::json!({text.clone(): [text.clone()]}));
            stays_json(&Value::from(vec![serde_json::json!({text.clone(): text}).to_string()]));
        }
    }

    #[test]
    fn a_quote_without_partner_is_the_carriers() {
        fuzz_redact_vs_naive(b"password:}\"");
        fuzz_redact_vs_naive(b"password:81x\\\"y}jaex[m040{p\"");
    }

    #[test]
    fn no_reading_joins_what_a_quote_parts() {
        fuzz_redact_vs_naive(include_bytes!("../../../fuzz/seeds/redact_vs_naive/quotes-in-a-local-part"));
    }

    #[test]
    fn brackets_that_are_no_json_are_masked() {
        for text in ["password=ghp_\"{", "[password]={{{", "[password]=}{\"\"}", "password={\"\"]}", "[password]={:::}"]
        {
            fuzz_redact_vs_naive(text.as_bytes());
        }
    }

    #[test]
    fn a_coloured_line_of_base64_does_not_swallow_the_next() {
        let line = "Z2hwX2FiY2RlZmdoMDEyMzQ1Njc4OQ";
        fuzz_redact_vs_naive(format!("\x1b[1m{line}\n{line}").as_bytes());
    }

    #[test]
    fn a_heading_may_stand_again_and_a_cell_opens_nothing() {
        let text = "id,password,user\nghp_,-----BEGIN RSA PRIVATE KEY-----token{,\nid,password,user\n7,FAKE7pw,x";
        stays_masked(text.as_bytes());
        let table = "id,password,user\n1,x token{,a\nid,password,user\n7,FAKE7pw,x";
        let output = sample::redact(&sample::rules(), table.as_bytes(), &[1]);
        let want = "id,password,user\n1,[password],a\nid,password,user\n7,[password],x";
        assert_eq!(String::from_utf8_lossy(&output), want);
    }

    #[test]
    fn glued_addresses_are_read_once() {
        for piece in ["jan@example.com", "amFuQGV4YW1wbGUuY29t"] {
            fuzz_slow_line(&[b"B", piece.as_bytes()].concat());
        }
    }

    #[test]
    fn the_oracle_reads_octal_escapes() {
        fuzz_redact_vs_naive(br"x.nuac\0040eamp1emple.can\u0040eamp1emple.can\u0040e~am");
    }

    #[test]
    fn the_oracle_reads_wide_percent_encoding() {
        fuzz_redact_vs_naive(include_bytes!("../../../fuzz/seeds/redact_vs_naive/wide-percent-before-an-address"));
        fuzz_redact_vs_naive(b"$n%u0020exampljan%40example.ssword");
    }

    #[test]
    fn the_letter_of_an_escape_in_a_string_is_the_carriers() {
        for seed in [
            &include_bytes!("../../../fuzz/seeds/redact_vs_naive/escape-before-an-address-in-a-string")[..],
            include_bytes!("../../../fuzz/seeds/redact_vs_naive/escape-before-a-token"),
            include_bytes!("../../../fuzz/seeds/redact_vs_naive/escapes-before-percent-signs"),
            include_bytes!("../../../fuzz/seeds/redact_vs_naive/tabs-before-percent-signs"),
        ] {
            fuzz_redact_vs_naive(seed);
        }
    }

    #[test]
    fn the_bracket_of_an_object_with_a_wrong_escape_is_the_carriers() {
        fuzz_redact_vs_naive(include_bytes!("../../../fuzz/seeds/redact_vs_naive/key-behind-a-wrong-escape"));
    }

    #[test]
    fn an_encoded_sign_before_a_run_stays() {
        let run = "eyJwYXNzd29yZCI6IkZBS0VhYmMxMjMifQ";
        for sign in ["%20", "%2520", "%3A", "%3d", "\\x20", "#012"] {
            let text = format!("data{sign}{run}");
            let output = sample::redact_record(&sample::builtin(), text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&output), format!("data{sign}[password]"));
            stays_masked(text.as_bytes());
            fuzz_redact_vs_naive(text.as_bytes());
            fuzz_redact_vs_naive(format!("x{sign}6768705f6162636465666768303132333435363738").as_bytes());
        }
        fuzz_redact_vs_naive(b"%6768705f6162636465666768303132333435363738");
    }

    #[test]
    fn masks_side_by_side_are_no_key() {
        for text in [r#"{"[aws-key-id][slack-token]":1}"#, r#"{"-----BEGIN KEY-----\\n[private-key]":1}"#] {
            stays_masked(text.as_bytes());
        }
        let output = sample::redact_record(&sample::builtin(), br#"{"user[a][password]":"FAKEpw1x"}"#);
        assert_eq!(String::from_utf8_lossy(&output), r#"{"user[a][password]":"[password]"}"#);
    }

    #[test]
    fn a_mask_in_a_list_stays_whatever_blank_stands_before_it() {
        stays_masked(b"p1111] password=[passordsswo\xe0\x0c\x0c\xbb\x0c\x0c\x0c@e");
    }

    #[test]
    fn a_mask_is_no_key() {
        for text in [
            "password=abc =abc jan@examp*\0\0\0le.com 4111",
            "ghp_6768705f6162636465666768303132333435363738 =ghp_",
            "password: abc => def",
            "password is FAKE-pw-1234 =abc",
        ] {
            stays_masked(text.as_bytes());
        }
    }

    #[test]
    fn a_login_behind_its_domain_goes_whole() {
        for (text, want) in [
            (r"user HOME\nowak@example.com in", "user HOME[email] in"),
            (r#"user "CORP\tomasz@example.com" in"#, r#"user "CORP[email]" in"#),
            (r#"{"m":"ERROR\njan@example.com"}"#, r#"{"m":"ERROR\n[email]"}"#),
            (r"line\njan@example.com", r"line\n[email]"),
        ] {
            let output = sample::redact_record(&sample::builtin(), text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&output), want, "{text}");
        }
    }

    /// Values that end like keys were read as a heading each, which cost the record its fuel: its rest was masked.
    #[test]
    fn many_keys_in_one_record_leave_its_rest_alone() {
        let object = |i| format!(r#"{{"n":{i},"password":"FAKE{i}pw","note":"all well, and so on","t":[1,2,3]}}"#);
        let objects: Vec<String> = (0..400).map(object).collect();
        let strings: Vec<String> = objects.iter().map(|text| serde_json::json!(text).to_string()).collect();
        for text in [objects.join(","), strings.join(","), format!("{},{}", objects.join(","), strings.join(","))] {
            let text = format!("[{text}]");
            let output = sample::redact_record(&sample::builtin(), text.as_bytes());
            let kept = |text: &[u8]| memchr::memmem::find_iter(text, b"all well, and so on").count();
            assert_eq!(kept(&output), kept(text.as_bytes()));
        }
    }

    #[test]
    fn a_row_of_many_names_is_read_once() {
        let piece = "\\u0067hp_\u{200b}password| x | y |%406768705f6162636465666768303132333435363738";
        fuzz_slow_line(&[b"B", piece.as_bytes()].concat());
        // A record whose readers read too much is masked to its end; this one is not.
        let list = "password, 1 of x, ".repeat(400) + "the end";
        assert!(sample::redact_record(&sample::rules(), list.as_bytes()) == list.as_bytes(), "masked");
    }

    #[test]
    fn a_mask_makes_no_text_look_random() {
        for text in ["password,[4111111111111111", "password,Z2hwX2FiY2RlZmdoMDEyMzQ1Njc4OQ\"6768705f6162636465"] {
            stays_masked(text.as_bytes());
        }
    }

    #[test]
    fn labels_in_containers_that_nothing_closes_are_values() {
        stays_masked(include_bytes!("../../../fuzz/seeds/idempotence/a-mask-in-a-list-that-nothing-closes"));
        stays_masked(include_bytes!("../../../fuzz/seeds/idempotence/a-colon-behind-a-mask-of-a-member"));
    }

    #[test]
    fn a_mask_that_takes_a_bracket_lets_a_second_pass_mask_more_at_most() {
        fuzz_idempotence(include_bytes!("../../../fuzz/seeds/idempotence/a-container-that-nothing-closes"));
    }

    #[test]
    fn masks_side_by_side_are_one_value() {
        for text in ["password={\"[password][password]\"}", "password=[password][token-a]", "a: [email][email] x"] {
            stays_masked(text.as_bytes());
        }
        let open = "password={\"passw\u{8}ś¦\"·8·8·\u{3}o\"rd\"*&**\"";
        fuzz_idempotence(open.as_bytes());
    }

    #[test]
    fn no_mask_is_cut() {
        fuzz_idempotence(b"password={\"password\":(b\t\0\0\0\0\0\0\0\0y:com 41;0ssword\":\"b]*&**\"Key111");
        let output = sample::redact_record(&sample::rules(), b"password: {a:[token-a], y:[token-b], z}");
        assert_eq!(String::from_utf8_lossy(&output), "password: {a:[token-a], y:[token-b], [password]}");
    }

    #[test]
    fn values_of_an_expression_that_stand_near_all_go() {
        let part = |value| format!("password str type expected [type=string_type, input_value='{value}', x]");
        let text = format!("{} {}", part("FAKEone11"), part("FAKEtwo22"));
        let output = sample::redact_record(&sample::builtin(), text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&output), format!("{0} {0}", part("[secret]")));
    }

    #[test]
    fn digits_behind_the_comma_of_a_field_are_no_fraction() {
        for (text, want) in [
            ("7,10,4111111111111111", "7,10,[card-1111]"),
            ("a,10.20.30.40,4111111111111111", "a,[ip],[card-1111]"),
            ("0,4111111111111111", "0,4111111111111111"),
            ("took 1.234,41 s", "took 1.234,41 s"),
        ] {
            let output = sample::redact_record(&sample::builtin(), text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&output), want, "{text}");
        }
    }

    #[test]
    fn windows_of_expressions_that_overlap_stay_bounded() {
        fuzz_slow_line(include_bytes!("../../../fuzz/seeds/slow_line/windows-of-expressions"));
    }
}
