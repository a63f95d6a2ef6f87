//! The ordered checks of one request; the first that fails answers.

use super::decode::{self, BadBody};
use super::settings::Settings;
use serde_json::{Value, json};

/// The endpoint of API v2.
pub const V2: &str = "/api/v2/logs";
/// The older endpoint; answers 200 where v2 answers 202.
pub const V1: &str = "/v1/input";

/// A refusal: the status and what its body says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Title and detail of the error.
    pub detail: &'static str,
}

impl Refusal {
    /// The body of the answer, as the real intake shapes it.
    pub fn body(&self) -> Vec<u8> {
        json!({"errors": [{"status": self.status.to_string(), "detail": self.detail}]}).to_string().into_bytes()
    }
}

/// Checks before the body is read: method, path, key.
///
/// # Errors
/// 404, 405, 401 or 403.
pub fn head(settings: &Settings, method: &str, path: &str, key: Option<&str>) -> Result<(), Refusal> {
    let refuse = |status, detail| Err(Refusal { status, detail });
    if path != V2 && path != V1 {
        return refuse(404, "no such path");
    }
    if method != "POST" {
        return refuse(405, "logs are posted");
    }
    self::key(settings, key)
}

/// The key alone, for the endpoints that take no body.
///
/// # Errors
/// 401 or 403.
pub fn key(settings: &Settings, key: Option<&str>) -> Result<(), Refusal> {
    match key {
        None | Some("") => Err(Refusal { status: 401, detail: "DD-API-KEY is missing" }),
        Some(key) if settings.keys.as_ref().is_some_and(|known| !known.iter().any(|k| k == key)) => {
            Err(Refusal { status: 403, detail: "DD-API-KEY is not known here" })
        }
        Some(_) => Ok(()),
    }
}

/// What the checks of a body saw, as far as they came.
#[derive(Default)]
pub struct Opened {
    /// The body after decompression.
    pub decoded: Vec<u8>,
    /// Its events.
    pub events: Vec<Value>,
}

/// Checks of the body: encoding, size, JSON, count. What could be read is in `opened` either way.
///
/// # Errors
/// 415, 413 or 400.
pub fn body(settings: &Settings, encoding: &str, raw: &[u8], opened: &mut Opened) -> Result<(), Refusal> {
    if let Some((name, status)) = &settings.refused_encoding
        && name == encoding
    {
        return Err(Refusal { status: *status, detail: "this encoding is not taken here" });
    }
    opened.decoded = decode::decompress(encoding, raw, settings.max_json).map_err(refusal)?;
    opened.events = decode::events(&opened.decoded).map_err(refusal)?;
    if opened.events.len() > settings.max_entries {
        return Err(Refusal { status: 413, detail: "more than 1000 entries" });
    }
    let poisoned = |poison: &String| {
        let poison = poison.as_bytes();
        opened.decoded.windows(poison.len().max(1)).any(|window| window == poison)
    };
    if settings.poison.as_ref().is_some_and(poisoned) {
        return Err(Refusal { status: 400, detail: "an entry is not taken" });
    }
    Ok(())
}

fn refusal(bad: BadBody) -> Refusal {
    let (status, detail) = match bad {
        BadBody::Encoding => (415, "unknown Content-Encoding"),
        BadBody::TooLong => (413, "more than 5,000,000 bytes of JSON"),
        BadBody::Stream => (400, "the compressed body is broken"),
        BadBody::Json => (400, "neither an array of objects nor an object in UTF-8 JSON"),
        BadBody::DuplicateKey => (400, "an object names a key twice"),
    };
    Refusal { status, detail }
}
