//! Rules that change while the agent runs, by the real binary: on a signal and on a change of the files, under
//! load, with mistakes, with losses, and with batches that wait masked by the rules of before.

use crate::host::{Agent, Host, LIMIT, arrived, wait_for};
use logveil::intake::{Intake, Script, Settings};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Reloads that succeeded.
const RELOADS: &str = "logveil_reloads_total{kind=\"rules\",result=\"success\"}";

/// A pack whose two rules show `version` in their labels.
fn pack(version: usize) -> String {
    let rule = |name: &str| {
        format!(
            "  - id: {name}\n    title: A {name}\n    class: credential\n    label: {name}-{version}\n    \
             find: {{anchor: [{name}_], alphabet: digits, min: 4}}\n    tests:\n      \
             - {{in: 'x {name}_1234 y', out: 'x [{name}-{version}] y'}}\n      - {{same: 'x {name}_1 y'}}\n"
        )
    };
    format!("pack: acme\nversion: 1.0.{version}\nrules:\n{}{}", rule("badge"), rule("locker"))
}

/// A host whose rules are the built-in pack and `rules/`, which holds `rules`.
fn host(intake: &Intake, rules: &str) -> Host {
    let host = Host::new(&intake.origin(), "");
    fs::create_dir(host.path("rules")).expect("a folder");
    write(&host, "rules/acme.yaml", rules);
    redaction(&host, "");
    host
}

fn write(host: &Host, name: &str, text: &str) {
    fs::write(host.path(name), text).expect("written");
    fs::set_permissions(host.path(name), fs::Permissions::from_mode(0o644)).expect("a mode");
}

/// Replaces the configuration's section `redaction`.
fn redaction(host: &Host, more: &str) {
    let text = fs::read_to_string(host.path("logveil.yaml")).expect("read");
    let text = text.split("redaction:").next().expect("a part").to_owned();
    let packs = host.path("rules").display().to_string();
    write(host, "logveil.yaml", &format!("{text}redaction:\n  packs: [builtin, {packs}]\n{more}"));
}

fn intake(script: &str) -> Intake {
    Intake::start(Settings { script: script.parse().expect("a script"), ..Settings::default() }).expect("an intake")
}

/// Waits until the agent has said `text` at least `times` times.
fn said(host: &Host, text: &str, times: usize) {
    let until = Instant::now() + LIMIT;
    while host.own_log().matches(text).count() < times {
        assert!(Instant::now() < until, "'{text}' was not said {times} times:\n{}", host.own_log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn hang_up(agent: &Agent) {
    let pid = rustix::process::Pid::from_raw(agent.id() as i32).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("signalled");
}

/// What the admin endpoints answer at `path`: status and body.
fn admin(host: &Host, path: &str) -> (u16, String) {
    use std::io::{Read, Write};
    said(host, "admin endpoints are open address=", 1);
    let log = host.own_log();
    let address =
        log.rsplit("admin endpoints are open address=").next().and_then(|rest| rest.split_whitespace().next());
    let mut socket = std::net::TcpStream::connect(address.expect("an address")).expect("connected");
    write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status"), body.to_owned())
}

/// A value of `/metrics`.
fn metric(host: &Host, name: &str) -> f64 {
    let (_, text) = admin(host, "/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().expect("a number")
}

fn messages(intake: &Intake) -> Vec<String> {
    intake.ledger().book().messages().into_iter().map(str::to_owned).collect()
}

#[test]
fn under_load_nothing_is_lost_and_nothing_redacted_by_half_a_set() {
    const LINES: usize = 60_000;
    let intake = intake("");
    let host = host(&intake, &pack(0));
    let agent = host.start();
    said(&host, "logveil starts", 1);
    let (done, reloaded) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for part in 0..LINES / 500 {
                let lines = (part * 500..part * 500 + 500)
                    .map(|n| format!("{{\"n\":{n},\"a\":\"badge_{n:06}\",\"b\":\"locker_{n:06}\"}}\n"));
                host.append("a.log", &lines.collect::<String>());
                std::thread::sleep(Duration::from_millis(20));
                // On a slow machine the load lasts until enough was changed under it.
                while part + 20 == LINES / 500 && reloaded.load(Ordering::Relaxed) < 3 {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        let mut version = 0;
        while !done.load(Ordering::Relaxed) {
            version += 1;
            write(&host, "rules/acme.yaml", &pack(version));
            hang_up(&agent);
            // The own log would hold some of them back.
            let until = Instant::now() + LIMIT;
            while metric(&host, RELOADS) < version as f64 {
                assert!(Instant::now() < until, "reload {version} did not come:\n{}", host.own_log());
                std::thread::sleep(Duration::from_millis(20));
            }
            reloaded.store(version, Ordering::Relaxed);
        }
        assert!(version >= 3, "{version} reloads during the load");
    });
    wait_for(&intake, &host, LINES);
    let pause = metric(&host, "logveil_rules_pause_max_seconds");
    assert!(pause > 0.0, "every change of rules is measured");
    assert!(agent.stop().success(), "{}", host.own_log());
    let arrived = arrived(intake.ledger());
    assert!(arrived["a.log"].iter().copied().eq(0..LINES as u64), "every line once and in order");
    let mut versions = std::collections::BTreeSet::new();
    for stored in &intake.ledger().book().stored {
        let message = stored.event["message"].as_str().expect("a message");
        let version = message.split("[badge-").nth(1).and_then(|rest| rest.split(']').next()).expect("masked");
        assert!(message.contains(&format!("[locker-{version}]")), "half a set: {message}");
        versions.insert(version.to_owned());
    }
    assert!(versions.len() >= 2, "masks of {} sets arrived", versions.len());
}

#[test]
fn changed_files_are_taken_over_without_being_asked() {
    let intake = intake("");
    let host = host(&intake, &pack(0));
    let agent = host.start();
    host.append("a.log", "badge_123456\n");
    wait_for(&intake, &host, 1);
    write(&host, "rules/acme.yaml", &pack(1));
    said(&host, "rules reloaded", 1);
    host.append("a.log", "badge_123456\n");
    wait_for(&intake, &host, 2);
    write(
        &host,
        "rules/second.yaml",
        &pack(0).replace("acme", "other").replace("badge", "gate").replace("locker", "lift"),
    );
    said(&host, "rules reloaded", 2);
    host.append("a.log", "gate_123456\n");
    wait_for(&intake, &host, 3);
    assert_eq!(messages(&intake), ["[badge-0]", "[badge-1]", "[gate-0]"]);
    write(&host, "rules/acme.yaml", &(pack(1) + "# a remark\n"));
    said(&host, "say the same", 1);
    assert_eq!(metric(&host, RELOADS), 2.0);
    assert!(agent.stop().success());
}

/// Kubernetes mounts a ConfigMap as links through `..data`, a link that moves to the next version.
#[test]
fn the_swap_of_a_config_map_is_a_change() {
    let intake = intake("");
    let host = host(&intake, &pack(0));
    let mount = host.path("rules");
    let version = |number: usize| {
        let name = format!("..version_{number}");
        fs::create_dir(mount.join(&name)).expect("a folder");
        write(&host, &format!("rules/{name}/acme.yaml"), &pack(number));
        symlink(&name, mount.join("..data_tmp")).expect("a link");
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("moved");
    };
    fs::remove_file(mount.join("acme.yaml")).expect("removed");
    version(0);
    symlink("..data/acme.yaml", mount.join("acme.yaml")).expect("a link");
    let agent = host.start();
    host.append("a.log", "badge_123456\n");
    wait_for(&intake, &host, 1);
    version(1);
    fs::remove_dir_all(mount.join("..version_0")).expect("removed");
    said(&host, "rules reloaded", 1);
    host.append("a.log", "badge_123456\n");
    wait_for(&intake, &host, 2);
    assert_eq!(messages(&intake), ["[badge-0]", "[badge-1]"]);
    assert!(agent.stop().success());
}

#[test]
fn a_set_with_mistakes_leaves_the_old_one_in_force_and_is_told_everywhere() {
    let intake = intake("");
    let host = host(&intake, &pack(0));
    let agent = host.start();
    host.append("a.log", "badge_000001\n");
    wait_for(&intake, &host, 1);
    assert_eq!(admin(&host, "/readyz").0, 200);
    let broken = [
        (pack(1).replacen("digits", "digitz", 1), "digitz"),
        (pack(1).replace("y', out: 'x [badge-1] y'", "y', out: 'x [other] y'"), "examples do not hold"),
        (String::new(), "acme.yaml"),
    ];
    for (number, (text, told)) in broken.iter().enumerate() {
        write(&host, "rules/acme.yaml", text);
        hang_up(&agent);
        said(&host, "reload refused; the rules in force stay", number + 1);
        let (status, body) = admin(&host, "/readyz");
        assert!(status == 503 && body.contains("[-] rules: reload refused") && body.contains(told), "{told}: {body}");
        assert!(host.own_log().contains("code=LV0304") && host.own_log().contains(told), "{}", host.own_log());
        host.append("a.log", "badge_000002\n");
        wait_for(&intake, &host, number + 2);
    }
    fs::set_permissions(host.path("rules"), fs::Permissions::from_mode(0o777)).expect("a mode");
    hang_up(&agent);
    said(&host, "may be written by everybody", 1);
    fs::set_permissions(host.path("rules"), fs::Permissions::from_mode(0o755)).expect("a mode");
    fs::remove_file(host.path("rules/acme.yaml")).expect("removed");
    hang_up(&agent);
    said(&host, "holds no rule file", 1);
    write(&host, "rules/acme.yaml", &pack(1));
    said(&host, "rules reloaded", 1);
    assert_eq!(admin(&host, "/readyz").0, 200);
    assert!(metric(&host, "logveil_reloads_total{kind=\"rules\",result=\"refused\"}") >= 5.0);
    assert_eq!(metric(&host, "logveil_last_reload_success{kind=\"rules\"}"), 1.0);
    assert!(messages(&intake).iter().all(|message| message == "[badge-0]"));
    assert!(agent.stop().success());
}

#[test]
fn a_set_that_loses_rules_is_refused_unless_the_configuration_names_them() {
    let intake = intake("");
    let host = host(&intake, &pack(0));
    let agent = host.start();
    host.append("a.log", "badge_000001\n");
    wait_for(&intake, &host, 1);
    let without = pack(1).replace("id: badge", "id: gate");
    write(&host, "rules/acme.yaml", &without);
    said(&host, "these rules would mask no more: badge", 1);
    host.append("a.log", "locker_000001\n");
    wait_for(&intake, &host, 2);
    redaction(&host, "  allow_loosening: [badge]\n");
    said(&host, "rules reloaded", 1);
    host.append("a.log", "locker_000001\n");
    wait_for(&intake, &host, 3);
    redaction(&host, "  allow_loosening: [badge]\n  disable: [locker]\nlimits: {threads: 1}\n");
    said(&host, "rules reloaded", 2);
    assert!(host.own_log().contains("parts that need a restart; only rules are reloaded sections=limits"));
    host.append("a.log", "locker_000001\n");
    wait_for(&intake, &host, 4);
    assert_eq!(messages(&intake), ["[badge-0]", "[locker-0]", "[locker-1]", "locker_000001"]);
    assert!(agent.stop().success());
}

#[test]
fn batches_that_wait_are_masked_again_before_they_leave() {
    let intake = intake("|503");
    let host = host(&intake, &pack(0));
    let agent = host.start();
    let line = |n: usize| format!("{{\"n\":{n},\"a\":\"badge_{n:06}\",\"b\":\"gate_{n:06}\"}}\n");
    for part in 0..4 {
        host.append("a.log", &(part * 100..part * 100 + 100).map(line).collect::<String>());
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(intake.ledger().wait(LIMIT, |book| book.requests.len() >= 2), "{}", host.own_log());
    write(
        &host,
        "rules/gate.yaml",
        &pack(0).replace("acme", "gates").replace("badge", "gate").replace("locker", "lift"),
    );
    hang_up(&agent);
    said(&host, "rules reloaded", 1);
    intake.play(Script::default());
    host.append("a.log", &(400..420).map(line).collect::<String>());
    wait_for(&intake, &host, 420);
    assert!(metric(&host, "logveil_remasked_records_total") >= 400.0);
    assert!(agent.stop().success(), "{}", host.own_log());
    assert!(arrived(intake.ledger())["a.log"].iter().copied().eq(0..420));
    let book = intake.ledger().book();
    let last = book.stored.last().expect("a record").event["logveil"]["set"].clone();
    for stored in &book.stored {
        assert!(stored.event["message"].as_str().is_some_and(|m| m.contains("[badge-0]") && m.contains("[gate-0]")));
        assert_eq!(stored.event["logveil"]["set"], last);
    }
}

#[test]
fn batches_of_the_run_before_are_masked_by_the_rules_of_this_one() {
    let intake = intake("|503");
    let host = host(&intake, &pack(0));
    let agent = host.start();
    host.append("a.log", "{\"n\":0,\"b\":\"gate_000001\"}\n");
    assert!(intake.ledger().wait(LIMIT, |book| !book.requests.is_empty()), "{}", host.own_log());
    assert!(agent.stop().success());
    fs::remove_file(host.path("logs/a.log")).expect("removed");
    write(
        &host,
        "rules/gate.yaml",
        &pack(0).replace("acme", "gates").replace("badge", "gate").replace("locker", "lift"),
    );
    intake.play(Script::default());
    let agent = host.start();
    wait_for(&intake, &host, 1);
    assert!(agent.stop().success());
    assert_eq!(messages(&intake), ["{\"n\":0,\"b\":\"[gate-0]\"}"]);
}

#[test]
fn tokens_stay_the_same_over_a_reload() {
    let intake = intake("");
    let host = host(&intake, &pack(0));
    let ring = host.path("ring.json").display().to_string();
    let (good, shown) = logveil(&["key", "new", "--region", "eu", "--keyring", &ring]);
    assert!(good, "{shown}");
    let text = fs::read_to_string(host.path("logveil.yaml")).expect("read");
    write(&host, "logveil.yaml", &format!("{text}tokens: {{keyring: 'file:{ring}'}}\n"));
    let agent = host.start();
    host.append("a.log", "badge_1234 by ana@mail.example\n");
    wait_for(&intake, &host, 1);
    write(&host, "rules/acme.yaml", &pack(1));
    hang_up(&agent);
    said(&host, "rules reloaded", 1);
    host.append("a.log", "badge_1234 by ana@mail.example\n");
    wait_for(&intake, &host, 2);
    assert!(agent.stop().success(), "{}", host.own_log());
    let messages = messages(&intake);
    let tokens: Vec<&str> =
        messages.iter().filter_map(|message| message.split_once(" by ")).map(|(_, it)| it).collect();
    assert!(messages[0].starts_with("[badge-0] by em_") && messages[1].starts_with("[badge-1] by em_"), "{messages:?}");
    assert_eq!(tokens[0], tokens[1]);
}

#[test]
fn batches_that_wait_in_memory_are_masked_again_too() {
    let intake = intake("|503");
    let host = host(&intake, &pack(0));
    let text = fs::read_to_string(host.path("logveil.yaml")).expect("read");
    write(&host, "logveil.yaml", &text.replacen("redaction:", "spool: {type: memory}\nredaction:", 1));
    let agent = host.start();
    host.append("a.log", "{\"n\":0,\"b\":\"gate_000001\"}\n");
    assert!(intake.ledger().wait(LIMIT, |book| !book.requests.is_empty()), "{}", host.own_log());
    write(
        &host,
        "rules/gate.yaml",
        &pack(0).replace("acme", "gates").replace("badge", "gate").replace("locker", "lift"),
    );
    hang_up(&agent);
    said(&host, "rules reloaded", 1);
    intake.play(Script::default());
    wait_for(&intake, &host, 1);
    assert_eq!(messages(&intake), ["{\"n\":0,\"b\":\"[gate-0]\"}"]);
    assert!(agent.stop().success());
}

/// What the program prints, and whether it succeeded.
fn logveil(args: &[&str]) -> (bool, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_logveil")).args(args).output().expect("the binary");
    let both = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&both).into_owned())
}

#[test]
fn a_new_form_runs_in_shadow_beside_the_old_one_and_shows_masked_samples() {
    let intake = intake("");
    let host = host(&intake, &pack(0));
    let agent = host.start();
    host.append("a.log", "badge_1234\n");
    wait_for(&intake, &host, 1);
    let trial = pack(1).replace("pack: acme", "pack: trial").replace("min: 4}", "min: 3}\n    stage: shadow");
    fs::create_dir(host.path("trial")).expect("a folder");
    write(&host, "trial/acme.yaml", &trial.replace("x badge_1 y", "x badge_12 y"));
    let packs = host.path("rules").display().to_string();
    let text = fs::read_to_string(host.path("logveil.yaml")).expect("read");
    write(&host, "logveil.yaml", &text.replace(&packs, &format!("{packs}, {}", host.path("trial").display())));
    said(&host, "rules reloaded", 1);
    host.append("a.log", "badge_1234 by ana@mail.example\nbadge_123 by ana@mail.example\n");
    wait_for(&intake, &host, 3);
    let counted = metric(&host, "logveil_rule_records_total{rule=\"badge@shadow\",stage=\"shadow\"}");
    assert_eq!(counted, 2.0);
    assert!(agent.stop().success(), "{}", host.own_log());
    assert_eq!(messages(&intake), ["[badge-0]", "[badge-0] by [email]", "badge_123 by [email]"]);
    let config = host.path("logveil.yaml").display().to_string();
    let (good, shown) = logveil(&["rules", "show", "badge", "--samples", "--config", &config]);
    assert!(good && shown.contains("would mask something in 2 records"), "{shown}");
    assert!(shown.contains("workflows  [badge-1] by [email]") && !shown.contains("ana@"), "{shown}");
    assert!(logveil(&["rules", "show", "locker", "--samples", "--config", &config]).1.contains("nothing seen yet"));
    let (good, shown) = logveil(&["rules", "show", "email", "--samples", "--config", &config]);
    assert!(!good && shown.contains("no rule 'email' is in shadow"), "{shown}");
    let (_, told) = logveil(&["rules", "show", "badge@shadow", "--samples", "--json", "--config", &config]);
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((&told["rule"], &told["records"]), (&"badge@shadow".into(), &2.into()));
    let agent = host.start();
    host.append("a.log", "badge_123\n");
    wait_for(&intake, &host, 4);
    assert!(agent.stop().success());
    let (_, shown) = logveil(&["rules", "show", "badge", "--samples", "--config", &config]);
    assert!(shown.contains("in 3 records"), "counts outlive a restart: {shown}");
    host.assert_clean();
}

#[test]
fn a_rule_is_promoted_when_an_agent_has_seen_it_at_work() {
    let intake = intake("");
    let shadow = pack(0).replacen("min: 4}", "min: 4}\n    stage: shadow   # since Monday", 1);
    let host = host(&intake, &shadow);
    let config = host.path("logveil.yaml").display().to_string();
    let promote = |id: &str| logveil(&["rules", "promote", id, "--config", &config]);
    let (good, shown) = promote("badge");
    assert!(!good && shown.contains("no agent has seen the rule 'badge' at work"), "{shown}");
    let agent = host.start();
    host.append("a.log", "badge_1234 by ana@mail.example\n");
    wait_for(&intake, &host, 1);
    assert!(agent.stop().success(), "{}", host.own_log());
    for (id, why) in [("locker", "is in force already"), ("bagde", "did you mean 'badge'?")] {
        let (good, shown) = promote(id);
        assert!(!good && shown.contains(why), "{shown}");
    }
    let (good, shown) = logveil(&["rules", "promote", "customer-id", "--unseen", "--config", &config]);
    assert!(!good && shown.contains("redaction: {enforce: [customer-id]}"), "{shown}");
    let (good, shown) = logveil(&["rules", "promote", "badge", "--dry-run", "--config", &config]);
    assert!(good && shown.contains("would write"), "{shown}");
    assert_eq!(fs::read_to_string(host.path("rules/acme.yaml")).expect("read"), shadow);
    let (good, shown) = promote("badge");
    assert!(
        good && shown.contains("would mask something in 1 records") && shown.contains("[badge-0] by [email]"),
        "{shown}"
    );
    let text = fs::read_to_string(host.path("rules/acme.yaml")).expect("read");
    assert_eq!(text, shadow.replace("stage: shadow ", "stage: enforce "));
    let agent = host.start();
    host.append("a.log", "badge_1234\n");
    wait_for(&intake, &host, 2);
    assert!(agent.stop().success());
    assert_eq!(messages(&intake), ["badge_1234 by [email]", "[badge-0]"]);
}

/// A free port for the admin endpoints, which another process must know.
fn listen(host: &Host) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let text = fs::read_to_string(host.path("logveil.yaml")).expect("read");
    write(host, "logveil.yaml", &text.replace("127.0.0.1:0", &free.to_string()));
}

#[test]
fn the_command_asks_for_a_reload_and_tells_what_became_of_it() {
    let intake = intake("");
    let host = host(&intake, &pack(0));
    listen(&host);
    let config = host.path("logveil.yaml").display().to_string();
    let reload = |more: &[&str]| {
        let args = [&["reload", "--config", &config][..], more].concat();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_logveil")).args(args).output().expect("the binary");
        let both = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&both).into_owned())
    };
    let (code, shown) = reload(&[]);
    assert!(code == Some(4) && shown.contains("no agent works with the state directory"), "{shown}");
    let agent = host.start();
    said(&host, "admin endpoints are open", 1);
    let (code, shown) = reload(&[]);
    assert!(code == Some(0) && shown.contains("the files say the same"), "{shown}");
    write(
        &host,
        "rules/gate.yaml",
        &pack(0).replace("acme", "gates").replace("badge", "gate").replace("locker", "lift"),
    );
    let (code, shown) = reload(&[]);
    assert!(code == Some(0) && shown.contains(" → ") && shown.contains("(+2)"), "{shown}");
    write(&host, "rules/acme.yaml", &pack(1).replacen("digits", "digitz", 1));
    let (code, shown) = reload(&["--json"]);
    assert!(code == Some(3) && shown.contains("\"refused\"") && shown.contains("digitz"), "{shown}");
    write(&host, "rules/acme.yaml", &pack(1).replace("id: badge", "id: other"));
    let (code, shown) = reload(&["--pid", &agent.id().to_string()]);
    assert!(code == Some(5) && shown.contains("would mask no more: badge"), "{shown}");
    assert!(agent.stop().success());
}
