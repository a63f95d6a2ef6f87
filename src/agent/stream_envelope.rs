//! The fixed part of a stream's records, from configuration and path. It holds under one rule set: the path is
//! masked like any record.

use super::settings::Settings;
use crate::batch::{Envelope, EnvelopeParts};
use crate::redact::{Redactor, StreamState};
use crate::source::StreamInfo;
use std::os::unix::ffi::OsStrExt;

/// The fixed part of a stream's records. The path goes through the engine like any record.
pub(super) fn envelope(settings: &Settings, info: &StreamInfo, redactor: &mut Redactor) -> Envelope {
    let source = &settings.sources[info.source];
    let path = info.path.as_ref().map(|path| {
        let mut masked = Vec::new();
        let bytes = path.as_os_str().as_bytes();
        redactor.redact(&mut StreamState::default(), bytes, &[bytes.len() as u32], &mut |redacted| {
            redacted.write_to(&mut masked);
        });
        String::from_utf8_lossy(&masked).into_owned()
    });
    let tags: Vec<String> = settings.tags.iter().chain(&source.tags).cloned().collect();
    Envelope::new(&EnvelopeParts {
        ddsource: &source.ddsource,
        service: &source.service,
        hostname: &settings.hostname,
        tags: &tags,
        retention: &settings.retention,
        source: &source.name,
        file: path.as_deref(),
        trust_origin: source.trust_origin,
    })
}
