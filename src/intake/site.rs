//! The site's other endpoints: indexes, their order, archives, forwarding targets, search.
//!
//! As the contract describes them: an application key beside the API key, error bodies of the form
//! `{"error": {"code", "message"}}`, an index is created last in order, a taken name is refused, an order
//! must name every index once. A status can be put in front of every answer.

use super::ledger::Ledger;
use crate::retention::{Facts, Filter, Truth};
use serde_json::{Value, json};

/// What the site is set to; starts as a new organisation has it: one index `main` of 15 days.
pub struct Site {
    /// Application keys taken; none: any key that is not empty.
    pub application_keys: Option<Vec<String>>,
    /// Indexes in order, as the API shows them.
    pub indexes: Vec<Value>,
    /// Archives and forwarding targets, as `data[]` of their endpoints.
    pub copies: Vec<Value>,
    /// Answer this to every request instead.
    pub refuse: Option<u16>,
}

/// Status and body of an answer.
pub type Reply = (u16, Value);

const INDEXES: &str = "/api/v1/logs/config/indexes";
const ORDER: &str = "/api/v1/logs/config/index-order";

impl Default for Site {
    fn default() -> Self {
        let main = json!({
            "name": "main", "filter": {"query": "*"}, "num_retention_days": 15, "exclusion_filters": [],
            "daily_limit": null, "is_rate_limited": false,
        });
        Site { application_keys: None, indexes: vec![main], copies: Vec::new(), refuse: None }
    }
}

/// True for paths that [`Site::answer`] speaks for.
pub fn speaks_for(path: &str) -> bool {
    path.starts_with("/api/v1/logs/config/")
        || path.starts_with("/api/v2/logs/config/")
        || path == "/api/v2/logs/events/search"
}

impl Site {
    /// Answers a request whose API key is known already.
    pub fn answer(
        &mut self,
        method: &str,
        path: &str,
        application_key: Option<&str>,
        body: &[u8],
        ledger: &Ledger,
    ) -> Reply {
        if let Some(status) = self.refuse {
            return error(status, "as the script says");
        }
        let known = application_key.is_some_and(|key| {
            !key.is_empty() && self.application_keys.as_ref().is_none_or(|keys| keys.iter().any(|known| known == key))
        });
        if !known {
            return error(403, "Forbidden");
        }
        match (method, path) {
            ("GET", INDEXES) => (200, json!({ "indexes": self.indexes })),
            ("POST", INDEXES) => self.create(body),
            ("GET", ORDER) => (200, json!({ "index_names": self.names() })),
            ("PUT", ORDER) => self.reorder(body),
            ("GET", "/api/v2/logs/config/archives") => (200, json!({ "data": self.copies })),
            ("GET", "/api/v2/logs/config/custom-destinations") => (200, json!({ "data": [] })),
            ("POST", "/api/v2/logs/events/search") => search(body, ledger),
            _ => error(404, "Not found"),
        }
    }

    fn names(&self) -> Vec<&str> {
        self.indexes.iter().filter_map(|index| index["name"].as_str()).collect()
    }

    fn create(&mut self, body: &[u8]) -> Reply {
        let Ok(index) = serde_json::from_slice::<Value>(body) else { return error(400, "Invalid body") };
        let (name, query) = (index["name"].as_str().unwrap_or_default(), index["filter"]["query"].as_str());
        let well_formed = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !well_formed || query.is_none() {
            return error(400, "An index needs a name of lower-case letters, digits and dashes, and a filter");
        }
        if self.names().contains(&name) {
            return error(400, "The name is taken");
        }
        if self.indexes.len() >= 100 {
            return error(422, "Index limit reached");
        }
        self.indexes.push(index.clone());
        (200, index)
    }

    fn reorder(&mut self, body: &[u8]) -> Reply {
        let wanted: Value = serde_json::from_slice(body).unwrap_or_default();
        let names: Vec<&str> =
            wanted["index_names"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let (mut sorted, mut known) = (names.clone(), self.names());
        sorted.sort_unstable();
        known.sort_unstable();
        if sorted != known {
            return error(400, "The order must name every index once");
        }
        self.indexes.sort_by_key(|index| names.iter().position(|name| index["name"] == **name));
        (200, json!({ "index_names": names }))
    }
}

/// Stored events that surely match the query, newest last, in the search answer's form.
fn search(body: &[u8], ledger: &Ledger) -> Reply {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let Ok(filter) = Filter::parse(request["filter"]["query"].as_str().unwrap_or("*")) else {
        return error(400, "The query cannot be read");
    };
    let limit = request["page"]["limit"].as_u64().unwrap_or(10).min(1_000) as usize;
    let book = ledger.book();
    let found = book.stored.iter().filter(|stored| stored.fate.index.is_some());
    let data: Vec<Value> = found
        .filter(|stored| filter.matches(&facts(&stored.event)) == Truth::Yes)
        .take(limit)
        .map(|stored| json!({"type": "log", "attributes": {"message": stored.event["message"], "attributes": stored.event}}))
        .collect();
    (200, json!({ "data": data }))
}

fn facts(event: &Value) -> Facts {
    let mut facts = Facts::default();
    let tags = event["ddtags"].as_str().unwrap_or_default();
    facts.tags.extend(tags.split(',').map(|tag| tag.trim().to_owned()));
    for (key, tag) in [("service", "service"), ("hostname", "host"), ("ddsource", "source"), ("status", "status")] {
        facts.tags.extend(event[key].as_str().map(|value| format!("{tag}:{value}")));
    }
    attributes(event, String::new(), &mut facts.attributes);
    facts
}

/// Every scalar by its dotted path; elements of an array under the array's path.
fn attributes(value: &Value, path: String, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                attributes(value, path, out);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| attributes(value, path.clone(), out)),
        Value::String(text) => out.push((path, text.clone())),
        other => out.push((path, other.to_string())),
    }
}

fn error(status: u16, message: &str) -> Reply {
    (status, json!({"error": {"code": status.to_string(), "message": message}}))
}
