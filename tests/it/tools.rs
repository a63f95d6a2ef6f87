//! The tools of rule authors by the real binary: what they print, to the letter, over a small pack of their own.

use crate::desk::{BADGES, Desk};
use std::fs;

#[test]
fn explain_shows_masks_and_near_misses_with_their_reason() {
    let desk = Desk::new();
    let input = "card 4111 1111 1111 1112 for ana.diaz@mail.example\nbadge_12 mail=ana%40mail.example\nnothing\n";
    let output = desk.run(&["explain", "--rules", "rules"], input);
    let wanted = "\
1  card 4111 1111 1111 1112 for [email]
        ~~~~~~~~~~~~~~~~~~~     ^^^^^^^
   ^ acme-mail  21 bytes → [email]  rules/acme.yaml:16
   ~ acme-card  luhn failed
   logveil.rules  acme-mail
2  badge_12 mail=[email]
   ~~~~~~~~      ^^^^^^^
   ^ acme-mail   in percent: 18 bytes → [email]  rules/acme.yaml:16
   ~ acme-badge  2 characters after the anchor, at least 6 needed
   logveil.rules  acme-mail
3  nothing
   nothing here is a candidate of any rule
3 rules, 4 candidates, 2 hits, TIME; digest DIGEST
";
    assert_eq!(without_cost(&desk.shown(&output)), wanted);
    assert!(output.status.success());
}

/// The last line of an explanation tells how long it took.
fn without_cost(shown: &str) -> String {
    let (before, rest) = shown.rsplit_once("hits, ").expect("hits");
    let (time, after) = rest.split_once("; ").expect("a time");
    let figure = time.strip_suffix(" µs").and_then(|figure| figure.parse::<f64>().ok());
    assert!(figure.is_some(), "{time}");
    format!("{before}hits, TIME; {after}")
}

#[test]
fn explain_shows_the_tokens_that_a_record_would_carry() {
    let desk = Desk::new();
    let made = desk.run(&["key", "new", "--keyring", "ring.json", "--region", "eu"], "");
    assert!(made.status.success(), "{}", desk.shown(&made));
    let rules = fs::read_to_string(desk.path("rules/acme.yaml")).expect("rules");
    desk.write(
        "rules/acme.yaml",
        rules.replacen(
            "label: email\n    find: {shape: email}\n    mask: label",
            "find: {shape: email}\n    mask: {token: em}",
            1,
        ),
    );
    let shown =
        desk.shown(&desk.run(&["explain", "--keyring", "ring.json", "--rules", "rules", "to ana@mail.example"], ""));
    let token = shown.split(' ').find_map(|word| word.split_once("em_")).expect(&shown).1.trim_end();
    assert!(shown.contains(&format!("logveil.tokens em_{token}")), "{shown}");
    let refused = desk.run(&["explain", "--keyring", "none.json", "x"], "");
    let told = desk.shown(&refused);
    assert!(refused.status.code() == Some(3) && told.matches("none.json").count() == 1, "{told}");
}

#[test]
fn explain_never_shows_a_raw_value_where_it_would_be_kept() {
    let desk = Desk::new();
    let refused = desk.run(&["explain", "--show-raw", "x ana@mail.example"], "");
    assert_eq!(refused.status.code(), Some(5), "{}", desk.shown(&refused));
    for args in [&["explain"][..], &["explain", "--json"]] {
        let output = desk.run(args, "password=h4rdt0guess mail ana@mail.example\n");
        let shown = desk.shown(&output);
        assert!(!shown.contains("h4rdt0guess") && !shown.contains("ana@"), "{shown}");
    }
}

#[test]
fn explain_tells_machines_the_same() {
    let desk = Desk::new();
    let output = desk.run(&["explain", "--json", "--rules", "rules", "x badge_1234567"], "");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["redacted"], "x [badge]");
    assert_eq!(told["masks"][0]["raw"], serde_json::json!([2, 15]));
    assert_eq!(told["candidates"][0]["fate"], "masked");
}

#[test]
fn explain_has_a_page_for_every_code() {
    let desk = Desk::new();
    let page = desk.run(&["explain", "LV0203"], "");
    assert!(page.status.success() && page.stdout.starts_with(b"LV0203"));
    assert_eq!(desk.run(&["explain", "LV9999"], "").status.code(), Some(2));
    assert!(desk.shown(&desk.run(&["explain", "--codes"], "")).contains("LV0203"));
}

#[test]
fn rules_that_do_not_load_are_shown_whole_and_nothing_is_done() {
    let desk = Desk::new();
    desk.write("rules/second.yaml", BADGES);
    let output = desk.run(&["explain", "--rules", "rules", "x"], "");
    let shown = desk.shown(&output);
    assert_eq!(output.status.code(), Some(3), "{shown}");
    assert!(output.stdout.is_empty() && shown.contains("two rules are called 'acme-badge'"), "{shown}");
    desk.write("rules/third.yaml", BADGES.replace("alphabet: ", "alphabt: "));
    let output = desk.run(&["rules", "lint", "rules"], "");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("two rules are called 'acme-badge'") && told.contains("unknown field"), "{told}");
}

/// The first line of a scan tells how long it took.
fn without_time(shown: &str) -> String {
    let (first, rest) = shown.split_once('\n').expect("a first line");
    format!("{}\n{rest}", first.split(" in ").next().expect("a part"))
}

#[test]
fn scan_counts_for_each_rule_with_masked_samples() {
    let desk = Desk::new();
    fs::create_dir(desk.path("logs")).expect("a folder");
    desk.write("logs/b.log", "second badge_999999\nkey Zk3pQ9vT1xR7mW2nB8cL for badge_777777\n");
    desk.write("logs/a.log", "to ana@mail.example from jan@mail.example\ndoor badge_123456 open\n");
    desk.write("logs/c.bin", b"\x7fELF\0\0\0 badge_123456");
    let output = desk.run(&["scan", "--rules", "rules", "--suspects", "--by-file", "logs"], "");
    let wanted = "\
2 files, 127 B, 4 lines
rule                          spans      lines  files  sample (masked)
acme-badge                        3          3      2  door [badge] open
acme-mail                         2          1      1  to [email] from [email]
unmasked look-alikes              1  long random strings that no rule claims
logs/a.log
  acme-badge                      1          1
  acme-mail                       2          1
logs/b.log
  acme-badge                      2          2
  logs/b.log:2  key [suspect-20] for
skipped, binary: logs/c.bin
";
    assert_eq!(without_time(&desk.shown(&output)), wanted);
    assert!(output.status.success());
}

#[test]
fn scan_reads_packed_files_and_fails_where_asked() {
    let desk = Desk::new();
    let text = "door badge_123456 open\n".repeat(1000);
    desk.write("a.log.zst", zstd::bulk::compress(text.as_bytes(), 1).expect("packed"));
    let output = desk.run(&["scan", "--json", "--fail-on-findings", "--rules", "rules", "a.log.zst"], "");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&told["lines"], &told["rules"][0]["spans"]), (&1000.into(), &1000.into()));
    assert_eq!(output.status.code(), Some(1));
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let old = fs::File::create(desk.path("old.log")).expect("created");
    old.set_modified(long_ago).expect("a time");
    let output = desk.run(&["scan", "--since", "7d", "--json", "--rules", "rules", "a.log.zst", "old.log"], "");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&told["files"], &told["older_files"]), (&1.into(), &1.into()));
    let refused = desk.run(&["scan", "--since", "soon", "a.log.zst"], "");
    assert!(refused.status.code() == Some(2) && desk.shown(&refused).contains("write it as 500ms, 2s, 5m, 1h or 3d"));
    let missing = desk.run(&["scan", "no-such-file"], "");
    assert!(missing.status.code() == Some(4) && desk.shown(&missing).contains("no-such-file"));
}

#[test]
fn scan_shows_what_rules_in_shadow_would_mask() {
    let desk = Desk::new();
    let shadow = BADGES.replacen("    mask: label\n", "    mask: label\n    stage: shadow\n", 1);
    desk.write("rules/acme.yaml", shadow);
    desk.write("a.log", "door badge_123456 open\n");
    let plain = desk.run(&["scan", "--rules", "rules", "a.log"], "");
    assert!(!desk.shown(&plain).contains("acme-badge"));
    let shown = desk.shown(&desk.run(&["scan", "--shadow", "--rules", "rules", "a.log"], ""));
    assert!(shown.contains("door [badge] open  in shadow"), "{shown}");
    let explained = desk.shown(&desk.run(&["explain", "--rules", "rules", "door badge_123456 open"], ""));
    assert!(explained.contains("acme-badge  would be masked, rule in shadow"), "{explained}");
}

#[test]
fn diff_fails_on_what_would_become_visible_unless_it_is_allowed() {
    let desk = Desk::new();
    let looser = BADGES.replace("digits, min: 6", "digits, min: 8").replace("label: email", "label: address");
    let looser = looser.replace("badge_123456 open", "badge_12345678 open").replace("to [email]", "to [address]");
    desk.write("looser.yaml", looser);
    desk.write("a.log", "door badge_123456 open for ana@mail.example\nbadge_12345678\n");
    let args = ["diff", "--from", "rules", "--to", "looser.yaml", "--input", "a.log"];
    let output = desk.run(&[&args[..], &["--show"]].concat(), "");
    let shown = desk.shown(&output);
    let steady: String =
        shown.lines().filter(|line| !line.starts_with("cost ")).map(|line| line.to_owned() + "\n").collect();
    let wanted = "\
2 lines, 1 files; from DIGEST to DIGEST
rule              masked before  masked after      new     gone  reworded
acme-badge                    2             1        0        1         0   ← would become visible
    line 1: door [badge] open for [email]
acme-mail                     1             1        0        0         1

1 masks would go. Show masked context with --show, accept with --allow-loosening acme-badge
";
    assert_eq!(steady, wanted);
    assert_eq!(output.status.code(), Some(1));
    let allowed = desk.run(&[&args[..], &["--allow-loosening", "acme-badge"]].concat(), "");
    assert!(allowed.status.success(), "{}", desk.shown(&allowed));
    let same = desk.run(&["diff", "--from", "rules", "--to", "rules", "--input", "a.log"], "");
    assert!(same.status.success() && desk.shown(&same).contains("no mask changes"));
}

#[test]
fn diff_does_nothing_with_a_set_that_does_not_load() {
    let desk = Desk::new();
    desk.write("bad.yaml", BADGES.replace("alphabet: digits", "alphabet: digitz"));
    desk.write("a.log", "door badge_123456 open\n");
    let output = desk.run(&["diff", "--from", "rules", "--to", "bad.yaml", "--input", "a.log"], "");
    let shown = desk.shown(&output);
    assert!(output.status.code() == Some(3) && output.stdout.is_empty(), "{shown}");
    assert!(shown.contains("digitz") && shown.contains("bad.yaml:9"), "{shown}");
}

#[test]
fn a_new_rule_is_drafted_from_samples_and_passes_everything() {
    let desk = Desk::new();
    let samples = "sync failed for badge acmetok-7f3a9c2e5b1d4f60 of ana@mail.example\n\
        sync failed for badge acmetok-a81c03d94e7f2b56 of li@mail.example\n\
        retry for badge acmetok-55d0e1f2a3b4c697\n";
    let args = ["rules", "new", "acme-token", "--out", "draft.yaml", "--rules", "builtin", "--rules", "rules"];
    let output = desk.run(&args, samples);
    let shown = desk.shown(&output);
    assert!(output.status.success(), "{shown}");
    assert!(shown.starts_with("3 values; finds 'acmetok-', then at least 16 characters of hex"), "{shown}");
    let draft = fs::read_to_string(desk.path("draft.yaml")).expect("a draft");
    let wanted = "\
pack: acme-token
version: 0.1.0
rules:
  - id: acme-token
    title: 'acme token'
    class: credential
    find: {anchor: [acmetok-], alphabet: hex, min: 16}
    stage: shadow
    since: 0.1.0
    tests:
      - {in: 'retry for badge acmetok-{{hex:16}}', out: 'retry for badge [acme-token]'}
      - {in: 'sync failed for badge acmetok-{{hex:16}} of [email]', out: 'sync failed for badge [acme-token] of [email]'}
      - {same: 'the beginning acmetok- alone is harmless'}
";
    assert_eq!(draft, wanted);
    for check in ["test", "lint"] {
        let output = desk.run(&["rules", check, "draft.yaml"], "");
        assert!(output.status.success(), "{}", desk.shown(&output));
    }
    let output = desk.run(&args, samples);
    assert!(output.status.code() == Some(4) && desk.shown(&output).contains("never overwritten"));
    let refused = desk.run(&["rules", "new", "acme-other"], "the quick brown fox\njumps over it\n");
    assert!(refused.status.code() == Some(2) && refused.stdout.is_empty(), "{}", desk.shown(&refused));
    assert!(desk.shown(&refused).contains("nothing tells the values from other text; mark them"));
    let told = desk.run(&["rules", "new", "acme-token", "--json"], samples);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!((&told["yaml"], &told["samples"]), (&wanted.into(), &3.into()));
}

#[test]
fn gen_writes_what_the_package_ships() {
    let desk = Desk::new();
    for (what, file) in [("man", "logveil-scan.1"), ("completions", "logveil.bash"), ("completions", "_logveil")] {
        assert!(desk.run(&["gen", what, "assets"], "").status.success());
        let text = fs::read_to_string(desk.path("assets").join(file)).expect(file);
        assert!(text.contains("logveil"), "{file}");
    }
    for of in ["rules", "config"] {
        let output = desk.run(&["gen", "schema", of], "");
        let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(schema["additionalProperties"], false);
    }
}

#[test]
fn bench_counts_how_often_each_rule_is_asked() {
    let desk = Desk::new();
    desk.write("a.log", "door badge_123456 open\nbadge_12 to ana@mail.example\nnothing\n");
    let output = desk.run(&["bench", "--json", "--runs", "1", "--rules", "rules", "--input", "a.log"], "");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let counts = |id: &str| {
        let rules = told["rules"].as_array().expect("a list");
        let rule = rules.iter().find(|rule| rule["rule"] == id).expect(id);
        ["gate_hits", "candidates", "spans"].map(|name| rule[name].as_u64().expect("a number"))
    };
    assert_eq!((counts("acme-badge"), counts("acme-mail")), ([2, 1, 1], [1, 1, 1]));
    let shown = desk.shown(&desk.run(&["bench", "--rules", "rules", "--input", "a.log"], ""));
    assert!(shown.starts_with("3 lines") && shown.contains("acme-badge"), "{shown}");
    let empty = desk.write("empty.log", "");
    let output = desk.run(&["bench", "--input", &empty.display().to_string()], "");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn check_tells_machines_everything_too() {
    let desk = Desk::new();
    let config = "version: 1\nregion: eu\nsources:\n  a: {include: ['/var/log/a.log']}\noutput: {stdout: {}}\n";
    desk.write("good.yaml", config);
    desk.write("bad.yaml", config.replace("region: eu", "regio: eu\nregion: mars"));
    let rules = desk.path("rules").display().to_string();
    desk.write("rules/acme.yaml", crate::desk::BADGES.replace("alphabet: digits", "alphabet: digitz"));
    desk.write("broken.yaml", format!("{config}redaction: {{packs: [builtin, '{rules}']}}\n"));
    let told = |file: &str| {
        let output = desk.run(&["check", "--offline", "--json", "--config", file], "");
        let told: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", desk.shown(&output)));
        (told, output.status.code())
    };
    let (good, code) = told("good.yaml");
    assert_eq!((&good["errors"], code), (&0.into(), Some(0)));
    let check = |name: &str| {
        let all = good["checks"].as_array().expect("a list");
        all.iter().find(|check| check["name"] == name).expect(name)["verdict"].as_str().expect("a verdict").to_owned()
    };
    assert_eq!((check("rules"), check("retention")), ("ok".to_owned(), "skipped".to_owned()));
    let (bad, code) = told("bad.yaml");
    assert_eq!((&bad["errors"], code), (&2.into(), Some(3)));
    assert_eq!((&bad["problems"][0]["line"], &bad["problems"][0]["level"]), (&2.into(), &"error".into()));
    let (broken, code) = told("broken.yaml");
    assert!(code == Some(3) && broken["rule_mistakes"][0].as_str().is_some_and(|it| it.contains("digitz")), "{broken}");
}

#[test]
fn check_tells_the_mistakes_of_settings_and_of_rules_in_one_run() {
    let desk = Desk::new();
    desk.write("rules/acme.yaml", BADGES.replace("alphabet: digits", "alphabet: digitz"));
    let config = |packs: &str, disable: &str| {
        format!(
            "version: 1\nregion: eu\nsources:\n  a: {{include: [app.log]}}\noutput: {{stdout: {{}}}}\n\
             redaction: {{packs: {packs}, disable: [{disable}]}}\n"
        )
    };
    let folder = desk.path("rules").display().to_string();
    for (packs, disable, wanted, mistakes) in [
        (format!("[builtin, '{folder}']"), "emial", &["the path is not absolute", "'digitz' is not known"][..], 2),
        ("[builtin]".to_owned(), "emial", &["the path is not absolute", "did you mean 'email'"], 2),
        (
            format!("[rules, '{folder}']"),
            "acme-badge",
            &["the path is not absolute", "is no pack", "'digitz' is not known"],
            3,
        ),
    ] {
        desk.write("bad.yaml", config(&packs, disable));
        for command in [&["check", "--offline"][..], &["check"], &["run"], &["explain", "x"]] {
            let output = desk.run(&[command, &["--config", "bad.yaml"]].concat(), "");
            let shown = desk.shown(&output);
            assert_eq!(output.status.code(), Some(3), "{command:?}: {shown}");
            for told in wanted {
                assert_eq!(shown.matches(told).count(), 1, "{command:?}, {told}: {shown}");
            }
        }
        let output = desk.run(&["check", "--offline", "--json", "--config", "bad.yaml"], "");
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(told["errors"], mistakes, "{told}");
    }
}

#[test]
fn errors_name_the_thing_and_the_next_step() {
    let desk = Desk::new();
    desk.write(
        "a.yaml",
        "version: 1\nregion: eu\nsources: {a: {type: stdin}}\noutput: {stdout: {}}\nadmin: {listen: '127.0.0.1:1'}\n",
    );
    for (command, code, wanted) in [
        ("key list --keyring none.json", 3, "there is no keyring none.json; logveil key new makes one"),
        ("gen man a.yaml/man", 4, "cannot write into a.yaml/man: "),
        ("spool --state-dir gone list", 4, "cannot read the state directory gone: "),
        ("check --live --config a.yaml", 4, "no agent answers at http://127.0.0.1:1/readyz: "),
        ("check --live --config a.yaml", 4, "Connection refused"),
        ("check --config gone.yaml", 3, "[LV0101] cannot read the configuration gone.yaml: "),
        ("rules show acme-bagde rules", 2, "did you mean 'acme-badge'?"),
        ("explain --rules gone x", 3, "cannot read gone: "),
    ] {
        let output = desk.run(&command.split(' ').collect::<Vec<_>>(), "");
        let shown = desk.shown(&output);
        assert!(output.status.code() == Some(code) && shown.contains(wanted), "{command}: {shown}");
    }
}

/// What a command shows on a terminal.
fn on_a_terminal(desk: &Desk, variables: &str, command: &str) -> String {
    let command = format!("{variables} '{}' {command}", env!("CARGO_BIN_EXE_logveil"));
    let output = std::process::Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .current_dir(desk.dir.path())
        .stdin(std::process::Stdio::null())
        .output();
    String::from_utf8_lossy(&output.expect("script, an essential package").stdout).into_owned()
}

/// Colours are for terminals: none in a pipe, and none on a terminal where NO_COLOR is set.
#[test]
fn colours_are_for_terminals() {
    let desk = Desk::new();
    desk.write("a.log", "door badge_123456 open for ana@mail.example\n");
    let shown = |variables, redirect| on_a_terminal(&desk, variables, &format!("scan --rules rules a.log {redirect}"));
    let colored = shown("", "");
    assert!(colored.contains("\u{1b}[2mrule"), "{colored}");
    assert!(!shown("NO_COLOR=1", "").contains("\u{1b}[2m"));
    let piped = shown("", "2>/dev/null | cat");
    assert!(piped.contains("acme-badge") && !piped.contains('\u{1b}'), "{piped}");
}

#[test]
fn on_a_terminal_the_raw_line_is_shown_where_that_is_asked_for() {
    let desk = Desk::new();
    let shown = on_a_terminal(&desk, "NO_COLOR=1", "explain --rules rules --show-raw 'to ana@mail.example, badge_12'");
    let wanted = [
        "1  to ana@mail.example, badge_12",
        "      ^^^^^^^^^^^^^^^^  ~~~~~~~~",
        "=  to [email], badge_12",
        "   ^ acme-mail   16 bytes → [email]  rules/acme.yaml:16",
    ];
    assert_eq!(shown.lines().take(4).map(str::trim_end).collect::<Vec<_>>(), wanted, "{shown}");
    let hidden = on_a_terminal(&desk, "NO_COLOR=1", "explain --rules rules 'to ana@mail.example'");
    assert!(hidden.starts_with("1  to [email]") && !hidden.contains("ana@"), "{hidden}");
}

#[test]
fn one_rule_can_be_looked_at_alone() {
    let desk = Desk::new();
    let explain =
        |only: &str| desk.run(&["explain", "--rules", "rules", "--only", only, "badge_123456 ana@mail.example"], "");
    let shown = desk.shown(&explain("acme-mail"));
    assert!(shown.contains("badge_123456 [email]") && shown.contains("1 rules, 1 candidates, 1 hits"), "{shown}");
    let unknown = explain("acme-male");
    assert!(unknown.status.code() == Some(2) && desk.shown(&unknown).contains("did you mean 'acme-mail'?"));
}

#[test]
fn outcomes_of_examples_are_written_for_ci() {
    let desk = Desk::new();
    desk.write("rules/acme.yaml", crate::desk::BADGES.replace("out: 'to [email] now'", "out: 'to <b>[post]</b> now'"));
    let output = desk.run(&["rules", "test", "rules", "--junit", "out.xml"], "");
    assert_eq!(output.status.code(), Some(1), "{}", desk.shown(&output));
    let xml = fs::read_to_string(desk.path("out.xml")).expect("written");
    for wanted in [
        "<testsuite name=\"acme\" tests=\"3\" failures=\"1\">",
        "<testcase classname=\"acme\" name=\"acme-badge\" file=\"rules/acme.yaml\" line=\"4\" assertions=",
        "<failure message=\"example\">in    to ana@mail.example now\nwant  to &lt;b&gt;[post]&lt;/b&gt; now\ngot   to [email] now",
    ] {
        assert!(xml.contains(wanted), "{wanted}: {xml}");
    }
    let nowhere = desk.run(&["rules", "test", "rules", "--junit", "missing/out.xml"], "");
    assert!(nowhere.status.code() == Some(4) && desk.shown(&nowhere).contains("cannot write missing/out.xml"));
}
