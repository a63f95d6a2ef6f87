//! Hosts and services that sources find beside a record's text: each name goes through the engine once and is
//! remembered in its redacted form.

use crate::redact::{Redactor, StreamState};
use crate::source::Layout;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Names remembered; beyond it all are forgotten.
const MOST: usize = 4096;
/// A token in a name may be of a key that has been replaced meanwhile: then all are forgotten.
const LONGEST: Duration = Duration::from_secs(600);

/// Raw names and what may be shipped of them. Holds raw text: deliberately without `Debug`.
#[derive(Default)]
pub(super) struct OriginNames {
    names: HashMap<Box<[u8]>, Box<str>>,
    since: Option<Instant>,
}

impl OriginNames {
    /// Redacts the names of a layout that are not known yet.
    pub(super) fn learn(&mut self, layout: &Layout, redactor: &mut Redactor) {
        if self.names.len() > MOST || self.since.is_some_and(|since| since.elapsed() >= LONGEST) {
            self.forget();
        }
        self.since.get_or_insert_with(Instant::now);
        for name in layout.records.iter().flat_map(|record| [&record.host, &record.service]) {
            let name = layout.text(name);
            if !name.is_empty() && !self.names.contains_key(name) {
                let mut masked = Vec::new();
                redactor.redact(&mut StreamState::default(), name, &[name.len() as u32], &mut |redacted| {
                    redacted.write_to(&mut masked);
                });
                self.names.insert(name.into(), String::from_utf8_lossy(&masked).into());
            }
        }
    }

    /// The redacted form of a name; none for the empty one.
    pub(super) fn get(&self, name: &[u8]) -> Option<&str> {
        self.names.get(name).map(AsRef::as_ref)
    }

    /// Forgets all names: the rules have changed.
    pub(super) fn forget(&mut self) {
        self.names.clear();
        self.since = None;
    }
}
