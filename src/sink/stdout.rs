//! Prints each record as one line of JSON, for people and pipes; every batch is delivered at once.

use super::contract::{Outcome, Sink};
use crate::batch::{Batch, reseal};
use std::io::Write;

/// The sink; generic so that tests see what it prints.
pub struct Stdout<W> {
    out: W,
}

impl Stdout<std::io::Stdout> {
    /// Prints to the process's standard output.
    pub fn new() -> Self {
        Stdout { out: std::io::stdout() }
    }
}

impl Default for Stdout<std::io::Stdout> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Write + Send> Stdout<W> {
    /// Prints to `out`.
    pub fn to(out: W) -> Self {
        Stdout { out }
    }

    fn print(&mut self, batch: &Batch) -> std::io::Result<()> {
        let json = reseal::open(batch).map_err(std::io::Error::other)?;
        for record in reseal::records(&json).map_err(std::io::Error::other)? {
            self.out.write_all(record.get().as_bytes())?;
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }
}

impl<W: Write + Send> Sink for Stdout<W> {
    async fn deliver(&mut self, batch: &Batch) -> Outcome {
        match self.print(batch) {
            Ok(()) => Outcome::Delivered,
            Err(error) if error.get_ref().is_some() => Outcome::Poison,
            Err(_) => Outcome::Retry(None),
        }
    }

    async fn probe(&mut self) -> Outcome {
        Outcome::Delivered
    }
}
