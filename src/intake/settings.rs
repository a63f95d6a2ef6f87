//! What an intake is told before it starts.

use super::keep::Index;
use super::ledger::{Request, Stored};
use super::script::Script;
use super::site::Site;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;

/// Called with a request whose answer is decided, and the events it brought.
pub type OnRequest = Box<dyn Fn(&Request, &[Stored]) + Send + Sync>;

/// Called when something is forgotten for the first time.
pub type OnForget = Box<dyn Fn() + Send + Sync>;

/// How the intake behaves.
pub struct Settings {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Keys taken; none: any key that is not empty.
    pub keys: Option<Vec<String>>,
    /// Serve HTTPS under this certificate.
    pub tls: Option<Tls>,
    /// What to do to the requests to come.
    pub script: Script,
    /// Indexes in order.
    pub indexes: Vec<Index>,
    /// A body must be read within this time: else 408.
    pub read_timeout: Duration,
    /// Most entries in a request.
    pub max_entries: usize,
    /// Longest JSON, bytes.
    pub max_json: usize,
    /// An encoding to refuse, and the status it gets.
    pub refused_encoding: Option<(String, u16)>,
    /// Bodies that hold this text get 400.
    pub poison: Option<String>,
    /// What the configuration and search endpoints answer from.
    pub site: Mutex<Site>,
    /// Called with each request before it is entered in the ledger.
    pub on_request: Option<OnRequest>,
    /// Bytes of bodies beyond which the oldest requests are forgotten; none: all are kept.
    pub keep: Option<usize>,
    /// Called when something is forgotten for the first time.
    pub on_forget: Option<OnForget>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            keys: None,
            tls: None,
            script: Script::default(),
            indexes: vec![Index::new("logveil-90d", "retention:90d", 90), Index::new("main", "*", 15)],
            read_timeout: Duration::from_secs(10),
            max_entries: 1_000,
            max_json: 5_000_000,
            refused_encoding: None,
            poison: None,
            site: Mutex::default(),
            on_request: None,
            keep: None,
            on_forget: None,
        }
    }
}

/// A certificate chain and its key, PEM.
#[derive(Clone)]
pub struct Tls {
    /// Chain, the server's own certificate first.
    pub chain: Vec<u8>,
    /// Private key.
    pub key: Vec<u8>,
}
