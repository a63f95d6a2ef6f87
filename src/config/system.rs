//! The kinds of sources as written: what each `type` may hold beside the keys that all share.
//!
//! A key that belongs to another type is refused like any unknown key. Listening beyond loopback without TLS
//! needs `expose: true`: system logs would cross the network in clear, and anybody could write into them.

use super::written::{At, flag, section, sized, text, texts, timed};
use crate::source::container::Format;
use crate::source::file::StartAt;
use crate::source::multiline::{self, LANGUAGES, Languages, Start};
use crate::source::syslog::{self, Listen, Zone};
use crate::source::{assembler, journald};
use crate::strict_yaml::{Fields, Value};
use regex::bytes::RegexBuilder;
use std::time::Duration;

/// What a source reads.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Files by `include`, also those of containers.
    File,
    /// The journal.
    Journald(journald::Settings),
    /// Sockets.
    Syslog(syslog::Settings),
    /// Standard input.
    Stdin,
}

#[derive(Clone, Copy)]
enum Type {
    File,
    Container,
    Journald,
    Syslog,
    Stdin,
}

const TYPES: &[(&str, Type)] = &[
    ("file", Type::File),
    ("container", Type::Container),
    ("journald", Type::Journald),
    ("syslog", Type::Syslog),
    ("stdin", Type::Stdin),
];

/// What one type or another has beside the keys that all share.
const OWN_KEYS: &[&str] = &[
    "include",
    "exclude",
    "start_at",
    "format",
    "multiline",
    "units",
    "fields",
    "journalctl",
    "directory",
    "listen",
    "expose",
    "timezone",
    "tls",
];

/// Where container runtimes write.
const CRI_FILES: &str = "/var/log/pods/*/*/*.log";
const DOCKER_FILES: &str = "/var/lib/docker/containers/*/*-json.log";

/// A source's kind and how records are made of its lines.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What is read.
    pub kind: Kind,
    /// How records are made.
    pub records: assembler::Settings,
    /// Files, when none are named.
    pub default_include: Option<&'static str>,
}

/// Reads what a source's `type` allows; none when nobody knows the type: then no key that some type has is a mistake.
pub fn read(fields: &Fields<'_, '_, '_>) -> Option<Reading> {
    let plain = |kind| Reading { kind, records: assembler::Settings::default(), default_include: None };
    let written = fields.choice("type", TYPES);
    if written.is_none() && fields.get("type").is_some() {
        fields.also_known(OWN_KEYS);
        return None;
    }
    Some(match written.unwrap_or(Type::File) {
        Type::File => Reading { records: records(fields), ..plain(Kind::File) },
        Type::Container => container(fields),
        Type::Journald => plain(Kind::Journald(read_journald(fields))),
        Type::Syslog => plain(Kind::Syslog(read_syslog(fields))),
        Type::Stdin => Reading { records: records(fields), ..plain(Kind::Stdin) },
    })
}

/// Where the first start begins.
pub fn start_at(fields: &Fields<'_, '_, '_>) -> StartAt {
    let places = [("beginning", StartAt::Beginning), ("end", StartAt::End)];
    fields.choice("start_at", &places).unwrap_or_default()
}

fn container(fields: &Fields<'_, '_, '_>) -> Reading {
    let format = fields.choice("format", &[("cri", Format::Cri), ("docker", Format::Docker)]).unwrap_or(Format::Cri);
    let files = match format {
        Format::Cri => CRI_FILES,
        Format::Docker => DOCKER_FILES,
    };
    let records = assembler::Settings { format: Some(format), multiline: read_multiline(fields) };
    Reading { kind: Kind::File, records, default_include: Some(files) }
}

fn records(fields: &Fields<'_, '_, '_>) -> assembler::Settings {
    let formats = [("text", None), ("cri", Some(Format::Cri)), ("docker", Some(Format::Docker))];
    let format = fields.choice("format", &formats).flatten();
    assembler::Settings { format, multiline: read_multiline(fields) }
}

fn read_multiline(fields: &Fields<'_, '_, '_>) -> Option<multiline::Settings> {
    section(fields, "multiline", |inner| {
        let default = multiline::Settings::default();
        let languages = languages(inner);
        let pattern = text(inner, "start").and_then(|at| {
            let built = RegexBuilder::new(&at.value).size_limit(1 << 20).build();
            let mistake = |_| inner.problems().error(&at.span, format!("'{}' is no pattern, or too large", at.value));
            built.map(Start::Pattern).map_err(mistake).ok()
        });
        if pattern.is_some() && languages.is_some() {
            let help = "keep either start or traces";
            inner.problems().error_with_help(inner.span(), "two answers to where a record starts", help);
        }
        multiline::Settings {
            start: pattern.or(languages.map(Start::Traces)).unwrap_or(default.start),
            max_lines: inner.number("max_lines", 2..=10_000).map_or(default.max_lines, |lines| lines as usize),
            max_bytes: sized(inner, "max_bytes", 1024..=(4 << 20)).map_or(default.max_bytes, |bytes| bytes as usize),
            flush: timed(inner, "flush", Duration::from_millis(100)..=Duration::from_secs(60)).unwrap_or(default.flush),
        }
    })
}

fn languages(fields: &Fields<'_, '_, '_>) -> Option<Languages> {
    let named = fields.texts("traces");
    let mut all = Languages::NONE;
    for (name, span) in &named {
        match LANGUAGES.iter().find(|(known, _)| known == name) {
            Some((_, language)) => all = all.with(*language),
            None if *name == "all" => all = Languages::ALL,
            None => {
                let names: Vec<&str> = LANGUAGES.iter().map(|(known, _)| *known).collect();
                let help = format!("all, or some of: {}", names.join(", "));
                fields.problems().error_with_help(span, format!("'{name}' is no known kind of trace"), help);
            }
        }
    }
    (!named.is_empty()).then_some(all)
}

fn read_journald(fields: &Fields<'_, '_, '_>) -> journald::Settings {
    let default = journald::Settings::default();
    let named = texts(fields, "fields");
    for name in &named {
        let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        if name.value.is_empty() || name.value.len() > 64 || !name.value.bytes().all(fits) {
            let help = "such as _SYSTEMD_UNIT; journalctl -o verbose shows them";
            fields.problems().error_with_help(&name.span, format!("'{}' is no field of the journal", name.value), help);
        }
    }
    let path = |name| absolute(fields, name).map(|at| at.value.into());
    journald::Settings {
        units: texts(fields, "units").into_iter().map(|at| at.value).collect(),
        fields: named.into_iter().map(|at| at.value).collect(),
        start_at: start_at(fields),
        journalctl: path("journalctl").unwrap_or(default.journalctl),
        directory: path("directory"),
    }
}

fn absolute(fields: &Fields<'_, '_, '_>, name: &'static str) -> Option<At<String>> {
    let at = text(fields, name)?;
    if !at.value.starts_with('/') {
        fields.problems().error_with_help(&at.span, "the path is not absolute", "begin it with /");
    }
    Some(at)
}

fn read_syslog(fields: &Fields<'_, '_, '_>) -> syslog::Settings {
    let problems = fields.problems();
    let exposed = flag(fields, "expose");
    let tls = section(fields, "tls", |inner| {
        inner.require("cert_file");
        inner.require("key_file");
        let (cert, key) = (absolute(inner, "cert_file")?, absolute(inner, "key_file")?);
        Some(syslog::Tls { cert_file: cert.value.into(), key_file: key.value.into() })
    });
    let tls = tls.flatten();
    if let Some(node) = fields.require("listen")
        && matches!(&node.value, Value::List(items) if items.is_empty())
    {
        problems.error_with_help(&node.span, "the source listens nowhere", "listen: [tcp://127.0.0.1:5514]");
    }
    let mut listen = Vec::new();
    for at in texts(fields, "listen") {
        match Listen::parse(&at.value) {
            Err(message) => problems.error(&at.span, message),
            Ok(Listen::Tls(_)) if tls.is_none() => {
                let help = "add tls: {cert_file: /path, key_file: /path}";
                problems.error_with_help(&at.span, "no certificate for this socket", help);
            }
            Ok(Listen::Udp(address) | Listen::Tcp(address)) if !address.ip().is_loopback() && !exposed => {
                let help = "listen on 127.0.0.1, use tls://, or add expose: true";
                problems.error_with_help(&at.span, "other hosts would send system logs here in clear", help);
            }
            Ok(socket) => listen.push(socket),
        }
    }
    let zone = fields.choice("timezone", &[("local", Zone::Local), ("utc", Zone::Utc)]).unwrap_or_default();
    syslog::Settings { listen, tls, zone }
}
