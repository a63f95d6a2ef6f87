//! The whole agent in this process: real files, real HTTP against the development intake.

use super::*;
use crate::batch::EncoderSettings;
use crate::intake::script::{Action, Script, Step};
use crate::intake::server::{self, Intake};
use crate::redact::RuleSet;
use crate::sink::datadog;
use crate::sink::http::{ProxyChoice, Timeouts};
use crate::sink::key::{ApiKey, KeySource};
use crate::source::file::{self, StartAt};
use crate::spool;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(30);

/// A folder with logs and state, and the intake.
struct Host {
    folder: TempDir,
    intake: Intake,
}

/// An agent on its own thread; stopped when dropped.
struct Agent {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Result<(), AgentError>>>,
    progress: Arc<Progress>,
}

impl Host {
    fn new() -> Host {
        Host::with(server::Settings::default())
    }

    fn with(settings: server::Settings) -> Host {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("logs")).expect("a folder");
        Host { folder, intake: Intake::start(settings).expect("an intake") }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn settings(&self) -> Settings {
        let key = ApiKey::new("0123456789abcdef".into()).expect("a key");
        let files = file::Settings {
            include: vec![format!("{}/*.log", self.log("").display()).replace("//", "/")],
            exclude: Vec::new(),
            start_at: StartAt::Beginning,
        };
        Settings {
            state_dir: self.state(),
            hostname: "host-1".into(),
            tags: vec!["env:test".into()],
            retention: "retention:90d".into(),
            sources: vec![SourceSettings {
                name: "workflows".into(),
                service: "workflow-engine".into(),
                ddsource: "logveil".into(),
                tags: Vec::new(),
                trust_origin: false,
                kind: SourceKind::File(files),
                records: Default::default(),
            }],
            output: Output::Datadog(Box::new(datadog::Settings {
                origin: self.intake.origin().parse().expect("a url"),
                key: KeySource::Fixed(key),
                ca_file: None,
                proxy: ProxyChoice::Never,
                timeouts: Timeouts::default(),
            })),
            batch: EncoderSettings { max_entries: 50, ..EncoderSettings::default() },
            batch_age: Duration::from_millis(50),
            spool: spool::Settings::default(),
            tokens: None,
            in_flight: 1,
            workers: 1,
            apm: None,
        }
    }

    fn start(&self) -> Agent {
        self.start_with(self.settings())
    }

    fn start_with(&self, settings: Settings) -> Agent {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let progress = Arc::new(Progress::default());
        let shared = progress.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run(settings, RuleSet::builtin(), shared, async {
                let _ = stopped.await;
            }))
        });
        Agent { stop: Some(stop), thread: Some(thread), progress }
    }

    /// Waits until the intake holds exactly these numbered lines, each once, in order.
    fn expect(&self, numbers: std::ops::Range<usize>) {
        let arrived = self.intake.ledger().wait(LIMIT, |book| book.stored.len() >= numbers.len());
        let book = self.intake.ledger().book();
        let found: Vec<&str> = book.messages();
        assert!(arrived, "{} of {} arrived", found.len(), numbers.len());
        assert_eq!(found, numbers.map(line).collect::<Vec<_>>());
    }
}

impl Agent {
    fn stop(mut self) {
        self.end().expect("a clean stop");
    }

    fn end(&mut self) -> Result<(), AgentError> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        self.thread.take().map_or(Ok(()), |thread| thread.join().expect("no panic"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn line(number: usize) -> String {
    format!("event number {number} done")
}

fn append(path: &Path, numbers: std::ops::Range<usize>) {
    let text: String = numbers.map(|n| line(n) + "\n").collect();
    append_text(path, &text);
}

fn append_text(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("a log");
    file.write_all(text.as_bytes()).expect("written");
}

fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).expect("a folder").count()
}

#[test]
fn lines_arrive_once_in_order_under_tag_and_masked() {
    let host = Host::new();
    append(&host.log("a.log"), 0..120);
    let agent = host.start();
    host.expect(0..120);
    append_text(&host.log("a.log"), "user jan.kowalski@example.org logged in\n");
    assert!(host.intake.ledger().wait(LIMIT, |book| book.stored.len() == 121));
    agent.stop();
    let book = host.intake.ledger().book();
    let event = &book.stored[120].event;
    assert!(!event["message"].as_str().unwrap().contains("jan.kowalski"), "an address was left in a record");
    assert_eq!(event["ddtags"], "env:test,retention:90d");
    assert_eq!(event["service"], "workflow-engine");
    assert_eq!(event["hostname"], "host-1");
    let ids: std::collections::HashSet<_> =
        book.stored.iter().map(|s| s.event["logveil"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 121);
    assert_eq!(book.lost(), 0);
    assert_eq!(files_in(&host.state().join("spool")), 0);
}

#[test]
fn a_restart_goes_on_where_the_last_one_ended() {
    let host = Host::new();
    for round in 0..3 {
        append(&host.log("a.log"), round * 10..round * 10 + 10);
        let agent = host.start();
        host.expect(0..round * 10 + 10);
        agent.stop();
    }
    let agent = host.start();
    append(&host.log("a.log"), 30..31);
    host.expect(0..31);
    agent.stop();
}

#[test]
fn what_was_read_before_a_stop_waits_in_the_spool() {
    let host = Host::new();
    host.intake.play(Script::default().then_repeat([Step::from(Action::Status(503, None))]));
    append(&host.log("a.log"), 0..120);
    let agent = host.start();
    assert!(host.intake.ledger().wait(LIMIT, |book| !book.requests.is_empty()));
    agent.stop();
    assert!(files_in(&host.state().join("spool")) > 0);
    host.intake.play(Script::default());
    fs::remove_file(host.log("a.log")).expect("removed");
    let agent = host.start();
    host.expect(0..120);
    agent.stop();
}

#[test]
fn refusals_and_cuts_lose_and_repeat_nothing() {
    let host = Host::new();
    let refusals = [503, 503, 429, 500].map(|status| Step::from(Action::Status(status, None)));
    host.intake.play(Script::once(refusals));
    append(&host.log("a.log"), 0..200);
    let agent = host.start();
    host.expect(0..200);
    assert_eq!(agent.progress.retries.load(std::sync::atomic::Ordering::Relaxed), 4);
    agent.stop();
}

#[test]
fn what_a_full_spool_drops_is_counted_by_source() {
    let host = Host::new();
    host.intake.play(Script::default().then_repeat([Step::from(Action::Status(503, None))]));
    append(&host.log("a.log"), 0..300);
    let mut settings = host.settings();
    settings.spool.max_bytes = 2_000;
    settings.spool.when_full = spool::WhenFull::DropOldest;
    let agent = host.start_with(settings);
    let until = std::time::Instant::now() + LIMIT;
    let dropped = || agent.progress.sources().first().map_or(0, |source| source.now().dropped);
    while dropped() == 0 || agent.progress.records_read.load(std::sync::atomic::Ordering::Relaxed) < 300 {
        assert!(std::time::Instant::now() < until, "{} dropped", dropped());
        std::thread::sleep(Duration::from_millis(20));
    }
    let now = agent.progress.sources()[0].now();
    assert!(agent.progress.checkpoint_age(&now, std::time::Instant::now()) > Duration::ZERO, "something waits");
    host.intake.play(Script::default());
    let delivered = || agent.progress.records_delivered.load(std::sync::atomic::Ordering::Relaxed);
    while dropped() + delivered() < 300 {
        assert!(std::time::Instant::now() < until, "{} dropped, {} delivered", dropped(), delivered());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(agent.progress.records_dropped.load(std::sync::atomic::Ordering::Relaxed), dropped());
    while agent.progress.checkpoint_age(&agent.progress.sources()[0].now(), std::time::Instant::now()) > Duration::ZERO
    {
        assert!(std::time::Instant::now() < until, "nothing waits");
        std::thread::sleep(Duration::from_millis(20));
    }
    let now = agent.progress.sources()[0].now();
    assert!(now.acknowledged.is_some() && now.behind_since.is_none());
    assert!(now.tally.scans.counts.iter().sum::<u64>() > 0 && now.tally.scans.nanos > 0);
    agent.stop();
}

#[test]
fn one_poisoned_record_goes_to_the_dead_letters_alone() {
    let host = Host::with(server::Settings { poison: Some("poisoned".into()), ..server::Settings::default() });
    append(&host.log("a.log"), 0..20);
    append_text(&host.log("a.log"), "a poisoned record\n");
    append(&host.log("a.log"), 20..40);
    let agent = host.start();
    host.expect(0..40);
    agent.stop();
    assert_eq!(files_in(&host.state().join("dead-letters")), 1);
    assert_eq!(files_in(&host.state().join("spool")), 0);
}

#[test]
fn rename_and_truncation_while_running() {
    let host = Host::new();
    let log = host.log("a.log");
    append(&log, 0..30);
    let agent = host.start();
    host.expect(0..30);
    fs::rename(&log, host.log("a.log.1")).expect("renamed");
    append(&host.log("a.log.1"), 30..40);
    host.expect(0..40);
    append(&log, 40..60);
    host.expect(0..60);
    fs::write(&log, "").expect("truncated");
    std::thread::sleep(Duration::from_millis(300));
    append(&log, 60..80);
    host.expect(0..80);
    fs::write(&log, (80..200).map(|n| line(n) + "\n").collect::<String>()).expect("rewritten, longer");
    host.expect(0..200);
    agent.stop();
}

#[test]
fn half_lines_wait_for_their_rest_over_a_restart() {
    let host = Host::new();
    append_text(&host.log("a.log"), "event number 0 done\nevent num");
    let agent = host.start();
    host.expect(0..1);
    agent.stop();
    let agent = host.start();
    append_text(&host.log("a.log"), "ber 1 done\n");
    host.expect(0..2);
    agent.stop();
}

#[test]
fn a_file_rotated_while_the_agent_was_down_is_read_to_its_end() {
    let host = Host::new();
    append(&host.log("a.log"), 0..10);
    let agent = host.start();
    host.expect(0..10);
    agent.stop();
    append(&host.log("a.log"), 10..20);
    fs::rename(host.log("a.log"), host.log("a.log.1")).expect("renamed");
    let agent = host.start();
    host.expect(0..20);
    append(&host.log("a.log"), 20..30);
    host.expect(0..30);
    agent.stop();
}

#[test]
fn a_damaged_batch_is_put_aside_and_its_range_read_again() {
    let host = Host::new();
    host.intake.play(Script::default().then_repeat([Step::from(Action::Status(503, None))]));
    append(&host.log("a.log"), 0..200);
    let agent = host.start();
    assert!(host.intake.ledger().wait(LIMIT, |book| !book.requests.is_empty()));
    agent.stop();
    let mut files: Vec<PathBuf> =
        fs::read_dir(host.state().join("spool")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 3);
    let mut bytes = fs::read(&files[1]).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&files[1], bytes).unwrap();
    host.intake.play(Script::default());
    let agent = host.start();
    assert!(host.intake.ledger().wait(LIMIT, |book| book.stored.len() >= 200));
    agent.stop();
    let book = host.intake.ledger().book();
    let mut found = book.messages();
    found.sort_unstable();
    let mut expected: Vec<String> = (0..200).map(line).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(files_in(&host.state().join("quarantine")), 1);
}
