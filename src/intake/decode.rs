//! Bodies: decompressed under an exact limit, read as strict JSON.

use serde_json::Value;
use std::io::{self, Read};

/// Why a body was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadBody {
    /// The encoding is not one the intake knows: 415.
    Encoding,
    /// Longer than the limit once decompressed: 413.
    TooLong,
    /// The compressed stream is broken, cut, or followed by something else: 400.
    Stream,
    /// Not UTF-8 JSON, or neither an array of objects nor an object: 400.
    Json,
    /// An object names a key twice: 400.
    DuplicateKey,
}

/// Decompresses `body`; stops at the first byte over `limit`.
///
/// # Errors
/// [`BadBody::Encoding`], [`BadBody::TooLong`] or [`BadBody::Stream`].
pub fn decompress(encoding: &str, body: &[u8], limit: usize) -> Result<Vec<u8>, BadBody> {
    let mut rest = body;
    let decoded = match encoding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => read_all(&mut rest, limit),
        "gzip" => read_all(flate2::bufread::GzDecoder::new(&mut rest), limit),
        "deflate" => read_all(flate2::bufread::ZlibDecoder::new(&mut rest), limit),
        "zstd" => match zstd::stream::read::Decoder::with_buffer(&mut rest) {
            Ok(decoder) => read_all(decoder.single_frame(), limit),
            Err(_) => Err(BadBody::Stream),
        },
        _ => Err(BadBody::Encoding),
    }?;
    if rest.is_empty() { Ok(decoded) } else { Err(BadBody::Stream) }
}

fn read_all(reader: impl Read, limit: usize) -> Result<Vec<u8>, BadBody> {
    let mut out = Vec::new();
    let read: io::Result<usize> = reader.take(limit as u64 + 1).read_to_end(&mut out);
    match read {
        Err(_) => Err(BadBody::Stream),
        Ok(_) if out.len() > limit => Err(BadBody::TooLong),
        Ok(_) => Ok(out),
    }
}

/// The events of a body: none for the probes (empty, `{}`), else those of the array or the single object.
///
/// # Errors
/// [`BadBody::Json`] or [`BadBody::DuplicateKey`].
pub fn events(json: &[u8]) -> Result<Vec<Value>, BadBody> {
    if json.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let value: Value = serde_json::from_slice(json).map_err(|_| BadBody::Json)?;
    if members(&value) != colons(json) {
        return Err(BadBody::DuplicateKey);
    }
    match value {
        Value::Object(fields) if fields.is_empty() => Ok(Vec::new()),
        Value::Object(_) => Ok(vec![value]),
        Value::Array(events) if events.iter().all(Value::is_object) => Ok(events),
        _ => Err(BadBody::Json),
    }
}

/// Members of all objects in a tree, where a key that came twice counts once.
fn members(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.len() + fields.values().map(members).sum::<usize>(),
        Value::Array(items) => items.iter().map(members).sum(),
        _ => 0,
    }
}

/// Members as written: colons outside strings, in JSON already known to be valid.
fn colons(json: &[u8]) -> usize {
    let (mut in_string, mut escaped, mut count) = (false, false, 0);
    for &byte in json {
        match (in_string, byte) {
            _ if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b':') => count += 1,
            _ => {}
        }
    }
    count
}

/// Any bytes under any encoding: the limit holds, nothing panics, and a body without a doubled key has as
/// many members as its tree.
#[doc(hidden)]
pub fn fuzz_decode(data: &[u8]) {
    let Some((&first, body)) = data.split_first() else { return };
    let encoding = ["", "gzip", "deflate", "zstd"][usize::from(first) % 4];
    let Ok(json) = decompress(encoding, body, 1 << 16) else { return };
    assert!(json.len() <= 1 << 16);
    if let Ok(events) = events(&json) {
        assert!(events.iter().all(Value::is_object));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text).expect("in memory");
        out.finish().expect("in memory")
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text).expect("in memory");
        out.finish().expect("in memory")
    }

    fn zst(text: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(text, 1).expect("in memory")
    }

    #[test]
    fn every_encoding_is_limited_to_the_byte() {
        let text = vec![b'a'; 100_000];
        let bodies = [
            ("", text.clone()),
            ("identity", text.clone()),
            ("gzip", gzip(&text)),
            ("deflate", zlib(&text)),
            ("ZSTD", zst(&text)),
        ];
        for (name, body) in bodies {
            assert_eq!(decompress(name, &body, text.len()).as_ref(), Ok(&text), "{name}");
            assert_eq!(decompress(name, &body, text.len() - 1), Err(BadBody::TooLong), "{name}");
        }
    }

    #[test]
    fn broken_cut_and_doubled_bodies_are_refused() {
        for (name, body) in [("gzip", gzip(b"[]")), ("deflate", zlib(b"[]")), ("zstd", zst(b"[]"))] {
            assert_eq!(decompress(name, &body[..body.len() - 1], 99), Err(BadBody::Stream), "{name} cut");
            let more = [&body[..], b"x"].concat();
            assert_eq!(decompress(name, &more, 99), Err(BadBody::Stream), "{name} and more");
            assert_eq!(decompress(name, b"[]", 99), Err(BadBody::Stream), "{name} but plain");
        }
        assert_eq!(decompress("br", b"", 99), Err(BadBody::Encoding));
    }

    #[test]
    fn json_is_read_strictly() {
        for (json, events_or_error) in [
            ("", Ok(0)),
            (" \n", Ok(0)),
            ("{}", Ok(0)),
            ("[]", Ok(0)),
            (r#"{"message":"a:b"}"#, Ok(1)),
            (r#"[{"message":"\":\""},{"a":{"b":[{"c":1}]}}]"#, Ok(2)),
            (r#"[{"a":1,"a":2}]"#, Err(BadBody::DuplicateKey)),
            (r#"[{"x":{"a":1,"\u0061":2}}]"#, Err(BadBody::DuplicateKey)),
            ("[1]", Err(BadBody::Json)),
            ("\"text\"", Err(BadBody::Json)),
            ("[{}", Err(BadBody::Json)),
            ("[] []", Err(BadBody::Json)),
        ] {
            assert_eq!(events(json.as_bytes()).map(|e| e.len()), events_or_error, "{json}");
        }
        assert_eq!(events(b"[{\"a\":\"\xff\"}]"), Err(BadBody::Json));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(data: Vec<u8>, json in r#"[\[\]{}":,a0 \\]{0,30}"#) {
            fuzz_decode(&data);
            fuzz_decode(format!("\0{json}").as_bytes());
        }
    }
}
