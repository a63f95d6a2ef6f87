//! Rows T: the clock on the wall jumps while the agent runs. A library of a few lines, built here and loaded before the
//! program, adds seconds to that clock alone; the other clocks go on as they do on a real host.

use super::{Host, assert_whole, pause, run, scene, until, wait_for_numbers};
use crate::host::{Agent, numbered};
use std::fs;
use std::path::PathBuf;

const SHIM: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static volatile const long long *ahead;
__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SECONDS_AHEAD");
    int file = path ? open(path, O_RDONLY) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(0, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) ahead = page;
    if (file >= 0) close(file);
}
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && ahead) time->tv_sec += *ahead;
    return result;
}
"#;

/// A clock for an agent.
struct Clock {
    library: PathBuf,
    seconds: PathBuf,
}

impl Clock {
    /// None, said loudly, where no C compiler is to be had.
    fn new(host: &Host) -> Option<Clock> {
        let (source, library, seconds) = (host.path("shim.c"), host.path("shim.so"), host.path("seconds"));
        fs::write(&source, SHIM).expect("written");
        let words = ["-shared", "-fPIC", "-O1", "-o"].map(str::to_owned);
        let paths = [&library, &source].map(|path| path.display().to_string());
        let words: Vec<&str> = words.iter().chain(&paths).map(String::as_str).collect();
        let clock = Clock { library, seconds };
        clock.is_ahead(0);
        run("cc", &words, None).then_some(clock)
    }

    /// Jumps, for an agent that runs too: the same bytes of the same file.
    fn is_ahead(&self, seconds: i64) {
        use std::io::Write;
        let mut options = fs::OpenOptions::new();
        let mut file = options.create(true).truncate(false).write(true).open(&self.seconds).expect("a file");
        file.write_all(&seconds.to_ne_bytes()).expect("written");
    }

    fn start(&self, host: &Host) -> Agent {
        let [library, seconds] = [&self.library, &self.seconds].map(|path| path.display().to_string());
        host.start_with(&[("LD_PRELOAD", &library), ("SECONDS_AHEAD", &seconds)])
    }
}

/// The newest time in the agent's own log, by its year.
fn years(host: &Host) -> Vec<String> {
    host.own_log().lines().filter_map(|line| line.get(..4)).map(str::to_owned).collect()
}

/// Records that were read under a clock ten years ahead get a time that the intake keeps once the clock is right.
#[test]
fn t01_the_clock_jumps_ten_years_ahead_and_back() {
    let (intake, host) = scene("");
    let Some(clock) = Clock::new(&host) else { return };
    host.append("a.log", &numbered(0, 300));
    host.append("gone.log", &numbered(300, 400));
    let agent = clock.start(&host);
    wait_for_numbers(&intake, &host, 400);
    intake.play("|503".parse().expect("a script"));
    clock.is_ahead(10 * 365 * 86_400);
    // What waits in a file without a name is not given up, and a copy is found, however old all of it looks.
    host.append("gone.log", &numbered(400, 500));
    host.append("a.log", &numbered(500, 700));
    fs::copy(host.path("logs/a.log"), host.path("logs/a.log.1")).expect("copied");
    fs::File::options().write(true).open(host.path("logs/a.log")).and_then(|f| f.set_len(0)).expect("truncated");
    host.append("a.log", &numbered(700, 800));
    fs::remove_file(host.path("logs/gone.log")).expect("deleted");
    until("the truncation is told under that clock", &host, || {
        years(&host).iter().any(|year| year.parse::<u32>().is_ok_and(|year| year > 2034))
    });
    pause(500);
    clock.is_ahead(0);
    intake.play("".parse().expect("a script"));
    assert_whole(&intake, &host, 800);
    assert!(agent.stop().success());
}

#[test]
fn t02_the_clock_goes_back_by_an_hour_now_and_then() {
    let (intake, host) = scene("");
    let Some(clock) = Clock::new(&host) else { return };
    let agent = clock.start(&host);
    let mut written = 0;
    for (hours, answers) in [(1, "503, 429:1, 202"), (2, ""), (0, "408, cut"), (1, "202, 503")] {
        intake.play(answers.parse().expect("a script"));
        for part in 0..2 {
            host.append("a.log", &numbered(written, written + 50));
            written += 50;
            clock.is_ahead(-3600 * hours * part);
            pause(200);
        }
    }
    wait_for_numbers(&intake, &host, written as u64);
    assert!(agent.stop().success());
    // Stopped at a time that has not come yet.
    clock.is_ahead(-3600 * 3);
    let agent = clock.start(&host);
    host.append("a.log", &numbered(written, written + 50));
    assert_whole(&intake, &host, written as u64 + 50);
    assert!(agent.stop().success());
}
