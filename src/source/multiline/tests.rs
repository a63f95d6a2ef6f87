use super::*;
use proptest::prelude::*;

fn groups_with(settings: &Settings, input: &[u8]) -> Vec<Vec<u8>> {
    let (mut joiner, mut groups) = (Joiner::new(settings.clone()), Vec::<Vec<u8>>::new());
    for line in input.split_inclusive(|&b| b == b'\n') {
        match (joiner.push(line), groups.last_mut()) {
            (Place::Continues, Some(open)) => open.extend_from_slice(line),
            _ => groups.push(line.to_vec()),
        }
    }
    groups
}

/// Parts are joined by blank `%` lines in the samples: each must come out as one group.
fn expect_groups(sample: &str) {
    let expected: Vec<&str> = sample.split_inclusive("%\n").map(|part| part.trim_end_matches("%\n")).collect();
    let found = groups_with(&Settings::default(), expected.concat().as_bytes());
    let found: Vec<&str> = found.iter().map(|group| std::str::from_utf8(group).unwrap()).collect();
    assert_eq!(found, expected);
}

#[test]
fn java() {
    expect_groups(
        "INFO before\n%\n2025-11-23 10:00:00 ERROR c.e.Main - cannot pay\njava.lang.IllegalStateException: no\n\
         \tat com.example.Pay.run(Pay.java:12)\n\tat com.example.Main$1.main(Main.java:3) ~[app.jar:1]\n\
         Caused by: java.io.IOException: closed\n\tat com.example.Io.read(Io.java:9)\n\t... 2 more\n\
         \tSuppressed: java.lang.Exception: x\n\t\tat a.B.c(B.java:1)\n\t\t... 12 common frames omitted\n\
         %\nINFO after\n%\nException in thread \"main\" java.lang.Error: x\n\tat a.B.c(Native Method)\n%\nINFO end\n",
    );
}

#[test]
fn python() {
    expect_groups(
        "INFO before\n%\nERROR:root:cannot pay\nTraceback (most recent call last):\n\
         \x20 File \"/srv/pay.py\", line 3, in run\n    return 1 / 0\n           ~~^~~\nZeroDivisionError: division by zero\n\n\
         During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n\
         \x20 File \"/srv/pay.py\", line 5, in main\n    raise app.PayError(\"no\")\napp.PayError: no\n\
         %\nINFO after: fine\n%\nTraceback (most recent call last):\n  File \"x\", line 1\nKeyboardInterrupt\n%\n12:00 end\n",
    );
}

#[test]
fn go() {
    expect_groups(
        "2025/11/23 before\n%\npanic: runtime error: index out of range [5] with length 3\n\n\
         goroutine 1 [running]:\nmain.(*Server).pay(0xc000012345, {0x1, 0x2})\n\t/srv/main.go:8 +0x1d\n\
         main.main()\n\t/srv/main.go:4 +0x1d\ncreated by main.start in goroutine 7\n\t/srv/main.go:2 +0x1\nexit status 2\n\
         %\n2025/11/23 after\n%\n2025/11/23 http: panic serving 192.0.2.1:80: no\ngoroutine 5 [running]:\nnet/http.f()\n\
         \t/x.go:1 +0x1\n%\n2025/11/23 end\n",
    );
}

#[test]
fn node() {
    expect_groups(
        "listening\n%\nTypeError: Cannot read properties of undefined (reading 'id')\n\
         \x20   at pay (/srv/pay.js:3:9)\n    at async /srv/main.js:12:3\n    at node:internal/main:1:2 {\n\
         \x20 code: 'ENOENT',\n  [cause]: Error: inner\n      at inner (/srv/x.js:1:1)\n}\n%\nGET / 200\n",
    );
}

#[test]
fn dotnet() {
    expect_groups(
        "info: before\n%\nfail: Worker[0]\nUnhandled exception. System.InvalidOperationException: no\n\
         \x20---> System.NullReferenceException: inner\n   at App.Pay.Run(Int32 id) in /srv/Pay.cs:line 12\n\
         \x20  --- End of inner exception stack trace ---\n   at App.Program.Main(String[] args)\n%\ninfo: after\n",
    );
}

#[test]
fn rust() {
    expect_groups(
        "INFO before\n%\nthread 'main' panicked at src/main.rs:4:5:\ncalled `Option::unwrap()` on a `None` value\n\
         stack backtrace:\n   0: rust_begin_unwind\n             at /rustc/x/library/std/src/panicking.rs:1:5\n\
         \x20  1: app::main\nnote: run with `RUST_BACKTRACE=full` for more\n%\nINFO after\n\
         %\nthread 'w' panicked at 'no', src/a.rs:1:1\nnote: run with `RUST_BACKTRACE=1`\n%\nINFO end\n",
    );
}

#[test]
fn ordinary_lines_stay_alone() {
    let lines = [
        "ERROR cannot pay",
        "ERROR cannot pay again",
        "  indented words of a table",
        "at noon the job ran",
        "{\"level\":\"error\",\"stack\":\"Error: x\\n    at f (a.js:1:1)\"}",
        "Caused by the weather",
        "",
        "panicking is of no use",
        "goroutines: 12",
    ];
    let input = lines.join("\n");
    assert_eq!(groups_with(&Settings::default(), input.as_bytes()).len(), lines.len());
}

#[test]
fn only_the_chosen_languages_are_joined() {
    let input = b"ERROR x\nTraceback (most recent call last):\n  File \"x\", line 1\nValueError: x\n\
                  java.lang.Error: x\n\tat a.B.c(B.java:1)\n";
    let with = |languages| Settings { start: Start::Traces(languages), ..Settings::default() };
    assert_eq!(groups_with(&with(Languages::PYTHON), input).len(), 3);
    assert_eq!(groups_with(&with(Languages::JAVA), input).len(), 5);
    assert_eq!(groups_with(&with(Languages::NONE), input).len(), 6);
}

#[test]
fn a_start_pattern_begins_groups() {
    let start = Start::Pattern(Regex::new(r"^\d{4}-").unwrap());
    let settings = Settings { start, ..Settings::default() };
    let groups = groups_with(&settings, b"tail of an older one\n2025-01 a\nb\n\n2025-02 c\r\n");
    assert_eq!(groups, [&b"tail of an older one\n"[..], b"2025-01 a\nb\n\n", b"2025-02 c\r\n"]);
}

#[test]
fn limits_cut_a_group_and_it_goes_on_in_the_next() {
    let trace = format!("java.lang.Error: x\n{}", "\tat a.B.c(B.java:1)\n".repeat(1200));
    let by_lines = groups_with(&Settings::default(), trace.as_bytes());
    let lines: Vec<usize> = by_lines.iter().map(|g| g.iter().filter(|&&b| b == b'\n').count()).collect();
    assert_eq!(lines, [500, 500, 201]);
    let by_bytes = groups_with(&Settings { max_bytes: 1000, ..Settings::default() }, trace.as_bytes());
    assert!(by_bytes.iter().all(|group| group.len() <= 1000));
    assert_eq!(by_bytes.concat(), trace.as_bytes());
}

#[test]
fn a_flushed_group_is_not_continued_but_its_frames_stay_together() {
    let mut joiner = Joiner::new(Settings::default());
    assert_eq!(joiner.push(b"java.lang.Error: x\n"), Place::Starts);
    assert_eq!(joiner.push(b"\tat a.B.c(B.java:1)\n"), Place::Continues);
    joiner.flush();
    assert_eq!(joiner.push(b"\tat a.B.d(B.java:2)\n"), Place::Starts);
    assert_eq!(joiner.push(b"\tat a.B.e(B.java:3)\n"), Place::Continues);
}

proptest! {
    #[test]
    fn groups_are_the_lines_byte_for_byte_and_within_limits(
        picks in prop::collection::vec(0usize..14, 0..120),
        max_lines in 1usize..9,
        max_bytes in 1usize..300,
    ) {
        let pool: [&[u8]; 14] = [
            b"INFO x\n", b"ERROR x\r\n", b"java.lang.Error: x\n", b"\tat a.B.c(B.java:1)\n", b"Caused by: x.Y: z\n",
            b"Traceback (most recent call last):\n", b"  File \"x\", line 1\n", b"ValueError: \xff\n", b"\n",
            b"panic: x\n", b"goroutine 1 [running]:\n", b"thread 'x' panicked at a.rs:1:\n", b"}\n", b"    at f (x) {\n",
        ];
        let input: Vec<u8> = picks.iter().flat_map(|&pick| pool[pick]).copied().collect();
        let groups = groups_with(&Settings { max_lines, max_bytes, ..Settings::default() }, &input);
        prop_assert_eq!(groups.concat(), input);
        for group in groups {
            let lines = group.split_inclusive(|&b| b == b'\n').count();
            prop_assert!(lines <= max_lines && (lines == 1 || group.len() <= max_bytes));
        }
    }

    #[test]
    fn any_bytes_are_survived(data: Vec<u8>) {
        fuzz_multiline(&data);
    }
}
