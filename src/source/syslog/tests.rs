//! Real sockets: what goes in as messages comes out as records.

use super::frame::MAX_MESSAGE;
use super::*;
use crate::record::StreamId;
use crate::source::stream_ids::StreamIds;
use crate::source::{Chunk, Durable, Fill, Met, Placed, Source};
use std::collections::HashMap;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::{Duration, Instant};

fn syslog(listen: Vec<Listen>, tls: Option<Tls>, durable: &Durable) -> Syslog {
    let settings = Settings { listen, tls, zone: Zone::Utc };
    let ids = StreamIds::new(&[1; 32], "syslog", "in");
    Syslog::new(Parts { settings, ids, source: 0, saved: Vec::new(), durable: durable.clone() })
}

fn any_port() -> std::net::SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// The source with its sockets open, and its ports.
fn opened(listen: Vec<Listen>) -> (Syslog, Vec<Option<u16>>) {
    let mut source = syslog(listen, None, &Durable::default());
    assert!(matches!(source.fill(Vec::new()), Ok(Fill::Idle)));
    let ports = source.ports();
    (source, ports)
}

fn texts(chunk: &Chunk) -> Vec<String> {
    let mut start = 0;
    let text = |record: &Placed| {
        let text = &chunk.bytes[start..record.end as usize];
        start = record.end as usize;
        String::from_utf8_lossy(text).trim_end_matches('\n').to_owned()
    };
    chunk.layout.as_ref().expect("messages are laid out").records.iter().map(text).collect()
}

/// Chunks until `enough`, within 20 seconds; each stream's chunks follow each other without gap.
fn take(source: &mut Syslog, mut enough: impl FnMut(&[Chunk]) -> bool) -> Vec<Chunk> {
    let (mut chunks, mut places) = (Vec::new(), HashMap::<StreamId, _>::new());
    let end = Instant::now() + Duration::from_secs(20);
    while !enough(&chunks) && Instant::now() < end {
        match source.fill(Vec::new()).expect("it reads") {
            Fill::Chunk(chunk) => {
                let before = places.insert(chunk.info.stream, chunk.to);
                assert_eq!(before.unwrap_or(chunk.from), chunk.from, "no gap, no overlap");
                chunks.push(chunk);
            }
            Fill::Idle => source.wait(Duration::from_millis(50)),
            Fill::End => panic!("it does not end"),
        }
    }
    chunks
}

fn take_texts(source: &mut Syslog, count: usize) -> Vec<String> {
    let chunks = take(source, |chunks| chunks.iter().map(|c| texts(c).len()).sum::<usize>() >= count);
    chunks.iter().flat_map(texts).collect()
}

#[test]
fn tcp_in_any_cut_gives_the_same_records_and_places() {
    let stream = b"<38>Nov 23 11:05:09 db1 sshd[1]: one\n22 <14>1 - h a - - - t\nwo<13>three\r\n<13>last without end";
    let expected =
        ["<38>Nov 23 11:05:09 db1 sshd[1]: one", "<14>1 - h a - - - t\nwo", "<13>three", "<13>last without end"];
    let (mut source, ports) = opened(vec![Listen::Tcp(any_port())]);
    let mut places = Vec::new();
    for size in [1, 3, 10, 1000] {
        let mut to = TcpStream::connect((Ipv4Addr::LOCALHOST, ports[0].unwrap())).unwrap();
        to.set_nodelay(true).unwrap();
        let writing = std::thread::spawn(move || stream.chunks(size).for_each(|part| to.write_all(part).unwrap()));
        let chunks = take(&mut source, |chunks| chunks.last().is_some_and(|chunk| chunk.last));
        writing.join().unwrap();
        assert_eq!(chunks.iter().flat_map(texts).collect::<Vec<_>>(), expected);
        let records = chunks.iter().flat_map(|chunk| &chunk.layout.as_ref().unwrap().records);
        places.push(records.map(|record| record.at).collect::<Vec<_>>());
    }
    assert!(places.iter().all(|other| *other == places[0]));
    assert_eq!(source.met(), Met::default());
}

#[test]
fn datagrams_and_unix_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let (log, stream) = (folder.path().join("log"), folder.path().join("stream"));
    let listen = vec![Listen::Udp(any_port()), Listen::UnixDatagram(log.clone()), Listen::UnixStream(stream.clone())];
    let (mut source, ports) = opened(listen);
    let to = UdpSocket::bind(any_port()).unwrap();
    to.send_to(b"<13>Nov 23 10:05:09 h app: one\n", (Ipv4Addr::LOCALHOST, ports[0].unwrap())).unwrap();
    assert_eq!(take_texts(&mut source, 1), ["<13>Nov 23 10:05:09 h app: one"]);
    let to = UnixDatagram::unbound().unwrap();
    to.send_to(b"<13>Nov 23 10:05:09 cron[7]: two\0", &log).unwrap();
    let chunks = take(&mut source, |chunks| !chunks.is_empty());
    let layout = chunks[0].layout.as_ref().unwrap();
    assert_eq!(texts(&chunks[0]), ["<13>Nov 23 10:05:09 cron[7]: two"]);
    assert_eq!((layout.text(&layout.records[0].service), layout.records[0].host.is_empty()), (&b"cron"[..], true));
    UnixStream::connect(&stream).unwrap().write_all(b"<13>three\n7 <13>4 5").unwrap();
    assert_eq!(take_texts(&mut source, 2), ["<13>three", "<13>4 5"]);
}

#[test]
fn what_is_not_as_it_should_be_is_counted_and_kept() {
    let (mut source, ports) = opened(vec![Listen::Tcp(any_port())]);
    let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, ports[0].unwrap())).unwrap();
    connect().write_all(b"99 <13>ends before its count").unwrap();
    assert_eq!(take_texts(&mut source, 1), ["99 <13>ends before its count"]);
    connect().write_all(b"no priority \xff\x01 binary\n").unwrap();
    assert_eq!(take_texts(&mut source, 1).len(), 1);
    let long = std::thread::spawn({
        let mut to = connect();
        move || {
            to.write_all(format!("{} <13>", MAX_MESSAGE + 5).as_bytes()).unwrap();
            to.write_all(&vec![b'x'; MAX_MESSAGE + 1]).unwrap();
            to.write_all(b"<13>after\n").unwrap();
        }
    });
    let chunks = take(&mut source, |chunks| chunks.last().is_some_and(|chunk| chunk.last));
    long.join().unwrap();
    let records: Vec<bool> =
        chunks.iter().flat_map(|chunk| &chunk.layout.as_ref().unwrap().records).map(|r| r.too_long).collect();
    assert_eq!(records, [true, false]);
    assert_eq!(chunks.iter().flat_map(texts).collect::<Vec<_>>(), ["<", "<13>after"]);
    // Both messages that lack a priority, one of them because its count lies.
    assert_eq!(source.met(), Met { malformed: 2, too_long: 1, cut_short: 1, ..Met::default() });
}

#[test]
fn a_port_in_use_does_not_stop_the_others() {
    let taken = TcpListener::bind(any_port()).unwrap();
    let (mut source, ports) = opened(vec![Listen::Tcp(taken.local_addr().unwrap()), Listen::Tcp(any_port())]);
    assert!(ports[0].is_none());
    assert_eq!(source.met().closed, 1);
    TcpStream::connect((Ipv4Addr::LOCALHOST, ports[1].unwrap())).unwrap().write_all(b"<13>x\n").unwrap();
    assert_eq!(take_texts(&mut source, 1), ["<13>x"]);
}

#[test]
fn nothing_is_lost_over_tcp() {
    const LINES: usize = 40_000;
    let (mut source, ports) = opened(vec![Listen::Tcp(any_port())]);
    let port = ports[0].unwrap();
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            std::thread::spawn(move || {
                let mut to = std::io::BufWriter::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap());
                for i in 0..LINES / 4 {
                    writeln!(to, "<13>Nov 23 10:05:09 h app[{sender}]: message {i} of some length").unwrap();
                }
            })
        })
        .collect();
    let mut ends = 0;
    let mut seen = 0;
    let chunks = take(&mut source, |chunks| {
        ends += chunks[seen..].iter().filter(|chunk| chunk.last).count();
        seen = chunks.len();
        ends == 4
    });
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    let mut streams = HashMap::<StreamId, Vec<String>>::new();
    for chunk in &chunks {
        streams.entry(chunk.info.stream).or_default().extend(texts(chunk));
    }
    assert_eq!(streams.len(), 4, "a stream a connection");
    for lines in streams.values() {
        assert_eq!(lines.len(), LINES / 4);
        assert!(lines.iter().enumerate().all(|(i, line)| line.contains(&format!(": message {i} of"))), "in order");
    }
}

#[test]
fn streams_of_the_past_and_closed_connections_are_forgotten_when_safe() {
    let durable = Durable::default();
    let ids = StreamIds::new(&[1; 32], "syslog", "in");
    let (old, foreign) = (ids.fresh(), StreamIds::new(&[1; 32], "syslog", "other").fresh());
    let settings = Settings { listen: vec![Listen::Tcp(any_port())], ..Settings::default() };
    let saved = vec![old, foreign];
    let mut source = Syslog::new(Parts { settings, ids, source: 0, saved, durable: durable.clone() });
    assert_eq!(durable.take_ended(), [old]);
    let _ = source.fill(Vec::new());
    let port = source.ports()[0].unwrap();
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap().write_all(b"<13>x\n").unwrap();
    let chunks = take(&mut source, |chunks| chunks.last().is_some_and(|chunk| chunk.last));
    let (stream, end) = (chunks[0].info.stream, chunks.last().unwrap().to);
    source.look_after_now();
    assert_eq!(durable.take_ended(), []);
    durable.advance(stream, end);
    source.look_after_now();
    assert_eq!(durable.take_ended(), [stream]);
}

#[test]
fn messages_under_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let files = Tls { cert_file: folder.path().join("cert.pem"), key_file: folder.path().join("key.pem") };
    std::fs::write(&files.cert_file, made.cert.pem()).unwrap();
    std::fs::write(&files.key_file, made.signing_key.serialize_pem()).unwrap();
    let mut source = syslog(vec![Listen::Tls(any_port())], Some(files), &Durable::default());
    let _ = source.fill(Vec::new());
    let port = source.ports()[0].unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let writing = std::thread::spawn(move || {
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "localhost".try_into().unwrap();
        let mut session = rustls::ClientConnection::new(std::sync::Arc::new(config), name).unwrap();
        let mut wire = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let mut to = rustls::Stream::new(&mut session, &mut wire);
        for i in 0..5000 {
            to.write_all(format!("{} <13>message {i:04}", 16).as_bytes()).unwrap();
        }
        session.send_close_notify();
        session.complete_io(&mut wire).unwrap();
    });
    let chunks = take(&mut source, |chunks| chunks.last().is_some_and(|chunk| chunk.last));
    writing.join().unwrap();
    let found: Vec<String> = chunks.iter().flat_map(texts).collect();
    assert_eq!(found.len(), 5000);
    assert!(found.iter().enumerate().all(|(i, message)| *message == format!("<13>message {i:04}")));
}
