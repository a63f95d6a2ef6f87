//! Rows L: bursts and very many files. Memory is asserted; what the processor takes is said, not asserted: set
//! `MEASURE_SECONDS` and `--no-capture` to see it.

use super::{MEMORY, assert_whole, pause, say, scene, wait_for_numbers};
use crate::host::numbered;

/// Ten times as much as in the seconds before, at once, thrice.
#[test]
fn l01_bursts_need_no_more_memory() {
    let (intake, host) = scene("");
    let agent = host.start();
    let mut written = 0;
    for burst in [2000, 20_000, 2000, 20_000, 2000, 20_000] {
        host.append("a.log", &numbered(written, written + burst));
        written += burst;
        pause(1000);
    }
    assert_whole(&intake, &host, written as u64);
    say(&format!("bursts: {} KiB at most", agent.most_memory()));
    assert!(agent.most_memory() < MEMORY, "{} KiB", agent.most_memory());
    assert!(agent.stop().success());
}

/// More than [`MEMORY`] for so many files, KiB.
const FOR_FILES: u64 = 12 << 10;

/// Ten thousand files with a line each; then nothing happens, then a line in one of them.
#[test]
fn l05_ten_thousand_idle_files_and_one_that_moves() {
    let (intake, host) = scene("");
    for file in 0..10_000 {
        host.append(&format!("idle{file}.log"), &numbered(file, file + 1));
    }
    let agent = host.start();
    wait_for_numbers(&intake, &host, 10_000);
    pause(2000);
    let seconds: u64 = std::env::var("MEASURE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let before = agent.cpu();
    pause(seconds * 1000);
    let share = (agent.cpu() - before) / seconds as f64 * 100.0;
    say(&format!("10,000 idle files: {share:.2} % of a core, {} KiB, {} at most", agent.memory(), agent.most_memory()));
    assert!(agent.memory() < MEMORY + FOR_FILES, "{} KiB", agent.memory());
    host.append("idle7777.log", &numbered(10_000, 10_020));
    assert_whole(&intake, &host, 10_020);
    assert!(agent.stop().success());
}
