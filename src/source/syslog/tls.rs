//! TLS on the receiving side (RFC 5425), driven without blocking.

use super::Tls;
use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{self, Read, Write};
use std::sync::Arc;

/// Reads certificate and key.
///
/// # Errors
/// A file cannot be read or used; says which.
pub fn server(files: &Tls) -> io::Result<Arc<ServerConfig>> {
    let wrong = |path: &std::path::Path, error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.cert_file)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(&files.cert_file, &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key_file).map_err(|error| wrong(&files.key_file, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| wrong(&files.cert_file, &error))?;
    // Senders of syslog never read. Session tickets left unread would make their close a reset, and a reset
    // throws away what we have not read yet.
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// A stream under TLS.
pub struct Encrypted<S> {
    session: ServerConnection,
    stream: S,
}

impl<S: Read + Write> Encrypted<S> {
    /// Begins a session on an accepted stream.
    ///
    /// # Errors
    /// The session cannot be made.
    pub fn new(config: Arc<ServerConfig>, stream: S) -> io::Result<Encrypted<S>> {
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Encrypted { session, stream })
    }

    /// The stream below.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    fn answer(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.stream)?;
        }
        Ok(())
    }
}

impl<S: Read + Write> Read for Encrypted<S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.session.reader().read(room) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
        let count = self.session.read_tls(&mut self.stream)?;
        let told = self.session.process_new_packets().map_err(io::Error::other);
        let answered = self.answer();
        told?;
        match self.session.reader().read(room) {
            // Nothing more will come, and no farewell was said.
            Err(error) if count == 0 && error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => answered.and(Err(error)),
            done => done,
        }
    }
}
