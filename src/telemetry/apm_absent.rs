//! In the place of spans in a build without the feature `apm`: there are none.

use std::io;
use std::sync::Arc;

pub use super::spans::{Counts, Numbers, Settings, Stage};

/// False: this build makes no spans.
pub const BUILT: bool = false;

/// Cannot be made.
#[derive(Clone, Debug)]
pub enum Apm {}

/// Cannot be made.
#[derive(Debug)]
pub enum Trace {}

impl Apm {
    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub async fn start(_: &Settings, _: Arc<Counts>) -> io::Result<Apm> {
        Err(io::Error::other("this build has no apm"))
    }

    /// Never called.
    pub fn batch(&self) -> Option<Trace> {
        match *self {}
    }

    /// Never called.
    pub async fn settle(&self) {
        match *self {}
    }
}

impl Trace {
    /// Never called.
    pub fn stage(&mut self, _: Stage) {
        match *self {}
    }

    /// Never called.
    pub fn end(self, _: &Numbers) {
        match self {}
    }
}
