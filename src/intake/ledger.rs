//! What the intake saw, answered and kept; written after each answer was decided.
//!
//! All of it, unless there is a limit: then the oldest requests are forgotten, with their events, and the totals go on.

use super::keep::Fate;
use serde_json::Value;
use std::collections::BTreeSet;
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

/// What a request counts against the limit beside its body, bytes.
const HEAD: usize = 1 << 10;

impl Request {
    fn weight(&self) -> usize {
        HEAD + self.decoded.len()
    }

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

/// Requests and events in order, but for those that are forgotten.
#[derive(Clone, Default, Debug)]
pub struct Book {
    /// Requests, in the order in which their answers were decided.
    pub requests: Vec<Request>,
    /// Accepted events.
    pub stored: Vec<Stored>,
    /// What there was since the start, forgotten or not.
    pub totals: Totals,
    /// What the requests in `requests` count against the limit, bytes.
    weight: usize,
}

/// Counts since the start.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Totals {
    /// Requests.
    pub requests: u64,
    /// Accepted events.
    pub stored: u64,
    /// Accepted events that are lost in silence.
    pub lost: u64,
    /// Requests that are forgotten.
    pub forgotten: u64,
}

impl Book {
    /// Messages of searchable events, in order of arrival.
    pub fn messages(&self) -> Vec<&str> {
        let searchable = self.stored.iter().filter(|s| s.is_searchable());
        searchable.filter_map(|s| s.event["message"].as_str()).collect()
    }

    /// Accepted events that are lost in silence, of those that are not forgotten.
    pub fn lost(&self) -> usize {
        self.stored.iter().filter(|s| !s.is_searchable()).count()
    }

    /// Forgets the oldest requests, down to half of `limit`: one at a time would move all others each time.
    fn forget(&mut self, limit: usize) {
        let mut count = 0;
        while self.weight > limit / 2 && count + 1 < self.requests.len() {
            self.weight -= self.requests[count].weight();
            count += 1;
        }
        let old: BTreeSet<u64> = self.requests.drain(..count).map(|request| request.number).collect();
        self.stored.retain(|stored| !old.contains(&stored.request));
        self.totals.forgotten += count as u64;
    }
}

/// The shared book.
#[derive(Default)]
pub struct Ledger {
    /// Most bytes of bodies that are not forgotten.
    limit: Option<usize>,
    book: Mutex<Book>,
    changed: Condvar,
}

impl Ledger {
    /// An empty book that forgets what is over `limit` bytes of bodies; none: nothing.
    pub(super) fn with_limit(limit: Option<usize>) -> Ledger {
        Ledger { limit, ..Ledger::default() }
    }

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

    /// Enters a request and what it brought. True when something was forgotten for the first time.
    pub(super) fn enter(&self, request: Request, stored: Vec<Stored>) -> bool {
        let mut book = self.book();
        book.totals.requests += 1;
        book.totals.stored += stored.len() as u64;
        book.totals.lost += stored.iter().filter(|s| !s.is_searchable()).count() as u64;
        book.weight += request.weight();
        book.requests.push(request);
        book.stored.extend(stored);
        let before = book.totals.forgotten;
        if let Some(limit) = self.limit.filter(|limit| book.weight > *limit) {
            book.forget(limit);
        }
        self.changed.notify_all();
        before == 0 && book.totals.forgotten > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request with a body of `bytes` and one event.
    fn enter(ledger: &Ledger, number: u64, bytes: usize) -> bool {
        let stored = Stored { request: number, event: Value::Null, fate: Fate::default() };
        ledger.enter(Request { number, decoded: vec![b'x'; bytes], ..Request::default() }, vec![stored])
    }

    #[test]
    fn the_oldest_requests_are_forgotten_and_the_totals_go_on() {
        const LIMIT: usize = 100 << 10;
        let ledger = Ledger::with_limit(Some(LIMIT));
        let firsts = (0..1000).filter(|number| enter(&ledger, *number, 9 << 10)).count();
        let book = ledger.book();
        assert_eq!(firsts, 1, "said once");
        assert_eq!((book.totals.requests, book.totals.stored, book.totals.lost), (1000, 1000, 1000));
        assert_eq!(book.totals.forgotten + book.requests.len() as u64, 1000);
        assert!(book.requests.iter().map(Request::weight).sum::<usize>() <= LIMIT);
        assert!(book.requests.len() >= 5 && book.requests.last().is_some_and(|last| last.number == 999));
        let numbers = |book: &Book| book.requests.iter().map(|request| request.number).collect::<Vec<_>>();
        assert_eq!(book.stored.iter().map(|stored| stored.request).collect::<Vec<_>>(), numbers(&book));
        drop(book);
        enter(&ledger, 1000, 2 * LIMIT);
        assert_eq!(numbers(&ledger.book()), [1000], "the latest stays, whatever its size");
    }

    #[test]
    fn without_a_limit_nothing_is_forgotten() {
        let ledger = Ledger::default();
        assert!((0..1000).all(|number| !enter(&ledger, number, 1 << 10)));
        let book = ledger.book();
        assert_eq!((book.requests.len(), book.totals.forgotten), (1000, 0));
    }
}
