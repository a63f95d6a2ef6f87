//! The key table: which words make the engine look for a keyed value, and for which rules.
//!
//! A key is written in a rule as plain words (`access token`, `hasło`) and stands for every spelling:
//! `access_token`, `access-token`, `accessToken`, `ACCESSTOKEN`, `Access Token`, and for Polish words also
//! the one without diacritics. The table lists the spellings as ASCII-folded literals for the prefilter;
//! letter case and word boundaries are judged on the text (see [`super::name`]).

use crate::redact::carrier::kind::ValueKind;
use crate::redact::carrier::labels::Labels;
use crate::redact::letters::fold;
use crate::redact::rule::RuleIndex;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// `find: {key: […], …}` of a rule file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFind {
    /// Key names as words: `access token` stands for all its spellings. The last words of a name decide:
    /// `password` also finds `dbPassword`, never `password_reset_at`.
    pub key: Vec<String>,
    /// Names that end in one of these are not meant: `page token`, `public key`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<String>,
    /// What a value must look like.
    #[serde(default)]
    pub value: ValueKind,
    /// Where the key must stand.
    #[serde(default)]
    pub place: Place,
    /// Also `password is X`, `hasło do konta to X`, `password 'X'`: only values that look like a secret.
    #[serde(default)]
    pub prose: bool,
}

/// Where a key must stand for its rule to look at the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Everywhere a key can stand.
    #[default]
    Any,
    /// A parameter after `?`, `&` or `#`.
    Query,
    /// The end of a longer name: `HEROKU_KEY`, never `key` alone.
    Compound,
}

/// Why a list of keys cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// A key with fewer than two letters in a word, or without any word.
    TooShort(String),
    /// A key with a character that is neither a letter, a digit nor a space.
    BadCharacter(String),
    /// More literals than the table can number (65,535).
    TooMany,
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeyError::TooShort(key) => {
                write!(f, "key '{key}' is too short: write at least two letters or digits")
            }
            KeyError::BadCharacter(key) => write!(
                f,
                "key '{key}' must be words of letters and digits joined by single spaces; \
                 every spelling (snake_case, camelCase, kebab-case) is found by itself"
            ),
            KeyError::TooMany => write!(f, "more than 65,535 key spellings: remove keys"),
        }
    }
}

impl std::error::Error for KeyError {}

/// All key rules of a rule set, compiled.
#[derive(Default)]
pub struct KeyTable {
    words: Vec<Word>,
    labels: Labels,
    service: Option<RuleIndex>,
}

/// One spelling and the rules it may speak for.
pub(super) struct Word {
    literal: Box<[u8]>,
    /// The spelling joins its words by dots (`api.key`), which is a file name as often as a key.
    pub(super) dotted: bool,
    pub(super) uses: Vec<Use>,
}

/// One rule's interest in a spelling.
pub(super) struct Use {
    pub(super) rule: RuleIndex,
    pub(super) value: ValueKind,
    pub(super) place: Place,
    pub(super) prose: bool,
    /// Endings that are not meant, lower case without separators.
    pub(super) not: Box<[Box<[u8]>]>,
}

impl KeyTable {
    /// Compiles the key rules of a set. Rules are asked in the order given here.
    pub fn compile<'r>(rules: impl IntoIterator<Item = (RuleIndex, &'r KeyFind)>) -> Result<KeyTable, KeyError> {
        let mut table = KeyTable::default();
        let mut index: HashMap<Vec<u8>, usize> = HashMap::new();
        for (rule, find) in rules {
            let not = endings(&find.not)?;
            if find.value == ValueKind::Service && table.service.is_none() {
                table.service = Some(rule);
            }
            for key in &find.key {
                for (literal, dotted) in spellings(key)? {
                    let at = *index.entry(literal).or_insert_with_key(|literal| {
                        table.words.push(Word { literal: literal.as_slice().into(), dotted, uses: Vec::new() });
                        table.words.len() - 1
                    });
                    let uses = &mut table.words[at].uses;
                    if !uses.iter().any(|known| known.rule == rule) {
                        let (value, place, prose) = (find.value, find.place, find.prose);
                        uses.push(Use { rule, value, place, prose, not: not.clone() });
                    }
                }
            }
        }
        if table.words.len() > usize::from(u16::MAX) {
            return Err(KeyError::TooMany);
        }
        Ok(table)
    }

    /// Whether a text can be a key or an ending of `not:`.
    pub fn check(key: &str) -> Result<(), KeyError> {
        checked_words(&key.to_lowercase()).map(drop)
    }

    /// The literals the prefilter looks for, ASCII letters folded to lower case, with the number to
    /// report in [`super::WordHit::word`]. Bytes over 0x7F are exact.
    pub fn literals(&self) -> impl Iterator<Item = (&[u8], u16)> {
        self.words.iter().enumerate().map(|(at, word)| (&*word.literal, at as u16))
    }

    /// Tells the labels that masks of the rule set show, so that a second pass keeps exactly those.
    pub fn set_labels(&mut self, labels: Labels) {
        self.labels = labels;
    }

    pub(in crate::redact) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// True without key rules.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The rules that a spelling may speak for.
    pub(in crate::redact) fn rules_of(&self, word: u16) -> impl Iterator<Item = RuleIndex> {
        self.words[usize::from(word)].uses.iter().map(|wanted| wanted.rule)
    }

    /// The first rule for keys in the settings of services.
    pub(super) fn service(&self) -> Option<RuleIndex> {
        self.service
    }

    pub(super) fn word(&self, at: u16) -> &Word {
        &self.words[usize::from(at)]
    }
}

/// The endings of `not:` as they are compared: lower case, folded, without separators.
fn endings(names: &[String]) -> Result<Box<[Box<[u8]>]>, KeyError> {
    names
        .iter()
        .map(|name| {
            checked_words(name)?;
            let joined: String = name.chars().filter(|c| *c != ' ').map(fold).collect();
            Ok(joined.into_bytes().into_boxed_slice())
        })
        .collect()
}

/// Every spelling of a key: words joined by nothing, `_`, `-`, a space or a dot; letters beyond ASCII in
/// lower case, upper case and folded to ASCII.
fn spellings(key: &str) -> Result<Vec<(Vec<u8>, bool)>, KeyError> {
    let lower = key.to_lowercase();
    if lower.is_ascii() {
        return Ok(joined(&checked_words(&lower)?).collect());
    }
    let upper: String =
        lower.chars().map(|c| if c.is_ascii() { c } else { c.to_uppercase().next().unwrap_or(c) }).collect();
    let folded: String = lower.chars().map(fold).collect();
    let mut spelled = Vec::new();
    for form in [lower, upper, folded] {
        for (literal, dotted) in joined(&checked_words(&form)?) {
            if !spelled.iter().any(|(known, _)| *known == literal) {
                spelled.push((literal, dotted));
            }
        }
    }
    Ok(spelled)
}

/// The words with every joint between them; true for the dot. One word has no joint.
fn joined(words: &[&str]) -> impl Iterator<Item = (Vec<u8>, bool)> {
    let joints = if words.len() == 1 { 1 } else { 5 };
    ["", "_", "-", " ", "."].into_iter().take(joints).map(|joint| (words.join(joint).into_bytes(), joint == "."))
}

fn checked_words(key: &str) -> Result<Vec<&str>, KeyError> {
    if !key.chars().all(|c| c.is_alphanumeric() || c == ' ') {
        return Err(KeyError::BadCharacter(key.to_owned()));
    }
    if key.chars().filter(|c| c.is_alphanumeric()).count() < 2 {
        return Err(KeyError::TooShort(key.to_owned()));
    }
    Ok(key.split(' ').filter(|word| !word.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(keys: &[&str]) -> Vec<String> {
        let find = KeyFind { key: keys.iter().map(|key| (*key).to_owned()).collect(), ..KeyFind::default() };
        let table = KeyTable::compile([(RuleIndex(0), &find)]).unwrap();
        table.literals().map(|(literal, _)| String::from_utf8(literal.to_vec()).unwrap()).collect()
    }

    #[test]
    fn a_key_becomes_all_its_spellings() {
        assert_eq!(literals(&["pwd"]), ["pwd"]);
        assert_eq!(literals(&["api key"]), ["apikey", "api_key", "api-key", "api key", "api.key"]);
        assert_eq!(literals(&["hasło"]), ["hasło", "hasŁo", "haslo"]);
    }

    #[test]
    fn bad_keys_are_refused() {
        let refused = |key: &str| {
            let find = KeyFind { key: vec![key.to_owned()], ..KeyFind::default() };
            KeyTable::compile([(RuleIndex(0), &find)]).err()
        };
        assert_eq!(refused("x"), Some(KeyError::TooShort("x".into())));
        assert_eq!(refused("api_key"), Some(KeyError::BadCharacter("api_key".into())));
        assert_eq!(refused("pw"), None);
    }

    #[test]
    fn one_word_serves_several_rules_in_order() {
        let find = |value| KeyFind { key: vec!["pin".into()], value, ..KeyFind::default() };
        let (first, second) = (find(ValueKind::Any), find(ValueKind::Code));
        let table = KeyTable::compile([(RuleIndex(4), &first), (RuleIndex(2), &second)]).unwrap();
        let rules: Vec<u16> = table.word(0).uses.iter().map(|used| used.rule.0).collect();
        assert_eq!(rules, [4, 2]);
    }
}
