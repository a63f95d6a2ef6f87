//! Drafts a rule from pasted samples: what `logveil rules new` does.
//!
//! A sample is a line with the value in it, or the value alone; the value may be marked `<<…>>`. The draft is the
//! text of a rule file in shadow, with examples whose values are fillers: no sample's value stands in it. It is tried
//! before it is handed out, so that what `rules test` and `rules lint` would refuse is refused here, with the reason.

mod choice;
mod example;
mod form;

use super::rule::Rule;
use super::rule_file::{self, LONGEST_ID};
use super::ruleset::CompileError;
use super::{rule_lint, rule_test};
use choice::Values;
use std::fmt;

/// Lines that are looked at.
const MOST_SAMPLES: usize = 100;
/// Bytes of a line that are looked at.
const LONGEST_SAMPLE: usize = 4096;

/// What the author says of the rule.
pub struct Wish<'a> {
    /// Its id, which is also its label.
    pub id: &'a str,
    /// Name of its class.
    pub class: &'a str,
    /// The version it is written for.
    pub since: &'a str,
}

/// A rule file with one rule, tried.
#[derive(Debug)]
pub struct Draft {
    /// The file's text.
    pub yaml: String,
    /// How the rule finds, in words.
    pub finds: String,
    /// Values it was drafted from.
    pub samples: usize,
    /// What the author should look at.
    pub notes: Vec<String>,
}

/// Why there is no draft, and what to do.
#[derive(PartialEq, Eq, Debug)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<CompileError> for Refusal {
    fn from(error: CompileError) -> Refusal {
        Refusal(error.to_string())
    }
}

/// Drafts a rule that finds the values of `samples`, beside the `known` rules.
///
/// # Errors
/// [`Refusal`]: nothing tells the values from other text, known rules mask them already, or the draft does not hold
/// what it promises.
pub fn draft(samples: &str, wish: &Wish<'_>, known: &[Rule]) -> Result<Draft, Refusal> {
    // They have kept their word elsewhere.
    let known: Vec<Rule> = known.iter().map(|rule| Rule { tests: Vec::new(), ..rule.clone() }).collect();
    let known = &known[..];
    if known.iter().any(|rule| rule.id == wish.id) {
        return refused(format!("there is a rule '{}' already; choose another id", wish.id));
    }
    if wish.id.len() > LONGEST_ID {
        return refused(format!("the id is longer than {LONGEST_ID} characters"));
    }
    let lines: Vec<&str> = samples.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > MOST_SAMPLES || lines.iter().any(|line| line.len() > LONGEST_SAMPLE) {
        return refused(format!("at most {MOST_SAMPLES} samples of {LONGEST_SAMPLE} bytes; a handful is enough"));
    }
    let values = Values::in_lines(&lines)?;
    let form = form::of(&values)?;
    let (contexts, masked_by) = example::contexts(&values, known)?;
    if let Some(id) = masked_by {
        return refused(format!("the rule '{id}' masks these values already; logveil explain shows how"));
    }
    let draft = |contexts: &[(String, String)]| example::file(wish, &form, contexts);
    // What stands around a value may do without: plain words are tried when it does not hold.
    let plain = example::plain_contexts(&form);
    let mut tried = Err(Refusal(String::new()));
    for contexts in [contexts, plain] {
        let yaml = draft(&contexts);
        tried = holds(&yaml, known).map(|notes| (yaml, notes));
        if tried.is_ok() {
            break;
        }
    }
    let (yaml, mut notes) = tried?;
    if values.found.len() < 3 {
        notes.push("drafted from two values only; more make it surer where the telling part ends".to_owned());
    }
    Ok(Draft { yaml, finds: form.told(), samples: values.found.len(), notes })
}

fn refused<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

/// Loads, lints and tests the draft alone and beside the known rules; gives the advice that is left.
fn holds(yaml: &str, known: &[Rule]) -> Result<Vec<String>, Refusal> {
    let loaded = rule_file::load("draft", yaml);
    let problem = loaded.problems.first().map(|problem| match &problem.help {
        Some(help) => format!("{}; {help}", problem.message),
        None => problem.message.clone(),
    });
    if let Some(problem) = problem {
        return refused(format!("what these samples have in common makes no rule: {problem}"));
    }
    let rules = loaded.pack.rules;
    for set in [&rules[..], &[known, &rules[..]].concat()] {
        let report = rule_test::run(set)?;
        let broken = report.rules.last().and_then(|outcome| outcome.failures.first());
        if let Some(failure) = broken {
            let by = if failure.by.is_empty() { "nothing".to_owned() } else { failure.by.join(", ") };
            let why = "the draft does not hold its own examples";
            return refused(format!("{why} ({}, masked there by {by}); mark the values: <<…>>", failure.check));
        }
    }
    let advice = rule_lint::lint(&rules, known)?;
    Ok(advice.into_iter().map(|advice| format!("{} ({})", advice.message, advice.help)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{builtin, filler};
    use std::sync::LazyLock;

    static KNOWN: LazyLock<Vec<Rule>> =
        LazyLock::new(|| builtin::packs().into_iter().flat_map(|pack| pack.rules).collect());

    fn from(samples: &str) -> Result<Draft, Refusal> {
        let wish = Wish { id: "acme-badge", class: "credential", since: "0.1.0" };
        draft(&filler::expand(samples).unwrap(), &wish, &KNOWN)
    }

    fn finds(samples: &str) -> String {
        let draft = from(samples).unwrap_or_else(|refusal| panic!("{samples}: {refusal}"));
        assert!(draft.yaml.contains("stage: shadow") && draft.yaml.contains("same:"), "{}", draft.yaml);
        let line = draft.yaml.lines().find(|line| line.contains("find:")).expect("a form");
        line.trim().trim_start_matches("find: ").to_owned()
    }

    #[test]
    fn values_with_a_telling_start_give_an_anchor() {
        assert_eq!(
            finds("acme_{{hex:16}}\nacme_{{hex:16}}\nacme_{{hex:16}}"),
            "{anchor: [acme_], alphabet: hex, min: 16}"
        );
        assert_eq!(
            finds(
                "2026-11-21T10:04:11Z sync failed for badge acmetok-{{base62:24}} on worker-1\n\
                   2026-11-21T10:05:17Z sync failed for badge acmetok-{{base62:30}} on worker-2\n\
                   2026-11-21T10:05:19Z sync failed for badge acmetok-{{base62:28}} on worker-2"
            ),
            "{anchor: [acmetok-], alphabet: base62, min: 24}"
        );
        assert_eq!(
            finds("x <<zeta.{{digits:12}}>> y\nz <<zeta.{{digits:12}}>>"),
            "{anchor: [zeta.], alphabet: digits, min: 12}"
        );
    }

    #[test]
    fn two_or_three_telling_characters_give_a_short_anchor() {
        assert_eq!(
            finds("ak-{{base36:32}}\nak-{{base36:32}}\nak-{{base36:32}}"),
            "{short_anchor: [ak-], alphabet: base36, min: 32}"
        );
    }

    #[test]
    fn values_under_one_name_give_a_key() {
        let found = finds(
            "{\"badgeCode\":\"{{base62:20}}\",\"n\":1}\n{\"badgeCode\":\"{{base62:20}}\",\"n\":2}\n\
             {\"badgeCode\":\"{{base62:20}}\",\"n\":3}",
        );
        assert_eq!(found, "{key: [badge code], value: opaque}");
        assert_eq!(finds("locker_number=4711 open\nlocker_number=0815 open"), "{key: [locker number], value: code}");
    }

    #[test]
    fn values_of_one_structure_give_an_expression() {
        assert_eq!(
            finds("visit <<ACME-12/345 XY>> booked\nvisit <<ACME-98/761 QR>> booked\n<<ACME-55/902 KD>>"),
            "{regex: '\\bACME-[0-9]{2}/[0-9]{3} [A-Z]{2}\\b', literals: [ACME-], window: {before: 0, after: 16}}"
        );
    }

    #[test]
    fn a_draft_holds_nothing_of_the_samples() {
        let secret = "7Hq2mZ9tLk4xW1pB6vRs";
        let draft = from(&format!("for ana.diaz@mail.example: acme_{secret}\nacme_8Jr3nA0uMl5yX2qC7wSt\n")).unwrap();
        assert!(!draft.yaml.contains(secret) && !draft.yaml.contains("ana.diaz"), "{}", draft.yaml);
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for (samples, why) in [
            ("", "at least two different values"),
            ("acme_{{hex:16}}", "at least two different values"),
            ("acme_0011223344556677\nacme_0011223344556677", "at least two different values"),
            ("the quick brown fox\njumps over the lazy dog", "nothing tells the values"),
            ("hello world\nhello there", "nothing tells the values"),
            ("token {{base62:24}}\nother {{hex:20}}", "nothing tells the values"),
            ("ghp_{{base62:36}}\nghp_{{base62:36}}", "masks these values already"),
            ("{\"password\":\"{{base62:12}}\"}\n{\"password\":\"{{base62:12}}\"}", "masks these values already"),
            ("<<>> x\n<<>> y", "a mark is empty"),
            ("<<acme_12>>\n<<acme_13>>", "characters behind"),
        ] {
            let refusal = from(samples).err().unwrap_or_else(|| panic!("{samples}"));
            assert!(refusal.0.contains(why), "{samples}: {refusal}");
        }
        let wish = Wish { id: "email", class: "credential", since: "0.1.0" };
        assert!(draft("a\nb", &wish, &KNOWN).unwrap_err().0.contains("there is a rule 'email' already"));
    }

    #[test]
    fn of_two_candidates_the_author_chooses() {
        let both = "acme_{{hex:20}} zeta_{{hex:20}}\nacme_{{hex:20}} zeta_{{hex:20}}\nacme_{{hex:20}} zeta_{{hex:20}}";
        assert!(from(both).unwrap_err().0.contains("more than one value: acme_… and zeta_…"));
        assert_eq!(
            finds("acme_{{hex:20}} <<zeta_{{hex:20}}>>\nacme_{{hex:20}} <<zeta_{{hex:20}}>>"),
            "{anchor: [zeta_], alphabet: hex, min: 20}"
        );
    }
}
