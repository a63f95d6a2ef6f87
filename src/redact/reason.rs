//! What became of a candidate, and which check decided: the vocabulary of explanations.
//!
//! Nothing here runs on the way to a sink: the engine reports candidates only for rule sets that were
//! asked for reasons, and the reason of a refusal is worked out anew from the rule and the text.

use super::context::Nearness;
use super::finding::Span;
use super::rule::RuleIndex;
use super::ruleset::RuleSet;
use super::validate::{self, Verdict};
use super::view::Chain;
use std::ops::Range;

/// A candidate of a record. Holds offsets and names, never text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The rule that proposed it.
    pub rule: RuleIndex,
    /// The bytes of the record it stands for.
    pub span: Range<usize>,
    /// The encodings it was read through; none for the record as it stands.
    pub chain: Option<Chain>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a candidate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is masked.
    Masked,
    /// Its rule is in shadow: it would be masked.
    Shadow,
    /// A keep rule keeps it.
    KeptBy(RuleIndex),
    /// An exception allows it; why.
    Allowed(String),
    /// It is a label or token of an earlier pass.
    OwnMask,
    /// A named check contradicts it.
    Check(String),
    /// It needs a word of the rule within so many bytes, and none stands there.
    NoWord(u32),
    /// A word that speaks against it stands within so many bytes.
    Against(u32),
    /// So many characters follow the anchor; at least the second number must.
    Short(u32, u32),
    /// So many characters follow the anchor; at most the second number may.
    Long(u32, u32),
    /// The anchor stands inside a word.
    InsideWord,
}

impl Fate {
    /// True when the candidate stays readable.
    pub fn is_near_miss(&self) -> bool {
        !matches!(self, Fate::Masked | Fate::Shadow)
    }

    /// In words, for people.
    pub fn told(&self, rules: &RuleSet) -> String {
        match self {
            Fate::Masked => "masked".into(),
            Fate::Shadow => "would be masked, rule in shadow".into(),
            Fate::KeptBy(keep) => format!("kept by {}", rules.id(*keep)),
            Fate::Allowed(why) if why.is_empty() => "allowed by an exception".into(),
            Fate::Allowed(why) => format!("allowed: {why}"),
            Fate::OwnMask => "already a mask".into(),
            Fate::Check(name) => format!("{name} failed"),
            Fate::NoWord(within) => format!("no word of near within {within} bytes"),
            Fate::Against(within) => format!("a word of not_near within {within} bytes"),
            Fate::Short(found, least) => format!("{found} characters after the anchor, at least {least} needed"),
            Fate::Long(found, most) => format!("{found} characters after the anchor, at most {most} meant"),
            Fate::InsideWord => "the anchor stands inside a word".into(),
        }
    }

    /// One word for machines.
    pub fn name(&self) -> &'static str {
        match self {
            Fate::Masked => "masked",
            Fate::Shadow => "shadow",
            Fate::KeptBy(_) => "kept",
            Fate::Allowed(_) => "allowed",
            Fate::OwnMask => "own-mask",
            Fate::Check(_) => "check-failed",
            Fate::NoWord(_) => "no-word-near",
            Fate::Against(_) => "word-against",
            Fate::Short(..) => "too-short",
            Fate::Long(..) => "too-long",
            Fate::InsideWord => "inside-word",
        }
    }
}

/// Why a rule refused a candidate of `text`, which lies in `place`.
pub(super) fn refusal(rules: &RuleSet, text: &[u8], rule: RuleIndex, span: Span, place: Range<usize>) -> Fate {
    let (compiled, written) = (rules.of(rule), &rules.rules()[usize::from(rule.0)]);
    let value = span.of(text);
    let refuted = written.check.iter().find(|name| {
        let check = validate::by_name(name);
        check.is_some_and(|check| check(value) == Verdict::Refutes)
    });
    if let Some(name) = refuted {
        return Fate::Check(name.clone());
    }
    let word = |near: &super::context::Near| near.nearness(text, span, place.start, place.end) != Nearness::None;
    let against = compiled.not_near.as_ref().is_some_and(word);
    match (&written.not_near, &written.near) {
        (Some(words), _) if against => Fate::Against(words.within),
        (_, Some(words)) => Fate::NoWord(words.within),
        (_, None) => Fate::NoWord(0),
    }
}
