//! What others do on the host: links and folders that point elsewhere, permissions, replaced files, odd names, foreign
//! files in the state directory.

use super::{Mount, assert_whole, pause, run, scene, skipped, until, wait_for_numbers};
use crate::host::{Host, KEY, numbered};
use rustix::fs::{CWD, RenameFlags};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stands in what must not be read.
const PROTECTED: &str = "pr0tected";

fn log(host: &Host, name: &str) -> PathBuf {
    host.path("logs").join(name)
}

fn point(host: &Host, target: &str, link: &str) {
    symlink(target, log(host, "new-link")).expect("a link");
    fs::rename(log(host, "new-link"), log(host, link)).expect("renamed");
}

/// Nothing of a protected file has reached anything.
fn assert_protected(intake: &logveil::intake::Intake, host: &Host) {
    let book = intake.ledger().book();
    let holds = |bytes: &[u8]| bytes.windows(PROTECTED.len()).any(|window| window == PROTECTED.as_bytes());
    assert!(!book.requests.iter().any(|request| holds(&request.decoded)), "a protected file was shipped");
    assert!(!host.state_files().iter().any(|path| holds(&fs::read(path).unwrap_or_default())));
    assert!(!host.own_log().contains(PROTECTED));
}

#[test]
fn s13_a_link_pointed_elsewhere_to_nowhere_and_to_itself() {
    let (intake, host) = scene("");
    host.append("one.txt", &numbered(0, 300));
    point(&host, "one.txt", "current.log");
    let agent = host.start();
    wait_for_numbers(&intake, &host, 300);
    agent.freeze();
    host.append("one.txt", &numbered(300, 900));
    host.append("two.txt", &numbered(900, 1000));
    point(&host, "two.txt", "current.log");
    agent.thaw();
    wait_for_numbers(&intake, &host, 1000);
    for target in ["nowhere.txt", "current.log"] {
        point(&host, target, "current.log");
        pause(300);
    }
    host.append("a.log", &numbered(1000, 1100));
    wait_for_numbers(&intake, &host, 1100);
    point(&host, "one.txt", "current.log");
    host.append("a.log", &numbered(1100, 1200));
    assert_whole(&intake, &host, 1200);
    assert!(agent.stop().success());
    let agent = host.start();
    host.append("one.txt", &numbered(1200, 1300));
    assert_whole(&intake, &host, 1300);
    assert!(agent.stop().success());
}

#[test]
fn s15_replaced_by_renaming_another_file_over_it() {
    let (intake, host) = scene("");
    let replace = |text: String| {
        fs::write(log(&host, "a.tmp"), text).expect("written");
        fs::rename(log(&host, "a.tmp"), log(&host, "a.log")).expect("renamed");
    };
    replace(numbered(0, 300));
    let mut agent = host.start();
    wait_for_numbers(&intake, &host, 300);
    // Longer, with the same beginning, while it runs and while it does not.
    replace(numbered(0, 400));
    assert_whole(&intake, &host, 400);
    assert!(agent.stop().success());
    replace(numbered(0, 500));
    agent = host.start();
    assert_whole(&intake, &host, 500);
    // Something else, longer and shorter.
    replace(numbered(500, 1200));
    wait_for_numbers(&intake, &host, 1200);
    replace(numbered(1200, 1210));
    assert_whole(&intake, &host, 1210);
    assert!(agent.stop().success());
}

#[test]
fn s22_reading_is_forbidden_in_the_middle_of_a_file_and_for_another() {
    use std::io::Write;
    let (intake, host) = scene("");
    // The superuser may read everything; without that power it is like others.
    let drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let is_root = rustix::process::geteuid().is_root();
    if is_root && !run(drop[0], &[drop[1], "true"], None) {
        return;
    }
    let forbid = |name: &str, mode: u32| {
        fs::set_permissions(log(&host, name), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    host.append("a.log", &numbered(0, 200));
    host.append("b.log", &numbered(200, 300));
    forbid("b.log", 0);
    let agent = if is_root { host.start_under(&drop) } else { host.start() };
    wait_for_numbers_of(&intake, &host, 0, 200);
    until("the other one is told", &host, || host.own_log().contains("a matching file is not read"));
    let mut open = fs::File::options().append(true).open(log(&host, "a.log")).expect("a log");
    forbid("a.log", 0);
    open.write_all(numbered(300, 500).as_bytes()).expect("written");
    wait_for_numbers_of(&intake, &host, 300, 500);
    forbid("b.log", 0o600);
    assert_whole(&intake, &host, 500);
    assert!(agent.stop().success());
}

fn wait_for_numbers_of(intake: &logveil::intake::Intake, host: &Host, from: u64, to: u64) {
    until(&format!("records {from} to {to}"), host, || {
        let seen: std::collections::BTreeSet<u64> = super::numbers(intake).into_iter().collect();
        (from..to).all(|number| seen.contains(&number))
    });
}

#[test]
fn s23_a_folder_removed_made_again_renamed_and_mounted_over() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 200));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 200);
    agent.freeze();
    host.append("a.log", &numbered(200, 400));
    fs::remove_dir_all(host.path("logs")).expect("removed");
    fs::create_dir(host.path("logs")).expect("made");
    host.append("a.log", &numbered(400, 500));
    agent.thaw();
    wait_for_numbers(&intake, &host, 500);
    agent.freeze();
    host.append("a.log", &numbered(500, 600));
    fs::rename(host.path("logs"), host.path("elsewhere")).expect("renamed");
    fs::create_dir(host.path("logs")).expect("made");
    host.append("a.log", &numbered(600, 700));
    agent.thaw();
    wait_for_numbers(&intake, &host, 700);
    let mut written = 700;
    let logs = host.path("logs");
    if let Some(_mounted) = Mount::new(&["-t", "tmpfs", "tmpfs"], &logs) {
        host.append("a.log", &numbered(written, written + 100));
        written += 100;
        wait_for_numbers(&intake, &host, written as u64);
    }
    host.append("a.log", &numbered(written, written + 100));
    assert_whole(&intake, &host, written as u64 + 100);
    assert!(agent.stop().success());
}

#[test]
fn x01_a_link_to_a_protected_file_is_not_followed() {
    let (intake, host) = scene("");
    fs::write(host.path("protected"), format!("{PROTECTED} one\n{PROTECTED} two\n")).expect("written");
    symlink("../protected", log(&host, "evil.log")).expect("a link");
    symlink(host.path("protected"), log(&host, "evil-too.log")).expect("a link");
    symlink("/proc/self/environ", log(&host, "environ.log")).expect("a link");
    host.append("a.log", &numbered(0, 100));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 100);
    until("it is told", &host, || host.own_log().contains("a matching file is not read"));
    host.append("a.log", &numbered(100, 200));
    assert_whole(&intake, &host, 200);
    assert!(agent.stop().success());
    assert_protected(&intake, &host);
}

/// A folder is a link to another one at any moment of a sweep.
#[test]
fn x03_a_folder_swapped_for_a_link_again_and_again() {
    let (intake, host) = scene("");
    let text = fs::read_to_string(host.path("logveil.yaml")).expect("read").replace("/logs/*.log", "/logs/*/*.log");
    fs::write(host.path("logveil.yaml"), text).expect("written");
    fs::create_dir_all(log(&host, "sub")).expect("a folder");
    fs::create_dir_all(host.path("outside")).expect("a folder");
    for n in 0..20 {
        fs::write(host.path(&format!("outside/{n}.log")), format!("{PROTECTED} {n}\n")).expect("written");
    }
    symlink(host.path("outside"), host.path("link")).expect("a link");
    let (folder, link) = (log(&host, "sub"), host.path("link"));
    let swap = move || rustix::fs::renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE);
    if swap().and_then(|()| swap()).is_err() {
        skipped("names that are exchanged");
        return;
    }
    host.append("sub/a.log", &numbered(0, 100));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 100);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let racer = std::thread::spawn(move || {
        let mut swaps = 0;
        while !stopped.load(Ordering::Relaxed) || swaps % 2 == 1 {
            swap().expect("swapped");
            swaps += 1;
            std::thread::sleep(std::time::Duration::from_micros(200 + swaps % 7 * 400));
        }
        swaps
    });
    // Each new name asks for a sweep.
    for n in 0..40 {
        fs::write(log(&host, &format!("poke{n}.log")), "").expect("written");
        pause(50);
    }
    stop.store(true, Ordering::Relaxed);
    assert!(racer.join().expect("no panic") > 10);
    host.append("sub/a.log", &numbered(100, 200));
    assert_whole(&intake, &host, 200);
    assert!(agent.stop().success());
    assert_protected(&intake, &host);
}

#[test]
fn x07_an_umask_of_zero_opens_nothing() {
    let (intake, host) = scene("|503");
    host.append("a.log", &numbered(0, 3000));
    let agent = host.start_under(&["sh", "-c", "umask 0 && exec \"$0\" \"$@\""]);
    until("the spool holds something", &host, || {
        fs::read_dir(host.path("state/spool")).is_ok_and(|mut files| files.next().is_some())
    });
    intake.play("".parse().expect("a script"));
    assert_whole(&intake, &host, 3000);
    assert!(agent.stop().success());
    let mode = |path: &PathBuf| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let files = host.state_files();
    assert!(files.len() > 2, "{files:?}");
    for path in &files {
        assert_eq!(mode(path), 0o600, "{}", path.display());
        let folder = path.parent().expect("a folder").to_owned();
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
}

/// Another process of the same user, without the power to trace others, reads what a plain process holds and nothing of
/// the agent; no core is written.
#[test]
fn x08_memory_and_environment_are_closed_to_the_same_user() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 50));
    let powers: &[&str] = match rustix::process::geteuid().is_root() {
        true => &["setpriv", "--bounding-set=-sys_ptrace,-sys_admin,-perfmon"],
        false => &["env"],
    };
    if !run(powers[0], &[&powers[1..], &["true"]].concat(), None) {
        return;
    }
    let command = |words: &[&str]| {
        let mut command = std::process::Command::new(powers[0]);
        command.args(&powers[1..]).args(words).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command
    };
    let agent = host.start_under(powers);
    assert_whole(&intake, &host, 50);
    let mut plain = command(&["sleep", "60"]).spawn().expect("a process");
    pause(300);
    let read = |process: u32, name: &str| {
        let path = format!("/proc/{process}/{name}");
        command(&["head", "-c", "1", &path]).status().is_ok_and(|status| status.success())
    };
    let (of_plain, of_agent) = (read(plain.id(), "environ"), read(agent.id(), "environ") || read(agent.id(), "maps"));
    plain.kill().and_then(|()| plain.wait()).expect("ended");
    match of_plain {
        true => assert!(!of_agent),
        false => skipped("a process that may look at others of its user"),
    }
    let limits = fs::read_to_string(format!("/proc/{}/limits", agent.id())).expect("read");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    assert!(agent.stop().success());
}

/// Its arguments, its log at the most talkative, its state, what it answers and what it ships: the key stands in the
/// header alone.
#[test]
fn x09_the_key_is_found_nowhere() {
    let (intake, host) = scene("503, 202, cut");
    let text = fs::read_to_string(host.path("logveil.yaml")).expect("read");
    fs::write(host.path("logveil.yaml"), format!("{text}log: {{level: debug}}\n")).expect("written");
    host.append("a.log", &numbered(0, 500));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 500);
    let process = |name: &str| fs::read(format!("/proc/{}/{name}", agent.id())).unwrap_or_default();
    let holds = |bytes: &[u8]| bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
    assert!(!holds(&process("cmdline")) && !holds(&process("environ")));
    assert!(!host.readiness().expect("an answer").contains(KEY));
    assert_whole(&intake, &host, 500);
    assert!(agent.stop().success());
    assert!(!host.own_log().contains(KEY));
    assert!(!host.state_files().iter().any(|path| holds(&fs::read(path).unwrap_or_default())));
}

#[test]
fn d13_foreign_files_in_the_state_directory_stay_and_do_no_harm() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 100));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 100);
    assert!(agent.stop().success());
    let foreign =
        ["notes.txt", "checkpoint.bak", "streams-x.json", "spool/README", "spool/7.batch.old", "spool/x.batch"];
    for name in foreign {
        fs::write(host.path("state").join(name), "not of the agent\n").expect("written");
    }
    host.append("a.log", &numbered(100, 200));
    let agent = host.start();
    assert_whole(&intake, &host, 200);
    assert!(agent.stop().success());
    for name in foreign {
        assert_eq!(fs::read(host.path("state").join(name)).expect("there"), b"not of the agent\n", "{name}");
    }
}

/// One record stays one record, and nothing that a terminal would obey reaches the agent's own log.
#[test]
fn x04_line_ends_colours_and_zero_bytes_in_names_and_contents() {
    let (intake, host) = scene("");
    host.append("we\u{1b}[31mird\n\u{202e}name.log", &numbered(0, 50));
    fs::create_dir(log(&host, "not\u{1b}[2Ja\rfile.log")).expect("a folder");
    symlink("../nowhere\u{1b}[1m", log(&host, "dang\u{1b}]0;x\u{7}ling.log")).expect("a link");
    let agent = host.start();
    wait_for_numbers(&intake, &host, 50);
    host.append("odd.txt", "");
    fs::write(log(&host, "b.log"), "{\"n\":50,\"a\":\"\\u001b[31mred\\u001b[0m\\u0000 \\r\\n \\u202e x\"}\n")
        .expect("written");
    host.append("a.log", &numbered(51, 60));
    assert_whole(&intake, &host, 60);
    assert_eq!(super::numbers(&intake).len(), 60);
    assert!(agent.stop().success());
    let told = host.own_log();
    let obeyed = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!told.contains(obeyed), "{told:?}");
}
