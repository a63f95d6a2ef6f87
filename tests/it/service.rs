//! The agent as a service of a host: bad sources beside good ones, a busy port, health checks, its own log.

use crate::host::{CANARY, Host, LIMIT, numbered, wait_for};
use logveil::intake::{Intake, Settings};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn intake() -> Intake {
    Intake::start(Settings::default()).expect("an intake")
}

/// A port that was free a moment ago.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}

/// The host's configuration with other admin endpoints and `sources` beside its own.
fn configure(host: &Host, admin: SocketAddr, sources: &str) {
    let path = host.path("logveil.yaml");
    let text = std::fs::read_to_string(&path).expect("read");
    let text = text.replace("admin: {listen: '127.0.0.1:0'}", &format!("admin: {{listen: '{admin}'}}"));
    std::fs::write(&path, text.replace("output:\n", &format!("{sources}output:\n"))).expect("written");
}

fn logveil(host: &Host, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logveil"));
    command.args(arguments).arg("--config").arg(host.path("logveil.yaml")).stdin(Stdio::null());
    command.output().expect("it runs")
}

/// The body at `path`, as soon as it satisfies `enough`.
fn body(admin: SocketAddr, path: &str, enough: impl Fn(&str) -> bool) -> String {
    let end = Instant::now() + LIMIT;
    let mut last = String::new();
    while Instant::now() < end {
        last = get(admin, path).unwrap_or_default();
        if enough(&last) {
            return last;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{path} says\n{last}")
}

fn get(admin: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(admin)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())?;
    std::io::read_to_string(stream)
}

fn value(metrics: &str, series: &str) -> Option<u64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    line.and_then(|rest| rest.trim().parse::<f64>().ok()).map(|value| value as u64)
}

#[test]
fn bad_sources_are_told_and_counted_and_stop_no_other() {
    let intake = intake();
    let host = Host::new(&intake.origin(), "");
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let (admin, good) = (free_port(), free_port());
    std::fs::write(host.path("no-socket"), "a file").expect("written");
    let root = host.path("").display().to_string();
    let sources = format!(
        "  journal: {{type: journald, journalctl: {root}/missing-journalctl}}\n  \
         network: {{type: syslog, listen: ['tcp://{}', 'unix://{root}/no-socket', 'unix-stream://{root}/missing/socket', 'tcp://{good}']}}\n  \
         pods: {{type: container, include: ['{root}/pods/*.log']}}\n",
        taken.local_addr().expect("an address")
    );
    configure(&host, admin, &sources);
    std::fs::create_dir(host.path("pods")).expect("a folder");
    std::fs::write(
        host.path("pods/a.log"),
        format!("2025-11-23T10:05:09.6Z stdout F {{\"n\":1000}}\n2025-11-23T10:05:09.6Z stdout no tag {CANARY}1@mail.example\n"),
    )
    .expect("written");

    let checked = logveil(&host, &["check"]);
    let table = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(4), "{table}");
    for said in [
        "install systemd, or remove the journald source",
        "something else listens there",
        "the path exists and is no socket; it is left alone",
        "create the socket's folder",
        "4 errors",
    ] {
        assert!(table.contains(said), "{said}\n{table}{}", String::from_utf8_lossy(&checked.stderr));
    }
    let offline = logveil(&host, &["check", "--offline"]);
    assert!(offline.status.success(), "ports are not looked at: they belong to the agent that runs");

    let agent = host.start();
    let metrics = body(admin, "/metrics", |text| value(text, "logveil_source_open{source=\"network\"}") == Some(0));
    assert!(!metrics.contains(CANARY));
    let mut to = TcpStream::connect(good).expect("the good socket");
    to.write_all(format!("9999 <13>a count that lies {CANARY}2@mail.example").as_bytes()).expect("sent");
    drop(to);
    let mut to = TcpStream::connect(good).expect("the good socket");
    to.write_all(b"no priority \xff\x00\x01 binary\n").expect("sent");
    to.write_all(&[b"<13>".as_slice(), &vec![b'x'; 8 << 20], b"\n<13>after\n"].concat()).expect("sent");
    drop(to);
    host.append("a.log", &numbered(0, 30));
    // 30 lines, 2 of the container, the lying count, the binary one in two parts, the withheld one, the one after.
    wait_for(&intake, &host, 37);
    let counted = |text: &str| {
        value(text, "logveil_parse_failures_total{source=\"network\",format=\"syslog\"}") >= Some(3)
            && value(text, "logveil_parse_failures_total{source=\"pods\",format=\"cri\"}") == Some(1)
            && value(text, "logveil_withheld_records_total{reason=\"oversize\"}") == Some(1)
            && value(text, "logveil_source_errors_total{source=\"journal\"}") >= Some(1)
            && value(text, "logveil_source_open{source=\"journal\"}") == Some(0)
            && value(text, "logveil_lines_read_total{source=\"workflows\"}") == Some(30)
    };
    body(admin, "/metrics", counted);
    let ready = body(admin, "/readyz", |text| text.contains("[-] sources"));
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("journal, network"), "{ready}");
    let live = logveil(&host, &["check", "--live"]);
    assert_eq!(live.status.code(), Some(1), "not ready");
    assert!(String::from_utf8_lossy(&live.stdout).contains("[+] delivery ok"));
    assert!(agent.stop().success());
    let own = host.own_log();
    assert!(own.contains("LV0305") && own.contains("oversize=1"), "{own}");
    for said in
        ["LV0801", "install systemd", "something else listens there", "create the socket's folder", "left alone"]
    {
        assert!(own.contains(said), "{said}\n{own}");
    }
    assert_eq!(std::fs::read(host.path("no-socket")).expect("read"), b"a file");
    host.assert_clean();
    let book = intake.ledger().book();
    assert!(book.requests.iter().all(|request| !String::from_utf8_lossy(&request.decoded).contains(CANARY)));
}

#[test]
fn a_busy_admin_port_is_told_and_taken_when_it_is_free() {
    let intake = intake();
    let host = Host::new(&intake.origin(), "");
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let admin = taken.local_addr().expect("an address");
    configure(&host, admin, "");
    let agent = host.start();
    host.append("a.log", &numbered(0, 10));
    wait_for(&intake, &host, 10);
    assert!(host.own_log().contains("LV0601"), "{}", host.own_log());
    drop(taken);
    body(admin, "/livez", |text| text.starts_with("HTTP/1.1 200"));
    body(admin, "/readyz", |text| text.starts_with("HTTP/1.1 200"));
    let live = logveil(&host, &["check", "--live"]);
    assert!(live.status.success(), "{}", String::from_utf8_lossy(&live.stdout));
    assert!(agent.stop().success());
    let gone = logveil(&host, &["check", "--live"]);
    assert_eq!(gone.status.code(), Some(4), "nobody answers");
}

#[test]
fn standard_input_is_a_source_whose_end_stops_no_other() {
    let intake = intake();
    let host = Host::new(&intake.origin(), "");
    configure(&host, free_port(), "  piped: {type: stdin}\n");
    std::fs::write(host.path("input"), format!("{}one more of {CANARY}@mail.example", numbered(0, 20)))
        .expect("written");
    let redirected = format!("exec \"$@\" <{}", host.path("input").display());
    let agent = host.start_under(&["sh", "-c", &redirected, "sh"]);
    wait_for(&intake, &host, 21);
    host.append("a.log", &numbered(0, 30));
    wait_for(&intake, &host, 51);
    assert!(agent.stop().success());
    let book = intake.ledger().book();
    let last = book.stored.iter().find(|stored| stored.event["message"] == "one more of [email]").expect("without end");
    assert_eq!((&last.event["service"], &last.event["logveil"]["source"]), (&"piped".into(), &"piped".into()));
    assert!(book.requests.iter().all(|request| !String::from_utf8_lossy(&request.decoded).contains(CANARY)));
    drop(book);
    host.assert_clean();
}

/// An address of this host that other hosts may reach; nothing is sent to find it.
fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback())
}

#[test]
fn other_hosts_are_served_only_where_that_is_written() {
    let intake = intake();
    let host = Host::new(&intake.origin(), "");
    let admin = SocketAddr::from((Ipv4Addr::UNSPECIFIED, free_port().port()));
    let syslog = SocketAddr::from((Ipv4Addr::UNSPECIFIED, free_port().port()));
    configure(&host, admin, &format!("  network: {{type: syslog, listen: ['tcp://{syslog}', 'udp://{syslog}']}}\n"));
    for command in [&["check", "--offline"] as &[&str], &["run"]] {
        let refused = logveil(&host, command);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{said}");
        for part in ["the admin endpoints would be open to other hosts", "expose: true", "in clear"] {
            assert!(said.contains(part), "{part}\n{said}");
        }
    }
    let path = host.path("logveil.yaml");
    let text = std::fs::read_to_string(&path).expect("read");
    let text = text.replace(&format!("'udp://{syslog}']"), &format!("'udp://{syslog}'], expose: true"));
    std::fs::write(&path, &text).expect("written");
    let refused = logveil(&host, &["run"]);
    assert_eq!(refused.status.code(), Some(5), "a refusal alone: {}", String::from_utf8_lossy(&refused.stderr));
    std::fs::write(&path, text.replace(&format!("listen: '{admin}'"), &format!("listen: '{admin}', expose: true")))
        .expect("written");
    assert!(logveil(&host, &["check", "--offline"]).status.success());
    let agent = host.start();
    let at = |port| SocketAddr::new(outer_address().unwrap_or(Ipv4Addr::LOCALHOST.into()), port);
    body(at(admin.port()), "/readyz", |text| text.starts_with("HTTP/1.1 200"));
    body(at(admin.port()), "/metrics", |text| text.contains("logveil_source_open{source=\"network\"} 1"));
    for path in ["/", "/status", "/reload", "/metrics/"] {
        assert!(get(at(admin.port()), path).expect("an answer").starts_with("HTTP/1.1 404"), "{path}");
    }
    TcpStream::connect(at(syslog.port())).expect("open").write_all(b"<13>over tcp\n").expect("sent");
    let udp = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    udp.send_to(b"<13>over udp", at(syslog.port())).expect("sent");
    wait_for(&intake, &host, 2);
    assert!(agent.stop().success());
}

#[test]
fn every_datagram_arrives_or_is_counted_as_lost() {
    const SENT: u64 = 20_000;
    let intake = intake();
    let host = Host::new(&intake.origin(), "");
    let (admin, syslog) = (free_port(), free_port());
    configure(&host, admin, &format!("  network: {{type: syslog, listen: ['udp://{syslog}']}}\n"));
    let agent = host.start();
    body(admin, "/metrics", |text| value(text, "logveil_source_open{source=\"network\"}") == Some(1));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let send = |from: u64, to: u64| {
        for number in from..to {
            socket.send_to(format!("<13>{number} {}", "x".repeat(900)).as_bytes(), syslog).expect("sent");
        }
    };
    send(0, 500);
    wait_for(&intake, &host, 500);
    // Nobody reads: the kernel keeps what fits into the socket's buffer and drops the rest.
    agent.freeze();
    send(500, SENT);
    agent.thaw();
    let all = |text: &str| {
        let lost = value(text, "logveil_source_lost_records_total{source=\"network\"}").unwrap_or(0);
        let read = value(text, "logveil_lines_read_total{source=\"network\"}").unwrap_or(0);
        lost > 0 && lost + read == SENT
    };
    let metrics = body(admin, "/metrics", all);
    let read = value(&metrics, "logveil_lines_read_total{source=\"network\"}").expect("counted");
    wait_for(&intake, &host, read as usize);
    assert!(host.own_log().contains("the kernel dropped syslog datagrams"), "{}", host.own_log());
    assert!(agent.stop().success());
    assert_eq!(intake.ledger().book().stored.len() as u64, read, "each once");
}

#[test]
fn a_missing_credential_says_what_to_do() {
    let intake = intake();
    let host = Host::new(&intake.origin(), "");
    let path = host.path("logveil.yaml");
    let text = std::fs::read_to_string(&path).expect("read");
    let text = text.lines().map(|line| match line.contains("api_key:") {
        true => "    api_key: credential:dd_api_key\n".to_owned(),
        false => format!("{line}\n"),
    });
    std::fs::write(&path, text.collect::<String>()).expect("written");
    let ran = logveil(&host, &["run"]);
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(3), "{said}");
    assert!(said.contains("dd_api_key") && said.contains("LoadCredential"), "{said}");
    assert!(logveil(&host, &["check", "--offline"]).status.success());
}

#[test]
fn an_unwritable_state_directory_says_what_to_do() {
    let intake = intake();
    let host = Host::new(&intake.origin(), "");
    std::fs::write(host.path("state"), "a file in the way").expect("written");
    let ran = logveil(&host, &["run"]);
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(3), "{said}");
    assert!(said.contains("is no directory"), "{said}");
}

#[test]
fn under_the_journal_lines_have_priorities() {
    use std::os::unix::fs::MetadataExt;
    let intake = intake();
    let host = Host::new(&intake.origin(), "");
    std::fs::write(host.path("own.log"), "").expect("written");
    let meta = std::fs::metadata(host.path("own.log")).expect("a file");
    let agent = host.start_with(&[("JOURNAL_STREAM", &format!("{}:{}", meta.dev(), meta.ino()))]);
    host.append("a.log", &numbered(0, 3));
    wait_for(&intake, &host, 3);
    assert!(agent.stop().success());
    let own = host.own_log();
    assert!(own.lines().any(|line| line.starts_with("<6>info ")), "{own}");
    assert!(own.lines().filter(|line| line.starts_with('<')).all(|line| !line.contains("T10:")), "{own}");
}

/// What the agent tells its service manager, as far as it has come.
struct Manager(std::os::unix::net::UnixDatagram);

impl Manager {
    /// How often each word came since the last call.
    fn heard(&self) -> std::collections::BTreeMap<String, usize> {
        let mut words = std::collections::BTreeMap::new();
        let mut room = [0; 4096];
        while let Ok(len) = self.0.recv(&mut room) {
            let text = String::from_utf8_lossy(&room[..len]).into_owned();
            text.lines().for_each(|line| *words.entry(line.to_owned()).or_default() += 1);
        }
        words
    }

    fn wait_for(&self, word: &str) {
        let end = Instant::now() + LIMIT;
        while !self.heard().contains_key(word) {
            assert!(Instant::now() < end, "{word} is not said");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn the_watchdog_is_fed_while_idle_and_not_while_a_thread_is_stuck() {
    let intake = intake();
    let host = Host::new(&intake.origin(), "");
    let path = host.path("notify").display().to_string();
    let manager = Manager(std::os::unix::net::UnixDatagram::bind(&path).expect("a socket"));
    manager.0.set_nonblocking(true).expect("set");
    // Fed four times in this time while all goes well.
    let variables = [("NOTIFY_SOCKET", path.as_str()), ("WATCHDOG_USEC", "1000000")];
    let agent = host.start_with(&variables);
    manager.wait_for("READY=1");
    (0..3).for_each(|_| manager.wait_for("WATCHDOG=1"));
    assert!(agent.stop().success());
    assert_eq!(manager.heard().get("STOPPING=1"), Some(&1));
    // The disk takes a batch and gives no answer.
    let agent = host.start_with(&[variables[0], variables[1], ("FAILPOINTS", "spool-written=sleep(600000)")]);
    manager.wait_for("WATCHDOG=1");
    host.append("a.log", &numbered(0, 10));
    let end = Instant::now() + LIMIT;
    loop {
        manager.heard();
        std::thread::sleep(Duration::from_secs(2));
        if !manager.heard().contains_key("WATCHDOG=1") {
            break;
        }
        assert!(Instant::now() < end, "a stuck agent feeds its watchdog");
    }
    agent.kill();
    let agent = host.start();
    wait_for(&intake, &host, 10);
    assert!(agent.stop().success());
}

#[test]
fn every_code_that_is_said_has_a_page() {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![src];
    let mut codes = std::collections::BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("text");
            let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
            let code = |at: usize| text.get(at..at + 6).filter(|_| digits(&text[at + 2..]) == 4);
            codes.extend(text.match_indices("LV").filter_map(|(at, _)| code(at)).map(str::to_owned));
        }
    }
    codes.remove("LV9999");
    assert!(codes.len() >= 15, "{codes:?}");
    for code in codes {
        assert!(logveil::telemetry::errors::page(&code).is_some(), "{code} has no page in docs/errors.md");
    }
}
