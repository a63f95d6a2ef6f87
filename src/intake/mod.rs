//! The development intake: Datadog's logs endpoint as its contract describes it, stricter than the original,
//! scriptable, and honest about what the original does in silence.
//!
//! A request meets the [`script`] first (answer so, cut there, stall), then the ordered checks of [`check`]:
//! path, key, body in time, encoding, size while decompressing ([`decode`]), strict JSON, entry count. What
//! is accepted then suffers the losses that the real intake hides behind its 202 ([`keep`]): too old, too
//! long, tags changed, not indexed. Everything lands in the [`ledger`] after the answer is decided, so that
//! refused, retried and replayed requests can be told apart. [`site`] answers the configuration and search
//! endpoints. [`server`] holds the sockets and is used by
//! `logveil intake`, by `logveil demo` and by the project's own tests.

pub mod check;
pub mod decode;
pub mod drip;
pub mod keep;
pub mod ledger;
pub mod script;
pub mod server;
pub mod settings;
pub mod site;

pub use keep::Index;
pub use ledger::{Ledger, Request, Stored};
pub use script::{Action, Script, Step};
pub use server::Intake;
pub use settings::{Settings, Tls};
pub use site::Site;
