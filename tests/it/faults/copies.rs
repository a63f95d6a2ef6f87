//! Rows S05, S06, S11, S12 and S20: files that are copied, packed or rewritten while nobody looks.

use super::{Mount, assert_whole, pause, run, scene, until, wait_for_numbers};
use crate::host::{Host, numbered};
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

fn log(host: &Host, name: &str) -> PathBuf {
    host.path("logs").join(name)
}

fn truncate(path: &Path) {
    fs::File::options().write(true).open(path).and_then(|file| file.set_len(0)).expect("truncated");
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("packed");
    encoder.finish().expect("packed")
}

#[test]
fn s05_copied_and_truncated_with_a_backlog() {
    for copy in ["a.log.1", "copy.log"] {
        let (intake, host) = scene("");
        host.append("a.log", &numbered(0, 300));
        let agent = host.start();
        wait_for_numbers(&intake, &host, 300);
        agent.freeze();
        host.append("a.log", &numbered(300, 2300));
        fs::copy(log(&host, "a.log"), log(&host, copy)).expect("copied");
        truncate(&log(&host, "a.log"));
        host.append("a.log", &numbered(2300, 2400));
        agent.thaw();
        assert_whole(&intake, &host, 2400);
        assert!(agent.stop().success());
        let agent = host.start();
        host.append("a.log", &numbered(2400, 2500));
        assert_whole(&intake, &host, 2500);
        assert!(agent.stop().success());
    }
}

#[test]
fn s05_a_copy_that_was_read_whole_is_not_read_again() {
    let (intake, host) = scene("");
    let agent = host.start();
    for round in 0..3u64 {
        let from = round as usize * 400;
        host.append("a.log", &numbered(from, from + 400));
        wait_for_numbers(&intake, &host, (round + 1) * 400);
        fs::copy(log(&host, "a.log"), log(&host, &format!("a-{round}.log"))).expect("copied");
        truncate(&log(&host, "a.log"));
        pause(700);
    }
    assert_whole(&intake, &host, 1200);
    assert!(agent.stop().success());
}

#[test]
fn s06_regrown_past_the_old_place_before_the_next_look() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 300));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 300);
    for round in 1..6 {
        agent.freeze();
        truncate(&log(&host, "a.log"));
        // Longer each time than what was read of the one before.
        host.append("a.log", &numbered(round * 1000, round * 1000 + 300 + round * 50));
        agent.thaw();
        let expected = 300 + (1..=round).map(|r| 300 + r * 50).sum::<usize>();
        crate::host::wait_for(&intake, &host, expected);
    }
    assert_eq!(super::read_twice(&intake), 0);
    let numbers = super::numbers(&intake);
    for round in 1..6u64 {
        let there = (round * 1000..round * 1000 + 300 + round * 50).all(|n| numbers.contains(&n));
        assert!(there, "round {round} is whole");
    }
    assert!(agent.stop().success());
    crate::host::assert_wire(&intake);
    host.assert_clean();
}

/// Renamed, packed, the plain file deleted, the live file created anew, often under the old inode.
#[test]
fn s11_renamed_packed_deleted_and_created_anew() {
    let (intake, host) = scene("");
    let at = host.path("logs");
    let Some(_mounted) = Mount::ext4(&host.path("ext4.img"), &at) else { return };
    let (mut written, mut reused) = (0, 0);
    for (round, (program, ending)) in [("gzip", "gz"), ("zstd", "zst"), ("gzip", "gz")].into_iter().enumerate() {
        host.append("a.log", &numbered(written, written + 700));
        let agent = host.start();
        wait_for_numbers(&intake, &host, written as u64 + 700);
        assert!(agent.stop().success());
        host.append("a.log", &numbered(written + 700, written + 1000));
        let inode = fs::metadata(log(&host, "a.log")).expect("a log").ino();
        let rotated = log(&host, &format!("a.log.{round}"));
        fs::rename(log(&host, "a.log"), &rotated).expect("renamed");
        let packed = PathBuf::from(format!("{}.{ending}", rotated.display()));
        if !run(program, &["-q", "-c", &rotated.display().to_string()], Some(&packed)) {
            return;
        }
        fs::remove_file(&rotated).expect("deleted");
        host.append("a.log", &numbered(written + 1000, written + 1100));
        reused += usize::from(fs::metadata(log(&host, "a.log")).expect("a log").ino() == inode);
        written += 1100;
        let agent = host.start();
        assert_whole(&intake, &host, written as u64);
        assert!(agent.stop().success());
    }
    assert!(reused > 0, "the file system gives inodes again");
}

#[test]
fn s11_packed_while_the_agent_is_behind() {
    let (intake, host) = scene("|503");
    host.append("a.log", &numbered(0, 20_000));
    let agent = host.start();
    until("the file is open", &host, || !intake.ledger().book().requests.is_empty());
    let packed = gzip(&fs::read_to_string(log(&host, "a.log")).expect("read"));
    fs::rename(log(&host, "a.log"), log(&host, "a-1.log")).expect("renamed");
    // The packed file matches the pattern: what it holds is read from its original.
    fs::write(log(&host, "a-1.gz.log"), packed).expect("written");
    fs::remove_file(log(&host, "a-1.log")).expect("deleted");
    host.append("a.log", &numbered(20_000, 20_500));
    pause(1500);
    intake.play("".parse().expect("a script"));
    assert_whole(&intake, &host, 20_500);
    assert!(agent.stop().success());
}

#[test]
fn s12_packed_files_of_several_members_cut_and_growing() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 400));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 400);
    assert!(agent.stop().success());
    let members = [gzip(&numbered(0, 300)), gzip(&numbered(300, 9000)), gzip(&numbered(9000, 9100))].concat();
    fs::remove_file(log(&host, "a.log")).expect("deleted");
    let path = log(&host, "a.log.1.gz");
    fs::write(&path, &members[..members.len() / 2]).expect("written");
    let agent = host.start();
    until("what is there is read", &host, || super::numbers(&intake).len() > 2000);
    pause(300);
    let mut file = fs::OpenOptions::new().append(true).open(&path).expect("the packed file");
    for piece in members[members.len() / 2..].chunks(30_000) {
        file.write_all(piece).expect("written");
        pause(50);
    }
    file.write_all(b"and what is no packed text").expect("written");
    assert_whole(&intake, &host, 9100);
    assert!(agent.stop().success());
}

#[test]
fn s20_no_file_events_are_to_be_had() {
    let (intake, host) = scene("");
    let none = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$0\" \"$@\"";
    let under = ["unshare", "--user", "--map-root-user", "sh", "-c", none];
    if !run(
        "unshare",
        &["--user", "--map-root-user", "sh", "-c", "echo 0 > /proc/sys/user/max_inotify_instances"],
        None,
    ) {
        return;
    }
    host.append("a.log", &numbered(0, 100));
    let agent = host.start_under(&under);
    wait_for_numbers(&intake, &host, 100);
    host.append("a.log", &numbered(100, 200));
    fs::rename(log(&host, "a.log"), log(&host, "a-1.log")).expect("renamed");
    host.append("a.log", &numbered(200, 300));
    host.append("b.log", &numbered(300, 400));
    assert_whole(&intake, &host, 400);
    assert!(agent.stop().success());
}

#[test]
fn s20_more_events_than_the_queue_holds() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 100));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 100);
    agent.freeze();
    let room =
        fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").ok().and_then(|text| text.trim().parse().ok());
    let open = |name: &str| fs::OpenOptions::new().create(true).append(true).open(log(&host, name)).expect("a file");
    // Events of one file in a row are one event: two files take turns, neither of them a log.
    let mut files = [open("one.txt"), open("two.txt")];
    for n in 0..room.unwrap_or(16384usize).min(1 << 18) + 100 {
        files[n % 2].write_all(b"x").expect("written");
    }
    host.append("a.log", &numbered(100, 200));
    fs::rename(log(&host, "a.log"), log(&host, "a-1.log")).expect("renamed");
    host.append("a.log", &numbered(200, 300));
    agent.thaw();
    assert_whole(&intake, &host, 300);
    assert!(agent.stop().success());
}

/// The place that a start found is not the place of a file that was read on since.
#[test]
fn s11_packed_after_a_restart_and_more_lines() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 300));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 300);
    assert!(agent.stop().success());
    let agent = host.start();
    host.append("a.log", &numbered(300, 600));
    wait_for_numbers(&intake, &host, 600);
    let packed = gzip(&fs::read_to_string(log(&host, "a.log")).expect("read"));
    fs::write(log(&host, "a-1.gz.log"), packed).expect("written");
    fs::remove_file(log(&host, "a.log")).expect("deleted");
    pause(1500);
    host.append("a.log", &numbered(600, 700));
    assert_whole(&intake, &host, 700);
    assert!(agent.stop().success());
}
