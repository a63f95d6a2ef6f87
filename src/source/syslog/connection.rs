//! What messages are read from: a connection, or a socket of datagrams. Each is a stream of its own.

use super::frame::{Framed, Framer};
use super::listener::Socket;
use super::parse::{Clock, parse};
use super::tls::Encrypted;
use crate::record::Position;
use crate::source::made::{Known, Made};
use crate::source::{Chunk, Met, Resume, StreamInfo};
use std::io::{self, Read};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Read of one connection in one turn, bytes.
const TURN: usize = 256 << 10;
/// Datagrams read in one turn.
const DATAGRAMS: usize = 1024;

/// One stream's records.
pub struct Stream {
    /// Whose.
    pub info: Arc<StreamInfo>,
    /// Where the next record stands.
    pub at: Position,
    made: Made,
    from: Position,
    local: bool,
}

impl Stream {
    /// A stream that begins here.
    pub fn new(info: Arc<StreamInfo>, at: Position, local: bool) -> Stream {
        Stream { info, at, made: Made::default(), from: at, local }
    }

    fn add(&mut self, message: &[u8], too_long: bool, clock: Clock, met: &mut Met) {
        let text = message.trim_ascii_end();
        let text = text.strip_suffix(b"\0").unwrap_or(text);
        let at = self.at.offset;
        self.at.offset += message.len() as u64 + 1;
        if text.is_empty() {
            return;
        }
        let parsed = parse(text, clock, self.local);
        met.malformed += u64::from(!parsed.has_priority);
        met.too_long += u64::from(too_long);
        let (host, service) = (&text[parsed.host.clone()], &text[parsed.app.clone()]);
        self.made.add(text, &Known { at, facts: parsed.facts, host, service, too_long });
    }

    /// What was read; none when that is nothing and more may follow.
    pub fn chunk(&mut self, last: bool) -> Option<Chunk> {
        if self.made.is_empty() && (!last || self.at.offset == 0) {
            return None;
        }
        let made = std::mem::take(&mut self.made);
        let from = std::mem::replace(&mut self.from, self.at);
        let (info, to, layout) = (self.info.clone(), self.at, Some(made.layout));
        let resume = Resume::AtEnd(Vec::new());
        Some(Chunk { info, bytes: made.bytes, from, to, resume, last, oversize: false, layout })
    }

    /// Reads datagrams, each a message.
    pub fn receive(&mut self, socket: &Socket, room: &mut [u8], clock: Clock, met: &mut Met) {
        for _ in 0..DATAGRAMS {
            let received = match socket {
                Socket::Udp(socket) => socket.recv(room),
                Socket::UnixDatagram(socket) => socket.recv(room),
                Socket::Tcp(_) | Socket::UnixStream(_) => return,
            };
            match received {
                Ok(len) => self.add(&room[..len], false, clock, met),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A datagram that cannot be received is gone; the next turn goes on.
                Err(_) => return,
            }
        }
    }
}

/// A connection's bytes.
pub enum Wire {
    /// TCP.
    Tcp(TcpStream),
    /// TLS over TCP.
    Tls(Box<Encrypted<TcpStream>>),
    /// A unix socket.
    Unix(UnixStream),
}

impl Read for Wire {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Tcp(stream) => stream.read(room),
            Wire::Tls(stream) => stream.read(room),
            Wire::Unix(stream) => stream.read(room),
        }
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Wire::Tcp(stream) => stream.as_fd(),
            Wire::Tls(stream) => stream.stream().as_fd(),
            Wire::Unix(stream) => stream.as_fd(),
        }
    }
}

/// A connection.
pub struct Connection {
    /// Where bytes come from.
    pub wire: Wire,
    /// Its records.
    pub stream: Stream,
    framer: Framer,
}

impl Connection {
    /// A connection at its beginning.
    pub fn new(wire: Wire, stream: Stream) -> Connection {
        Connection { wire, stream, framer: Framer::default() }
    }

    /// Bytes of an unfinished message.
    pub fn waiting(&self) -> usize {
        self.framer.waiting()
    }

    /// Reads what is there, up to one turn's share. True when the connection has ended.
    pub fn read(&mut self, room: &mut [u8], clock: Clock, met: &mut Met) -> bool {
        let mut total = 0;
        while total < TURN {
            match self.wire.read(room) {
                Ok(0) => return self.finish(clock, met),
                Ok(count) => {
                    total += count;
                    self.framer.feed(&room[..count]);
                    self.take(clock, met);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.finish(clock, met),
            }
        }
        false
    }

    fn take(&mut self, clock: Clock, met: &mut Met) {
        while let Some(framed) = self.framer.next_frame() {
            match framed {
                Framed::Message(message) => self.stream.add(message, false, clock, met),
                Framed::TooLong(start) => self.stream.add(start, true, clock, met),
            }
        }
    }

    /// The rest is a line without its end, or a message shorter than its count said.
    fn finish(&mut self, clock: Clock, met: &mut Met) -> bool {
        if let Some(rest) = self.framer.finish() {
            met.cut_short += u64::from(rest.first().is_some_and(u8::is_ascii_digit));
            self.stream.add(rest, false, clock, met);
        }
        true
    }
}

/// Makes an accepted stream ready.
///
/// # Errors
/// The system refuses.
pub fn accept(socket: &Socket, tls: Option<&Arc<rustls::ServerConfig>>) -> io::Result<Wire> {
    match socket {
        Socket::Tcp(listener) => {
            let (stream, _) = listener.accept()?;
            stream.set_nonblocking(true)?;
            match tls {
                Some(config) => Ok(Wire::Tls(Box::new(Encrypted::new(config.clone(), stream)?))),
                None => Ok(Wire::Tcp(stream)),
            }
        }
        Socket::UnixStream(listener) => {
            let (stream, _) = listener.accept()?;
            stream.set_nonblocking(true)?;
            Ok(Wire::Unix(stream))
        }
        Socket::Udp(_) | Socket::UnixDatagram(_) => Err(io::ErrorKind::WouldBlock.into()),
    }
}
