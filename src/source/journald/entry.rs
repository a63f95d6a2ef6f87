//! One journal entry as a record: its text, severity, time, host and service.
//!
//! Without chosen fields the text is the message as it was logged. With some it is a JSON object,
//! `{"message":…,"_SYSTEMD_UNIT":…}`: every shipped value, `_CMDLINE` too, then passes the engine as part of the
//! record.

use super::export::Entry;
use crate::batch::Facts;
use crate::batch::facts::severity;

/// Numbers of the fields that are always read.
const CURSOR: usize = 0;
const REALTIME: usize = 1;
const MESSAGE: usize = 2;
const PRIORITY: usize = 3;
const IDENTIFIER: usize = 4;
const HOSTNAME: usize = 5;
const UNIT: usize = 6;
const COMMAND: usize = 7;
const PID: usize = 8;
const INVOCATION: usize = 9;
const TRANSPORT: usize = 10;
const SOURCE_TIME: usize = 11;
const SEQUENCE: usize = 12;
const SEQUENCE_ID: usize = 13;
const BOOT: usize = 14;
const ALWAYS: [&str; 15] = [
    "__CURSOR",
    "__REALTIME_TIMESTAMP",
    "MESSAGE",
    "PRIORITY",
    "SYSLOG_IDENTIFIER",
    "_HOSTNAME",
    "_SYSTEMD_UNIT",
    "_COMM",
    "_PID",
    "_SYSTEMD_INVOCATION_ID",
    "_TRANSPORT",
    "_SOURCE_REALTIME_TIMESTAMP",
    "__SEQNUM",
    "__SEQNUM_ID",
    "_BOOT_ID",
];

/// Which fields are read and which are shipped.
pub struct Plan {
    wanted: Vec<String>,
    /// Name and number of each shipped field.
    shipped: Vec<(String, usize)>,
}

/// Who we are: entries of ours are never read. A process id alone says little: it comes back in every boot, and in
/// a container it is the number of another process of the host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Own {
    /// Name of the program, as the kernel has it.
    pub name: String,
    /// Process id, as written.
    pub pid: String,
    /// The boot in which we have it.
    pub boot: String,
    /// Invocation of our unit, when systemd started us.
    pub invocation: Option<String>,
    /// Our unit then: what an earlier run of it wrote is ours too.
    pub unit: Option<String>,
}

impl Own {
    /// This process.
    pub fn this() -> Own {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let invocation = std::env::var("INVOCATION_ID").ok().filter(|id| !id.is_empty());
        Own {
            name: read("/proc/self/comm").trim_end().to_owned(),
            pid: std::process::id().to_string(),
            boot: read("/proc/sys/kernel/random/boot_id").trim_end().replace('-', ""),
            unit: invocation.as_ref().and_then(|_| unit(&read("/proc/self/cgroup"))),
            invocation,
        }
    }
}

/// The service among a process's control groups.
fn unit(groups: &str) -> Option<String> {
    let last =
        groups.lines().find_map(|line| line.strip_prefix("0::").or_else(|| line.strip_prefix("1:name=systemd:")))?;
    last.rsplit('/').next().filter(|name| name.ends_with(".service")).map(str::to_owned)
}

impl Plan {
    /// A plan that ships the fields `chosen` beside the message.
    pub fn new(chosen: &[String]) -> Plan {
        let mut wanted: Vec<String> = ALWAYS.map(String::from).into();
        let mut shipped = Vec::new();
        for name in chosen.iter().filter(|name| *name != "MESSAGE") {
            let number = wanted.iter().position(|known| known == name).unwrap_or_else(|| {
                wanted.push(name.clone());
                wanted.len() - 1
            });
            shipped.push((name.clone(), number));
        }
        Plan { wanted, shipped }
    }

    /// Names of the fields to read.
    pub fn wanted(&self) -> Vec<String> {
        self.wanted.clone()
    }

    /// Writes the record's text. False when it is too long to be kept.
    pub fn text(&self, entry: &Entry, out: &mut Vec<u8>) -> bool {
        out.clear();
        let message = entry.get(MESSAGE).unwrap_or_default();
        if self.shipped.is_empty() {
            out.extend_from_slice(message.trim_ascii_end());
            return !entry.is_too_long(MESSAGE);
        }
        let mut first = true;
        for (name, value) in std::iter::once(("message", message)).chain(self.values(entry)) {
            out.push(if std::mem::take(&mut first) { b'{' } else { b',' });
            string(name.as_bytes(), out);
            out.push(b':');
            string(value, out);
        }
        out.push(b'}');
        !entry.is_too_long(MESSAGE) && !self.shipped.iter().any(|(_, number)| entry.is_too_long(*number))
    }

    fn values<'e>(&'e self, entry: &'e Entry) -> impl Iterator<Item = (&'e str, &'e [u8])> {
        self.shipped.iter().filter_map(|(name, number)| Some((name.as_str(), entry.get(*number)?)))
    }
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    // Writing a string into memory cannot fail.
    let _ = serde_json::to_writer(out, &String::from_utf8_lossy(text));
}

/// The entry's cursor.
pub fn cursor(entry: &Entry) -> Option<&str> {
    std::str::from_utf8(entry.get(CURSOR)?).ok().filter(|cursor| !cursor.is_empty())
}

/// The entry's number and what it counts in, where the journal tells it.
pub fn sequence(entry: &Entry) -> Option<(u64, &[u8])> {
    Some((number(entry, SEQUENCE)?, entry.get(SEQUENCE_ID)?))
}

/// True for entries that we wrote.
pub fn is_own(entry: &Entry, own: &Own) -> bool {
    let is = |field, value: &str| !value.is_empty() && entry.get(field) == Some(value.as_bytes());
    let named = entry.get(COMMAND).or_else(|| entry.get(IDENTIFIER)) == Some(own.name.as_bytes());
    let either = |field, value: &Option<String>| value.as_deref().is_some_and(|value| is(field, value));
    named
        && (is(PID, &own.pid) && is(BOOT, &own.boot) || either(INVOCATION, &own.invocation) || either(UNIT, &own.unit))
}

/// Severity and time.
pub fn facts(entry: &Entry) -> Facts {
    // What a service prints has the priority of its unit, not its own: then the line is asked.
    let printed = entry.get(TRANSPORT) == Some(b"stdout") && entry.get(PRIORITY) == Some(b"6");
    let status = match entry.get(PRIORITY) {
        Some([digit @ b'0'..=b'7']) if !printed => severity(digit - b'0'),
        _ => None,
    };
    let micros = number(entry, SOURCE_TIME).or_else(|| number(entry, REALTIME));
    Facts { status, time: micros.and_then(|micros| i64::try_from(micros / 1000).ok()) }
}

/// The host it names.
pub fn host(entry: &Entry) -> &[u8] {
    entry.get(HOSTNAME).unwrap_or_default()
}

/// The program or unit it names.
pub fn service(entry: &Entry) -> &[u8] {
    let unit = || entry.get(UNIT).map(|unit| unit.strip_suffix(b".service").unwrap_or(unit));
    entry.get(IDENTIFIER).or_else(unit).or_else(|| entry.get(COMMAND)).unwrap_or_default()
}

fn number(entry: &Entry, field: usize) -> Option<u64> {
    std::str::from_utf8(entry.get(field)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::unit;

    #[test]
    fn the_unit_is_a_service_of_its_own() {
        assert_eq!(unit("0::/system.slice/logveil.service\n").as_deref(), Some("logveil.service"));
        assert_eq!(unit("12:pids:/x.service\n1:name=systemd:/system.slice/a.service\n").as_deref(), Some("a.service"));
        for none in ["0::/user.slice/user-1000.slice/session-2.scope\n", "0::/\n", ""] {
            assert_eq!(unit(none), None);
        }
    }
}
