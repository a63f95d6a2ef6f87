//! The lines that container runtimes write around an application's lines.
//!
//! - CRI (containerd, CRI-O): `TIME stdout|stderr P|F TEXT`; `P` says that the line goes on in the next one.
//! - Docker `json-file`: `{"log":"TEXT\n","stream":"stdout","time":"…"}`; a `log` without its line end goes on.
//!
//! Both parsers are pure and give the application's own text, so that redaction sees the line as it was
//! written. A line that is not of the form is none: it is shipped as it stands.

use crate::batch::facts::time_at_start;
use serde::Deserialize;
use std::borrow::Cow;

/// What a container's line says. Without `Debug` outside of tests: it holds raw text.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Piece<'a> {
    /// Written to standard error.
    pub stderr: bool,
    /// The line goes on in the next piece of the same output.
    pub partial: bool,
    /// When it was written, Unix milliseconds.
    pub time: Option<i64>,
    /// The application's text without a line end.
    pub text: Cow<'a, [u8]>,
}

/// Forms of a container's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// CRI.
    Cri,
    /// Docker `json-file`.
    Docker,
}

impl Format {
    /// Reads one line, with or without its end.
    pub fn parse(self, line: &[u8]) -> Option<Piece<'_>> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        match self {
            Format::Cri => cri(line),
            Format::Docker => docker(line),
        }
    }
}

fn cri(line: &[u8]) -> Option<Piece<'_>> {
    let mut fields = line.splitn(4, |&b| b == b' ');
    let (time, stream, tags) = (fields.next()?, fields.next()?, fields.next()?);
    let time = time_at_start(time, 0, 0)?;
    let stderr = output(stream)?;
    // Runtimes may add tags behind a colon.
    let partial = match tags.split(|&b| b == b':').next()? {
        b"P" => true,
        b"F" => false,
        _ => return None,
    };
    Some(Piece { stderr, partial, time: Some(time), text: Cow::Borrowed(fields.next().unwrap_or_default()) })
}

fn output(name: &[u8]) -> Option<bool> {
    match name {
        b"stdout" => Some(false),
        b"stderr" => Some(true),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Docker<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow, default)]
    stream: Cow<'a, str>,
    #[serde(borrow, default)]
    time: Cow<'a, str>,
}

fn docker(line: &[u8]) -> Option<Piece<'_>> {
    let line: Docker<'_> = serde_json::from_slice(line).ok()?;
    let stderr = output(line.stream.as_bytes())?;
    let (partial, text) = match line.log {
        Cow::Borrowed(text) => (!text.ends_with('\n'), Cow::Borrowed(without_end(text).as_bytes())),
        Cow::Owned(mut text) => {
            let (partial, len) = (!text.ends_with('\n'), without_end(&text).len());
            text.truncate(len);
            (partial, Cow::Owned(text.into_bytes()))
        }
    };
    Some(Piece { stderr, partial, time: time_at_start(line.time.as_bytes(), 0, 0), text })
}

fn without_end(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

/// Any bytes: what is taken for a CRI line ends with its text, and a Docker line gives the text that a tree
/// parser finds.
#[doc(hidden)]
pub fn fuzz_container(data: &[u8]) {
    if let Some(piece) = Format::Cri.parse(data) {
        assert!(data.strip_suffix(b"\n").unwrap_or(data).ends_with(&piece.text));
    }
    if let Some(piece) = Format::Docker.parse(data) {
        // Fields that are of no interest may hold any bytes, which a tree of texts cannot.
        let tree: serde_json::Value = serde_json::from_str(&String::from_utf8_lossy(data)).expect("it was read before");
        let log = tree["log"].as_str().expect("it has text");
        let end = if piece.partial { &b""[..] } else { b"\n" };
        assert_eq!([&piece.text, end].concat(), log.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TIME: i64 = 1_763_892_309_669;

    fn piece(stderr: bool, partial: bool, text: &str) -> Option<Piece<'_>> {
        Some(Piece { stderr, partial, time: Some(TIME), text: Cow::Borrowed(text.as_bytes()) })
    }

    #[test]
    fn cri_lines() {
        for (line, expected) in [
            ("2025-11-23T10:05:09.669794202Z stdout F hello  world\n", piece(false, false, "hello  world")),
            ("2025-11-23T10:05:09.669794202Z stderr P half", piece(true, true, "half")),
            ("2025-11-23T11:05:09.669+01:00 stdout P:x half", piece(false, true, "half")),
            ("2025-11-23T10:05:09.669Z stdout F \r\n", piece(false, false, "\r")),
            ("2025-11-23T10:05:09.669Z stdout F\n", piece(false, false, "")),
            ("2025-11-23T10:05:09.669Z stdout hello", None),
            ("2025-11-23T10:05:09.669Z stdin F hello", None),
            ("yesterday stdout F hello", None),
            ("", None),
        ] {
            assert_eq!(Format::Cri.parse(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn docker_lines() {
        let line = |log: &str, stream: &str| {
            format!(r#"{{"log":"{log}","stream":"{stream}","time":"2025-11-23T10:05:09.669794202Z"}}"#)
        };
        for (line, expected) in [
            (line(r"hello \u00e9\n", "stdout"), piece(false, false, "hello é")),
            (line(r#"{\"a\":\"b\\n\"}\n"#, "stderr"), piece(true, false, r#"{"a":"b\n"}"#)),
            (line("half", "stdout"), piece(false, true, "half")),
            (line(r"\n", "stdout"), piece(false, false, "")),
            (line(r"x\n", "other"), None),
            (line(r"\ud800\n", "stdout"), None),
            (r#"{"stream":"stdout"}"#.into(), None),
            ("hello".into(), None),
        ] {
            assert_eq!(Format::Docker.parse(line.as_bytes()), expected, "{line}");
        }
        let with_more = br#"{"attrs":{"tag":"x"},"log":"x\n","stream":"stdout","time":"never"}"#;
        let expected = Piece { stderr: false, partial: false, time: None, text: Cow::Borrowed(b"x") };
        assert_eq!(Format::Docker.parse(with_more), Some(expected));
    }

    #[test]
    fn bytes_in_an_unknown_field_do_no_harm() {
        let line = include_bytes!("../../fuzz/seeds/container/bytes-in-an-unknown-field");
        fuzz_container(line);
        assert_eq!(Format::Docker.parse(line).map(|piece| piece.text), Some(Cow::Borrowed(&b"x"[..])));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(data: Vec<u8>, text: String, docker: bool) {
            fuzz_container(&data);
            let log = serde_json::to_string(&text).expect("a string");
            let line = match docker {
                true => format!(r#"{{"log":{log},"stream":"stdout","time":"2025-11-23T10:05:09Z"}}"#),
                false => format!("2025-11-23T10:05:09Z stdout F {text}"),
            };
            fuzz_container(line.as_bytes());
        }
    }
}
