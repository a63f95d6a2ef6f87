//! What a rule expects of a value: how it is read and which values are none.

use serde::{Deserialize, Serialize};

/// Which values a key rule claims, and how they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueKind {
    /// Every scalar that is not provably nothing (`null`, booleans, empty, placeholders).
    #[default]
    Any,
    /// Something that looks random: at least eight characters of two kinds. For weak keys such as `auth`.
    Opaque,
    /// Something with a letter in it: names, companies, addresses. Numbers and dates stay. An unquoted
    /// value of `key: value` goes up to the next comma, semicolon or pair.
    Text,
    /// At least four digits, otherwise only separators and at most four letters: `PL 123-456-32-18`.
    Digits,
    /// Three to eight digits: security codes, PINs, one-time codes.
    Code,
    /// A number, signed or with a fraction: coordinates.
    Number,
    /// A date in any usual order, or an epoch.
    Date,
    /// `Bearer x`, `Digest username="x", …`, or a bare credential: the scheme's name stays.
    Authorization,
    /// `a=b; c=d`: every value, no name.
    Cookie,
    /// `a=b; Path=/; …`: the first value only.
    SetCookie,
    /// The key is itself a scheme's name in running text: `Bearer x`; the value follows a space.
    Scheme,
    /// As `scheme`, the value being base64 of `user:password` or of SASL's NUL-separated fields.
    Basic,
    /// The key is a program's name: its secret flags follow (`curl -u a:b`, `mysql -psecret`).
    Command,
}
