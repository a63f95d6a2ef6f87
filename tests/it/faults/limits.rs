//! Few descriptors, an intake that is away for long: what is there must do.

use super::{MEMORY, assert_whole, pause, scene, until, wait_for_numbers};
use crate::host::numbered;
use std::fs;

/// The soft limit is raised; below the hard one, files that cannot be opened wait and are told, and all else goes on.
#[test]
fn p16_few_descriptors_for_five_hundred_files() {
    let (intake, host) = scene("");
    let file = |n: usize| format!("file{n:03}.log");
    (0..500).for_each(|n| host.append(&file(n), &numbered(n, n + 1)));
    let agent = host.start_under(&["sh", "-c", "ulimit -S -n 64 && exec \"$0\" \"$@\""]);
    wait_for_numbers(&intake, &host, 500);
    assert!(agent.stop().success());
    (0..500).for_each(|n| host.append(&file(n), &numbered(500 + n, 501 + n)));
    let mut agent = host.start_under(&["sh", "-c", "ulimit -n 96 && exec \"$0\" \"$@\""]);
    until("it is told", &host, || host.own_log().contains("too many open files"));
    until("files that are open are read", &host, || super::numbers(&intake).len() > 500);
    until("it is not ready", &host, || host.readiness().is_some_and(|text| text.contains("503")));
    // The spool has its own: files that are read grow on.
    host.append(&file(0), &numbered(1000, 1100));
    until("one goes on", &host, || super::numbers(&intake).contains(&1099));
    assert!(agent.is_running());
    assert!(agent.stop().success());
    let agent = host.start();
    assert_whole(&intake, &host, 1100);
    assert!(agent.stop().success());
}

/// Sixty minutes, each shorter than a minute, with as many lines and rotations as an hour has.
#[test]
fn n01_an_hour_without_the_intake_needs_no_more_memory() {
    let (intake, host) = scene("|503");
    let agent = host.start();
    let (mut written, mut early) = (0, 0);
    for minute in 0..60 {
        host.append("a.log", &numbered(written, written + 300));
        written += 300;
        pause(50);
        if minute % 6 == 5 {
            fs::rename(host.path("logs/a.log"), host.path(&format!("logs/a-{minute}.log"))).expect("renamed");
            let _ = fs::remove_file(host.path(&format!("logs/a-{}.log", minute - 24)));
        }
        if minute == 15 {
            until("something is read", &host, || !intake.ledger().book().requests.is_empty());
            early = agent.most_memory();
        }
    }
    let asked = intake.ledger().book().requests.len();
    assert!(asked < 60, "{asked} requests to an intake that refuses");
    assert!(agent.most_memory() < (early + (16 << 10)).min(MEMORY), "{early} KiB, then {}", agent.most_memory());
    intake.play("".parse().expect("a script"));
    assert_whole(&intake, &host, written as u64);
    assert!(agent.stop().success());
}
