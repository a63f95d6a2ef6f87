//! Plain decoders and encoders: slow, obvious, from libraries that the engine does not use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

pub(super) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

pub(super) fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// `text` as a JSON string, quotes included.
pub(super) fn json_string(text: &str) -> String {
    Value::from(text).to_string()
}

/// Backslash escapes read once, the way JSON reads them; what JSON would refuse stays.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let widths = [12, 6, 2].into_iter().filter(|&width| rest.is_char_boundary(at + width.min(rest.len() - at)));
        let read = widths
            .filter_map(|width| Some((width, rest.get(at..at + width)?)))
            .find_map(|(width, part)| Some((width, serde_json::from_str::<String>(&format!("\"{part}\"")).ok()?)));
        let (width, char) = read.unwrap_or((1, "\\".to_owned()));
        out.push_str(&char);
        rest = &rest[at + width..];
    }
    out.push_str(rest);
    out
}

/// Every base64 run of at least sixteen characters replaced by its text, where it is text.
pub(super) fn base64_decode_runs(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for char in text.chars().chain(['\n']) {
        if char.is_ascii_alphanumeric() || matches!(char, '+' | '/' | '-' | '_') {
            run.push(if char == '-' {
                '+'
            } else if char == '_' {
                '/'
            } else {
                char
            });
            continue;
        }
        let whole = run.get(..run.len() / 4 * 4).filter(|whole| whole.len() >= 16);
        let decoded = whole.and_then(|whole| STANDARD.decode(whole).ok());
        match decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(decoded) => out.push_str(&decoded),
            None => out.push_str(&run),
        }
        run.clear();
        out.push(char);
    }
    out
}

pub(super) fn base64_encode(text: &str) -> String {
    STANDARD.encode(text)
}

pub(super) fn base64_decode(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

pub(super) fn xml_escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(super) fn xml_unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
}
