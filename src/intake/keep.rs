//! What happens to an accepted event: the losses the real intake hides behind its 202, made visible.

use serde_json::Value;
use std::borrow::Cow;

/// Longest event stored whole, bytes of JSON.
const MAX_EVENT: usize = 1_000_000;
/// Oldest event stored, milliseconds.
const MAX_AGE: i64 = 18 * 3_600_000;
/// Event furthest ahead stored, milliseconds.
const MAX_AHEAD: i64 = 2 * 3_600_000;
/// Attributes read as the event's date, in order.
const DATES: [&str; 7] = ["@timestamp", "timestamp", "_timestamp", "Timestamp", "eventTime", "date", "published_date"];
const MAX_TAGS: usize = 100;
const MAX_TAG: usize = 200;
const MAX_ATTRIBUTES: usize = 256;
const MAX_KEY: usize = 50;
const MAX_DEPTH: usize = 10;

/// Where events with certain tags are stored, and for how long; the first index that matches takes the event.
#[derive(Clone, PartialEq, Debug)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// `*`, or terms `key:value` that must all be among the event's tags or reserved attributes.
    pub filter: String,
    /// Retention.
    pub days: u32,
    /// Filters of events that match but are not stored.
    pub exclude: Vec<String>,
    /// Events stored before the rest is refused in silence.
    pub daily_limit: Option<u64>,
}

impl Index {
    /// An index without exclusions and quota.
    pub fn new(name: &str, filter: &str, days: u32) -> Index {
        Index { name: name.into(), filter: filter.into(), days, exclude: Vec::new(), daily_limit: None }
    }
}

/// What became of an accepted event.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Fate {
    /// Older than 18 h or more than 2 h ahead: not stored.
    pub dropped_time: bool,
    /// Over 1 MB: stored cut.
    pub truncated: bool,
    /// A tag was normalised, cut or left out.
    pub tag_changed: bool,
    /// Too many attributes, a key too long, nesting too deep.
    pub soft_limit: bool,
    /// Place of the index that took it; none when it is stored nowhere.
    pub index: Option<usize>,
}

/// Decides the fate of an event that arrived at `now` (Unix milliseconds). `stored` counts what each index
/// already took and is carried on.
pub fn decide(event: &Value, indexes: &[Index], stored: &mut [u64], now: i64) -> Fate {
    let time = event_time(event).unwrap_or(now);
    let tags = tags(event);
    let mut fate = Fate {
        dropped_time: time < now - MAX_AGE || time > now + MAX_AHEAD,
        truncated: event.to_string().len() > MAX_EVENT,
        tag_changed: tags.len() > MAX_TAGS || tags.iter().any(|tag| normalise(tag) != *tag),
        soft_limit: beyond_soft_limits(event),
        index: None,
    };
    if !fate.dropped_time {
        fate.index = route(event, &tags, indexes, stored);
    }
    fate
}

fn route(event: &Value, tags: &[&str], indexes: &[Index], stored: &mut [u64]) -> Option<usize> {
    let place = indexes.iter().position(|index| matches(&index.filter, event, tags))?;
    let index = &indexes[place];
    let excluded = index.exclude.iter().any(|filter| matches(filter, event, tags));
    let full = index.daily_limit.is_some_and(|limit| stored[place] >= limit);
    if excluded || full {
        return None;
    }
    stored[place] += 1;
    Some(place)
}

fn matches(filter: &str, event: &Value, tags: &[&str]) -> bool {
    filter.split_whitespace().all(|term| term == "*" || has_term(term, event, tags))
}

fn has_term(term: &str, event: &Value, tags: &[&str]) -> bool {
    let reserved = |name: &str| match name {
        "service" | "status" => Some(name.to_owned()),
        "source" => Some("ddsource".into()),
        "host" => Some("hostname".into()),
        _ => None,
    };
    let by_attribute = term.split_once(':').and_then(|(name, value)| {
        let name = reserved(name)?;
        Some(event.get(&name).and_then(Value::as_str) == Some(value))
    });
    by_attribute.unwrap_or_else(|| tags.iter().any(|tag| normalise(tag) == term))
}

fn tags(event: &Value) -> Vec<&str> {
    let list = event.get("ddtags").and_then(Value::as_str).unwrap_or_default();
    list.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect()
}

/// A tag as Datadog keeps it: lower case, letters first, other characters as one `_`, at most 200 long.
pub fn normalise(tag: &str) -> Cow<'_, str> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.' | '/');
    let fine = tag.starts_with(char::is_alphabetic)
        && tag.chars().all(|c| allowed(c) && !c.is_uppercase())
        && tag.chars().count() <= MAX_TAG
        && !tag.ends_with([':', '_'])
        && !tag.contains("__");
    if fine {
        return Cow::Borrowed(tag);
    }
    let mut out = String::new();
    for c in tag.chars().skip_while(|c| !c.is_alphabetic()).take(MAX_TAG) {
        if allowed(c) && c != '_' {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out.truncate(out.trim_end_matches(['_', ':']).len());
    Cow::Owned(out)
}

fn event_time(event: &Value) -> Option<i64> {
    DATES.iter().find_map(|name| match event.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse::<jiff::Timestamp>().ok().map(|t| t.as_millisecond()),
        _ => None,
    })
}

fn beyond_soft_limits(event: &Value) -> bool {
    fn walk(value: &Value, depth: usize, count: &mut usize) -> bool {
        match value {
            Value::Object(fields) => fields.iter().any(|(key, value)| {
                *count += 1;
                key.chars().count() >= MAX_KEY || walk(value, depth + 1, count)
            }),
            Value::Array(items) => items.iter().any(|item| walk(item, depth, count)),
            _ => depth >= MAX_DEPTH,
        }
    }
    let mut count = 0;
    walk(event, 0, &mut count) || count >= MAX_ATTRIBUTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_763_900_000_000;

    fn fate(event: Value) -> Fate {
        let indexes = [Index::new("logveil-90d", "retention:90d", 90), Index::new("main", "*", 15)];
        decide(&event, &indexes, &mut [0; 2], NOW)
    }

    #[test]
    fn the_first_index_that_matches_takes_it() {
        assert_eq!(fate(json!({"ddtags": "env:prod,retention:90d"})).index, Some(0));
        assert_eq!(fate(json!({"ddtags": "env:prod,retention:9d"})).index, Some(1));
        let quota = Index {
            daily_limit: Some(1),
            exclude: vec!["status:debug".into()],
            ..Index::new("q", "service:a source:b", 3)
        };
        let mut stored = [0];
        let mut take = |event| decide(&event, std::slice::from_ref(&quota), &mut stored, NOW).index;
        assert_eq!(take(json!({"service": "a"})), None, "no index matches");
        assert_eq!(take(json!({"service": "a", "ddsource": "b", "status": "debug"})), None, "excluded");
        assert_eq!(take(json!({"service": "a", "ddsource": "b"})), Some(0));
        assert_eq!(take(json!({"service": "a", "ddsource": "b"})), None, "over quota");
    }

    #[test]
    fn times_outside_the_window_are_dropped() {
        for (time, dropped) in [
            (json!(NOW - MAX_AGE), false),
            (json!(NOW - MAX_AGE - 1), true),
            (json!(NOW + MAX_AHEAD), false),
            (json!(NOW + MAX_AHEAD + 1), true),
            (json!("2025-11-23T12:13:20Z"), false),
            (json!("2025-11-20T12:13:20Z"), true),
            (json!("yesterday"), false),
        ] {
            let fate = fate(json!({"timestamp": time}));
            assert_eq!((fate.dropped_time, fate.index.is_none()), (dropped, dropped), "{time}");
        }
    }

    #[test]
    fn tags_and_soft_limits_are_watched() {
        for (tag, kept) in [
            ("env:prod", "env:prod"),
            ("Env:Prod", "env:prod"),
            ("9lives", "lives"),
            ("a  b!!c", "a_b_c"),
            ("a:", "a"),
            ("team:ünïcode", "team:ünïcode"),
        ] {
            assert_eq!(normalise(tag), kept);
            assert_eq!(fate(json!({"ddtags": tag})).tag_changed, tag != kept, "{tag}");
        }
        assert_eq!(normalise(&"x".repeat(300)).len(), MAX_TAG);
        assert!(fate(json!({"k".repeat(50): 1})).soft_limit);
        let deep = (0..10).fold(json!(1), |inner, _| json!({"a": inner}));
        assert!(fate(deep).soft_limit && !fate(json!({"a": {"b": 1}})).soft_limit);
        assert!(fate(json!({"message": "x".repeat(MAX_EVENT)})).truncated);
    }
}
