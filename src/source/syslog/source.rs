//! Drives all sockets of one source on its thread.
//!
//! Invariants: a socket that cannot be opened is tried again and does not stop the others; each connection gets
//! its share a turn; nothing is read while nobody takes chunks, so senders over TCP wait instead of losing. What
//! senders over UDP lose then, the kernel counts and we tell.

use super::connection::{Connection, Stream, accept};
use super::listener::{Listen, Listener, Socket, advice};
use super::parse::Clock;
use super::{Settings, Zone, tls};
use crate::record::{Position, StreamId};
use crate::source::contract::Durable;
use crate::source::stream_ids::{self, StreamIds};
use crate::source::{Chunk, Fill, Met, Source, SourceError, StreamInfo, timespec};
use rustix::event::{PollFd, PollFlags, poll};
use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most connections; more wait in the kernel.
const MAX_CONNECTIONS: usize = 1024;
/// Most bytes of unfinished messages over all connections.
const MAX_WAITING: usize = 64 << 20;
/// A connection that holds more than this is closed when all together hold too much.
const FAIR_WAITING: usize = 256 << 10;
/// Time between two tries to open a socket, and between two looks at losses.
const AGAIN: Duration = Duration::from_secs(5);
/// Room for one read; also the longest datagram.
const READ: usize = 64 << 10;

/// What a syslog source is built from.
pub struct Parts {
    /// Where to listen.
    pub settings: Settings,
    /// Identities.
    pub ids: StreamIds,
    /// Place of the source in the configuration.
    pub source: usize,
    /// Streams that are known from earlier starts.
    pub saved: Vec<StreamId>,
    /// How far streams are safe.
    pub durable: Durable,
}

/// The source.
pub struct Syslog {
    settings: Settings,
    ids: StreamIds,
    source: usize,
    durable: Durable,
    begin: Position,
    doors: Vec<Door>,
    connections: Vec<Connection>,
    ready: VecDeque<Chunk>,
    /// Streams whose last records were handed out.
    ended: Vec<(StreamId, Position)>,
    room: Vec<u8>,
    met: Met,
    told: Met,
    looked: Option<Instant>,
}

/// One configured socket.
struct Door {
    listen: Listen,
    open: Option<Open>,
    failing: bool,
}

struct Open {
    listener: Listener,
    tls: Option<Arc<rustls::ServerConfig>>,
    /// Records of datagrams.
    stream: Stream,
}

impl Syslog {
    /// Builds the source; sockets are opened at the first [`Source::fill`].
    pub fn new(parts: Parts) -> Syslog {
        let Parts { settings, ids, source, saved, durable } = parts;
        // Connections of earlier starts cannot go on.
        saved.into_iter().filter(|stream| ids.is_own(*stream)).for_each(|stream| durable.end(stream));
        let door = |listen: &Listen| Door { listen: listen.clone(), open: None, failing: false };
        Syslog {
            doors: settings.listen.iter().map(door).collect(),
            settings,
            ids,
            source,
            durable,
            begin: stream_ids::beginning(),
            connections: Vec::new(),
            ready: VecDeque::new(),
            ended: Vec::new(),
            room: vec![0; READ],
            met: Met::default(),
            told: Met::default(),
            looked: None,
        }
    }

    /// Ports of the open sockets, in the order configured.
    pub fn ports(&self) -> Vec<Option<u16>> {
        self.doors.iter().map(|door| door.open.as_ref().and_then(|open| open.listener.socket.port())).collect()
    }

    #[cfg(test)]
    pub(super) fn look_after_now(&mut self) {
        self.looked = None;
        self.look_after();
    }

    fn fresh_stream(&self, local: bool) -> Stream {
        let info = StreamInfo { stream: self.ids.fresh(), source: self.source, path: None };
        Stream::new(Arc::new(info), self.begin, local)
    }

    /// Opens what is closed, closes streams that are safe, tells what was met.
    fn look_after(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < AGAIN) {
            return;
        }
        self.looked = Some(Instant::now());
        for number in 0..self.doors.len() {
            if self.doors[number].open.is_none() {
                self.open(number);
            }
        }
        let durable = &self.durable;
        self.ended.retain(|(stream, end)| {
            let safe = durable.position(*stream).is_some_and(|at| at >= *end);
            if safe {
                durable.end(*stream);
            }
            !safe
        });
        self.tell();
    }

    fn open(&mut self, number: usize) {
        let listen = self.doors[number].listen.clone();
        let config = match (&listen, &self.settings.tls) {
            (Listen::Tls(_), Some(files)) => tls::server(files).map(Some),
            (Listen::Tls(_), None) => Err(std::io::Error::other("tls.cert_file and tls.key_file are missing")),
            _ => Ok(None),
        };
        let opened = config.and_then(|config| Ok((listen.open()?, config)));
        match opened {
            Ok((listener, tls)) => {
                let stream = self.fresh_stream(listener.socket.is_local());
                let door = &mut self.doors[number];
                door.open = Some(Open { listener, tls, stream });
                door.failing = false;
            }
            Err(error) => {
                if !std::mem::replace(&mut self.doors[number].failing, true) {
                    let todo = advice(&error);
                    tracing::warn!(code = "LV0801", listen = %listen, %error, todo, "cannot listen; trying again every 5 s");
                }
            }
        }
    }

    fn tell(&mut self) {
        let told = std::mem::replace(&mut self.told, self.met);
        let more = |now: u64, before: u64| now.checked_ilog2() != before.checked_ilog2();
        if more(self.met.malformed, told.malformed) {
            tracing::warn!(messages = self.met.malformed, "syslog messages without a priority; shipped as they are");
        }
        if more(self.met.too_long, told.too_long) {
            tracing::warn!(messages = self.met.too_long, "syslog messages over 8 MiB; withheld");
        }
        if more(self.met.cut_short, told.cut_short) {
            tracing::warn!(
                messages = self.met.cut_short,
                "syslog messages shorter than their count; shipped as they are"
            );
        }
        let dropped = self.doors.iter().filter_map(|door| kernel_drops(&door.open.as_ref()?.listener.socket)).sum();
        if dropped > std::mem::replace(&mut self.met.lost, dropped) {
            tracing::error!(datagrams = dropped, "the kernel dropped syslog datagrams: reading was too slow; use tcp");
        }
    }

    /// One turn of everything that can be read.
    fn turn(&mut self) {
        let ready = self.poll(Duration::ZERO);
        let clock = self.clock();
        let doors = self.doors.len();
        let mut accepted = Vec::new();
        for (number, _) in ready.iter().enumerate().filter(|(number, ready)| **ready && *number < doors) {
            if let Some(open) = &mut self.doors[number].open {
                open.stream.receive(&open.listener.socket, &mut self.room, clock, &mut self.met);
                self.ready.extend(open.stream.chunk(false));
                let tls = open.tls.as_ref();
                let local = open.listener.socket.is_local();
                let free = MAX_CONNECTIONS.saturating_sub(self.connections.len() + accepted.len());
                accepted.extend((0..free).map_while(|_| accept(&open.listener.socket, tls).ok()).map(|w| (w, local)));
            }
        }
        let crowded = self.connections.iter().map(Connection::waiting).sum::<usize>() > MAX_WAITING;
        let mut rest = Vec::with_capacity(self.connections.len() + accepted.len());
        for (number, mut connection) in (doors..).zip(std::mem::take(&mut self.connections)) {
            let mut over = ready.get(number) == Some(&true) && connection.read(&mut self.room, clock, &mut self.met);
            if crowded && connection.waiting() > FAIR_WAITING {
                tracing::warn!("too many unfinished syslog messages; a connection was closed");
                over = true;
            }
            self.ready.extend(connection.stream.chunk(over));
            match over {
                true if connection.stream.at > self.begin => {
                    self.ended.push((connection.stream.info.stream, connection.stream.at));
                }
                true => {}
                false => rest.push(connection),
            }
        }
        rest.extend(accepted.into_iter().map(|(wire, local)| Connection::new(wire, self.fresh_stream(local))));
        self.connections = rest;
    }

    /// Which sockets, then which connections, can be read.
    fn poll(&self, limit: Duration) -> Vec<bool> {
        let full = self.connections.len() >= MAX_CONNECTIONS;
        let mut fds = Vec::with_capacity(self.doors.len() + self.connections.len());
        let mut places = Vec::with_capacity(fds.capacity());
        for (number, door) in self.doors.iter().enumerate() {
            if let Some(open) = &door.open
                && !(full && matches!(open.listener.socket, Socket::Tcp(_) | Socket::UnixStream(_)))
            {
                fds.push(PollFd::from_borrowed_fd(open.listener.socket.as_fd(), PollFlags::IN));
                places.push(number);
            }
        }
        for (number, connection) in self.connections.iter().enumerate() {
            fds.push(PollFd::from_borrowed_fd(connection.wire.as_fd(), PollFlags::IN));
            places.push(self.doors.len() + number);
        }
        let mut ready = vec![false; self.doors.len() + self.connections.len()];
        if poll(&mut fds, Some(&timespec(limit))).is_ok() {
            for (fd, place) in fds.iter().zip(places) {
                ready[place] = !fd.revents().is_empty();
            }
        }
        ready
    }

    fn clock(&self) -> Clock {
        let now = stream_ids::now();
        let utc_offset = match self.settings.zone {
            Zone::Utc => 0,
            Zone::Local => jiff::Timestamp::from_millisecond(now)
                .map_or(0, |now| jiff::tz::TimeZone::system().to_offset(now).seconds()),
        };
        Clock { now, utc_offset }
    }
}

/// Datagrams that the kernel dropped because nobody read them in time, as `/proc/net/udp` counts them.
fn kernel_drops(socket: &Socket) -> Option<u64> {
    let Socket::Udp(socket) = socket else { return None };
    let inode = rustix::fs::fstat(socket).ok()?.st_ino.to_string();
    let table = if socket.local_addr().ok()?.is_ipv6() { "/proc/self/net/udp6" } else { "/proc/self/net/udp" };
    let table = std::fs::read_to_string(table).ok()?;
    let row = table.lines().map(|line| line.split_ascii_whitespace()).find(|row| row.clone().nth(9) == Some(&inode));
    row?.last()?.parse().ok()
}

impl Source for Syslog {
    fn fill(&mut self, _buffer: Vec<u8>) -> Result<Fill, SourceError> {
        self.look_after();
        if self.ready.is_empty() {
            self.turn();
        }
        Ok(self.ready.pop_front().map_or(Fill::Idle, Fill::Chunk))
    }

    fn streams(&self) -> usize {
        self.connections.len()
    }

    fn met(&self) -> Met {
        let closed = self.doors.iter().filter(|door| door.open.is_none()).count() as u64;
        Met { closed, ..self.met }
    }

    fn wait(&mut self, limit: Duration) {
        if !self.poll(limit).contains(&true) && self.doors.iter().all(|door| door.open.is_none()) {
            std::thread::sleep(limit);
        }
    }
}
