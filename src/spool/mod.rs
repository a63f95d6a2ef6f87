//! The way between redaction and delivery that survives crashes: one file per sealed batch, and the
//! checkpoint of what has been acknowledged.
//!
//! A batch's way: [`Spool::store`] makes it durable (temporary name, sync, rename, directory sync), which is
//! the moment its source positions become durable too; [`Spool::next`] reads it for delivery;
//! [`Spool::acknowledge`] replaces the checkpoint and only then unlinks the file. A crash between any two
//! steps therefore loses nothing, and sends at most the one batch again that was in flight.
//!
//! ```text
//! <state_dir>/              0700, owned by us, no symlink
//!   lock                    held with flock by the one agent
//!   host.key                32 random bytes: names of records, marks of files
//!   checkpoint              last acknowledged sequence, place per stream
//!   spool/<sequence>.batch  one line of JSON (format, checksum, header), then the compressed body
//!   quarantine/             files whose bytes are not the ones that were stored
//!   dead-letters/           records the intake refuses, masked
//! ```

mod frame;
pub mod inspect;
mod ledger;
#[cfg(test)]
mod model;
mod recover;
mod settings;
mod state_dir;
mod store;

pub use ledger::{Ledger, Place};
pub use recover::Recovered;
pub use settings::{Kind, Settings, WhenFull};
pub use state_dir::{StateDir, StateDirError};
pub use store::{Spool, Stored, Usage};
