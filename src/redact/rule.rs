//! A rule as checked: what the loader (`rule_file`) produces and the compiler (`ruleset`) consumes.
//!
//! Invariants the loader has already established: ids are unique within a pack and kebab-case; every
//! rule that masks has at least one positive and one negative test; windows are bounded; anchors are
//! at least four bytes; named checks and shapes exist. Nothing downstream re-checks them.

use super::expression::Expression;
use super::key::KeyFind;
use crate::token::TokenClass;

/// What follows the id of a rule's new form while it runs in shadow beside the one in force.
pub const BESIDE: &str = "@shadow";

/// Index of a rule in its compiled set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RuleIndex(pub u16);

/// What kind of thing a rule finds; decides label precedence and policy switches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Passwords, keys, tokens.
    Credential,
    /// Names, e-mail, national ids, customer ids.
    Identity,
    /// IP and MAC addresses.
    Network,
    /// Cards, accounts, tax numbers.
    Financial,
    /// Phones and postal addresses.
    Contact,
    /// Device and advertising identifiers.
    Device,
}

/// How bad a leak would be; the label of a union is the most severe finding's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Pseudonymous or weak evidence.
    Low,
    /// Personal data.
    Medium,
    /// Credentials and financial data.
    High,
}

/// Whether a rule masks or only counts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Counts and keeps masked samples; masks nothing.
    Shadow,
    /// Masks.
    Enforce,
}

/// Characters a token may consist of; a span is extended to the end of its run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alphabet {
    /// `0-9`
    Digits,
    /// `0-9a-f`
    Hex,
    /// `0-9A-Fa-f`
    HexAny,
    /// `0-9a-z`
    Base36,
    /// `0-9A-Z`
    Base36Upper,
    /// `A-Z2-7`
    Base32,
    /// `0-9A-Za-z`
    Base62,
    /// `0-9A-Za-z_-`
    Base64Url,
    /// `0-9A-Za-z+/` and trailing `=`
    Base64,
    /// `0-9A-Za-z_-.`: segments joined by dots
    TokenDots,
    /// `0-9A-Za-z_-.~+/=%:`: anything a token may be made of
    Token,
}

/// A rule of a pack.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// Kebab-case name, unique within a set.
    pub id: String,
    /// What it finds, for people.
    pub title: String,
    /// What kind of thing it finds.
    pub class: Class,
    /// How bad a leak would be.
    pub severity: Severity,
    /// The word its mask shows, without brackets: `github-token`.
    pub label: String,
    /// What it looks for, and whether that is masked or kept.
    pub what: What,
    /// Checks of [`super::validate`]: a proof needs no `near`; a refutation drops the candidate unless
    /// `near` or a key claims it.
    pub check: Vec<String>,
    /// Words that must stand near, unless the shape or a check proves the candidate.
    pub near: Option<Words>,
    /// Words that must not stand near; they count only when no word of `near` was found.
    pub not_near: Option<Words>,
    /// What stands in place of a finding.
    pub mask: Mask,
    /// Exceptions, judged on the exact span.
    pub allow: Vec<Allow>,
    /// Whether it masks or only counts.
    pub stage: Stage,
    /// Version of the pack that brought it.
    pub since: String,
    /// Where the format is documented.
    pub reference: String,
    /// Examples, fillers unexpanded.
    pub tests: Vec<RuleTest>,
    /// Where it is written.
    pub origin: Origin,
}

impl Rule {
    /// True when the other rule masks and keeps the same; titles, references and examples do not count.
    pub fn decides_like(&self, other: &Rule) -> bool {
        self.decisions() == other.decisions()
    }

    /// Everything that decides what is masked, as text.
    pub fn decisions(&self) -> String {
        let mut text = String::new();
        self.write_decisions(&mut text);
        text
    }

    /// Appends [`Rule::decisions`].
    pub(super) fn write_decisions(&self, out: &mut String) {
        use std::fmt::Write;
        let Rule { id, class, severity, label, what, check, near, not_near, mask, allow, stage, .. } = self;
        let written =
            write!(out, "{:?}", (id, class, severity, label, what, check, near, not_near, mask, allow, stage));
        debug_assert!(written.is_ok(), "a string takes every text");
    }
}

/// What a rule looks for.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// Masks what it finds.
    Mask(Find),
    /// Keeps what it finds from being masked by shapes; never from an anchor, a key or a regex.
    Keep(Keep),
}

/// The five forms.
#[derive(Clone, PartialEq, Debug)]
pub enum Find {
    /// A strong literal and the run of its alphabet.
    Anchor(AnchorFind),
    /// A short literal at a fixed place of an opaque run.
    ShortAnchor(ShortAnchorFind),
    /// A value under a key.
    Key(KeyFind),
    /// A named shape of [`super::shape`].
    Shape(String),
    /// A bounded regular expression near a literal.
    Regex(RegexFind),
}

/// `{anchor: […], alphabet, min, max?, before?, keep_anchor?, boundary?, any_case?}`
#[derive(Clone, PartialEq, Debug)]
pub struct AnchorFind {
    /// Literals of at least four bytes, not plain words.
    pub anchor: Vec<String>,
    /// What follows the anchor; the span runs to the end of this run.
    pub alphabet: Alphabet,
    /// Least number of such characters after the anchor.
    pub min: u32,
    /// A longer run is not meant. Rarely right: vendors lengthen tokens.
    pub max: Option<u32>,
    /// Least number of such characters before the anchor; more than zero makes the span begin where the run
    /// begins (an anchor inside or at the end of a token).
    pub before: u32,
    /// The anchor itself stays readable (`AccountKey=`, `hooks.slack.com/services/`).
    pub keep_anchor: bool,
    /// The byte before the anchor must not be a letter or digit.
    pub boundary: bool,
    /// ASCII letters of the anchor match in either case.
    pub any_case: bool,
}

/// `{short_anchor: […], at?, alphabet, min, max?}`
#[derive(Clone, PartialEq, Debug)]
pub struct ShortAnchorFind {
    /// Literals of at least two bytes.
    pub short_anchor: Vec<String>,
    /// Offset in the run of token characters at which the literal must stand.
    pub at: u32,
    /// What the rest of the run is made of.
    pub alphabet: Alphabet,
    /// Least number of such characters after the literal.
    pub min: u32,
    /// A longer run is not meant.
    pub max: Option<u32>,
}

/// `{regex, literals, window: {before, after}}`; the group `value`, where there is one, is what is masked.
#[derive(Clone, PartialEq, Debug)]
pub struct RegexFind {
    /// Linear-time expression over bytes.
    pub regex: Expression,
    /// One of these stands in every match.
    pub literals: Vec<String>,
    /// Bytes before the literal that the expression may look at.
    pub before: u32,
    /// Bytes after the literal's start that the expression may look at.
    pub after: u32,
}

/// `keep: {path: […], shape}`: values of that shape under one of these keys.
#[derive(Clone, PartialEq, Debug)]
pub struct Keep {
    /// Key names as words, like [`KeyFind::key`]; empty: anywhere.
    pub path: Vec<String>,
    /// What the value must be.
    pub shape: KeepShape,
}

/// What a kept value must be, as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeepShape {
    /// Digits.
    Digits,
    /// Hexadecimal digits, `0x` and dashes allowed.
    Hex,
    /// A UUID.
    Uuid,
    /// An ISO time or an epoch.
    Time,
    /// `1.2.3.4`, `v1.2.3-rc1`.
    Version,
    /// `sha256:…` and the like.
    Digest,
    /// Private, loopback and link-local addresses.
    PrivateIp,
    /// Loopback and unspecified addresses.
    LoopbackIp,
    /// Any one token without spaces.
    Token,
}

impl KeepShape {
    /// Every shape with the name rule files use.
    pub const NAMES: &'static [(&'static str, KeepShape)] = &[
        ("digits", KeepShape::Digits),
        ("hex", KeepShape::Hex),
        ("uuid", KeepShape::Uuid),
        ("time", KeepShape::Time),
        ("version", KeepShape::Version),
        ("digest", KeepShape::Digest),
        ("private-ip", KeepShape::PrivateIp),
        ("loopback-ip", KeepShape::LoopbackIp),
        ("token", KeepShape::Token),
    ];
}

/// `{words: […], within}`
#[derive(Clone, PartialEq, Debug)]
pub struct Words {
    /// Whole words, in lower case.
    pub words: Vec<String>,
    /// Bytes between the word and the candidate, on either side.
    pub within: u32,
}

/// What stands in place of a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mask {
    /// `[label]`
    Label,
    /// A token of that class where a keyring is loaded, else the label.
    Token(TokenClass),
    /// `[label-1111]`: the last characters stay.
    KeepLast(u8),
}

/// An exception with its reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allow {
    /// What the span must be.
    pub test: AllowTest,
    /// The only rule it speaks to; `None`: every rule (entries of a rule speak to that rule).
    pub rule: Option<String>,
    /// Why.
    pub reason: String,
    /// Last day in force, days since 1970-01-01.
    pub until: Option<i64>,
}

impl Allow {
    /// True up to and including its last day; days since 1970-01-01.
    pub fn in_force(&self, today: i64) -> bool {
        self.until.is_none_or(|last| today <= last)
    }
}

/// How an exception is compared with the span; letter case counts, except for domains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AllowTest {
    /// The whole span.
    Exact(String),
    /// How it begins.
    Prefix(String),
    /// How it ends.
    Suffix(String),
    /// An e-mail address or host of exactly this domain.
    Domain(String),
}

/// An example.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RuleTest {
    /// Becomes something else.
    Changes {
        /// Text before.
        input: String,
        /// Text after.
        output: String,
    },
    /// Stays as it is, whatever rules are in force.
    Same(String),
}

/// Where a rule is written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// Name of the pack.
    pub pack: String,
    /// File, as the caller named it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

/// The rules of one file.
#[derive(Clone, PartialEq, Debug)]
pub struct Pack {
    /// `pack:`
    pub name: String,
    /// `version:`
    pub version: String,
    /// In the order written.
    pub rules: Vec<Rule>,
}
