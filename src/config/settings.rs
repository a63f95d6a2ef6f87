//! The settings as checked: what `run` starts from. Made only by `check`.

use super::site::Region;
use crate::agent;
use crate::redact::policy::Policy;
use crate::telemetry::{Format, Level};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Everything a configuration decides.
#[derive(Clone)]
pub struct Config {
    /// Where records may be kept.
    pub region: Region,
    /// The site delivered to; none for a loopback address and for standard output.
    pub site: Option<String>,
    /// Days of the retention tag.
    pub retention_days: u32,
    /// What the agent is told.
    pub agent: agent::Settings,
    /// The rules, and decisions about them.
    pub redaction: Redaction,
    /// Rules that a reload may take out of force; `*`: any.
    pub allow_loosening: Vec<String>,
    /// Address of the admin endpoints.
    pub admin: SocketAddr,
    /// Lowest level of the own log.
    pub log_level: Level,
    /// Form of the own log.
    pub log_format: Format,
}

/// The rules that are asked for.
#[derive(Clone, Default)]
pub struct Redaction {
    /// Where they come from, in order.
    pub packs: Vec<PackRef>,
    /// Decisions about them.
    pub policy: Policy,
}

/// Where rules come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PackRef {
    /// The pack in the binary.
    Builtin,
    /// A folder of rule files.
    Folder(PathBuf),
}
