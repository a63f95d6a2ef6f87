use super::*;
use proptest::prelude::*;

/// 2025-11-23T12:13:20Z.
const NOW: i64 = 1_763_900_000_000;

fn read(line: &str) -> Facts {
    Reader::new().read(line.as_bytes(), NOW)
}

#[test]
fn levels() {
    use Status::*;
    for (line, status) in [
        (r#"{"level":"error","msg":"x"}"#, Some(Error)),
        (r#"{"msg":"x", "level" : "WARNING"}"#, Some(Warning)),
        (r#"{"level":50,"time":1763900000000}"#, Some(Error)),
        (r#"{"severity":"NOTICE"}"#, Some(Notice)),
        (r#"{"severity":4}"#, Some(Warning)),
        (r#"{"status":200}"#, None),
        (r#"{"status":7,"x":1}"#, None),
        (r#"{"status":"active"}"#, None),
        (r#"{"status":"ok"}"#, Some(Info)),
        (r#"{"status":"error","level":"info"}"#, Some(Info)),
        (r#"{"kind":"level","n":"error"}"#, None),
        (r#"{"message":"{\"level\":\"error\"}"}"#, None),
        (r#"{"level":"none"}"#, None),
        (r#"{"level":null}"#, None),
        ("level=warn msg=x", Some(Warning)),
        ("time=2025-11-23T12:00:00Z lvl=\"debug\" msg=x", Some(Debug)),
        ("sublevel=error x", None),
        ("2025-11-23 12:00:00,123 ERROR [main] c.e.App - x", Some(Error)),
        ("2025-11-23 12:00:00 [warn] 12#0: x", Some(Warning)),
        ("2025-11-23 12:00:00 WARNING: x", Some(Warning)),
        ("Nov 23 12:00:00 db1 sshd[1]: error: x", Some(Error)),
        ("Nov 23 12:00:00 db1 app: no word for it", None),
        ("<11>Nov 23 12:00:00 db1 app: INFO x", Some(Error)),
        ("<191>1 2025-11-23T12:00:00Z db1 app - - - x", Some(Debug)),
        ("<192>x", None),
        ("E1123 12:00:00.000000 1 main.go:1] x", Some(Error)),
        ("INFORMATION_SCHEMA was read", None),
        ("path/INFO/x", None),
        ("MY_ERROR is not ERROR_CODE", None),
        ("the TERROR of it", None),
        ("[info] INFO ERROR", Some(Info)),
        ("", None),
    ] {
        assert_eq!(read(line).status, status, "{line}");
    }
}

#[test]
fn times() {
    const AT: i64 = 1_763_899_200_000; // 2025-11-23T12:00:00Z
    for (line, time) in [
        ("2025-11-23T12:00:00Z x", Some(AT)),
        ("2025-11-23T12:00:00.123456Z x", Some(AT + 123)),
        ("2025-11-23T13:00:00+01:00 x", Some(AT)),
        ("2025-11-23T04:30:00-0730 x", Some(AT)),
        ("2025-11-23 12:00:00,5 x", Some(AT + 500)),
        ("2025-11-23 12:00:00 +0000 x", Some(AT)),
        ("2025/11/23 12:00:00 x", Some(AT)),
        ("[2025-11-23T12:00:00Z] x", Some(AT)),
        ("[Sun Nov 23 12:00:00.250 2025] [core:error] x", Some(AT + 250)),
        ("<34>1 2025-11-23T12:00:00Z db1 app - - - x", Some(AT)),
        ("<34>Nov 23 12:00:00 db1 app: x", Some(AT)),
        ("Nov 23 12:00:00 db1 app: x", Some(AT)),
        ("Nov  3 12:00:00 db1 app: x", Some(AT - 20 * 86_400_000)),
        ("Jan  1 00:00:00 db1 app: x", Some(1_767_225_600_000)),
        ("Dec 31 23:59:59 db1 app: x", Some(1_767_225_599_000)),
        ("127.0.0.1 - - [23/Nov/2025:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1", Some(AT)),
        ("127.0.0.1 [x] [23/Nov/2025:14:00:00 +0200] x", Some(AT)),
        ("1763899200 x", Some(AT)),
        ("1763899200.75 x", Some(AT + 750)),
        ("1763899200000 x", Some(AT)),
        ("1763899200x", None),
        ("ts=2025-11-23T12:00:00Z level=info", Some(AT)),
        ("level=info ts=1763899200.5", Some(AT + 500)),
        (r#"{"ts":1763899200}"#, Some(AT)),
        (r#"{"ts":1763899200.123}"#, Some(AT + 123)),
        (r#"{"time":1763899200000}"#, Some(AT)),
        (r#"{"time":1763899200000000}"#, Some(AT)),
        (r#"{"time":1763899200000000000}"#, Some(AT)),
        (r#"{"timestamp":"2025-11-23T12:00:00Z","time":1}"#, Some(AT)),
        (r#"{"time":1763899200000,"timestamp":"2025-11-23T13:00:00Z"}"#, Some(AT + 3_600_000)),
        (r#"{"time":"12 ms"}"#, None),
        (r#"{"time":17}"#, None),
        (r#"{"timestamp":"2025-02-29T12:00:00Z"}"#, None),
        (r#"{"timestamp":"2025-13-01T12:00:00Z"}"#, None),
        (r#"{"timestamp":"1999-01-01T12:00:00Z"}"#, None),
        ("2025-11-23T25:00:00Z", None),
        ("2025-11-23", None),
        ("no time here", None),
    ] {
        assert_eq!(read(line).time, time, "{line}");
    }
}

#[test]
fn a_time_without_zone_is_local() {
    let mut reader = Reader::new();
    reader.utc_offset = 3600;
    for (line, time) in [
        ("2025-11-23 13:00:00 x", 1_763_899_200_000),
        ("2025-11-23T12:00:00Z x", 1_763_899_200_000),
        ("Nov 23 13:00:00 db1 app: x", 1_763_899_200_000),
    ] {
        assert_eq!(reader.read(line.as_bytes(), NOW).time, Some(time), "{line}");
    }
}

proptest! {
    #[test]
    fn dates_agree_with_a_calendar(time in time::FIRST / 1000..time::LAST / 1000, millis in 0i64..1000) {
        let at = time * 1000 + millis;
        let stamp = jiff::Timestamp::from_millisecond(at).expect("in range");
        let line = format!("{stamp:.3} x");
        prop_assert_eq!(Reader::new().read(line.as_bytes(), NOW).time, Some(at), "{}", line);
    }

    #[test]
    fn a_syslog_date_is_the_one_nearest_to_now(ahead in -180i64..180, now in 1_000_000_000i64..4_000_000_000) {
        let at = now + ahead * 86_400;
        let line = jiff::Timestamp::from_second(at).expect("in range").strftime("%b %e %H:%M:%S db1 x: y").to_string();
        // A leap day names its year; any other date is nearest in one of three.
        prop_assert_eq!(Reader::new().read(line.as_bytes(), now * 1000).time, Some(at * 1000), "{}", line);
    }

    #[test]
    fn any_bytes_are_survived(data: Vec<u8>) {
        fuzz_facts(&data);
    }

    #[test]
    fn cut_lines_are_survived(
        line in r#"(<1[0-9]>)?[\[{]?"?(Nov 23 |2025-11-23T|level|ts|timestamp)"?[:=]?"?[0-9:.,+Z/ -]{0,30}"#,
        cut: prop::sample::Index,
    ) {
        fuzz_facts(&line.as_bytes()[..cut.index(line.len() + 1)]);
    }
}
