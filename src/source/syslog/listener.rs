//! Sockets that syslog messages arrive at.
//!
//! A unix socket's path is only taken when nothing else lives there: a stale socket (nobody answers) is removed,
//! a socket in use, a file and a link are left alone and told.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Room the kernel keeps for datagrams, bytes; it may grant less.
const DATAGRAM_BUFFER: usize = 4 << 20;

/// Where to listen.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Listen {
    /// `udp://IP:PORT`
    Udp(SocketAddr),
    /// `tcp://IP:PORT`
    Tcp(SocketAddr),
    /// `tls://IP:PORT`
    Tls(SocketAddr),
    /// `unix:///PATH`, datagrams, as `/dev/log`.
    UnixDatagram(PathBuf),
    /// `unix-stream:///PATH`
    UnixStream(PathBuf),
}

impl Listen {
    /// Reads the written form.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Listen, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let address = || rest.parse::<SocketAddr>().map_err(|_| format!("'{rest}' is no ip:port"));
        let path = || match Path::new(rest).is_absolute() {
            true => Ok(PathBuf::from(rest)),
            false => Err(format!("the path '{rest}' is not absolute")),
        };
        match scheme {
            "udp" => address().map(Listen::Udp),
            "tcp" => address().map(Listen::Tcp),
            "tls" => address().map(Listen::Tls),
            "unix" => path().map(Listen::UnixDatagram),
            "unix-stream" => path().map(Listen::UnixStream),
            _ => {
                Err("expected udp://ip:port, tcp://ip:port, tls://ip:port, unix:///path or unix-stream:///path".into())
            }
        }
    }

    /// The address, for those that have one.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Listen::Udp(address) | Listen::Tcp(address) | Listen::Tls(address) => Some(*address),
            Listen::UnixDatagram(_) | Listen::UnixStream(_) => None,
        }
    }

    /// Whether it could be opened now, leaving everything as it is.
    ///
    /// # Errors
    /// As [`Listen::open`].
    pub fn examine(&self) -> io::Result<()> {
        let path = match self {
            Listen::Udp(address) => return UdpSocket::bind(address).map(drop),
            Listen::Tcp(address) | Listen::Tls(address) => return TcpListener::bind(address).map(drop),
            Listen::UnixDatagram(path) | Listen::UnixStream(path) => path,
        };
        is_free(path)?;
        let folder = path.parent().unwrap_or(path);
        Ok(rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?)
    }

    /// Opens the socket.
    ///
    /// # Errors
    /// The system refuses, or something else lives at the path.
    pub fn open(&self) -> io::Result<Listener> {
        let socket = match self {
            Listen::Udp(address) => Socket::Udp(UdpSocket::bind(address)?),
            Listen::Tcp(address) | Listen::Tls(address) => Socket::Tcp(TcpListener::bind(address)?),
            Listen::UnixDatagram(path) => {
                make_room(path)?;
                Socket::UnixDatagram(UnixDatagram::bind(path)?)
            }
            Listen::UnixStream(path) => {
                make_room(path)?;
                Socket::UnixStream(UnixListener::bind(path)?)
            }
        };
        socket.set_nonblocking()?;
        if let Socket::Udp(_) | Socket::UnixDatagram(_) = socket {
            // Less than asked for is no failure.
            let _ = rustix::net::sockopt::set_socket_recv_buffer_size(&socket, DATAGRAM_BUFFER);
        }
        let path = match self {
            Listen::UnixDatagram(path) | Listen::UnixStream(path) => {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
                Some((path.clone(), std::fs::symlink_metadata(path)?.ino()))
            }
            _ => None,
        };
        Ok(Listener { socket, path, encrypted: matches!(self, Listen::Tls(_)) })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Udp(address) => write!(f, "udp://{address}"),
            Listen::Tcp(address) => write!(f, "tcp://{address}"),
            Listen::Tls(address) => write!(f, "tls://{address}"),
            Listen::UnixDatagram(path) => write!(f, "unix://{}", path.display()),
            Listen::UnixStream(path) => write!(f, "unix-stream://{}", path.display()),
        }
    }
}

/// True when this error will not go away by itself, and what to do about it.
pub fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "something else listens there: stop it, or choose another place",
        io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE, paths a writable folder",
        io::ErrorKind::AddrNotAvailable => "this host has no such address",
        io::ErrorKind::NotFound => "create the socket's folder",
        _ => "look at the address",
    }
}

/// Removes a socket that nobody listens on any more; refuses anything else.
fn make_room(path: &Path) -> io::Result<()> {
    if is_free(path)? { Ok(()) } else { std::fs::remove_file(path) }
}

/// True when nothing is at the path, false for a socket that nobody listens on any more.
fn is_free(path: &Path) -> io::Result<bool> {
    let kind = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        found => found?.file_type(),
    };
    let in_use = |why: &str| Err::<bool, _>(io::Error::new(io::ErrorKind::AddrInUse, why.to_owned()));
    if !kind.is_socket() {
        return in_use("the path exists and is no socket; it is left alone");
    }
    let stale = |result: io::Result<()>| result.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused);
    let datagram = || UnixDatagram::unbound().and_then(|socket| socket.connect(path));
    // The wrong kind of socket answers with another error: then the other kind is asked.
    if stale(UnixStream::connect(path).map(drop)) || stale(datagram()) {
        return Ok(false);
    }
    in_use("a program listens on this socket")
}

/// An open socket; a unix socket's path is removed when it is dropped.
pub struct Listener {
    /// The socket.
    pub socket: Socket,
    /// Connections are under TLS.
    pub encrypted: bool,
    path: Option<(PathBuf, u64)>,
}

/// Kinds of sockets.
pub enum Socket {
    /// Datagrams.
    Udp(UdpSocket),
    /// Datagrams of this host.
    UnixDatagram(UnixDatagram),
    /// Connections.
    Tcp(TcpListener),
    /// Connections of this host.
    UnixStream(UnixListener),
}

impl Socket {
    fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Socket::Udp(socket) => socket.set_nonblocking(true),
            Socket::UnixDatagram(socket) => socket.set_nonblocking(true),
            Socket::Tcp(socket) => socket.set_nonblocking(true),
            Socket::UnixStream(socket) => socket.set_nonblocking(true),
        }
    }

    /// True for sockets of this host.
    pub fn is_local(&self) -> bool {
        matches!(self, Socket::UnixDatagram(_) | Socket::UnixStream(_))
    }

    /// The port, for tests that let the system choose.
    pub fn port(&self) -> Option<u16> {
        match self {
            Socket::Udp(socket) => socket.local_addr().ok().map(|address| address.port()),
            Socket::Tcp(socket) => socket.local_addr().ok().map(|address| address.port()),
            Socket::UnixDatagram(_) | Socket::UnixStream(_) => None,
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Udp(socket) => socket.as_fd(),
            Socket::UnixDatagram(socket) => socket.as_fd(),
            Socket::Tcp(socket) => socket.as_fd(),
            Socket::UnixStream(socket) => socket.as_fd(),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some((path, inode)) = &self.path
            && std::fs::symlink_metadata(path).is_ok_and(|meta| meta.ino() == *inode)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_as_written() {
        assert_eq!(Listen::parse("udp://127.0.0.1:514"), Ok(Listen::Udp(([127, 0, 0, 1], 514).into())));
        assert_eq!(Listen::parse("tls://[::1]:6514").map(|l| l.address().is_some()), Ok(true));
        assert_eq!(Listen::parse("unix:///run/x"), Ok(Listen::UnixDatagram("/run/x".into())));
        for text in ["udp://127.0.0.1:514", "tcp://[::1]:1", "tls://0.0.0.0:6514", "unix:///run/x", "unix-stream:///x"]
        {
            assert_eq!(Listen::parse(text).map(|listen| listen.to_string()), Ok(text.to_owned()));
        }
        for wrong in ["", "514", "udp://localhost:514", "unix://run/x", "http://127.0.0.1:1"] {
            assert!(Listen::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_path_that_exists_is_taken_only_when_it_is_a_stale_socket() {
        let folder = tempfile::tempdir().unwrap();
        for listen in [Listen::UnixDatagram, Listen::UnixStream] {
            let path = folder.path().join("socket");
            let listen = listen(path.clone());
            listen.examine().unwrap();
            let first = listen.open().unwrap();
            assert!(listen.examine().is_err_and(|e| e.kind() == io::ErrorKind::AddrInUse), "in use");
            assert!(listen.open().is_err_and(|e| e.kind() == io::ErrorKind::AddrInUse), "in use");
            drop(first);
            assert!(!path.exists(), "removed when closed");
            drop(UnixDatagram::bind(&path).unwrap());
            listen.examine().unwrap();
            assert!(path.exists());
            drop(listen.open().unwrap());
            drop(UnixListener::bind(&path).unwrap());
            drop(listen.open().unwrap());
            std::fs::write(&path, "a file").unwrap();
            assert!(listen.open().is_err() && listen.examine().is_err());
            assert_eq!(std::fs::read(&path).unwrap(), b"a file", "left alone");
            std::fs::remove_file(&path).unwrap();
        }
        let nowhere = Listen::UnixStream(folder.path().join("missing/socket"));
        assert!(nowhere.examine().is_err_and(|e| e.kind() == io::ErrorKind::NotFound));
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = Listen::Tcp(taken.local_addr().unwrap());
        assert!(listen.examine().is_err_and(|e| e.kind() == io::ErrorKind::AddrInUse));
        drop(taken);
        listen.examine().unwrap();
    }
}
