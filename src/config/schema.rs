//! The configuration as written: every section, every field, every value with its place. Reading it
//! reports wrong types, values out of range, unknown and missing fields; what the values mean together
//! is for `check`.

use super::site::{REGIONS, Region};
use super::system::{self, Kind, Reading};
use super::written::{flag, section, sized, text, texts, timed};
use crate::batch::Encoding;
use crate::redact::policy::{KeepOrMask, MaskStyle, MoreKeys, Names, Policy, PrivateIps};
use crate::redact::rule_file::{CLASSES, read_allow};
use crate::source::file::StartAt;
use crate::spool;
use crate::strict_yaml::{Entry, Fields, Node, Problems, Value};
use crate::telemetry::{Format, Level};
use crate::token::normalise::Country;
use std::ops::Range;
use std::time::Duration;

pub use super::written::At;

/// A whole file as written.
#[derive(Clone, Debug)]
pub struct Written {
    /// Place of the whole, for what is missing.
    pub span: Range<usize>,
    /// `region`
    pub region: Option<At<Region>>,
    /// `state_dir`
    pub state_dir: Option<At<String>>,
    /// `hostname`; `auto` is none.
    pub hostname: Option<At<String>>,
    /// `tags`
    pub tags: Vec<At<String>>,
    /// `retention`
    pub retention: Retention,
    /// `sources`
    pub sources: Vec<Source>,
    /// `output`
    pub output: Option<Output>,
    /// `spool`
    pub spool: spool::Settings,
    /// `admin.listen`
    pub admin: Admin,
    /// `log`
    pub log: Log,
    /// `telemetry.apm`
    pub apm: Apm,
    /// `redaction`
    pub redaction: Redaction,
    /// `limits.threads`; 0 chooses by the number of cores.
    pub threads: usize,
    /// `tokens.keyring`
    pub keyring: Option<At<String>>,
    /// `tokens.country`: where phone numbers without a country belong to.
    pub country: Option<Country>,
    /// `residency.allow`: sites outside the region that are allowed all the same.
    pub residency_allow: Vec<At<String>>,
}

/// `retention: {tag, allow_longer}`
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// `tag`
    pub tag: Option<At<String>>,
    /// `allow_longer`
    pub allow_longer: bool,
}

/// One entry of `sources`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub name: At<String>,
    /// Place of the whole.
    pub span: Range<usize>,
    /// `include`
    pub include: Vec<At<String>>,
    /// `exclude`
    pub exclude: Vec<At<String>>,
    /// `start_at`
    pub start_at: StartAt,
    /// `service`
    pub service: Option<At<String>>,
    /// `ddsource`
    pub ddsource: Option<At<String>>,
    /// `tags`
    pub tags: Vec<At<String>>,
    /// `trust_origin`
    pub trust_origin: bool,
    /// `type` and what belongs to it.
    pub reading: Reading,
}

/// `output`
#[derive(Clone, Debug)]
pub enum Output {
    /// `datadog: {…}`
    Datadog(Box<Datadog>),
    /// `stdout: {}`
    Stdout,
}

/// `output.datadog`
#[derive(Clone, Debug)]
pub struct Datadog {
    /// Place of the whole.
    pub span: Range<usize>,
    /// `site`
    pub site: Option<At<String>>,
    /// `url`
    pub url: Option<At<String>>,
    /// `api_key`
    pub api_key: Option<At<String>>,
    /// `compression`
    pub compression: Encoding,
    /// `batch.events`
    pub events: u32,
    /// `batch.bytes`
    pub bytes: usize,
    /// `batch.age`
    pub age: Duration,
    /// `in_flight`
    pub in_flight: usize,
    /// `tls.ca_file`
    pub ca_file: Option<At<String>>,
    /// `proxy`
    pub proxy: Option<At<String>>,
}

/// `admin`
#[derive(Clone, Debug, Default)]
pub struct Admin {
    /// `listen`
    pub listen: Option<At<String>>,
    /// `expose`: an address that is not loopback is meant.
    pub expose: bool,
}

/// `telemetry.apm`
#[derive(Clone, Debug, Default)]
pub struct Apm {
    /// `enabled: true` and where it stands.
    pub enabled: Option<Range<usize>>,
    /// `agent`
    pub agent: Option<At<String>>,
    /// `sample`: one batch in so many.
    pub sample: Option<u32>,
}

/// `log`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Log {
    /// `level`
    pub level: Level,
    /// `format`
    pub format: Format,
}

/// `redaction`
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    /// `packs`: `builtin` or a folder.
    pub packs: Vec<At<String>>,
    /// Everything else of the section.
    pub policy: Policy,
    /// Where `disable` names which rule.
    pub disabled: Vec<At<String>>,
    /// `allow_loosening`: rules that a reload may take out of force.
    pub allow_loosening: Vec<At<String>>,
}

const WHEN_FULL: &[(&str, spool::WhenFull)] =
    &[("block", spool::WhenFull::Block), ("drop_oldest", spool::WhenFull::DropOldest)];
const LEVELS: &[(&str, Level)] =
    &[("error", Level::Error), ("warn", Level::Warn), ("info", Level::Info), ("debug", Level::Debug)];

pub(super) const COUNTRIES: &[(&str, Country)] = &[
    ("pl", Country::Poland),
    ("us", Country::UnitedStates),
    ("de", Country::Germany),
    ("fr", Country::France),
    ("gb", Country::UnitedKingdom),
];

/// Reads the tree of a file. None when it is no configuration at all; mistakes go to `problems`.
pub fn read(root: &Node, problems: &Problems<'_>) -> Option<Written> {
    let fields = Fields::of(root, problems)?;
    if let Some(node) = fields.require("version") {
        node.read_number(1..=1, problems);
    }
    let region = fields
        .require("region")
        .and_then(|node| node.read_choice(REGIONS, problems).map(|value| At { value, span: node.span.clone() }));
    let mut written = Written {
        span: root.span.clone(),
        region,
        state_dir: text(&fields, "state_dir"),
        hostname: text(&fields, "hostname").filter(|name| name.value != "auto"),
        tags: texts(&fields, "tags"),
        retention: section(&fields, "retention", read_retention).unwrap_or_default(),
        sources: read_sources(&fields),
        output: fields.require("output").and_then(|node| read_output(node, problems)),
        spool: section(&fields, "spool", read_spool).unwrap_or_default(),
        admin: section(&fields, "admin", |f| Admin { listen: text(f, "listen"), expose: flag(f, "expose") })
            .unwrap_or_default(),
        log: section(&fields, "log", read_log).unwrap_or_default(),
        apm: section(&fields, "telemetry", |f| section(f, "apm", read_apm)).flatten().unwrap_or_default(),
        redaction: section(&fields, "redaction", read_redaction).unwrap_or_default(),
        threads: section(&fields, "limits", |f| f.number("threads", 1..=64)).flatten().unwrap_or(0) as usize,
        keyring: None,
        country: None,
        residency_allow: section(&fields, "residency", |f| texts(f, "allow")).unwrap_or_default(),
    };
    if let Some((keyring, country)) = section(&fields, "tokens", read_tokens) {
        (written.keyring, written.country) = (keyring, country);
    }
    fields.finish();
    Some(written)
}

fn read_retention(fields: &Fields<'_, '_, '_>) -> Retention {
    Retention { tag: text(fields, "tag"), allow_longer: flag(fields, "allow_longer") }
}

fn read_tokens(fields: &Fields<'_, '_, '_>) -> (Option<At<String>>, Option<Country>) {
    fields.require("keyring");
    (text(fields, "keyring"), fields.choice("country", COUNTRIES))
}

fn read_sources(fields: &Fields<'_, '_, '_>) -> Vec<Source> {
    let problems = fields.problems();
    let Some(node) = fields.require("sources") else { return Vec::new() };
    let Value::Map(entries) = &node.value else {
        problems.error_with_help(
            &node.span,
            format!("expected sources by name, found {}", node.kind()),
            "sources: {name: {include: [/path/*.log]}}",
        );
        return Vec::new();
    };
    if entries.is_empty() {
        problems.error_with_help(&node.span, "there is no source", "add one: name: {include: [/path/*.log]}");
    }
    entries.iter().filter_map(|entry| read_source(entry, problems)).collect()
}

fn read_source(entry: &Entry, problems: &Problems<'_>) -> Option<Source> {
    let fields = Fields::of(&entry.value, problems)?;
    let span = entry.value.span.clone();
    let (service, ddsource) = (text(&fields, "service"), text(&fields, "ddsource"));
    let (tags, trust_origin) = (texts(&fields, "tags"), flag(&fields, "trust_origin"));
    let source = system::read(&fields).map(|reading| {
        let files = matches!(reading.kind, Kind::File);
        Source {
            name: At { value: entry.key.clone(), span: entry.span.clone() },
            include: if files { read_include(&fields, &reading, &span) } else { Vec::new() },
            exclude: if files { texts(&fields, "exclude") } else { Vec::new() },
            start_at: if files { system::start_at(&fields) } else { StartAt::default() },
            service,
            ddsource,
            tags,
            trust_origin,
            reading,
            span,
        }
    });
    fields.finish();
    source
}

fn read_include(fields: &Fields<'_, '_, '_>, reading: &Reading, span: &Range<usize>) -> Vec<At<String>> {
    let problems = fields.problems();
    if let (Some(files), None) = (reading.default_include, fields.get("include")) {
        return vec![At { value: files.to_owned(), span: span.clone() }];
    }
    if let Some(node) = fields.require("include")
        && matches!(&node.value, Value::List(items) if items.is_empty())
    {
        problems.error_with_help(&node.span, "the source includes nothing", "include: [/var/log/app/*.log]");
    }
    texts(fields, "include")
}

fn read_output(node: &Node, problems: &Problems<'_>) -> Option<Output> {
    let fields = Fields::of(node, problems)?;
    let datadog = fields.entry("datadog");
    let stdout = fields.entry("stdout");
    let output = match (datadog, stdout) {
        (Some(datadog), None) => read_datadog(&datadog.value, problems).map(|d| Output::Datadog(Box::new(d))),
        (None, Some(_)) => {
            section(&fields, "stdout", |_| ());
            Some(Output::Stdout)
        }
        (Some(_), Some(stdout)) => {
            problems.error_with_help(&stdout.span, "there can be only one output", "keep either datadog or stdout");
            None
        }
        (None, None) => {
            problems.error_with_help(&node.span, "no output is named", "add datadog: {api_key: file:/path}");
            None
        }
    };
    fields.finish();
    output
}

fn read_datadog(node: &Node, problems: &Problems<'_>) -> Option<Datadog> {
    let fields = Fields::of(node, problems)?;
    fields.require("api_key");
    let encodings = [("zstd", Encoding::Zstd), ("gzip", Encoding::Gzip), ("none", Encoding::None)];
    let batch = section(&fields, "batch", |f| {
        let bytes = sized(f, "bytes", 10_000..=4_500_000);
        let age = timed(f, "age", Duration::from_millis(10)..=Duration::from_secs(300));
        (f.number("events", 1..=1_000), bytes, age)
    });
    let (events, bytes, age) = batch.unwrap_or_default();
    let written = Datadog {
        span: node.span.clone(),
        site: text(&fields, "site"),
        url: text(&fields, "url"),
        api_key: text(&fields, "api_key"),
        compression: fields.choice("compression", &encodings).unwrap_or(Encoding::Zstd),
        events: events.unwrap_or(1_000) as u32,
        bytes: bytes.unwrap_or(4_500_000) as usize,
        age: age.unwrap_or(Duration::from_secs(2)),
        in_flight: fields.number("in_flight", 1..=4).unwrap_or(1) as usize,
        ca_file: section(&fields, "tls", |f| text(f, "ca_file")).flatten(),
        proxy: text(&fields, "proxy"),
    };
    fields.finish();
    Some(written)
}

fn read_spool(fields: &Fields<'_, '_, '_>) -> spool::Settings {
    let kinds = [("disk", spool::Kind::Disk), ("memory", spool::Kind::Memory)];
    let default = spool::Settings::default();
    spool::Settings {
        kind: fields.choice("type", &kinds).unwrap_or(default.kind),
        max_bytes: sized(fields, "max", (16 << 20)..=(1 << 50)).unwrap_or(default.max_bytes),
        max_age: timed(fields, "max_age", Duration::from_secs(60)..=Duration::from_secs(90 * 86_400)),
        when_full: fields.choice("when_full", WHEN_FULL).unwrap_or(default.when_full),
    }
}

fn read_apm(fields: &Fields<'_, '_, '_>) -> Apm {
    let place = fields.get("enabled").map(|node| node.span.clone());
    Apm {
        enabled: place.filter(|_| flag(fields, "enabled")),
        agent: text(fields, "agent"),
        sample: fields.number("sample", 1..=1_000_000).map(|every| every as u32),
    }
}

fn read_log(fields: &Fields<'_, '_, '_>) -> Log {
    Log {
        level: fields.choice("level", LEVELS).unwrap_or_default(),
        format: fields.choice("format", &[("text", Format::Text), ("json", Format::Json)]).unwrap_or_default(),
    }
}

fn read_redaction(fields: &Fields<'_, '_, '_>) -> Redaction {
    let problems = fields.problems();
    let disabled = texts(fields, "disable");
    let allow = fields.get("allow").and_then(|node| node.read_list(problems)).unwrap_or_default();
    let styles = [("rule", MaskStyle::Rule), ("label", MaskStyle::Label)];
    let mask = section(fields, "mask", |f| {
        let style = |(name, class): &(&'static str, _)| f.choice(name, &styles).map(|style| (*class, style));
        CLASSES.iter().filter_map(style).collect()
    });
    let keys = fields.get("keys").and_then(|node| node.read_list(problems)).unwrap_or_default();
    let policy = Policy {
        enforce: texts(fields, "enforce").into_iter().map(|id| id.value).collect(),
        keys: keys.iter().filter_map(|node| read_keys(node, problems)).collect(),
        disable: disabled.iter().map(|id| id.value.clone()).collect(),
        mask: mask.unwrap_or_default(),
        allow: allow.iter().filter_map(|node| read_allow(node, problems)).collect(),
        user_agents: fields
            .choice("user_agents", &[("keep", KeepOrMask::Keep), ("mask", KeepOrMask::Mask)])
            .unwrap_or_default(),
        private_ips: fields
            .choice("private_ips", &[("mask", PrivateIps::Mask), ("keep", PrivateIps::Keep)])
            .unwrap_or_default(),
        // A tool that reads YAML 1.1 takes `off` for a truth value and writes `false` in its place.
        names: fields
            .choice("names", &[("keys", Names::Keys), ("off", Names::Off), ("false", Names::Off)])
            .unwrap_or_default(),
    };
    Redaction { packs: texts(fields, "packs"), policy, disabled, allow_loosening: texts(fields, "allow_loosening") }
}

/// `{rule: customer-id, words: [numer kontrahenta]}`
fn read_keys(node: &Node, problems: &Problems<'_>) -> Option<MoreKeys> {
    let fields = Fields::of(node, problems)?;
    let rule = fields.require_text("rule").map(str::to_owned);
    let words: Vec<String> = fields.texts("words").iter().map(|(word, _)| (*word).to_owned()).collect();
    if words.is_empty() {
        problems.error_with_help(&node.span, "no words", "add 'words: [customer number]': names of the values");
    }
    fields.finish();
    rule.map(|rule| MoreKeys { rule, words })
}
