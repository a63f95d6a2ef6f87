//! Rows D: the state directory's disk is full, damaged or refused.

use super::{Mount, assert_whole, intake, pause, run, scene, until, wait_for_numbers};
use crate::host::{Host, numbered};
use std::fs;
use std::path::PathBuf;

fn waiting(host: &Host) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(host.path("state/spool")).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|e| e == "batch"));
    found.sort();
    found
}

/// Leaves at least `least` batches in the spool of a stopped agent.
fn spooled(least: usize) -> (logveil::intake::Intake, Host, usize) {
    let (intake, host) = scene("|503");
    let mut written = 0;
    let agent = host.start();
    while waiting(&host).len() < least {
        host.append("a.log", &numbered(written, written + 100));
        written += 100;
        pause(250);
        assert!(written < 10_000, "{}", host.own_log());
    }
    assert!(agent.stop().success());
    (intake, host, written)
}

#[test]
fn d01_the_spools_file_system_is_full() {
    let intake = intake("|503");
    let host = Host::new(&intake.origin(), "    compression: none\n");
    let at = host.path("state");
    let Some(_mounted) = Mount::new(&["-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs"], &at) else { return };
    fs::write(at.join("filler"), vec![0u8; 1_600_000]).expect("written");
    let agent = host.start();
    host.append("a.log", &numbered(0, 20_000));
    until("the disk fills", &host, || host.own_log().contains("spool cannot be written"));
    fs::remove_file(at.join("filler")).expect("removed");
    intake.play("".parse().expect("a script"));
    assert_whole(&intake, &host, 20_000);
    assert!(agent.stop().success());
}

#[test]
fn d02_no_inodes_are_left() {
    let (intake, host) = scene("");
    let at = host.path("state");
    let Some(_mounted) = Mount::new(&["-t", "tmpfs", "-o", "nr_inodes=64,mode=0700", "tmpfs"], &at) else { return };
    host.append("a.log", &numbered(0, 200));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 200);
    let fillers: Vec<PathBuf> = (0..64).map(|n| at.join(format!("filler{n}"))).collect();
    let taken = fillers.iter().take_while(|path| fs::File::create(path).is_ok()).count();
    assert!(taken < fillers.len(), "the file system is full");
    host.append("a.log", &numbered(200, 5000));
    until("the disk's refusal is told", &host, || host.own_log().contains("spool cannot be written"));
    until("it is no longer ready", &host, || host.readiness().is_some_and(|text| text.contains("[-] spool")));
    fillers[..taken].iter().for_each(|path| fs::remove_file(path).expect("removed"));
    assert_whole(&intake, &host, 5000);
    until("it is ready again", &host, || host.readiness().is_some_and(|text| text.contains("[+] spool ok")));
    assert!(agent.stop().success());
}

#[test]
fn d03_made_read_only_and_writable_again() {
    let (intake, host) = scene("");
    let at = host.path("state");
    let Some(_mounted) = Mount::new(&["-t", "tmpfs", "-o", "mode=0700", "tmpfs"], &at) else { return };
    host.append("a.log", &numbered(0, 200));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 200);
    let place = at.display().to_string();
    let remount = |how: &str| (0..50).any(|_| run("mount", &["-o", &format!("remount,{how}"), &place], None));
    pause(500);
    if !remount("ro") {
        return;
    }
    host.append("a.log", &numbered(200, 3000));
    until("the disk's refusal is told", &host, || host.own_log().contains("cannot be"));
    pause(1500);
    assert!(remount("rw"));
    assert_whole(&intake, &host, 3000);
    assert!(agent.stop().success());
}

#[test]
fn d04_errors_on_writing_once_often_and_for_a_while() {
    for points in [
        "spool-half-written=1*return->off",
        "spool-half-written=3*return->5*off->2*return->off;spool-renamed=2*off->3*return->off",
        "spool-checkpoint=4*return->off;spool-acknowledged=1*off->2*return->off",
        "registry-save=2*return->off;durable-written=3*off->2*return->off",
    ] {
        let (intake, host) = scene("");
        host.append("a.log", &numbered(0, 2500));
        let agent = host.start_with(&[("FAILPOINTS", points)]);
        for part in 0..3 {
            pause(300);
            host.append("a.log", &numbered(2500 + part * 300, 2800 + part * 300));
        }
        assert_whole(&intake, &host, 3400);
        assert!(agent.stop().success());
    }
}

/// A batch that the disk gives back no more is set aside, those behind it leave, and a restart reads its lines again.
#[test]
fn d04_a_batch_that_cannot_be_read_holds_nothing_up() {
    let (intake, host) = scene("|503");
    host.append("a.log", &numbered(0, 4000));
    let agent = host.start();
    until("the spool holds them", &host, || waiting(&host).len() > 3);
    assert!(agent.stop().success());
    intake.play("".parse().expect("a script"));
    let agent = host.start_with(&[("FAILPOINTS", "spool-read=5*return->off")]);
    until("it is told", &host, || host.own_log().contains("LV0405"));
    until("those behind it leave", &host, || super::numbers(&intake).contains(&3999));
    assert!(super::numbers(&intake).len() < 4000);
    assert!(agent.stop().success());
    let agent = host.start();
    assert_whole(&intake, &host, 4000);
    assert!(agent.stop().success());
}

#[test]
fn d05_errors_on_syncing() {
    for when in ["3", "5..8", "4+3"] {
        let (intake, host) = scene("");
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={when}");
        if !run("strace", &["-f", "-qq", "-e", "trace=fsync", "true"], None) {
            return;
        }
        host.append("a.log", &numbered(0, 2000));
        let trace = host.path("trace").display().to_string();
        let under =
            ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", &trace, "-e", "trace=fsync,fdatasync", "-e", &inject];
        let traced = host.start_under(&under);
        for part in 0..3 {
            pause(400);
            host.append("a.log", &numbered(2000 + part * 300, 2300 + part * 300));
        }
        wait_for_numbers(&intake, &host, 2900);
        host.assert_clean();
        let seen = fs::read_to_string(host.path("trace")).unwrap_or_default();
        assert!(seen.contains("INJECTED"), "{seen}");
        assert!(traced.stop().success());
        let agent = host.start();
        host.append("a.log", &numbered(2900, 3000));
        assert_whole(&intake, &host, 3000);
        assert!(agent.stop().success());
    }
}

#[test]
fn d06_flipped_zeroed_and_missing_batches_are_read_again() {
    type Damage = fn(&PathBuf);
    let damages: [Damage; 4] = [
        |path| {
            let mut bytes = fs::read(path).expect("read");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            fs::write(path, bytes).expect("written");
        },
        |path| fs::write(path, vec![0u8; 4096]).expect("written"),
        |path| fs::write(path, b"").expect("written"),
        |path| fs::remove_file(path).expect("removed"),
    ];
    for damage in damages {
        let (intake, host, written) = spooled(3);
        let files = waiting(&host);
        damage(&files[files.len() / 2]);
        intake.play("".parse().expect("a script"));
        let agent = host.start();
        assert_whole(&intake, &host, written as u64);
        assert!(agent.stop().success());
    }
}

#[test]
fn d07_a_checkpoint_cut_at_any_length_starts_again() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 300));
    let agent = host.start();
    wait_for_numbers(&intake, &host, 300);
    assert!(agent.stop().success());
    let checkpoint = host.path("state/checkpoint");
    let whole = fs::read(&checkpoint).expect("read");
    let mut written = 300;
    for cut in [0, 1, whole.len() / 2, whole.len() - 2] {
        fs::write(&checkpoint, &whole[..cut]).expect("written");
        host.append("a.log", &numbered(written, written + 10));
        written += 10;
        let agent = host.start();
        wait_for_numbers(&intake, &host, written as u64);
        assert!(agent.stop().success());
    }
    crate::host::assert_wire(&intake);
    host.assert_clean();
}

#[test]
fn d09_a_spool_at_its_limit_holds_the_files_back() {
    let intake = intake("|503");
    let host = Host::new(&intake.origin(), "    compression: none\nspool: {max: 16MiB}\n");
    let agent = host.start();
    for part in 0..10 {
        host.append("a.log", &numbered(part * 6000, part * 6000 + 6000));
    }
    let bytes = |host: &Host| waiting(host).iter().filter_map(|p| fs::metadata(p).ok()).map(|m| m.len()).sum::<u64>();
    until("the spool fills", &host, || bytes(&host) > 11 << 20);
    pause(1000);
    assert!(bytes(&host) <= 16 << 20, "{} bytes", bytes(&host));
    let waiting_memory = agent.memory();
    for part in 10..20 {
        host.append("a.log", &numbered(30_000 + part * 3000, 33_000 + part * 3000));
    }
    pause(2000);
    assert!(bytes(&host) <= 16 << 20, "{} bytes", bytes(&host));
    assert!(agent.memory() < waiting_memory + 2048, "{} KiB, then {}", waiting_memory, agent.memory());
    assert!(agent.most_memory() < super::MEMORY, "{} KiB", agent.most_memory());
    fs::remove_file(host.path("logs/a.log")).expect("deleted");
    intake.play("".parse().expect("a script"));
    assert_whole(&intake, &host, 90_000);
    assert!(agent.stop().success());
}

#[test]
fn d09_drop_oldest_drops_counts_and_keeps_the_newest() {
    let intake = intake("|503");
    let host = Host::new(&intake.origin(), "    compression: none\nspool: {max: 16MiB, when_full: drop_oldest}\n");
    let agent = host.start();
    host.append("a.log", &numbered(0, 60_000));
    until("the oldest go", &host, || host.own_log().contains("oldest records were dropped"));
    host.append("a.log", &numbered(60_000, 60_001));
    pause(1500);
    intake.play("".parse().expect("a script"));
    until("the newest arrives", &host, || super::numbers(&intake).contains(&60_000));
    assert!(super::numbers(&intake).len() < 60_001);
    assert!(agent.stop().success());
    crate::host::assert_wire(&intake);
    host.assert_clean();
}

#[test]
fn d12_a_state_directory_open_to_others_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (intake, host) = scene("");
    fs::create_dir(host.path("state")).expect("a folder");
    fs::set_permissions(host.path("state"), fs::Permissions::from_mode(0o777)).expect("opened");
    host.append("a.log", &numbered(0, 10));
    assert!(!host.start().wait().success());
    assert!(host.own_log().contains("written by others"), "{}", host.own_log());
    assert!(intake.ledger().book().requests.is_empty());
}

/// A disk that takes its time at every step: less at a time, and all of it.
#[test]
fn d08_a_disk_that_is_slow_at_every_step() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 1500));
    let points = "spool-half-written=sleep(200);spool-written=sleep(200);spool-checkpoint=sleep(200);\
                  durable-written=sleep(150);registry-save=sleep(150)";
    let agent = host.start_with(&[("FAILPOINTS", points)]);
    for part in 0..3 {
        pause(300);
        host.append("a.log", &numbered(1500 + part * 300, 1800 + part * 300));
    }
    assert_whole(&intake, &host, 2400);
    assert!(agent.stop().success());
}

/// It is told and nothing is acknowledged that is not safe; a start without a state reads all of it again.
#[test]
fn d11_the_state_directory_is_removed_under_the_agent() {
    let (intake, host) = scene("");
    host.append("a.log", &numbered(0, 300));
    let mut agent = host.start();
    wait_for_numbers(&intake, &host, 300);
    // The agent may be writing there.
    until("it is removed", &host, || fs::remove_dir_all(host.path("state")).is_ok() || !host.path("state").exists());
    host.append("a.log", &numbered(300, 600));
    until("it is told", &host, || host.own_log().contains("the spool cannot be written"));
    until("it is not ready", &host, || host.readiness().is_some_and(|text| text.contains("503")));
    assert!(agent.is_running());
    // What waits in memory will be read again.
    agent.kill();
    let agent = host.start();
    wait_for_numbers(&intake, &host, 600);
    assert!(agent.stop().success());
    crate::host::assert_wire(&intake);
    host.assert_clean();
}
