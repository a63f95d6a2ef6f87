//! Rows N17 and N18: what stands between the agent and the intake cannot be trusted, or works now and then.

use super::network::{configure_for, free_port, trusted};
use super::{assert_whole, until, wait_for_numbers};
use crate::host::{Host, KEY, numbered};
use logveil::intake::{Intake, Settings, Tls};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A certificate for an address that was valid once; it is added to what the host trusts.
fn expired(host: &Host, name: &str) -> Tls {
    let mut parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
    parameters.not_before = rcgen::date_time_ymd(2019, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let key = rcgen::KeyPair::generate().expect("a key");
    let made = parameters.self_signed(&key).expect("a certificate").pem();
    let path = host.path("certificate");
    let known = std::fs::read_to_string(&path).expect("read");
    std::fs::write(&path, format!("{known}{made}")).expect("written");
    Tls { chain: made.into_bytes(), key: key.serialize_pem().into_bytes() }
}

#[test]
fn n17_an_expired_certificate_a_handshake_that_stalls_and_a_good_one() {
    let address = free_port();
    let host = Host::new("http://127.0.0.1:9", "");
    // Makes what is trusted; nobody listens there.
    let other = trusted(&host, ([127, 0, 0, 1], 0).into(), "127.0.0.1");
    let good = [host.path("certificate"), host.path("certificate.key")].map(|path| std::fs::read(path).expect("read"));
    let old = expired(&host, "127.0.0.1");
    drop(other);
    configure_for(&host, "127.0.0.1", address.port());
    host.append("a.log", &numbered(0, 300));

    let intake = Intake::start(Settings { listen: address, tls: Some(old), ..Settings::default() }).expect("an intake");
    let agent = host.start();
    until("the old certificate is told", &host, || host.own_log().contains("xpired"));
    assert!(intake.ledger().book().requests.is_empty(), "no byte of a request without trust");
    drop(intake);

    let silent = TcpListener::bind(address).expect("a port");
    let taken: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let (listener, keeps) = (silent.try_clone().expect("a descriptor"), taken.clone());
    let keeper = std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            keeps.lock().expect("no panic").push(stream);
        }
    });
    until("a handshake was given up", &host, || taken.lock().expect("no panic").len() > 1);
    rustix::net::shutdown(&silent, rustix::net::Shutdown::Both).expect("shut down");
    keeper.join().expect("no panic");
    drop(silent);
    for mut stream in taken.lock().expect("no panic").drain(..) {
        let mut hello = Vec::new();
        let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
        let _ = stream.read_to_end(&mut hello);
        assert!(!hello.windows(KEY.len()).any(|window| window == KEY.as_bytes()));
    }

    let [chain, key] = good;
    let tls = Some(Tls { chain, key });
    let intake = Intake::start(Settings { listen: address, tls, ..Settings::default() }).expect("an intake");
    assert_whole(&intake, &host, 300);
    assert!(agent.stop().success());
}

/// What a proxy does to a request for a tunnel.
#[derive(Clone, Copy, Debug)]
enum Tunnel {
    Opens,
    WantsPassword,
    Stalls,
    CloseThen,
    Garbage,
    HangsUp,
}

/// A proxy that does as told, and keeps what it was asked in the clear.
struct Proxy {
    address: SocketAddr,
    does: Arc<Mutex<Tunnel>>,
    heads: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(intake: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (does, heads) = (Arc::new(Mutex::new(Tunnel::HangsUp)), Arc::new(Mutex::new(Vec::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (told, kept, count) = (does.clone(), heads.clone(), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (now, kept) = (*told.lock().expect("no panic"), kept.clone());
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::spawn(move || tunnel(stream, now, intake, &kept));
            }
        });
        Proxy { address, does, heads, asked }
    }

    fn now(&self, does: Tunnel) {
        *self.does.lock().expect("no panic") = does;
    }
}

fn tunnel(mut client: TcpStream, does: Tunnel, intake: SocketAddr, heads: &Mutex<Vec<u8>>) {
    if matches!(does, Tunnel::HangsUp) {
        return;
    }
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    heads.lock().expect("no panic").extend(&head);
    let open = b"HTTP/1.1 200 Connection established\r\n\r\n";
    let _ = match does {
        Tunnel::WantsPassword => {
            client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        }
        Tunnel::Stalls => {
            std::thread::sleep(Duration::from_secs(20));
            return;
        }
        Tunnel::Garbage => client.write_all(open).and_then(|()| client.write_all(&[b'?'; 4096])),
        _ => client.write_all(open),
    };
    if matches!(does, Tunnel::Opens) {
        let Ok(server) = TcpStream::connect(intake) else { return };
        let (from, to) = (client.try_clone().expect("a descriptor"), server.try_clone().expect("a descriptor"));
        std::thread::spawn(move || relay(from, to));
        relay(server, client);
    }
}

fn relay(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[test]
fn n18_a_proxy_that_fails_in_every_way_and_recovers() {
    let host = Host::new("http://127.0.0.1:9", "");
    let intake = trusted(&host, ([127, 0, 0, 1], 0).into(), "intake.test");
    let proxy = Proxy::start(intake.address());
    let tls = format!(
        "    tls: {{ca_file: '{}'}}\n    proxy: http://{}\nresidency: {{allow: [intake.test]}}\n",
        host.path("certificate").display(),
        proxy.address
    );
    host.configure(&format!("https://intake.test:{}", intake.address().port()), &tls);
    host.append("a.log", &numbered(0, 100));
    let agent = host.start();
    let mut written = 100;
    let ways = [Tunnel::HangsUp, Tunnel::WantsPassword, Tunnel::CloseThen, Tunnel::Garbage, Tunnel::Stalls];
    for does in ways {
        proxy.now(does);
        let before = proxy.asked.load(Ordering::Relaxed);
        // A tunnel that stands would carry it.
        intake.play("|cut-before".parse().expect("a script"));
        host.append("a.log", &numbered(written, written + 100));
        written += 100;
        until(&format!("{does:?} is met"), &host, || proxy.asked.load(Ordering::Relaxed) > before);
        proxy.now(Tunnel::Opens);
        intake.play("".parse().expect("a script"));
        wait_for_numbers(&intake, &host, written as u64);
    }
    assert_whole(&intake, &host, written as u64);
    assert!(host.own_log().contains("a delivery failed"));
    assert!(agent.stop().success());
    let heads = String::from_utf8_lossy(&proxy.heads.lock().expect("no panic")).into_owned();
    assert!(heads.contains("CONNECT intake.test:") && !heads.contains(KEY), "{heads}");
}

/// Passes everything on, and half-closes a connection towards the agent a moment after each answer: the next request
/// meets a connection that is closing.
fn half_closing(intake: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::Relaxed);
            let Ok(server) = TcpStream::connect(intake) else { return };
            std::thread::spawn(move || answer_and_half_close(server, client));
        }
    });
    (address, taken)
}

fn answer_and_half_close(mut server: TcpStream, mut client: TcpStream) {
    let (mut from, mut to) = (client.try_clone().expect("a descriptor"), server.try_clone().expect("a descriptor"));
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = server.read(&mut buffer) {
        let _ = client.write_all(&buffer[..count]);
        let _ = server.set_read_timeout(Some(Duration::from_millis(5)));
    }
    let _ = client.shutdown(std::net::Shutdown::Write);
    std::thread::sleep(Duration::from_millis(500));
}

#[test]
fn n19_a_connection_half_closed_as_the_next_request_starts() {
    let intake = super::intake("");
    let (relay, taken) = half_closing(intake.address());
    let host = Host::new(&format!("http://{relay}"), "");
    host.append("a.log", &numbered(0, 5000));
    let agent = host.start();
    for part in 0..10 {
        std::thread::sleep(Duration::from_millis(150));
        host.append("a.log", &numbered(5000 + part * 50, 5050 + part * 50));
    }
    assert_whole(&intake, &host, 5500);
    assert!(taken.load(Ordering::Relaxed) > 1);
    assert!(agent.stop().success());
}
