//! Rows P: the process is killed, stopped and started.

use super::{assert_whole, pause, scene, wait_for_numbers};
use crate::host::numbered;
use std::time::{Duration, Instant};

#[test]
fn p02_killed_at_random_moments_under_load() {
    let (intake, host) = scene("|202, 202+20ms, 503, cut-stored, 202");
    let mut written = 0;
    // Not random, so that a failure can be repeated; spread over everything a start and a batch do.
    for kill in [35u64, 410, 90, 270, 150, 620, 60, 330, 200, 500, 110, 240] {
        host.append("a.log", &numbered(written, written + 400));
        host.append("b.log", &numbered(written + 400, written + 500));
        written += 500;
        let agent = host.start();
        pause(kill);
        host.append("a.log", &numbered(written, written + 100));
        written += 100;
        agent.kill();
        host.assert_clean();
    }
    intake.play("".parse().expect("a script"));
    let agent = host.start();
    assert_whole(&intake, &host, written as u64);
    assert!(agent.stop().success());
}

#[test]
fn p03_an_idle_agent_stops_at_once() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 10));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 10);
    assert!(agent.stop().success());
}

#[test]
fn p04_a_stop_with_a_dead_network_ends_in_time() {
    let (intake, host) = scene("|stall");
    host.append("a.log", &numbered(0, 5000));
    let agent = host.start();
    assert!(intake.ledger().wait(crate::host::LIMIT, |book| !book.requests.is_empty()), "{}", host.own_log());
    let began = Instant::now();
    assert!(agent.stop().success(), "{}", host.own_log());
    assert!(began.elapsed() < Duration::from_secs(30), "a stop hangs on the network");
    intake.play("".parse().expect("a script"));
    let agent = host.start();
    assert_whole(&intake, &host, 5000);
    assert!(agent.stop().success());
}

#[test]
fn p05_twenty_restarts_under_load() {
    let (intake, host) = scene("");
    let mut written = 0;
    for _ in 0..20 {
        host.append("a.log", &numbered(written, written + 300));
        written += 300;
        let agent = host.start();
        pause(90);
        host.append("a.log", &numbered(written, written + 50));
        written += 50;
        // A signal that comes before the agent listens ends it as the kernel does; nothing may be lost either way.
        agent.terminate();
        let _ = agent.wait();
    }
    let agent = host.start();
    assert_whole(&intake, &host, written as u64);
    assert!(agent.stop().success());
}

#[test]
fn p12_a_second_agent_on_the_same_state_ends_with_the_reason() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 10));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 10);
    assert_eq!(host.start().wait().code(), Some(4));
    assert!(host.own_log().contains("another agent"), "{}", host.own_log());
    host.append("a.log", &numbered(10, 20));
    assert_whole(&intake, &host, 20);
    assert!(agent.stop().success());
}

/// The agent hangs at the n-th time it comes to a durable step, is killed there, and the next start goes on.
fn killed_at(step: &str, times_before: usize) {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 1500));
    let before = if times_before > 0 { format!("{times_before}*off->") } else { String::new() };
    let agent = host.start_with(&[("FAILPOINTS", &format!("{step}={before}sleep(600000)"))]);
    pause(1200);
    host.append("a.log", &numbered(1500, 2000));
    agent.kill();
    host.assert_clean();
    let agent = host.start();
    assert_whole(&intake, &host, 2000);
    assert!(agent.stop().success());
}

#[test]
fn p01_killed_at_every_durable_step_of_a_batch() {
    for step in ["spool-half-written", "spool-written", "spool-renamed"] {
        [0, 1].into_iter().for_each(|before| killed_at(step, before));
    }
}

#[test]
fn p01_killed_at_every_durable_step_of_an_acknowledgement() {
    for step in ["spool-checkpoint", "spool-acknowledged"] {
        [0, 1].into_iter().for_each(|before| killed_at(step, before));
    }
}

/// The host's key, the identities of files, the checkpoint: each is replaced by the same steps.
#[test]
fn p01_killed_at_every_durable_step_of_small_files() {
    killed_at("registry-save", 0);
    for step in ["durable-written", "durable-renamed"] {
        (0..4).for_each(|before| killed_at(step, before));
    }
}

/// Killed at a step and then again at the same step while the start recovers from the first kill.
#[test]
fn p07_killed_again_while_recovering() {
    for step in ["spool-renamed", "spool-checkpoint", "registry-save"] {
        let (intake, host) = scene("");
        host.append("a.log", &numbered(0, 1500));
        for _ in 0..3 {
            let agent = host.start_with(&[("FAILPOINTS", &format!("{step}=sleep(600000)"))]);
            pause(700);
            agent.kill();
            host.assert_clean();
        }
        host.append("a.log", &numbered(1500, 1600));
        let agent = host.start();
        assert_whole(&intake, &host, 1600);
        assert!(agent.stop().success());
    }
}

/// Never half alive: a thread that panics ends the program with an error and without a word of a record.
#[test]
fn p18_a_panic_in_a_thread_ends_the_agent() {
    for step in ["spool-written=panic", "spool-checkpoint=panic", "registry-save=1*off->panic", "spool-read=panic"] {
        let (intake, host) = scene("");
        host.append("a.log", &numbered(0, 1500));
        let agent = host.start_with(&[("FAILPOINTS", step)]);
        if step.starts_with("registry") {
            wait_for_numbers(&intake, &host, 1500);
        }
        // A new file is stored before it is read.
        host.append("b.log", &numbered(1500, 1600));
        assert!(!agent.wait().success(), "{step}: {}", host.own_log());
        host.assert_clean();
        let agent = host.start();
        assert_whole(&intake, &host, 1600);
        assert!(agent.stop().success());
    }
}
