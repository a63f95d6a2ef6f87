//! Properties: a generated secret in a generated carrier is covered exactly, its neighbours are not; JSON
//! stays JSON; work is bounded on input made to be slow.

use super::sample::{claimed, hits, table};
use super::*;
use crate::redact::carrier::labels::Labels;
use proptest::prelude::*;

/// How a carrier writes a secret that it cannot take literally.
type Write = fn(&str) -> String;

fn json(secret: &str) -> String {
    let text = serde_json::to_string(secret).unwrap();
    text[1..text.len() - 1].to_owned()
}

fn json_twice(secret: &str) -> String {
    json(&json(secret))
}

fn python(secret: &str) -> String {
    secret.replace('\\', "\\\\").replace('\'', "\\'")
}

fn sql(secret: &str) -> String {
    secret.replace('\'', "''")
}

fn xml(secret: &str) -> String {
    secret.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// Carriers that delimit their value, so that it may hold anything printable. `@` is the value's place.
const DELIMITED: &[(&str, Write)] = &[
    (r#"{"id":7,"password":"@","next":"stay"}"#, json),
    (r#"{"id":7,"dbPassword" : "@" , "n":[1]}"#, json),
    (r#"{"m":"{\"password\":\"@\",\"region\":\"eu\"}","n":1}"#, json_twice),
    (r#"{"name":"DB_PASSWORD","value":"@","scope":"prod"}"#, json),
    (r#"{"value":"@","key":"DB_PASSWORD","scope":"prod"}"#, json),
    (r#"{"credentials":{"type":"basic","x":["@"]},"retry":1}"#, json),
    (r#"level=info password="@" dur=12ms"#, json),
    (r#"<13>1 - h app [x@1 user="jan" token="@"] ok"#, json),
    ("{'password': '@', 'n': None}", python),
    ("UPDATE t SET password = '@' WHERE id = 3", sql),
    (r#"<cfg Password="@" Port="5432"/>"#, xml),
    ("<cfg><apiKey>@</apiKey><n>password policy</n></cfg>", xml),
];

/// Carriers whose value ends where its alphabet does.
const BARE: &[&str] = &[
    "token=@ n=1",
    "a=1;token=@;b=2",
    "password: @, user: x",
    "GET /x?page=2&access_token=@&n=1 HTTP/1.1",
    "User(name=x, password=@)",
    "{Password:@ User:y}",
    "X-Api-Key: @ X-Shop: demo",
    "run --token @ --dry-run",
    "Authorization: Bearer @",
    "Cookie: sid=@",
    "{:password=>@, :page=>2}",
    "export DB_PASSWORD=@",
    r#"{"msg":"login password=@ failed","n":1}"#,
    r#"{"msg":"token: @\nnext line","n":1}"#,
];

fn is_something(secret: &str) -> bool {
    super::super::carrier::keep::secret_part(secret.as_bytes(), false, &Labels::default()) == Some(0..secret.len())
}

proptest! {
    #[test]
    fn a_delimited_secret_is_covered_exactly(
        secret in r#"[!-~]([ -~]{0,30}[!-~])?|[!-~]{0,8}[ąłżŹ€]{1,3}[!-~]{0,8}"#,
        carrier in 0..DELIMITED.len(),
    ) {
        // A digit makes it more than a placeholder or a masking character.
        let secret = format!("{secret}7");
        prop_assume!(is_something(&secret));
        let (template, write) = DELIMITED[carrier];
        let written = write(&secret);
        // XML and SQL write their own delimiter only inside the value; in XML content a `<` never stands.
        let at = template.find('@').unwrap();
        let at = if template.starts_with("<13>") { template.rfind('@').unwrap() } else { at };
        let text = format!("{}{}{}", &template[..at], written, &template[at + 1..]);
        prop_assert_eq!(claimed(text.as_bytes()), vec![at..at + written.len()], "{}", text);
    }

    #[test]
    fn a_bare_secret_is_covered_exactly(
        secret in "[A-Za-z0-9][A-Za-z0-9_~+/-]{6,40}[0-9][A-Za-z]",
        carrier in 0..BARE.len(),
    ) {
        prop_assume!(is_something(&secret));
        let template = BARE[carrier];
        let at = template.find('@').unwrap();
        let text = template.replace('@', &secret);
        prop_assert_eq!(claimed(text.as_bytes()), vec![at..at + secret.len()], "{}", text);
    }

    #[test]
    fn any_bytes_keep_the_postconditions(parts in proptest::collection::vec(piece(), 0..24)) {
        fuzz_keyed(&parts.concat());
    }

    #[test]
    fn json_stays_json(value in json_value(), depth in 0..3usize) {
        let mut text = value.to_string();
        for _ in 0..depth {
            text = serde_json::json!({ "m": text, "n": 1 }).to_string();
        }
        fuzz_keyed(text.as_bytes());
    }
}

/// Pieces that carriers are made of, and noise.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&str] = &[
        "password",
        "token",
        "\"",
        "'",
        "\\",
        "\\\"",
        ":",
        "=",
        ",",
        ";",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        " ",
        "\t",
        "\n",
        "&",
        "?",
        "<",
        ">",
        "</",
        "/>",
        "--",
        "-",
        "name",
        "value",
        "key",
        "kind",
        "Secret",
        "data",
        "Authorization",
        "Bearer ",
        "Basic ",
        "Cookie",
        "Set-Cookie",
        "curl -u ",
        "mysql -p",
        "VALUES (",
        "is ",
        "pesel ",
        "1990",
        "hasło",
        "„",
        "”",
        "${",
        "{{",
        "}}",
        "|",
        "\\n",
        "\\u0026",
        "a",
        "FAKE7",
        "%20",
        "=>",
        "null",
        "\r",
        "\0",
        "<![CDATA[",
        "nip",
        "first_name",
        "date_of_birth",
        "lat",
        "code",
        "sid",
        "→",
    ];
    prop_oneof![
        8 => (0..PIECES.len()).prop_map(|at| PIECES[at].as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ]
}

/// JSON with keys of ours in it and texts that hold carriers.
fn json_value() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let text = proptest::collection::vec(piece(), 0..8)
        .prop_map(|parts| String::from_utf8_lossy(&parts.concat()).into_owned());
    let leaf = prop_oneof![
        text.prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        const KEYS: &[&str] =
            &["password", "token", "name", "value", "key", "kind", "data", "x", "cookies", "pin", "a\"b"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(KEYS), inner), 0..5).prop_map(|members| {
                Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

/// Work per byte stays the same when slow input gets sixteen times longer.
#[test]
fn slow_input_is_read_a_bounded_number_of_times() {
    for part in [
        "password:",
        "password=",
        "\"password\":",
        "\"password\":{",
        "password ",
        "token,",
        "(token,",
        "[\"token\",",
        "\"name\":\"token\",",
        "{\"name\":\"token\"",
        "<password>",
        "</password>",
        "password='",
        "password=\\\\",
        "Cookie: a=",
        "Authorization: ",
        "curl ",
        "mysql -p ",
        "password is ",
        "pesel ",
        "INSERT (token) VALUES (",
        "password=a,",
        "password={",
        "password: [",
        "--token ",
        "login a password ",
        "\"kind\":\"secret\",",
    ] {
        let table = table();
        let mut cursor = KeyCursor::default();
        let mut spent = |times: usize| {
            let text = part.repeat(times);
            let mut out = Vec::new();
            cursor.begin(0..text.len());
            for hit in hits(&table, text.as_bytes()) {
                find(text.as_bytes(), hit, &table, &mut cursor, &mut out);
            }
            cursor.spent()
        };
        let (short, long) = (spent(256), spent(4096));
        assert!(long <= 20 * short + 64 * 1024, "{part}: {short} bytes read, then {long}");
    }
}
