//! Names of persons where no object around them says so: `"customer":"Jan Kowalski"`, `Klient: Jan Kowalski`,
//! `Customer Anna Nowak asked`, `Name: Jan Kowalski | E-mail: …`.
//!
//! Titles of things have capitals too (`Nightly Sync`), so a name needs evidence: the key's own word and no
//! word of [`NO_NAMES`]; in running text a given name that is known or a letter beyond ASCII; or contact
//! details beside it.

use super::scope::Scope;
use crate::redact::letters::fold;
use crate::redact::words::Words;
use std::ops::Range;
use std::sync::LazyLock;

/// Given names, lower case without marks, in alphabetical order.
static GIVEN: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("given_names.txt").split_whitespace().collect());

/// Words of titles, teams and states: with one of them a value is no person's name.
#[rustfmt::skip]
static NO_NAMES: Words = Words::new(&[
    "account", "accounts", "active", "admin", "administrator", "agency", "alert", "all", "amazon", "anonymous", "api", "app",
    "assigned", "attempts", "avenue", "balance", "bank", "basic", "batch", "bot", "branch", "bucket", "build", "cache",
    "campaign", "care", "category", "center", "central", "centre", "change", "changed", "clinic", "closed", "cloud", "cluster",
    "code", "collection", "company", "config", "connections", "console", "contact", "corp", "count", "coverage", "created",
    "customer", "daily", "dashboard", "data", "database", "default", "deleted", "demo", "department", "deploy", "depth", "desk",
    "desktop", "details", "digital", "display", "email", "engine", "engineering", "enterprise", "error", "export", "express",
    "external", "failed", "fee", "file", "form", "foundation", "front", "full", "gateway", "global", "gmbh", "google", "group",
    "guest", "head", "holding", "hospital", "id", "import", "imported", "inactive", "inc", "index", "info", "institute",
    "internal", "international", "invoice", "is", "job", "key", "lane", "length", "library", "limit", "list", "llc", "loaded",
    "login", "ltd", "mail", "main", "management", "manager", "media", "merged", "message", "microsoft", "mobile", "model",
    "monitor", "name", "new", "newsletter", "node", "not", "notification", "number", "office", "online", "operations", "oracle",
    "order", "page", "partner", "partners", "pattern", "payable", "payment", "pipeline", "plan", "platform", "portal", "premium",
    "print", "process", "product", "profile", "queue", "receivable", "record", "region", "registered", "registration", "release",
    "report", "request", "response", "retail", "retries", "review", "road", "role", "run", "sales", "scheduler", "school",
    "search", "secret", "security", "server", "service", "services", "session", "shop", "size", "software", "solutions",
    "standard", "starter", "state", "status", "step", "storage", "store", "street", "subscription", "success", "support", "sync",
    "system", "systems", "task", "tasks", "tax", "team", "technologies", "template", "test", "tier", "timeout", "token", "total",
    "trial", "type", "university", "unknown", "update", "updated", "user", "version", "warehouse", "web", "webhook", "workflow",
    "zone",
]);

/// Ends of the names of contact details, lower case without separators.
#[rustfmt::skip]
const DETAILS: &[&str] = &[
    "apellido", "apellidos", "birthdate", "cellulare", "cognome", "dateofbirth", "dni", "dob", "email", "emailaddress", "familyname", "given", "family", "fname", "lname", "telf",
    "geburtsdatum", "iban", "lastname", "mail", "mobile", "msisdn", "nachname", "nazwisko", "pesel", "phone", "phonenumber",
    "postcode", "prénom", "prenom", "rufnummer", "street", "surname", "tel", "telefon", "telefono", "telefoon", "telephone", "teléfono",
    "téléphone", "vorname", "achternaam",
];

/// Bytes looked at on either side of a name.
const REACH: usize = 200;

/// Two to four capitalised words of letters, none of them a word of titles.
pub(crate) fn is_person(value: &[u8]) -> bool {
    let mut words = 0;
    let fine = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).all(|word| {
        words += usize::from(!is_particle(word));
        is_particle(word) || is_name_word(word)
    });
    fine && (2..=4).contains(&words)
}

/// Words of a name of which one of the first two is a known given name, or holds a letter beyond ASCII.
pub(crate) fn is_spoken(value: &[u8]) -> bool {
    let scope = Scope { text: value, floor: 0, limit: value.len(), nested: false };
    is_person(value) && spoken_end(scope, 0) == Some(value.len())
}

/// Capitalised words that end in a legal form: `Nordic Timber GmbH`.
pub(crate) fn is_company(value: &[u8]) -> bool {
    const FORMS: &[&[u8]] = &[
        b" ab",
        b" ag",
        b" b.v.",
        b" bv",
        b" corp",
        b" corp.",
        b" gmbh",
        b" inc",
        b" inc.",
        b" kft",
        b" kg",
        b" limited",
        b" llc",
        b" llp",
        b" ltd",
        b" ltd.",
        b" nv",
        b" oy",
        b" plc",
        b" s.a.",
        b" s.l.",
        b" s.p.a.",
        b" s.r.l.",
        b" sa",
        b" sarl",
        b" sas",
        b" se",
        b" sp. z o.o.",
        b" sp. j.",
        b" sp. k.",
        b" spa",
        b" srl",
    ];
    let ends = |form: &&&[u8]| value.len() > form.len() && value[value.len() - form.len()..].eq_ignore_ascii_case(form);
    let named = value.first().is_some_and(|byte| byte.is_ascii_uppercase() || *byte >= 0xC3);
    named && value.len() <= 80 && FORMS.iter().any(|form| ends(&form))
}

/// One to four words of which each may be a part of a name.
pub(crate) fn may_be_name(value: &[u8]) -> bool {
    let single = !value.contains(&b' ') && value.len() > 1 && is_name_word(value);
    single || is_person(value)
}

fn is_particle(word: &[u8]) -> bool {
    const PARTICLES: &[&[u8]] =
        &[b"de", b"la", b"da", b"di", b"do", b"dos", b"du", b"van", b"von", b"der", b"den", b"del", b"el", b"zu", b"y"];
    PARTICLES.contains(&word)
}

/// `Anna`, `O'Brien`, `Łukasz`, `J.`: a capital, then letters of which one is lower case.
fn is_name_word(word: &[u8]) -> bool {
    if word.is_empty() {
        return false;
    }
    let initial = matches!(word, [b'A'..=b'Z', b'.']);
    let first = word[0].is_ascii_uppercase() || word[0] >= 0xC3;
    let letters = word.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80 || matches!(byte, b'\'' | b'-'));
    let lower = word[1..].iter().any(|byte| byte.is_ascii_lowercase() || *byte >= 0x80);
    let inner = word.windows(2).any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase());
    initial || first && letters && lower && (!inner || is_scottish(word)) && !NO_NAMES.has(word)
}

/// `MacLeod`, `McDonald`: the capitals inside are few.
fn is_scottish(word: &[u8]) -> bool {
    word.starts_with(b"Mac") || word.starts_with(b"Mc") || word.starts_with(b"De") || word.starts_with(b"La")
}

/// The end of the name that begins at `from` in running text: two or three words, the first of which is a
/// known given name or holds a letter beyond ASCII.
pub(crate) fn spoken_end(scope: Scope<'_>, from: usize) -> Option<usize> {
    let (mut at, mut end, mut words) = (from, from, 0);
    while words < 4 {
        let word = word_at(scope, at);
        let letters = word.len();
        if letters < 2 || !(is_name_word(word) || words > 0 && is_particle(word)) {
            break;
        }
        // `FirstName:Anna LastName:Nowak`: the name of the next pair.
        if words > 0 && is_joined(scope, at + letters) {
            break;
        }
        words += 1;
        end = at + letters;
        if scope.byte(end) != Some(b' ') {
            break;
        }
        at = end + 1;
    }
    let mut said = scope.text[from..end].split(|byte| *byte == b' ');
    let known = said.by_ref().take(2).any(|word| is_given(word) || word.iter().any(|byte| *byte >= 0x80));
    (words >= 2 && known).then_some(end)
}

/// The end of a name at `at` in running text where other personal data stands near: a known given name and
/// one to three further words, or `Surname, Given` and `Surname^Given`.
pub(crate) fn written_end(scope: Scope<'_>, at: usize) -> Option<usize> {
    let first = word_at(scope, at);
    if !is_name_word(first) {
        return None;
    }
    let after = at + first.len();
    if is_given(first) {
        return spoken_end(scope, at);
    }
    let gap = [&b", "[..], b"^"].into_iter().find(|gap| scope.has(after, gap))?;
    let given = word_at(scope, after + gap.len());
    (is_name_word(given) && is_given(given)).then_some(after + gap.len() + given.len())
}

/// A sign of assignment at `at` with its value right behind.
fn is_joined(scope: Scope<'_>, at: usize) -> bool {
    let value = scope.byte(at + 1).is_some_and(|byte| !byte.is_ascii_whitespace());
    value && matches!(scope.byte(at), Some(b':' | b'='))
}

/// Letters, apostrophes and dashes from `at` on; a lone letter is no word.
fn word_at(scope: Scope<'_>, at: usize) -> &[u8] {
    let rest = &scope.text[at.min(scope.limit)..scope.limit];
    let letter = |byte: &&u8| byte.is_ascii_alphabetic() || **byte >= 0x80 || matches!(**byte, b'\'' | b'-');
    let length = rest.iter().take(40).take_while(letter).count();
    // Quotes and dashes at the end belong to what is around the word.
    let length = length - rest[..length].iter().rev().take_while(|byte| matches!(byte, b'\'' | b'-')).count();
    if length < 2 { &rest[..1.min(rest.len())] } else { &rest[..length] }
}

fn is_given(word: &[u8]) -> bool {
    const LONGEST: usize = 24;
    let Ok(text) = std::str::from_utf8(word) else { return false };
    let (mut plain, mut length) = ([0u8; LONGEST], 0);
    for letter in text.chars() {
        let folded = fold(letter);
        if length == LONGEST || !folded.is_ascii() {
            return false;
        }
        plain[length] = folded as u8;
        length += 1;
    }
    GIVEN.binary_search_by(|known| known.as_bytes().cmp(&plain[..length])).is_ok()
}

/// Whether one of the first words at `at` is a word of titles: `Max Retries`.
pub(crate) fn is_title(scope: Scope<'_>, at: usize) -> bool {
    const REACH: usize = 64;
    let words = &scope.text[at.min(scope.limit)..scope.limit.min(at + REACH)];
    let letters =
        words.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80 || **byte == b' ').count();
    words[..letters].split(|byte| *byte == b' ').take(4).any(|word| NO_NAMES.has(word))
}

/// Whether the object or line around the member at `name` also holds contact details under a key.
pub(crate) fn has_details_beside(scope: Scope<'_>, name: Range<usize>) -> bool {
    let after = &scope.text[name.end..scope.limit.min(name.end + REACH)];
    let before = &scope.text[scope.floor.max(name.start.saturating_sub(REACH))..name.start];
    details_ahead(after) || details_behind(before)
}

/// Looks to the right, at the depth of the brackets where it begins, up to the line's end.
fn details_ahead(text: &[u8]) -> bool {
    let (mut at, mut depth) = (0, 0usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' if depth == 0 => return false,
            b'}' | b']' | b')' => depth -= 1,
            b'\n' => return false,
            _ if is_letter(*byte) => {
                let word = text[at..].iter().take_while(|byte| is_letter(**byte)).count();
                if depth == 0 && names_details(&text[at..at + word]) && separates(&text[at + word..]) {
                    return true;
                }
                at += word;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    false
}

/// As [`details_ahead`], to the left.
fn details_behind(text: &[u8]) -> bool {
    let (mut end, mut depth) = (text.len(), 0usize);
    while end > 0 {
        let byte = text[end - 1];
        match byte {
            b'}' | b']' | b')' => depth += 1,
            b'{' | b'[' | b'(' if depth == 0 => return false,
            b'{' | b'[' | b'(' => depth -= 1,
            b'\n' => return false,
            _ if is_letter(byte) => {
                let word = text[..end].iter().rev().take_while(|byte| is_letter(**byte)).count();
                if depth == 0 && names_details(&text[end - word..end]) && separates(&text[end..]) {
                    return true;
                }
                end -= word;
                continue;
            }
            _ => {}
        }
        end -= 1;
    }
    false
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'_' | b'-')
}

/// A separator behind a name, perhaps after its quote.
fn separates(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"1").unwrap_or(rest);
    let quotes = rest.iter().take(4).take_while(|byte| matches!(**byte, b'\\' | b'"' | b'\'' | b' ')).count();
    matches!(rest.get(quotes), Some(b':' | b'='))
}

/// The letters that names of contact details end in, one bit each.
const LAST_LETTERS: u32 = {
    let (mut letters, mut at) = (0, 0);
    while at < DETAILS.len() {
        let name = DETAILS[at].as_bytes();
        letters |= 1 << (name[name.len() - 1] & 31);
        at += 1;
    }
    letters
};

fn names_details(word: &[u8]) -> bool {
    let last = word.iter().rev().find(|byte| !matches!(**byte, b'_' | b'-'));
    last.is_some_and(|last| LAST_LETTERS >> (last & 31) & 1 == 1) && ends_in_details(word)
}

fn ends_in_details(word: &[u8]) -> bool {
    DETAILS.iter().any(|known| {
        let mut letters = word.iter().rev().filter(|byte| !matches!(**byte, b'_' | b'-'));
        known.bytes().rev().all(|wanted| letters.next().is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope<'_> {
        Scope { text: text.as_bytes(), floor: 0, limit: text.len(), nested: false }
    }

    #[test]
    fn given_names_are_in_order_and_plain() {
        assert!(GIVEN.windows(2).all(|two| two[0] < two[1]));
        assert!(GIVEN.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase())));
    }

    #[test]
    fn names_are_told_from_titles() {
        for name in
            ["Jan Kowalski", "Anna Maria Nowak", "Ludwig van Beethoven", "J. O'Brien", "Żaneta Łoś", "Ian MacLeod"]
        {
            assert!(is_person(name.as_bytes()), "{name}");
        }
        for title in [
            "Nightly sync",
            "Platform Team",
            "Order Desk",
            "jan kowalski",
            "Anna",
            "R2 Gateway",
            "ACME SA",
            "OrderService Main",
        ] {
            assert!(!is_person(title.as_bytes()), "{title}");
        }
    }

    #[test]
    fn a_spoken_name_begins_with_a_known_one() {
        let end = |text: &str| spoken_end(scope(text), 0).map(|end| text[..end].to_owned());
        assert_eq!(end("Anna Nowak asked").as_deref(), Some("Anna Nowak"));
        assert_eq!(end("Małgorzata Zając, tel").as_deref(), Some("Małgorzata Zając"));
        assert_eq!(end("Anna Nowak'").as_deref(), Some("Anna Nowak"));
        assert_eq!(end("Portal Login failed"), None);
        assert_eq!(end("Anna asked"), None);
    }

    #[test]
    fn details_beside_a_name_are_those_of_its_object() {
        let beside = |text: &str| {
            let at = text.find("name").unwrap();
            has_details_beside(scope(text), at..at + 4)
        };
        for text in [
            r#"{"name":"Jan Kowalski","email":"x"}"#,
            r#"{"e-mail":"x","tags":["a"],"name":"Jan Kowalski"}"#,
            "name: Jan Kowalski | E-mail: x",
            "name=Jan phone=1",
            "name=Garcia TELF1=7",
            r#"{\"name\":\"Jan\",\"contactPhone\":\"1\"}"#,
        ] {
            assert!(beside(text), "{text}");
        }
        for text in [
            r#"{"name":"Nightly Sync","user":{"email":"x"}}"#,
            r#"{"user":{"email":"x"},"name":"Nightly Sync"}"#,
            r#"{"name":"Send email now","id":1}"#,
            "name: a\nemail: x",
        ] {
            assert!(!beside(text), "{text}");
        }
    }
}
