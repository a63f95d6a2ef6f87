//! A host for the real binary: a folder with logs, state, key and configuration, and the agent as a child
//! process that is stopped as an operator or a crash would stop it.

use logveil::intake::{Intake, Ledger};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Every value planted to be masked holds this; it must be found nowhere.
pub(crate) const CANARY: &str = "c4n4ry";
/// The API key of tests.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
/// No test waits longer for anything.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);

/// The folder.
pub(crate) struct Host {
    dir: TempDir,
}

/// A running agent; killed when the test ends before it.
pub(crate) struct Agent {
    child: Child,
}

impl Host {
    /// A host whose agent ships to `origin`; `extra` is added to the `datadog` section, eight spaces deep.
    pub(crate) fn new(origin: &str, extra: &str) -> Host {
        let dir = tempfile::tempdir().expect("a folder");
        let host = Host { dir };
        fs::create_dir(host.path("logs")).expect("a folder");
        host.set_key(KEY);
        host.configure(origin, extra);
        host
    }

    /// Writes the configuration.
    pub(crate) fn configure(&self, origin: &str, extra: &str) {
        let root = self.dir.path().display();
        let text = format!(
            "version: 1\nregion: eu\nstate_dir: {root}/state\nhostname: host-1\ntags: [env:test]\n\
             sources:\n  workflows:\n    type: file\n    include: ['{root}/logs/*.log']\n    \
             start_at: beginning\n    service: workflow-engine\n    ddsource: logveil\n\
             output:\n  datadog:\n    url: {origin}\n    api_key: file:{root}/dd_api_key\n    \
             batch: {{age: 200ms}}\n{extra}\
             admin: {{listen: '127.0.0.1:0'}}\n"
        );
        fs::write(self.path("logveil.yaml"), text).expect("written");
    }

    /// Adds a line to the source's part of the configuration.
    pub(crate) fn add_to_source(&self, line: &str) {
        let text = fs::read_to_string(self.path("logveil.yaml")).expect("read");
        let text = text.replace("    ddsource: logveil\n", &format!("    ddsource: logveil\n    {line}\n"));
        fs::write(self.path("logveil.yaml"), text).expect("written");
    }

    /// Replaces the key file.
    pub(crate) fn set_key(&self, key: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("dd_api_key");
        fs::write(&path, format!("{key}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("made private");
    }

    /// A path inside the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Appends to a log.
    pub(crate) fn append(&self, log: &str, text: &str) {
        let path = self.path("logs").join(log);
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("a log");
        file.write_all(text.as_bytes()).expect("written");
    }

    /// Starts the agent; its own log is added to `own.log`.
    pub(crate) fn start(&self) -> Agent {
        self.start_with(&[])
    }

    /// As [`Host::start`], with these variables set.
    pub(crate) fn start_with(&self, variables: &[(&str, &str)]) -> Agent {
        self.launch(&[], variables, None)
    }

    /// As [`Host::start`], with another standard output.
    pub(crate) fn start_onto(&self, stdout: Stdio) -> Agent {
        self.launch(&[], &[], Some(stdout))
    }

    /// As [`Host::start`], as the last command of another one, which must become it.
    pub(crate) fn start_under(&self, command: &[&str]) -> Agent {
        self.launch(command, &[], None)
    }

    fn launch(&self, under: &[&str], variables: &[(&str, &str)], stdout: Option<Stdio>) -> Agent {
        let log = OpenOptions::new().create(true).append(true).open(self.path("own.log")).expect("a log");
        let words: Vec<&str> =
            under.iter().copied().chain([env!("CARGO_BIN_EXE_logveil"), "run", "--config"]).collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .arg(self.path("logveil.yaml"))
            // As the service's unit has it.
            .env("MALLOC_ARENA_MAX", "1")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(stdout.unwrap_or_else(|| log.try_clone().expect("a descriptor").into()))
            .stderr(log)
            .spawn()
            .expect("the agent");
        Agent { child }
    }

    /// What the agent said so far.
    pub(crate) fn own_log(&self) -> String {
        let mut text = Vec::new();
        File::open(self.path("own.log")).and_then(|mut file| file.read_to_end(&mut text)).expect("read");
        String::from_utf8_lossy(&text).into_owned()
    }

    /// What `/readyz` of the agent that was started last says; none while it does not answer.
    pub(crate) fn readiness(&self) -> Option<String> {
        let log = self.own_log();
        let line = log.lines().rev().find(|line| line.contains("admin endpoints are open"))?;
        let address = line.split("address=").nth(1)?.split_whitespace().next()?;
        let mut stream = std::net::TcpStream::connect(address).ok()?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// Asserts that no planted value stands in the agent's log or, packed or not, in its state.
    pub(crate) fn assert_clean(&self) {
        assert!(!self.own_log().contains(CANARY), "a planted value in the agent's own log");
        for path in files(&self.path("state")) {
            let bytes = fs::read(&path).unwrap_or_default();
            assert!(!holds_canary(&bytes), "a planted value in {}", path.display());
            for at in zstd_frames(&bytes) {
                let mut frame = zstd::stream::read::Decoder::new(&bytes[at..]).expect("a decoder").single_frame();
                let mut text = Vec::new();
                // Four bytes may look like a frame and be none; what could be read of it counts.
                let _ = frame.read_to_end(&mut text);
                assert!(!holds_canary(&text), "a planted value packed in {}", path.display());
            }
        }
    }

    /// Files of the spool that hold a batch.
    pub(crate) fn state_files(&self) -> Vec<PathBuf> {
        files(&self.path("state"))
    }
}

impl Agent {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Lets it stand still.
    pub(crate) fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("signalled");
    }

    /// Waits for the end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        let until = Instant::now() + LIMIT;
        loop {
            match self.child.try_wait().expect("waited") {
                Some(status) => return status,
                None if Instant::now() > until => panic!("the agent does not end"),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn stop(self) -> ExitStatus {
        self.terminate();
        self.wait()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited");
    }

    /// The most memory it had, KiB.
    pub(crate) fn most_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// The memory it has, KiB.
    pub(crate) fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    fn status(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("a status");
        let value = status.lines().find_map(|line| line.strip_prefix(name)).expect("a value");
        value.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// The processor's time it took, seconds.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("a status");
        let after_name = stat.rsplit_once(") ").expect("a name").1;
        let ticks = |place| after_name.split(' ').nth(place).and_then(|n| n.parse::<f64>().ok()).expect("a number");
        // A tick is a hundredth of a second on every Linux that logveil runs on.
        (ticks(11) + ticks(12)) / 100.0
    }

    /// True while it runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("waited").is_none()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One record a line, numbered from `from`, each third with values to mask. Shapes and hosts vary.
pub(crate) fn numbered(from: usize, to: usize) -> String {
    let mut text = String::new();
    for n in from..to {
        let line = match n % 3 {
            0 => {
                format!(r#"{{"n":{n},"level":"warn","user":"u{n}.{CANARY}@example.com","password":"{CANARY}-{n}-Zq"}}"#)
            }
            1 => format!(
                r#"{{"n":{n},"level":"info","msg":"step \"{n}\" done","ddtags":"retention:365d","host":"evil"}}"#
            ),
            _ => format!(
                r#"{{"n":{n},"level":"error","nested":"{{\"password\":\"{CANARY}{n}x\"}}","took_ms":{}}}"#,
                n % 97
            ),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Numbers of the searchable records, in order of arrival, by the file they came from.
pub(crate) fn arrived(ledger: &Ledger) -> BTreeMap<String, Vec<u64>> {
    let mut arrived: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for stored in ledger.book().stored.iter().filter(|stored| stored.is_searchable()) {
        let file = stored.event["logveil"]["file"].as_str().unwrap_or_default();
        let name = Path::new(file).file_name().map(|name| name.to_string_lossy().into_owned());
        let message = stored.event["message"].as_str().unwrap_or_default();
        let number = serde_json::from_str::<serde_json::Value>(message).ok().and_then(|m| m["n"].as_u64());
        arrived.entry(name.unwrap_or_default()).or_default().push(number.expect("a numbered record, valid JSON"));
    }
    arrived
}

/// Waits until `n` different records are stored.
pub(crate) fn wait_for(intake: &Intake, host: &Host, n: usize) {
    let distinct = |book: &logveil::intake::ledger::Book| {
        let ids = book.stored.iter().filter(|s| s.is_searchable()).map(|s| s.event["logveil"]["id"].as_str());
        ids.collect::<std::collections::HashSet<_>>().len()
    };
    let done = intake.ledger().wait(LIMIT, |book| book.stored.len() >= n && distinct(book) >= n);
    let seen = distinct(&intake.ledger().book());
    assert!(done, "{seen} of {n} records arrived; the agent said:\n{}", host.own_log());
}

/// Asserts what holds for every request, whatever is configured.
pub(crate) fn assert_requests(intake: &Intake) {
    for request in &intake.ledger().book().requests {
        assert!(!holds_canary(&request.decoded), "a planted value in request {}", request.number);
        let head = format!("{} {:?}", request.target, request.headers);
        assert!(!head.contains(CANARY) && !head.contains(KEY), "{head}");
        assert!(request.entries <= 1000 && request.decoded.len() <= 4_500_000);
    }
}

/// Asserts what holds for everything that ever reached the intake, kept or refused.
pub(crate) fn assert_wire(intake: &Intake) {
    assert_requests(intake);
    let book = intake.ledger().book();
    for stored in &book.stored {
        assert_eq!(stored.event["ddtags"], "env:test,retention:90d");
        assert_eq!(stored.event["service"], "workflow-engine");
        assert_eq!(stored.event["hostname"], "host-1");
        assert_eq!(stored.event["ddsource"], "logveil");
        assert_eq!(stored.fate.index.map(|place| intake.index_at(place).days), Some(90));
    }
}

fn holds_canary(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window.eq_ignore_ascii_case(CANARY.as_bytes()))
}

fn zstd_frames(bytes: &[u8]) -> Vec<usize> {
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    bytes.windows(4).enumerate().filter(|(_, window)| *window == magic).map(|(at, _)| at).collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
