//! Rows S: what log writers and rotation do to files.

use super::{Mount, assert_whole, pause, scene, until, wait_for_numbers};
use crate::host::{Host, numbered};
use std::fs;
use std::os::unix::fs::MetadataExt;

fn log(host: &Host, name: &str) -> std::path::PathBuf {
    host.path("logs").join(name)
}

fn rename(host: &Host, from: &str, to: &str) {
    fs::rename(log(host, from), log(host, to)).expect("renamed");
}

#[test]
fn s01_rename_and_create_in_a_burst() {
    let (intake, host) = scene("");
    let agent = host.start();
    for round in 0..8 {
        host.append("a.log", &numbered(round * 500, round * 500 + 250));
        rename(&host, "a.log", &format!("a-{round}.log"));
        host.append("a.log", &numbered(round * 500 + 250, round * 500 + 500));
        pause(120);
    }
    assert_whole(&intake, &host, 4000);
    assert!(agent.stop().success());
}

#[test]
fn s02_the_writer_keeps_the_old_descriptor() {
    use std::io::Write;
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 200));
    let mut late = fs::OpenOptions::new().append(true).open(log(&host, "a.log")).expect("a log");
    let agent = host.start();
    wait_for_numbers(&intake, &host, 200);
    rename(&host, "a.log", "a.log.1");
    host.append("a.log", &numbered(200, 400));
    wait_for_numbers(&intake, &host, 400);
    pause(1500);
    late.write_all(numbered(400, 600).as_bytes()).expect("written");
    assert_whole(&intake, &host, 600);
    assert!(agent.stop().success());
}

#[test]
fn s03_moved_out_of_the_pattern_with_a_backlog() {
    let (intake, host) = scene("|503");
    host.append("a.log", &numbered(0, 20_000));
    let agent = host.start();
    until("the file is open", &host, || !intake.ledger().book().requests.is_empty());
    fs::create_dir(host.path("away")).expect("a folder");
    fs::rename(log(&host, "a.log"), host.path("away").join("a.log")).expect("moved");
    intake.play("".parse().expect("a script"));
    assert_whole(&intake, &host, 20_000);
    assert!(agent.stop().success());
}

#[test]
fn s04_copy_and_truncate_when_caught_up() {
    let (intake, host) = scene("");
    let agent = host.start();
    for round in 0..4u64 {
        let from = round as usize * 300;
        host.append("a.log", &numbered(from, from + 300));
        wait_for_numbers(&intake, &host, (round + 1) * 300);
        fs::copy(log(&host, "a.log"), log(&host, &format!("a.log.{round}"))).expect("copied");
        fs::File::options().write(true).open(log(&host, "a.log")).and_then(|f| f.set_len(0)).expect("truncated");
        pause(700);
    }
    assert_whole(&intake, &host, 1200);
    assert!(agent.stop().success());
}

#[test]
fn s07_truncated_and_restarted_three_times() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 300));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 300);
    fs::File::options().write(true).open(log(&host, "a.log")).and_then(|f| f.set_len(0)).expect("truncated");
    pause(700);
    host.append("a.log", &numbered(300, 400));
    wait_for_numbers(&intake, &host, 400);
    assert!(agent.stop().success());
    for _ in 0..3 {
        let agent = host.start();
        pause(600);
        // On a slow machine the signal comes before the agent listens to it.
        agent.terminate();
        let _ = agent.wait();
    }
    assert_whole(&intake, &host, 400);
}

#[test]
fn s09_deleted_while_open_and_the_intake_is_down() {
    let (intake, host) = scene("|503");
    host.append("a.log", &numbered(0, 30_000));
    let agent = host.start();
    until("the file is open", &host, || !intake.ledger().book().requests.is_empty());
    fs::remove_file(log(&host, "a.log")).expect("deleted");
    pause(1500);
    intake.play("".parse().expect("a script"));
    assert_whole(&intake, &host, 30_000);
    assert!(agent.stop().success());
}

#[test]
fn s10_the_inode_comes_back_with_and_without_a_restart() {
    let (intake, host) = scene("");
    let at = host.path("logs");
    let Some(_mounted) = Mount::ext4(&host.path("ext4.img"), &at) else { return };
    let (mut written, mut reused) = (0, 0);
    let mut agent = host.start();
    for round in 0..6 {
        let before = fs::metadata(log(&host, "a.log")).map(|meta| meta.ino()).ok();
        let _ = fs::remove_file(log(&host, "a.log"));
        if round % 2 == 1 {
            assert!(agent.stop().success());
            agent = host.start();
        }
        host.append("a.log", &numbered(written, written + 200));
        written += 200;
        reused += usize::from(fs::metadata(log(&host, "a.log")).map(|meta| meta.ino()).ok() == before);
        wait_for_numbers(&intake, &host, written as u64);
    }
    assert!(reused > 0, "the file system gives inodes again");
    assert_whole(&intake, &host, written as u64);
    assert!(agent.stop().success());
}

#[test]
fn s17_a_hundred_files_with_the_same_beginning() {
    let (intake, host) = scene("");
    let filler = format!("{{\"n\":0,\"pad\":\"{}\"}}\n", "x".repeat(4096));
    for file in 0..100 {
        host.append(&format!("f{file}.log"), &format!("{filler}{}", numbered(1 + file * 10, 11 + file * 10)));
    }
    let agent = host.start();
    crate::host::wait_for(&intake, &host, 1100);
    let all = super::numbers(&intake);
    assert_eq!(all.iter().filter(|n| **n == 0).count(), 100);
    assert_eq!(all.iter().filter(|n| **n > 0).count(), 1000);
    assert!((1..=1000).all(|n| all.contains(&n)));
    assert!(agent.stop().success());
}

#[test]
fn s18_rotated_while_the_agent_is_stopped() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 200));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 200);
    assert!(agent.stop().success());
    host.append("a.log", &numbered(200, 300));
    rename(&host, "a.log", "b.log");
    host.append("a.log", &numbered(300, 400));
    let agent = host.start();
    assert_whole(&intake, &host, 400);
    assert!(agent.stop().success());
}

#[test]
fn s19_twenty_rotations_with_the_intake_down() {
    let (intake, host) = scene("|503");
    let agent = host.start();
    until("the agent looks", &host, || host.own_log().contains("admin endpoints"));
    for round in 0..20 {
        host.append("a.log", &numbered(round * 100, round * 100 + 100));
        pause(400);
        for kept in (1..5).rev() {
            let _ = fs::rename(log(&host, &format!("a-{kept}.log")), log(&host, &format!("a-{}.log", kept + 1)));
        }
        rename(&host, "a.log", "a-1.log");
    }
    intake.play("".parse().expect("a script"));
    assert_whole(&intake, &host, 2000);
    assert!(agent.stop().success());
}

#[test]
fn s25_half_a_line_over_a_restart() {
    let (intake, host) = scene("");
    let text = numbered(0, 100);
    let (first, rest) = text.split_at(text.len() - 40);
    host.append("a.log", first);
    let agent = host.start();
    wait_for_numbers(&intake, &host, 99);
    assert!(agent.stop().success());
    let agent = host.start();
    pause(500);
    host.append("a.log", rest);
    assert_whole(&intake, &host, 100);
    assert!(agent.stop().success());
}
