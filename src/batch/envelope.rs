//! The part of a record that is the same for every record of a stream, escaped once and copied per record.
//!
//! Invariants: `ddtags` ends with the retention tag and holds no other `retention:`; no value can close its
//! JSON string or add a tag.

use super::escape::escape_text;

/// What a record says about where it comes from. All texts are trusted configuration or already redacted.
#[derive(Clone, Copy, Debug)]
pub struct EnvelopeParts<'a> {
    /// `ddsource`: selects Datadog's integration pipelines.
    pub ddsource: &'a str,
    /// `service`.
    pub service: &'a str,
    /// `hostname`.
    pub hostname: &'a str,
    /// Tags, `key:value` each; a `retention:` among them is left out.
    pub tags: &'a [String],
    /// The retention tag, such as `retention:90d`; always the last tag.
    pub retention: &'a str,
    /// Name of the source in the configuration.
    pub source: &'a str,
    /// Path of the file, redacted; none for sources that are not files.
    pub file: Option<&'a str>,
    /// Lets host and service found inside a line replace the configured ones.
    pub trust_origin: bool,
}

/// The fixed part of a stream's records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// A record up to the value of its status, for lines that name no host and service of their own.
    pub(super) head: Vec<u8>,
    pub(super) ddsource: Vec<u8>,
    pub(super) service: Vec<u8>,
    pub(super) hostname: Vec<u8>,
    pub(super) ddtags: Vec<u8>,
    /// `"source":…` and, for files, `"file":…` of the `logveil` object.
    pub(super) own: Vec<u8>,
    pub(super) trust_origin: bool,
}

/// Host and service that a line names itself. Redacted text only.
#[derive(Clone, Copy, Default, Debug)]
pub struct Origin<'a> {
    /// The host the line names.
    pub host: Option<&'a str>,
    /// The program or service the line names.
    pub service: Option<&'a str>,
}

impl Envelope {
    /// Escapes the fixed part once.
    pub fn new(parts: &EnvelopeParts<'_>) -> Envelope {
        let field = |name: &str, value: &str| {
            let mut out = format!(",\"{name}\":\"").into_bytes();
            escape_text(value.as_bytes(), &mut out);
            out.push(b'"');
            out
        };
        let mut own = field("source", parts.source);
        if let Some(file) = parts.file {
            own.extend(field("file", file));
        }
        let mut envelope = Envelope {
            head: Vec::new(),
            ddsource: field("ddsource", parts.ddsource),
            service: field("service", parts.service),
            hostname: field("hostname", parts.hostname),
            ddtags: field("ddtags", &tag_list(parts.tags, parts.retention)),
            own,
            trust_origin: parts.trust_origin,
        };
        let Envelope { ddsource, service, hostname, ddtags, .. } = &envelope;
        envelope.head = [b"{", &ddsource[1..], service, hostname, ddtags, STATUS].concat();
        envelope
    }
}

/// What stands before the value of the status.
pub(super) const STATUS: &[u8] = b",\"status\":\"";

/// One comma-separated list that ends with the retention tag. A comma inside a tag would make two of it.
fn tag_list(tags: &[String], retention: &str) -> String {
    let ours = |tag: &&String| !tag.trim().to_lowercase().starts_with("retention:");
    let mut list = String::new();
    for tag in tags.iter().filter(ours) {
        list.push_str(&tag.trim().replace(',', "_"));
        list.push(',');
    }
    list.push_str(&retention.trim().replace(',', "_"));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_retention_tag_is_last_and_alone() {
        let tags = ["env:prod".into(), " Retention:365d".into(), "team:a,retention:7d".into()];
        assert_eq!(tag_list(&tags, "retention:90d"), "env:prod,team:a_retention:7d,retention:90d");
        assert_eq!(tag_list(&[], "retention:90d"), "retention:90d");
    }

    #[test]
    fn values_cannot_leave_their_strings() {
        let parts = EnvelopeParts {
            ddsource: "a\",\"x\":\"",
            service: "s\\",
            hostname: "h\n",
            tags: &[],
            retention: "retention:90d",
            source: "w",
            file: Some("/var/log/ü\u{1}.log"),
            trust_origin: false,
        };
        let e = Envelope::new(&parts);
        let all = [&e.ddsource[1..], &e.service, &e.hostname, &e.ddtags, &e.own].concat();
        let json: serde_json::Value =
            serde_json::from_str(&format!("{{{}}}", String::from_utf8(all).expect("text"))).expect("valid JSON");
        assert_eq!(json["ddsource"], "a\",\"x\":\"");
        assert_eq!(json["service"], "s\\");
        assert_eq!(json["hostname"], "h\n");
        assert_eq!(json["file"], "/var/log/ü\u{1}.log");
        assert_eq!(json.as_object().map(|o| o.len()), Some(6));
    }
}
