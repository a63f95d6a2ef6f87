//! What the intake saw, answered and kept; written after each answer was decided.

use super::keep::Fate;
use serde_json::Value;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One request, whatever became of it.
#[derive(Clone, Default, Debug)]
pub struct Request {
    /// Place in the order of arrival, from 0.
    pub number: u64,
    /// Which connection it came on, from 0.
    pub connection: u64,
    /// Arrival, Unix milliseconds.
    pub arrived: i64,
    /// HTTP version, such as `HTTP/1.1`.
    pub version: String,
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers as sent, names in lower case; the key's value is replaced by `[key]`.
    pub headers: Vec<(String, String)>,
    /// Body as sent, bytes.
    pub raw_len: usize,
    /// Body after decompression; empty where it could not be opened.
    pub decoded: Vec<u8>,
    /// Events in it.
    pub entries: usize,
    /// The status answered; none when the connection was cut instead.
    pub status: Option<u16>,
    /// Why it was refused.
    pub refusal: Option<String>,
    /// Whether its events were kept.
    pub kept: bool,
}

impl Request {
    /// A header's value by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// One event that was accepted.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The request that brought it.
    pub request: u64,
    /// The event as sent.
    pub event: Value,
    /// What became of it.
    pub fate: Fate,
}

impl Stored {
    /// True when the event can be found afterwards.
    pub fn is_searchable(&self) -> bool {
        self.fate.index.is_some()
    }
}

/// Requests and events in order.
#[derive(Clone, Default, Debug)]
pub struct Book {
    /// Every request, in the order in which their answers were decided.
    pub requests: Vec<Request>,
    /// Every accepted event.
    pub stored: Vec<Stored>,
}

impl Book {
    /// Messages of searchable events, in order of arrival.
    pub fn messages(&self) -> Vec<&str> {
        let searchable = self.stored.iter().filter(|s| s.is_searchable());
        searchable.filter_map(|s| s.event["message"].as_str()).collect()
    }

    /// Accepted events that are lost in silence.
    pub fn lost(&self) -> usize {
        self.stored.iter().filter(|s| !s.is_searchable()).count()
    }
}

/// The shared book.
#[derive(Default)]
pub struct Ledger {
    book: Mutex<Book>,
    changed: Condvar,
}

impl Ledger {
    /// The book, held while it is looked at; the intake waits meanwhile.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` holds; false when it did not within `limit`.
    pub fn wait(&self, limit: Duration, mut done: impl FnMut(&Book) -> bool) -> bool {
        let until = Instant::now() + limit;
        let mut book = self.book();
        loop {
            if done(&book) {
                return true;
            }
            let Some(left) = until.checked_duration_since(Instant::now()) else { return false };
            book = self.changed.wait_timeout(book, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Enters a request and what it brought.
    pub(super) fn enter(&self, request: Request, stored: Vec<Stored>) {
        let mut book = self.book();
        book.requests.push(request);
        book.stored.extend(stored);
        self.changed.notify_all();
    }
}
