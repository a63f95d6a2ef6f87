//! Configuration: the schema as written, the strict loader with carets, the settings as checked.
//!
//! A file goes through three states. [`schema`] reads its tree into what was written, every value with its
//! place; shape and type are right afterwards, nothing else. [`check`] turns that into [`Config`], the
//! settings as checked: agreement of region and site, retention, references to secrets, patterns. [`host`]
//! holds it against this machine: key file, folders, user. [`load`] runs the three over one file and
//! gathers every mistake with its place; `run` and `check` both call it; [`rules`] compiles the rules it asks for, [`live`] does so again while the
//! agent runs.
//!
//! No environment variable is interpolated and no secret stands in the file: [`secret`] reads references
//! (`file:`, `env:`, `credential:`).

pub mod check;
pub mod host;
mod json_schema;
pub mod live;
pub mod load;
pub mod reach;
pub mod rules;
pub mod schema;
pub mod secret;
pub mod settings;
pub mod site;
pub mod system;
pub mod units;
pub mod written;

pub use json_schema::json_schema;
pub use live::ConfiguredRules;
pub use load::{Depth, Loaded, load, locate};
pub use settings::Config;
pub use site::Region;

#[cfg(test)]
mod tests;
