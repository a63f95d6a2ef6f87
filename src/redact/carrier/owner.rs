//! Whose object a member belongs to: `name` is a person's inside `"customer": {…}`, `User(…)` or `<contact>`.

use super::member;
use super::scope::Scope;

/// Objects that stand for a person.
#[rustfmt::skip]
const PERSONS: &[&str] = &[
    "assignee", "attendee", "author", "beneficiary", "billing", "buyer", "candidate", "cardholder", "client", "contact",
    "creditor", "customer", "debtor", "driver", "employee", "guest", "insured", "invitee", "kierowca", "klient", "kontakt",
    "kunde", "lead", "member", "nadawca", "odbiorca", "osoba", "owner", "passenger", "patient", "payee", "payer", "pacjent",
    "person", "pracownik", "receiver", "recipient", "reporter", "sender", "shipping", "student", "subscriber", "tenant",
    "traveler", "uzytkownik", "user", "victim", "visitor", "from", "to", "cc", "replyto",
];
/// Objects that stand for a service whose key is secret.
#[rustfmt::skip]
const SERVICES: &[&str] = &[
    "algolia", "api", "auth", "authentication", "authorization", "aws", "azure", "captcha", "crypto", "datadog", "encryption",
    "google", "googlemaps", "hubspot", "jwt", "license", "mailchimp", "mailgun", "maps", "newrelic", "openai", "openweather", "p24",
    "payu", "postmark", "przelewy24", "pusher", "recaptcha", "rollbar", "segment", "sendgrid", "sentry", "shopify", "slack",
    "smsapi", "sparkpost", "stripe", "tpay", "twilio", "vonage", "woocommerce",
];
/// Objects that stand for a thing: a given name in its `name` is no person's.
#[rustfmt::skip]
const THINGS: &[&str] = &[
    "article", "asset", "book", "branch", "brand", "build", "campaign", "category", "channel", "city", "cluster",
    "collection", "container", "database", "deployment", "device", "environment", "event", "feature", "host", "image", "item",
    "job", "location", "model", "module", "movie", "node", "package", "pipeline", "place", "plan", "plugin", "pod", "product",
    "project", "queue", "region", "release", "repo", "repository", "room", "server", "service", "site", "skill", "station",
    "step", "store", "street", "table", "tag", "task", "team", "template", "test", "theme", "topic", "track", "variant", "vessel",
    "warehouse", "workflow",
];
/// Objects that hold the parts of a name.
const NAMES: &[&str] = &["fullname", "legalname", "name"];
/// What such a name may end in besides.
const TAILS: &[&str] =
    &["", "data", "details", "dto", "entity", "info", "model", "obj", "profile", "record", "request", "s"];

/// Bytes read to the left.
const REACH: usize = 512;

/// Whether the member whose name stands at `name` belongs to a person.
pub(crate) fn is_person(scope: Scope<'_>, name: std::ops::Range<usize>) -> bool {
    belongs_to(scope, name, PERSONS)
}

/// The name of the element or object around the member that begins at `start`.
fn object_of<'t>(scope: Scope<'t>, start: usize) -> Option<&'t [u8]> {
    let floor = scope.floor.max(start.saturating_sub(REACH));
    let inside = Scope { floor, ..scope };
    parent_element(inside, start).or_else(|| container_name(inside, start))
}

/// Whether the member whose name stands at `name` belongs to a thing: `"product": {"name": "Olivia Chair"}`.
pub(crate) fn is_thing(scope: Scope<'_>, name: std::ops::Range<usize>) -> bool {
    belongs_to(scope, name, THINGS)
}

/// Whether the member whose name stands at `name` is a part of a name: `"name": {"first": …}`.
pub(crate) fn is_name(scope: Scope<'_>, name: std::ops::Range<usize>) -> bool {
    belongs_to(scope, name, NAMES)
}

/// Whether the object of the member whose name stands at `name` is called by one of `words`.
fn belongs_to(scope: Scope<'_>, name: std::ops::Range<usize>, words: &[&str]) -> bool {
    let whole = &scope.text[name.clone()];
    let object = match memchr::memrchr(b'.', whole) {
        // `user.name=…`: the name tells its object.
        Some(dot) => Some(&whole[..dot]),
        None => object_of(scope, name.start),
    };
    object.is_some_and(|object| names_one_of(object, words))
}

/// Whether the member whose name begins at `start` belongs to a service.
pub(crate) fn is_service(scope: Scope<'_>, start: usize) -> bool {
    object_of(scope, start).is_some_and(names_service) || beside_secret(scope, start)
}

/// Whether a name is a service's.
pub(crate) fn names_service(name: &[u8]) -> bool {
    ends_in_one_of(name, SERVICES)
}

/// `{"key": …, "secret": …}`: the pair that a client signs with; `start` is where `key` begins.
fn beside_secret(scope: Scope<'_>, start: usize) -> bool {
    const NEAR: usize = 96;
    const LONGEST_NAME: usize = 24;
    // `sort_key` beside a secret sorts.
    if !scope.text[start..scope.limit.min(start + 3)].eq_ignore_ascii_case(b"key") {
        return false;
    }
    let from = scope.floor.max(start.saturating_sub(NEAR));
    let around = &scope.text[from..scope.limit.min(start + NEAR + NEAR)];
    memchr::memmem::find_iter(around, b"ecret").any(|at| {
        let mut behind = around[at + 5..].iter().take(LONGEST_NAME);
        let sign = behind.find(|byte| !byte.is_ascii_alphabetic() && !b"_-\\\"' ".contains(byte));
        matches!(sign, Some(b':' | b'='))
    })
}

/// `<customer …><name>`: the name of the element right before the one that begins at `start`.
fn parent_element(scope: Scope<'_>, start: usize) -> Option<&[u8]> {
    let before = start.checked_sub(1).filter(|at| *at >= scope.floor && scope.text[*at] == b'<')?;
    let close = scope.back_over_space(before);
    let open = memchr::memrchr(b'<', &scope.text[scope.floor..close])? + scope.floor;
    let tag = scope.text[open + 1..close].strip_suffix(b">")?;
    let length = tag.iter().take_while(|byte| is_name_byte(**byte)).count();
    Some(&tag[..length])
}

/// The name of the object around `start`: the key it stands under, or the class written before its bracket.
fn container_name(scope: Scope<'_>, start: usize) -> Option<&[u8]> {
    let open = opening(scope, start)?;
    if let Some(owner) = member::owner(scope, open - scope.backslashes_before(open, scope.floor)) {
        return Some(&scope.text[owner.name]);
    }
    // Rust and Go part a type from its bracket: `User { name: … }`.
    let before = &scope.text[scope.floor..scope.back_over_space(open)];
    // SQL quotes the names of its tables.
    let before = [b'`', b'"', b']'].iter().find_map(|quote| before.strip_suffix(&[*quote])).unwrap_or(before);
    let length = before.iter().rev().take_while(|byte| is_name_byte(**byte)).count();
    (length > 0).then(|| &before[before.len() - length..])
}

/// The bracket that opens the object around `start`; brackets and quotes of its earlier members are passed over.
fn opening(scope: Scope<'_>, start: usize) -> Option<usize> {
    let mut closed = 0usize;
    let mut at = start;
    // The member's own opening quote.
    while at > scope.floor && matches!(scope.text[at - 1], b'"' | b'\'' | b'\\' | b':') {
        at -= 1;
    }
    while at > scope.floor {
        at -= 1;
        match scope.text[at] {
            quote @ (b'"' | b'\'') => at = memchr::memrchr(quote, &scope.text[scope.floor..at])? + scope.floor,
            b'}' | b')' | b']' => closed += 1,
            b'{' | b'(' | b'[' if closed > 0 => closed -= 1,
            b'{' | b'(' => return Some(listed(scope, at)),
            b'[' => return None,
            _ => {}
        }
    }
    None
}

/// `"users": [{…`: the list that the object is the first item of.
fn listed(scope: Scope<'_>, open: usize) -> usize {
    let before = scope.back_over_space(open);
    if before > scope.floor && scope.text[before - 1] == b'[' { before - 1 } else { open }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Whether a name's last word, or the one before a word of [`TAILS`], is one of `words`.
fn names_one_of(name: &[u8], words: &[&str]) -> bool {
    TAILS.iter().filter_map(|tail| strip_word(name, tail)).any(|stem| ends_in_one_of(stem, words))
}

/// Whether a name's last word is one of `words`.
fn ends_in_one_of(name: &[u8], words: &[&str]) -> bool {
    let ends_in = |word: &&str| strip_word(name, word).is_some_and(|rest| rest.is_empty() || ends_at_joint(rest, name));
    words.iter().any(ends_in)
}

/// `name` without `word` at its end, ASCII case and separators before the word ignored.
fn strip_word<'n>(name: &'n [u8], word: &str) -> Option<&'n [u8]> {
    let stem = name.len().checked_sub(word.len())?;
    let same = name[stem..].eq_ignore_ascii_case(word.as_bytes());
    let kept = name[..stem].iter().rev().take_while(|byte| matches!(**byte, b'_' | b'-')).count();
    same.then(|| &name[..stem - if word.is_empty() { 0 } else { kept }])
}

/// `billingContact`, `billing_contact`, never `forbidden`-like words that only end in one.
fn ends_at_joint(rest: &[u8], stem: &[u8]) -> bool {
    let next = stem[rest.len()];
    matches!(next, b'_' | b'-') || next.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(text: &str) -> bool {
        let scope = Scope { text: text.as_bytes(), floor: 0, limit: text.len(), nested: false };
        let at = text.rfind("name").unwrap();
        let dotted = text[..at].ends_with('.').then(|| text[..at].rfind(' ').map_or(0, |space| space + 1));
        is_person(scope, dotted.unwrap_or(at)..at + 4)
    }

    #[test]
    fn the_object_around_a_name_decides() {
        for text in [
            r#"{"customer":{"id":7,"tags":["a"],"name":"#,
            r#"{"a":"{\"user\":{\"name\":"#,
            r#"{"billingContact": { "name":"#,
            "Customer{id=7, name=",
            "UserDto(id=7, name=",
            "<customer id=\"7\"><name>",
            "{user: {id: 1, name:",
            "{:owner=>{:name=>",
            r#"{"users":[{"name":"#,
            "User { id: 7, name: ",
            "level=info user.name=",
        ] {
            assert!(person(text), "{text}");
        }
        for text in [
            r#"{"workflow":{"name":"#,
            r#"{"name":"#,
            r#"{"user":{"id":1},"step":{"name":"#,
            r#"{"userAgent":{"name":"#,
            "Step(name=",
            "name=",
            "<job><name>",
            "level=info host.name=",
            "Step { name: ",
        ] {
            assert!(!person(text), "{text}");
        }
    }

    #[test]
    fn things_have_names_like_persons() {
        let thing = |text: &str| {
            let at = text.rfind("name").unwrap();
            is_thing(Scope { text: text.as_bytes(), floor: 0, limit: text.len(), nested: false }, at..at + 4)
        };
        assert!(thing(r#"{"product":{"name":"#) && thing("<city><name>") && thing(r#"{"storeInfo":{"id":7,"name":"#));
        assert!(!thing(r#"{"data":{"name":"#) && !thing(r#"{"name":"#) && !thing(r#"{"restore":{"name":"#));
    }

    #[test]
    fn a_key_beside_a_secret_is_one() {
        let service = |text: &str| {
            let at = text.find("key").unwrap();
            is_service(Scope { text: text.as_bytes(), floor: 0, limit: text.len(), nested: false }, at)
        };
        assert!(service(r#"{"key":"x","secret":"y"}"#) && service(r#"{ key = "x", apiSecret = "y" }"#));
        assert!(!service(r#"{"key":"x","note":"a secret of ours"}"#));
        let sorts = "secret_key=x sort_key=y";
        let scope = Scope { text: sorts.as_bytes(), floor: 0, limit: sorts.len(), nested: false };
        assert!(!is_service(scope, sorts.find("sort").unwrap()));
    }
}
