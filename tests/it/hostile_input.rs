//! What the tools do with input that is no log, broken, endless or slow, by the real binary.

use crate::desk::Desk;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A child that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(120);

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).expect("packed");
    packed.finish().expect("packed")
}

fn fifo(desk: &Desk, name: &str) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, desk.path(name), rustix::fs::FileType::Fifo, mode, 0).expect("a pipe");
}

fn scanned(desk: &Desk, args: &[&str]) -> (serde_json::Value, Option<i32>) {
    let args = [&["scan", "--json", "--rules", "rules"], args].concat();
    let output = desk.run(&args, "");
    let told = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", desk.shown(&output)));
    (told, output.status.code())
}

#[test]
fn a_scan_names_what_it_cannot_read_and_counts_the_rest() {
    let desk = Desk::new();
    let text = "door badge_123456 open\n".repeat(20_000);
    fs::create_dir(desk.path("logs")).expect("a folder");
    desk.write("logs/a.log", "door badge_123456 open\n");
    desk.write("logs/b.bin", b"\x7fELF\0\0\0 badge_123456\n");
    fifo(&desk, "logs/c.fifo");
    let packed = gzip(&text);
    desk.write("logs/d.gz", &packed[..packed.len() / 2]);
    desk.write("logs/e.gz", b"\x1f\x8bthis is no gzip at all");
    desk.write("logs/f.zst", b"\x28\xb5\x2f\xfdthis is no zstd at all");
    desk.write("logs/g.log", "");
    let (told, code) = scanned(&desk, &["logs"]);
    let names = |list: &str, key: &str| {
        let list = told[list].as_array().expect("a list").iter();
        list.map(|one| one.get(key).unwrap_or(one).as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("failed", "file"), ["logs/d.gz", "logs/e.gz", "logs/f.zst"]);
    assert_eq!(names("skipped_binary", ""), ["logs/b.bin"]);
    assert_eq!(names("skipped_special", ""), ["logs/c.fifo"]);
    let spans = told["rules"][0]["spans"].as_u64().expect("a count");
    assert!(spans > 1000 && spans < 20_000, "what was readable of a cut file counts: {spans}");
    assert_eq!((&told["files"], code), (&2.into(), Some(4)));
    let shown = desk.shown(&desk.run(&["scan", "--rules", "rules", "logs"], ""));
    for wanted in ["skipped, binary: logs/b.bin", "skipped, no file: logs/c.fifo", "cannot read logs/d.gz: "] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
}

#[test]
fn links_in_folders_are_followed_to_files_once() {
    let desk = Desk::new();
    for folder in ["pods", "logs"] {
        fs::create_dir(desk.path(folder)).expect("a folder");
    }
    desk.write("pods/0.log", "door badge_123456 open\n");
    desk.write("logs/named\u{1b}[31m.log", "door badge_123456 open\n");
    for (target, link) in [
        ("../pods/0.log", "logs/a.log"),
        ("a.log", "logs/b.log"),
        ("..", "logs/circle"),
        ("self", "logs/self"),
        ("nowhere", "logs/nowhere"),
        ("../logs", "pods/back"),
    ] {
        symlink(target, desk.path(link)).expect("a link");
    }
    let (told, code) = scanned(&desk, &["logs", "pods"]);
    assert_eq!((&told["files"], &told["rules"][0]["spans"], code), (&2.into(), &2.into(), Some(0)));
    let special = ["logs/circle", "logs/nowhere", "logs/self", "pods/back"];
    assert_eq!(told["skipped_special"], serde_json::json!(special));
    let shown = desk.shown(&desk.run(&["scan", "--by-file", "--rules", "rules", "logs"], ""));
    assert!(!shown.contains('\u{1b}') && shown.contains("logs/named·[31m.log"), "{shown}");
}

/// Opens and does not read: what a folder without rights is to everybody but root.
const UNREADABLE: &str = "/proc/self/mem";

#[test]
fn what_cannot_be_read_is_no_findings() {
    let desk = Desk::new();
    desk.write("a.log", "door badge_123456 open\n");
    let (told, code) = scanned(&desk, &["a.log", UNREADABLE]);
    assert_eq!((&told["failed"][0]["file"], &told["lines"], code), (&UNREADABLE.into(), &1.into(), Some(4)));
    for args in
        [&["diff", "--from", "rules", "--to", "rules", "--input"][..], &["bench", "--rules", "rules", "--input"]]
    {
        let output = desk.run(&[args, &["a.log", UNREADABLE]].concat(), "");
        let shown = desk.shown(&output);
        assert!(output.status.code() == Some(4) && output.stdout.is_empty(), "{shown}");
        assert!(shown.contains(&format!("cannot read {UNREADABLE}")), "{shown}");
    }
}

#[test]
fn what_is_no_text_is_named_by_every_tool() {
    let desk = Desk::new();
    fs::create_dir(desk.path("logs")).expect("a folder");
    desk.write("logs/a.log", "door badge_123456 open\n");
    desk.write("logs/b.bin", b"\x7fELF\0\0\0 badge_123456\n");
    fifo(&desk, "logs/c.fifo");
    for command in
        ["scan --rules rules", "diff --from rules --to rules --input", "bench --runs 1 --rules rules --input"]
    {
        let args: Vec<&str> = command.split(' ').chain(["logs"]).collect();
        let shown = desk.shown(&desk.run(&args, ""));
        for named in ["skipped, binary: logs/b.bin", "skipped, no file: logs/c.fifo"] {
            assert!(shown.contains(named), "{command}: {named}: {shown}");
        }
        let output = desk.run(&[&args[..], &["--json"]].concat(), "");
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            (&told["skipped_binary"][0], &told["skipped_special"][0]),
            (&"logs/b.bin".into(), &"logs/c.fifo".into())
        );
    }
    let output = desk.run(&["bench", "--rules", "rules", "--input", "logs/b.bin"], "");
    assert!(
        output.status.code() == Some(2) && desk.shown(&output).contains("skipped, binary"),
        "{}",
        desk.shown(&output)
    );
}

#[test]
fn a_pipe_that_is_named_is_read() {
    let desk = Desk::new();
    fifo(&desk, "pipe");
    let path = desk.path("pipe");
    let writer = std::thread::spawn(move || fs::write(path, "door badge_123456 open\n").expect("written"));
    let (told, code) = scanned(&desk, &["pipe"]);
    writer.join().expect("written");
    assert_eq!((&told["rules"][0]["spans"], code), (&1.into(), Some(0)));
}

#[test]
fn a_diff_compares_nothing_when_a_set_does_not_load() {
    let desk = Desk::new();
    desk.write("a.log", "door badge_123456 open\n");
    for folder in ["empty", "open", "twice"] {
        fs::create_dir(desk.path(folder)).expect("a folder");
    }
    for file in ["open/a.yaml", "twice/a.yaml", "twice/b.yaml"] {
        desk.write(file, crate::desk::BADGES);
    }
    fs::set_permissions(desk.path("open"), fs::Permissions::from_mode(0o777)).expect("a mode");
    fifo(&desk, "pipe");
    for (folder, why) in [
        ("empty", "holds no rule file"),
        ("open", "may be written by everybody"),
        ("twice", "two packs are called 'acme'"),
        ("missing", "cannot read missing"),
        ("pipe", "cannot read pipe: it is no regular file"),
    ] {
        for (from, to) in [(folder, "rules"), ("rules", folder)] {
            let output = desk.run(&["diff", "--from", from, "--to", to, "--input", "a.log"], "");
            let shown = desk.shown(&output);
            assert!(output.status.code() == Some(3) && output.stdout.is_empty(), "{shown}");
            assert!(shown.contains(why), "{why}: {shown}");
        }
    }
}

#[test]
fn a_pipe_in_the_place_of_a_file_does_not_stop_the_start() {
    let desk = Desk::new();
    fs::write(desk.path("app.log"), "door open\n").expect("written");
    for name in ["pack", "key", "ca", "keyring", "config"] {
        fifo(&desk, name);
    }
    let at = |name: &str| desk.path(name).display().to_string();
    let config = |output: &str, more: &str| {
        let (state, log) = (at("state"), at("app.log"));
        format!(
            "version: 1\nregion: eu\nstate_dir: {state}\nsources: {{app: {{include: ['{log}']}}}}\n\
             output: {{{output}}}\n{more}"
        )
    };
    let keys = format!("datadog: {{api_key: 'file:{}', tls: {{ca_file: '{}'}}}}", at("key"), at("ca"));
    desk.write("keys.yaml", config(&keys, ""));
    desk.write("packs.yaml", config("stdout: {}", &format!("redaction: {{packs: [builtin, '{}']}}\n", at("pack"))));
    desk.write("tokens.yaml", config("stdout: {}", &format!("tokens: {{keyring: 'file:{}'}}\n", at("keyring"))));
    let pipes = [
        ("keys.yaml", &["key", "the CA file"][..]),
        ("packs.yaml", &["pack"]),
        ("tokens.yaml", &["keyring"]),
        ("config", &["cannot read the configuration config"]),
    ];
    for (config, wanted) in pipes {
        for command in ["check", "run"] {
            let output = desk.run(&[command, "--config", config], "");
            let shown = desk.shown(&output);
            assert_eq!(output.status.code(), Some(3), "{command} {config}: {shown}");
            for what in wanted {
                assert!(shown.contains(&format!("{what}: it is no regular file")), "{command} {config}: {shown}");
            }
        }
    }
}

/// Runs `logveil ARGS` with at most so many MiB of memory of its own.
fn run_within(desk: &Desk, mebibytes: u64, args: &str, input: Stdio) -> Output {
    let command = format!("ulimit -d {}; exec '{}' {args}", mebibytes * 1024, env!("CARGO_BIN_EXE_logveil"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).current_dir(desk.dir.path()).stdin(input).output().expect("the binary")
}

#[test]
fn memory_has_a_bound_however_long_the_input() {
    let desk = Desk::new();
    let line = format!("{}\n", "words of a line ".repeat(250));
    let mut packed = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    for number in 0..12_000 {
        packed.write_all(line.as_bytes()).expect("packed");
        if number % 1000 == 0 {
            packed.write_all(b"door badge_123456 open\n").expect("packed");
        }
    }
    desk.write("lines.zst", packed.finish().expect("packed"));
    let output = run_within(&desk, 40, "scan --json --threads 2 --rules rules lines.zst", Stdio::null());
    let told: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", desk.shown(&output)));
    assert_eq!((&told["lines"], &told["rules"][0]["spans"]), (&12_012.into(), &12.into()));
    assert!(told["bytes"].as_u64().expect("a size") > 45 << 20);
}

#[test]
fn a_line_without_end_is_withheld_and_the_next_one_is_not() {
    let desk = Desk::new();
    let mut text = b"door badge_123456 open\nbadge_1234567".to_vec();
    text.resize(200 << 20, b'x');
    text.extend_from_slice(b"\ndoor badge_123456 open\n");
    desk.write("long.log", text);
    let input = fs::File::open(desk.path("long.log")).expect("the file");
    let output = run_within(&desk, 170, "redact --threads 2 --rules rules", input.into());
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(shown, "door [badge] open\n[withheld-oversize]\ndoor [badge] open\n", "{}", desk.shown(&output));
}

/// Key blocks over everything, so that chunks end inside of them.
fn blocks() -> String {
    let key: String = (0..24).map(|line| format!("MIIEpAIBAAKCAQEA7bq{line:02}Zk3pQ9vT1xR7mW2nB8cLxyz0\n")).collect();
    let part = |number: usize| {
        let marker = |word: &str| format!("-----{word} RSA PRIVATE KEY-----\n");
        format!("{number} mail to ana@mail.example\n{}{key}{}", marker("BEGIN"), marker("END"))
    };
    (0..300).map(part).collect()
}

#[test]
fn threads_change_nothing_but_the_time() {
    let desk = Desk::new();
    let text = blocks();
    desk.write("a.log", &text);
    desk.write("b.log.gz", gzip(&text));
    desk.write("c.log", "door open\n");
    let inputs = ["a.log", "b.log.gz", "c.log"];
    let with = |threads: &str, args: &[&str], input: &str| {
        let output = desk.run(&[args, &["--threads", threads]].concat(), input);
        assert!(output.stderr.is_empty() && !output.stdout.is_empty(), "{}", desk.shown(&output));
        output.stdout
    };
    let scan = [&["scan", "--json", "--suspects"][..], &inputs].concat();
    let diff = [&["diff", "--from", "builtin", "--to", "builtin,rules", "--json", "--input"][..], &inputs].concat();
    let untimed = |out: &[u8]| {
        let mut told: serde_json::Value = serde_json::from_slice(out).expect("JSON");
        told["microseconds_a_line"] = serde_json::Value::Null;
        told
    };
    let one = [with("1", &["redact"], &text), with("1", &scan, ""), with("1", &diff, "")];
    for threads in ["2", "5"] {
        assert!(with(threads, &["redact"], &text) == one[0], "{threads} threads redact otherwise");
        assert_eq!(untimed(&with(threads, &scan, "")), untimed(&one[1]));
        assert_eq!(untimed(&with(threads, &diff, "")), untimed(&one[2]));
    }
    assert!(!String::from_utf8_lossy(&one[0]).contains("MIIEpA"), "every line of every block is masked");
}

fn redact(desk: &Desk) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logveil"));
    command.args(["redact", "--rules", "rules"]).current_dir(desk.dir.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary")
}

#[test]
fn a_summary_goes_to_standard_error_and_nothing_else_to_standard_output() {
    let desk = Desk::new();
    let text = b"nul \0 and \xff\xfe\r\ndoor badge_123456 open\r\n\nlast line badge_1234567";
    desk.write("input", text);
    let input = || Stdio::from(fs::File::open(desk.path("input")).expect("the file"));
    let output = run_within(&desk, 1024, "redact --rules rules --stats", input());
    let wanted = b"nul \0 and \xff\xfe\r\ndoor [badge] open\r\n\nlast line [badge]";
    assert!(output.status.success() && output.stdout == wanted, "{}", desk.shown(&output));
    let table = String::from_utf8_lossy(&output.stderr);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.rsplitn(2, ' ').map(str::trim).collect()).collect();
    let size = text.len().to_string();
    let wanted = [
        (&size[..], "bytes"),
        ("4", "lines"),
        ("2", "lines with masks"),
        ("2", "masks"),
        ("0", "allowed"),
        ("0", "lines withheld"),
    ];
    assert_eq!(rows, wanted.map(|(count, name)| vec![count, name]), "{table}");
    let quiet = run_within(&desk, 1024, "redact --rules rules", input());
    assert!(quiet.stderr.is_empty() && quiet.stdout == output.stdout);
}

#[test]
fn a_line_comes_out_while_the_input_stays_open() {
    let desk = Desk::new();
    let mut child = redact(&desk);
    let (mut input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    let mut output = BufReader::new(output);
    for number in 0..20 {
        writeln!(input, "{number} door badge_123456 open").expect("written");
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        assert_eq!(line, format!("{number} door [badge] open\n"));
    }
    drop(input);
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("the end");
    assert!(rest.is_empty() && child.wait().expect("an end").success());
}

#[test]
fn it_ends_when_nobody_reads_any_more_though_the_input_stays_open() {
    let desk = Desk::new();
    let mut child = redact(&desk);
    let mut input = child.stdin.take().expect("piped");
    drop(child.stdout.take());
    input.write_all(b"door badge_123456 open\n").expect("written");
    let until = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().expect("a status") {
            Some(status) => break status,
            None => assert!(Instant::now() < until, "it waits for input that nobody wants"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success());
}
