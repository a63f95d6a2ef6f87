//! Many faults of many kinds in an order that nobody thought of: twenty seconds of them, or as many as
//! `SOAK_SECONDS` says; `SOAK_SEED` draws others.
//!
//! After every few faults all of it is let through and counted: every number there, none under two names (but for
//! rounds with a copy, and there no more than the round has), nothing planted anywhere. A number that came twice under one name is counted: a kill or a lost answer does that.

use super::{intake, pause, say};
use crate::host::{Agent, Host, LIMIT, assert_wire, numbered};
use logveil::intake::Intake;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What the intake does to the next requests.
const ANSWERS: [&str; 12] = [
    "503, 500",
    "429:1",
    "408, 202, 504",
    "cut-before",
    "cut, cut-after",
    "cut-stored",
    "202+300ms, 202+100ms",
    "413",
    "400, 400",
    "drip",
    "cut-stored, 503, cut-stored",
    "|503",
];

/// What the state directory's disk refuses.
const REFUSALS: [&str; 7] = [
    "",
    "",
    "spool-half-written=2*off->2*return->off",
    "spool-renamed=1*off->1*return->off",
    "spool-checkpoint=2*off->2*return->off;spool-acknowledged=1*return->off",
    "durable-written=3*off->2*return->off;registry-save=1*return->off",
    "spool-read=1*off->2*return->off",
];

struct Soak {
    intake: Intake,
    host: Host,
    agent: Option<Agent>,
    random: u64,
    written: usize,
    /// From here on not yet counted.
    counted: usize,
    rotations: usize,
    done: BTreeMap<&'static str, usize>,
    /// What happened since all of it was counted.
    history: Vec<String>,
    /// The name under which each number came first, and the place that it named.
    names: HashMap<u64, (u64, String)>,
    again: usize,
    read_twice: usize,
    most_memory: u64,
}

impl Soak {
    fn draw(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % below
    }

    fn log(&self, name: &str) -> PathBuf {
        self.host.path("logs").join(name)
    }

    fn write(&mut self) {
        let (log, count) = (["a.log", "b.log", "c.log"][self.draw(3)], [1, 20, 150, 700][self.draw(4)]);
        self.host.append(log, &numbered(self.written, self.written + count));
        self.written += count;
    }

    fn start(&mut self) {
        let refusal = REFUSALS[self.draw(REFUSALS.len())];
        self.history.push(format!("start with '{refusal}'"));
        self.agent = Some(self.host.start_with(&[("FAILPOINTS", refusal)]));
    }

    fn agent(&self) -> &Agent {
        self.agent.as_ref().expect("it runs")
    }

    fn note_memory(&mut self) {
        self.most_memory = self.most_memory.max(self.agent().most_memory());
    }

    /// A new name inside the pattern for what is rotated away.
    fn rotated(&mut self, log: &str) -> PathBuf {
        self.rotations += 1;
        self.log(&format!("{}-{}.log", log.trim_end_matches(".log"), self.rotations))
    }

    fn fault(&mut self) {
        let log = ["a.log", "b.log", "c.log"][self.draw(3)];
        let there = self.log(log).exists();
        let kind = match self.draw(10) {
            0 => {
                self.note_memory();
                self.agent.take().expect("it runs").kill();
                self.host.assert_clean();
                self.write();
                self.start();
                "kills"
            }
            1 => {
                self.note_memory();
                let agent = self.agent.take().expect("it runs");
                // A signal that comes before the agent listens ends it as the kernel does.
                agent.terminate();
                let _ = agent.wait();
                self.write();
                self.start();
                "stops"
            }
            2 => {
                self.agent().freeze();
                self.write();
                let long = 50 + self.draw(600) as u64;
                pause(long);
                self.agent().thaw();
                "freezes"
            }
            3 | 4 if there => {
                let to = self.rotated(log);
                fs::rename(self.log(log), to).expect("renamed");
                "renames"
            }
            5 if there => {
                let to = self.rotated(log);
                fs::copy(self.log(log), to).expect("copied");
                fs::File::options().write(true).open(self.log(log)).and_then(|f| f.set_len(0)).expect("truncated");
                "copies"
            }
            6 if there => {
                let to = self.rotated(log);
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packed.write_all(&fs::read(self.log(log)).expect("read")).expect("packed");
                fs::write(to, packed.finish().expect("packed")).expect("written");
                fs::remove_file(self.log(log)).expect("removed");
                "packings"
            }
            _ => {
                let answers = ANSWERS[self.draw(ANSWERS.len())];
                self.intake.play(answers.parse().expect("a script"));
                "answers"
            }
        };
        self.history.push(format!("{kind} {log} at {}", self.written));
        *self.done.entry(kind).or_default() += 1;
    }

    /// Lets everything through and counts it.
    fn settle(&mut self) {
        self.intake.play("".parse().expect("a script"));
        let expected = self.counted as u64..self.written as u64;
        let whole = self.intake.ledger().wait(LIMIT, |book| {
            if (book.stored.len() as u64) < expected.end - expected.start {
                return false;
            }
            let seen: BTreeSet<u64> = names(book).into_iter().map(|(number, ..)| number).collect();
            expected.clone().all(|number| seen.contains(&number))
        });
        let arrived = names(&self.intake.ledger().book());
        let seen: BTreeSet<u64> = arrived.iter().map(|(number, ..)| *number).collect();
        let lost: Vec<u64> = expected.filter(|number| !seen.contains(number)).take(5).collect();
        assert!(whole, "lost, among others: {lost:?}, after {:#?}\n{}", self.history, self.host.own_log());
        // A start right behind a truncation may read once more what was written since: no more than this round has.
        let copied = self.history.iter().any(|what| what.starts_with("copies"));
        let allowed = if copied { self.written - self.counted } else { 0 };
        let (mut twice, mut example) = (0, String::new());
        for (number, name, place) in arrived {
            match self.names.entry(number) {
                Entry::Vacant(free) => _ = free.insert((name, place)),
                Entry::Occupied(first) if first.get().0 == name => self.again += 1,
                Entry::Occupied(first) => {
                    twice += 1;
                    example = format!("{number} in {} and {place}", first.get().1);
                }
            }
        }
        assert!(
            twice <= allowed,
            "{twice} were read twice, such as {example}, after {:#?}\n{}",
            self.history,
            self.host.own_log()
        );
        self.read_twice += twice;
        assert_wire(&self.intake);
        self.host.assert_clean();
        self.note_memory();
        self.tidy();
    }

    /// Forgets what was counted, so that an hour takes no more memory than a minute.
    fn tidy(&mut self) {
        // What is in flight may come once more: it is then counted with the next numbers, under its name.
        let mut book = self.intake.ledger().book();
        book.requests.clear();
        book.stored.clear();
        drop(book);
        self.counted = self.written;
        self.history.clear();
        let gone = fs::read_dir(self.host.path("logs")).expect("a folder").flatten().map(|entry| entry.path());
        gone.filter(|path| path.to_string_lossy().contains('-'))
            .for_each(|path| fs::remove_file(path).expect("removed"));
    }
}

/// Numbers, the names under which they came and the places these stand for, in order of arrival.
fn names(book: &logveil::intake::ledger::Book) -> Vec<(u64, u64, String)> {
    let one = |stored: &logveil::intake::ledger::Stored| {
        let message = stored.event["message"].as_str().unwrap_or_default();
        let record: serde_json::Value = serde_json::from_str(message).expect("a numbered record");
        let mut name = std::hash::DefaultHasher::new();
        let own = &stored.event["logveil"];
        own["id"].to_string().hash(&mut name);
        let file = own["file"].as_str().and_then(|file| file.rsplit('/').next()).unwrap_or_default();
        (record["n"].as_u64().expect("a number"), name.finish(), format!("{file}:{}", own["offset"]))
    };
    book.stored.iter().map(one).collect()
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn soak_of_faults_in_any_order() {
    let intake = intake("");
    let host = Host::new(&intake.origin(), "");
    let (seconds, seed) = (variable("SOAK_SECONDS").unwrap_or(20), variable("SOAK_SEED").unwrap_or(1));
    let mut soak = Soak {
        intake,
        host,
        agent: None,
        random: seed,
        written: 0,
        counted: 0,
        rotations: 0,
        done: BTreeMap::new(),
        history: Vec::new(),
        names: HashMap::new(),
        again: 0,
        read_twice: 0,
        most_memory: 0,
    };
    soak.start();
    let (begun, mut rounds) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(seconds) {
        for _ in 0..12 {
            soak.write();
            soak.fault();
            let long = 20 + soak.draw(250) as u64;
            pause(long);
        }
        soak.settle();
        rounds += 1;
    }
    say(&format!(
        "soak: {} s, seed {seed}: {} records in {rounds} rounds, {:?}; lost 0, leaked 0, read twice {}, sent again {}; \
         {} KiB at most",
        begun.elapsed().as_secs(),
        soak.written,
        soak.done,
        soak.read_twice,
        soak.again,
        soak.most_memory
    ));
    assert!(soak.most_memory < super::MEMORY, "{} KiB", soak.most_memory);
    assert!(soak.agent.take().expect("it runs").stop().success());
}
