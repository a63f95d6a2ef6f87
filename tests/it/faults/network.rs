//! Rows N: the way to the intake is refused, cut, stalled or lies.

use super::{assert_whole, intake, pause, run, scene, until};
use crate::host::{Host, KEY, numbered};
use logveil::intake::{Intake, Settings};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An address where nobody listens.
pub(super) fn free_port() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port")
}

/// A server that reads a request and answers with these bytes, then does what `then` says.
fn liar(answer: &'static [u8], then: fn(&mut TcpStream)) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            count.fetch_add(1, Ordering::Relaxed);
            std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(std::time::Duration::from_millis(300)));
                let mut buffer = [0; 65536];
                while stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
                let _ = stream.write_all(answer);
                then(&mut stream);
            });
        }
    });
    (format!("http://{address}"), asked)
}

#[test]
fn n01_refused_then_back() {
    let address = free_port();
    let host = Host::new(&format!("http://{address}"), "");
    host.append("a.log", &numbered(0, 3000));
    let agent = host.start();
    until("a failed delivery is told", &host, || host.own_log().contains("a delivery failed"));
    host.append("a.log", &numbered(3000, 4000));
    let intake = Intake::start(Settings { listen: address, ..Settings::default() }).expect("an intake");
    assert_whole(&intake, &host, 4000);
    assert!(agent.stop().success());
}

#[test]
fn n04_a_name_that_does_not_resolve_is_retried_without_a_storm() {
    let host = Host::new("http://127.0.0.1:9", "");
    host.configure("https://intake.invalid", "residency: {allow: [intake.invalid]}\n");
    host.append("a.log", &numbered(0, 100));
    let mut agent = host.start();
    until("a failed delivery is told", &host, || host.own_log().contains("a delivery failed"));
    pause(2500);
    assert!(agent.is_running());
    assert!(agent.stop().success());
    let intake = intake("");
    host.configure(&intake.origin(), "");
    let agent = host.start();
    assert_whole(&intake, &host, 100);
    assert!(agent.stop().success());
}

#[test]
fn n05_reset_before_in_and_after_the_body() {
    let (intake, host) = scene("cut-before, cut, cut-after, 202, cut, cut-before");
    let agent = host.start();
    for part in 0..4 {
        host.append("a.log", &numbered(part * 500, part * 500 + 500));
        pause(300);
    }
    assert_whole(&intake, &host, 2000);
    assert!(agent.stop().success());
}

#[test]
fn n07_an_answer_byte_by_byte_holds_nothing_up() {
    let (intake, host) = scene("drip, drip");
    host.append("a.log", &numbered(0, 2500));
    let agent = host.start();
    assert_whole(&intake, &host, 2500);
    assert!(agent.stop().success());
}

#[test]
fn n08_an_answer_without_end_is_not_read() {
    let head = b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n";
    let (origin, asked) = liar(head, |stream| {
        let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
        while stream.write_all(&chunk).is_ok() {}
    });
    let host = Host::new(&origin, "");
    host.append("a.log", &numbered(0, 500));
    let mut agent = host.start();
    until("it was asked", &host, || asked.load(Ordering::Relaxed) > 0);
    until("the batch counts as taken", &host, || {
        std::fs::read_dir(host.path("state/spool")).is_ok_and(|mut files| files.next().is_none())
            && host.path("state/checkpoint").exists()
    });
    assert!(agent.is_running());
    let peak = agent.most_memory();
    assert!(peak < 256 << 10, "{peak} KiB");
    assert!(agent.stop().success());
}

#[test]
fn n09_half_an_answer_is_no_answer() {
    let (origin, asked) = liar(b"HTTP/1.1 20", |_| {});
    let host = Host::new(&origin, "");
    host.append("a.log", &numbered(0, 300));
    let agent = host.start();
    until("it was asked twice", &host, || asked.load(Ordering::Relaxed) > 1);
    assert!(agent.stop().success());
    let intake = intake("");
    host.configure(&intake.origin(), "");
    let agent = host.start();
    assert_whole(&intake, &host, 300);
    assert!(agent.stop().success());
}

#[test]
fn n12_a_refused_key_is_replaced_and_401_drops_nothing() {
    let (intake, host) = scene("");
    intake.play("".parse::<logveil::intake::Script>().expect("a script").for_key("old-key-0123456789", 401));
    host.set_key("old-key-0123456789");
    host.append("a.log", &numbered(0, 700));
    let agent = host.start();
    until("the refusal is told", &host, || host.own_log().contains("401"));
    host.set_key(KEY);
    assert_whole(&intake, &host, 700);
    assert!(agent.stop().success());
}

#[test]
fn n13_errors_of_every_kind_now_and_then() {
    let (intake, host) = scene("408, 500, 202, 502, 503, 202, 504, 202, 429, 202");
    let agent = host.start();
    for part in 0..5 {
        host.append("a.log", &numbered(part * 300, part * 300 + 300));
        pause(350);
    }
    assert_whole(&intake, &host, 1500);
    assert!(agent.stop().success());
}

#[test]
fn n20_stored_then_reset_repeats_exactly_that_request() {
    let (intake, host) = scene("202, cut-stored, 202");
    let agent = host.start();
    for part in 0..4 {
        host.append("a.log", &numbered(part * 300, part * 300 + 300));
        pause(400);
    }
    assert_whole(&intake, &host, 1200);
    let cut: usize =
        intake.ledger().book().requests.iter().filter(|r| r.kept && r.status.is_none()).map(|r| r.entries).sum();
    // The request whose answer was lost may be the last one.
    until("the repetition", &host, || super::numbers(&intake).len() >= 1200 + cut);
    let twice = super::numbers(&intake).len() - 1200;
    assert_eq!(twice, cut, "only the request whose answer was lost came again");
    assert!(agent.stop().success());
}

/// A listener whose queue is full and whose connections nobody takes: the kernel answers no further attempt.
#[test]
fn n02_connecting_is_never_answered() {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
    let address = free_port();
    let hole = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).expect("a socket");
    rustix::net::sockopt::set_socket_reuseaddr(&hole, true).expect("set");
    bind(&hole, &address).expect("bound");
    listen(&hole, 0).expect("listening");
    let wait = std::time::Duration::from_millis(300);
    let fillers: Vec<TcpStream> = (0..8).map_while(|_| TcpStream::connect_timeout(&address, wait).ok()).collect();
    assert!(fillers.len() < 8, "the hole is black");
    let host = Host::new(&format!("http://{address}"), "");
    host.append("a.log", &numbered(0, 2000));
    let agent = host.start();
    until("the silence is told", &host, || host.own_log().contains("a delivery failed"));
    host.append("a.log", &numbered(2000, 2500));
    drop((hole, fillers));
    let intake = Intake::start(Settings { listen: address, ..Settings::default() }).expect("an intake");
    assert_whole(&intake, &host, 2500);
    assert!(agent.stop().success());
}

/// A network of its own for one agent, with a way to this process; gone when dropped.
struct Network {
    name: String,
    number: u32,
}

impl Network {
    /// None, said loudly, where networks cannot be made.
    fn new() -> Option<Network> {
        let number = std::process::id();
        let network = Network { name: format!("lv{number}"), number };
        let (name, near, far) = (&network.name, format!("lva{number}"), format!("lvb{number}"));
        let made = run("ip", &["netns", "add", name], None)
            && run("ip", &["link", "add", &near, "type", "veth", "peer", "name", &far, "netns", name], None)
            && run("ip", &["address", "add", &format!("{}/30", network.near()), "dev", &near], None)
            && run("ip", &["link", "set", &near, "up"], None)
            && network.inside(&["address", "add", &format!("{}/30", network.far()), "dev", &far])
            && network.inside(&["link", "set", &far, "up"])
            && network.inside(&["link", "set", "lo", "up"]);
        made.then_some(network)
    }

    fn near(&self) -> String {
        format!("10.213.{}.{}", self.number / 64 % 256, self.number % 64 * 4 + 1)
    }

    fn far(&self) -> String {
        format!("10.213.{}.{}", self.number / 64 % 256, self.number % 64 * 4 + 2)
    }

    fn inside(&self, words: &[&str]) -> bool {
        run("ip", &[&["-n", &self.name], words].concat(), None)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = std::process::Command::new("ip").args(["netns", "delete", &self.name]).status();
        let near = format!("lva{}", self.number);
        let _ = std::process::Command::new("ip")
            .args(["link", "delete", &near])
            .stderr(std::process::Stdio::null())
            .status();
    }
}

/// An intake under TLS at an address, for a name; what trusts it is written into the host's folder.
pub(super) fn trusted(host: &Host, listen: std::net::SocketAddr, name: &str) -> Intake {
    let certificate = host.path("certificate");
    if !certificate.exists() {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        std::fs::write(&certificate, made.cert.pem()).expect("written");
        std::fs::write(host.path("certificate.key"), made.signing_key.serialize_pem()).expect("written");
    }
    let read = |name: &str| std::fs::read(host.path(name)).expect("read");
    let tls = logveil::intake::Tls { chain: read("certificate"), key: read("certificate.key") };
    Intake::start(Settings { listen, tls: Some(tls), ..Settings::default() }).expect("an intake")
}

pub(super) fn configure_for(host: &Host, name: &str, port: u16) {
    let tls =
        format!("    tls: {{ca_file: '{}'}}\nresidency: {{allow: ['{name}']}}\n", host.path("certificate").display());
    host.configure(&format!("https://{name}:{port}"), &tls);
}

#[test]
fn n03_no_route_and_back() {
    let Some(network) = Network::new() else { return };
    let host = Host::new("http://127.0.0.1:9", "");
    let address = format!("{}:0", network.near()).parse().expect("an address");
    let intake = trusted(&host, address, &network.near());
    configure_for(&host, &network.near(), intake.address().port());
    host.append("a.log", &numbered(0, 200));
    let agent = host.start_under(&["ip", "netns", "exec", &network.name]);
    super::wait_for_numbers(&intake, &host, 200);
    let mut written = 200;
    for kind in ["unreachable", "prohibit", "blackhole"] {
        let route = [kind, network.near().as_str()].map(str::to_owned);
        assert!(network.inside(&["route", "add", &route[0], &route[1]]));
        // Live connections would only be given up in time.
        let _ = run("ip", &["netns", "exec", &network.name, "ss", "-K", "dst", &network.near()], None);
        let told = host.own_log().matches("a delivery failed").count();
        host.append("a.log", &numbered(written, written + 300));
        written += 300;
        until("the missing route is told", &host, || host.own_log().matches("a delivery failed").count() > told);
        assert!(network.inside(&["route", "delete", &route[0], &route[1]]));
        super::wait_for_numbers(&intake, &host, written as u64);
    }
    assert_whole(&intake, &host, written as u64);
    assert!(agent.stop().success());
}

/// A name server that answers as told: an address, nothing at all, or that there is no such name.
struct Names {
    answer: Arc<std::sync::Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone, Copy)]
enum Answer {
    Address([u8; 4]),
    Silence,
    NoSuchName,
}

impl Names {
    /// None, said loudly, where the port of name servers cannot be taken.
    fn start(at: &str) -> Option<Names> {
        let Ok(socket) = std::net::UdpSocket::bind((at, 53)) else {
            super::skipped("a name server's port");
            return None;
        };
        let (answer, asked) = (Arc::new(std::sync::Mutex::new(Answer::NoSuchName)), Arc::new(AtomicUsize::new(0)));
        let names = Names { answer: answer.clone(), asked: asked.clone() };
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((count, from)) = socket.recv_from(&mut query) {
                asked.fetch_add(1, Ordering::Relaxed);
                let now = *answer.lock().expect("no panic");
                if let Some(reply) = reply(&query[..count], now) {
                    let _ = socket.send_to(&reply, from);
                }
            }
        });
        Some(names)
    }

    fn say(&self, answer: Answer) {
        *self.answer.lock().expect("no panic") = answer;
    }
}

/// The question with its answer: one address for type A, none for other types.
fn reply(query: &[u8], answer: Answer) -> Option<Vec<u8>> {
    let name_end = 12 + query.get(12..)?.iter().position(|&byte| byte == 0)? + 1;
    let question = query.get(12..name_end + 4)?;
    let is_a = query[name_end..name_end + 2] == [0, 1];
    let (code, address) = match answer {
        Answer::Silence => return None,
        Answer::NoSuchName => (3, None),
        Answer::Address(address) => (0, Some(address).filter(|_| is_a)),
    };
    let mut out = query[..2].to_vec();
    out.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    out.extend(question);
    if let Some(address) = address {
        out.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        out.extend(address);
    }
    Some(out)
}

#[test]
fn n04_no_name_no_answer_a_late_one_and_a_changed_one() {
    let number = std::process::id() as u8 % 200;
    let server = format!("127.77.{number}.1");
    let Some(names) = Names::start(&server) else { return };
    let host = Host::new("http://127.0.0.1:9", "");
    std::fs::write(host.path("resolv.conf"), format!("nameserver {server}\noptions timeout:1 attempts:2\n"))
        .expect("written");
    let resolver = format!("mount --bind '{}' /etc/resolv.conf", host.path("resolv.conf").display());
    if !run("unshare", &["-m", "sh", "-c", &resolver], None) {
        return;
    }
    let first = trusted(&host, ([127, 77, number, 2], 0).into(), "intake.test");
    configure_for(&host, "intake.test", first.address().port());
    host.append("a.log", &numbered(0, 300));
    let become_agent = format!("{resolver} && exec \"$0\" \"$@\"");
    let agent = host.start_under(&["unshare", "-m", "sh", "-c", &become_agent]);
    until("it was asked", &host, || names.asked.load(Ordering::Relaxed) > 0);
    pause(3000);
    let asked = names.asked.load(Ordering::Relaxed);
    assert!(asked <= 60, "{asked} questions in three seconds");
    names.say(Answer::Silence);
    pause(2500);
    names.say(Answer::Address([127, 77, number, 2]));
    super::wait_for_numbers(&first, &host, 300);
    // The intake moves: the old address refuses, the name leads elsewhere.
    let port = first.address().port();
    let moved = trusted(&host, ([127, 77, number, 3], port).into(), "intake.test");
    names.say(Answer::Address([127, 77, number, 3]));
    drop(first);
    host.append("a.log", &numbered(300, 600));
    crate::host::wait_for(&moved, &host, 300);
    let arrived: std::collections::BTreeSet<u64> = super::numbers(&moved).into_iter().collect();
    assert!((300..600).all(|n| arrived.contains(&n)));
    assert!(agent.stop().success());
    crate::host::assert_wire(&moved);
    host.assert_clean();
}
