//! What a new rule set would let through that the old one masked, as far as rules tell by themselves.
//!
//! Judged are rules that go out of force and keep rules that come into it. A rule that is written differently
//! is judged by its own examples, and over real lines by `logveil diff`.

use crate::redact::RuleSet;
use crate::redact::policy::{Policy, governed};
use crate::redact::rule::{Rule, Stage, What};

/// Ids listed one by one; the rest is counted.
const LISTED: usize = 5;

/// One way in which values become visible.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Loss {
    /// The rule masks no more.
    Rule(String),
    /// The keep rule is new.
    Keep(String),
}

/// What is lost from `old` to `new` and allowed neither by name nor by the policy, which names what it
/// switches off.
pub(super) fn between(old: &RuleSet, new: &RuleSet, policy: &Policy, allowed: &[String]) -> Vec<Loss> {
    let masks = |rule: &&Rule| rule.stage == Stage::Enforce && matches!(rule.what, What::Mask(_));
    let keeps = |rule: &&Rule| matches!(rule.what, What::Keep(_));
    let meant = |id: &str| allowed.iter().any(|known| known == id || known == "*");
    let lost = old
        .rules()
        .iter()
        .filter(masks)
        .filter(|rule| !new.rules().iter().filter(masks).any(|other| other.id == rule.id))
        .filter(|rule| policy.enables(&rule.id))
        .map(|rule| Loss::Rule(rule.id.clone()));
    let kept = new
        .rules()
        .iter()
        .filter(keeps)
        .filter(|rule| !old.rules().iter().filter(keeps).any(|other| other.id == rule.id))
        .filter(|rule| !governed::PRIVATE_IPS.contains(&rule.id.as_str()))
        .map(|rule| Loss::Keep(rule.id.clone()));
    lost.chain(kept).filter(|loss| !meant(loss.id())).collect()
}

impl Loss {
    fn id(&self) -> &str {
        match self {
            Loss::Rule(id) | Loss::Keep(id) => id,
        }
    }
}

const GONE: &str = "these rules would mask no more";
const KEPT: &str = "these keep rules are new";

/// True when `why` a reload was refused says that values would become visible.
pub fn is_refusal(why: &str) -> bool {
    why.contains(GONE) || why.contains(KEPT)
}

/// One line for people.
pub(super) fn told(lost: &[Loss]) -> String {
    let list = |of: &dyn Fn(&Loss) -> bool| {
        let ids: Vec<&str> = lost.iter().filter(|loss| of(loss)).map(Loss::id).collect();
        let more = ids.len().saturating_sub(LISTED);
        let shown = ids[..ids.len().min(LISTED)].join(", ");
        if more > 0 { format!("{shown} and {more} more") } else { shown }
    };
    let mut parts = Vec::new();
    if lost.iter().any(|loss| matches!(loss, Loss::Rule(_))) {
        parts.push(format!("{GONE}: {}", list(&|loss| matches!(loss, Loss::Rule(_)))));
    }
    if lost.iter().any(|loss| matches!(loss, Loss::Keep(_))) {
        parts.push(format!("{KEPT}: {}", list(&|loss| matches!(loss, Loss::Keep(_)))));
    }
    format!("{}; where that is meant, name them in redaction: {{allow_loosening: […]}}", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::builtin;

    fn set(change: impl Fn(&mut Vec<Rule>), policy: &Policy) -> RuleSet {
        let mut rules = builtin::rules();
        rules.retain(|rule| ["email", "ipv4", "password", "keep-private-ip"].contains(&rule.id.as_str()));
        change(&mut rules);
        RuleSet::compile(rules, policy).expect("a set")
    }

    #[test]
    fn rules_that_mask_no_more_are_losses_unless_somebody_named_them() {
        let plain = Policy::default();
        let old = set(|_| {}, &plain);
        let lost = |change: &dyn Fn(&mut Vec<Rule>), policy: &Policy, allowed: &[&str]| {
            let allowed: Vec<String> = allowed.iter().map(|id| (*id).to_owned()).collect();
            between(&old, &set(change, policy), policy, &allowed)
        };
        let gone = |rules: &mut Vec<Rule>| rules.retain(|rule| rule.id != "email");
        let email = [Loss::Rule("email".into())];
        assert_eq!(lost(&|_| {}, &plain, &[]), []);
        assert_eq!(lost(&gone, &plain, &[]), email);
        assert_eq!(lost(&gone, &plain, &["ipv4"]), email);
        assert_eq!(lost(&gone, &plain, &["email"]), []);
        assert_eq!(lost(&gone, &plain, &["*"]), []);
        let asleep = |rules: &mut Vec<Rule>| {
            rules.iter_mut().filter(|rule| rule.id == "email").for_each(|rule| rule.stage = Stage::Shadow);
        };
        assert_eq!(lost(&asleep, &plain, &[]), email);
        let disabled = Policy { disable: vec!["email".into()], ..Policy::default() };
        assert_eq!(lost(&|_| {}, &disabled, &[]), [], "the configuration says so by name");
        let private = Policy { private_ips: crate::redact::policy::PrivateIps::Keep, ..Policy::default() };
        assert_eq!(lost(&|_| {}, &private, &[]), []);
        let keeping = |rules: &mut Vec<Rule>| {
            let keep = builtin::rules().into_iter().find(|rule| rule.id == "keep-private-ip").expect("a rule");
            rules.push(Rule { id: "keep-ours".into(), ..keep });
        };
        assert_eq!(lost(&keeping, &plain, &[]), [Loss::Keep("keep-ours".into())]);
        let all = lost(
            &|rules| {
                gone(rules);
                keeping(rules)
            },
            &plain,
            &[],
        );
        let shown = told(&all);
        assert!(shown.contains("mask no more: email;") && shown.contains("new: keep-ours;"), "{shown}");
    }
}
