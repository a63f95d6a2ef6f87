//! What an operator decides about redaction without touching rules; the `redaction:` section as checked.
//!
//! A policy can only choose among masks, name exceptions with a reason, and switch whole rules off by id;
//! everything it does is visible in the rule set's fingerprint.

use super::rule::{Allow, BESIDE, Class, Find, Rule, Stage, What};

/// The decisions of the `redaction:` section.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// Ids of rules that are switched off.
    pub disable: Vec<String>,
    /// Ids of rules in shadow that mask all the same.
    pub enforce: Vec<String>,
    /// Names that key rules look for beside their own.
    pub keys: Vec<MoreKeys>,
    /// Masks that differ from what the rules of a class say; one entry a class.
    pub mask: Vec<(Class, MaskStyle)>,
    /// Exceptions for every rule, or for the one an entry names.
    pub allow: Vec<Allow>,
    /// User agents: kept, or masked.
    pub user_agents: KeepOrMask,
    /// Private, loopback and link-local addresses.
    pub private_ips: PrivateIps,
    /// Names of people and companies.
    pub names: Names,
}

/// Names under which a key rule finds its values too: the house's own words for a customer's number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoreKeys {
    /// Id of the rule.
    pub rule: String,
    /// Names as words, as rules write them.
    pub words: Vec<String>,
}

/// How values of a class are replaced.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MaskStyle {
    /// As each rule says: tokens where a keyring is loaded, last four digits of cards.
    #[default]
    Rule,
    /// The label alone: `[card]`, `[email]`.
    Label,
}

/// What happens to user agents.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum KeepOrMask {
    /// They stay readable.
    #[default]
    Keep,
    /// They are masked whole.
    Mask,
}

/// What happens to addresses of private networks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum PrivateIps {
    /// Masked like public ones.
    #[default]
    Mask,
    /// They stay readable.
    Keep,
}

/// How names are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Names {
    /// By the key they stand under.
    #[default]
    Keys,
    /// Not at all.
    Off,
}

/// Carries out what the policy says of single rules: more names, and enforcement. What it cannot do it says.
pub fn adjust(rules: &mut [Rule], policy: &Policy) -> Vec<String> {
    let mut refused = Vec::new();
    for MoreKeys { rule: id, words } in &policy.keys {
        match rules.iter_mut().find(|rule| rule.id == *id).map(|rule| &mut rule.what) {
            Some(What::Mask(Find::Key(find))) => find.key.extend(words.iter().cloned()),
            Some(_) => refused.push(format!("rule '{id}' looks for no keys")),
            None => {}
        }
    }
    for rule in rules.iter_mut().filter(|rule| policy.enforce.contains(&rule.id)) {
        rule.stage = Stage::Enforce;
    }
    refused
}

/// Takes out the exceptions whose last day lies before `today` (days since 1970-01-01); how many there were.
pub fn drop_ended(rules: &mut [Rule], policy: &mut Policy, today: i64) -> usize {
    let mut dropped = 0;
    let lists = rules.iter_mut().map(|rule| &mut rule.allow).chain([&mut policy.allow]);
    for list in lists {
        let before = list.len();
        list.retain(|allow| allow.in_force(today));
        dropped += before - list.len();
    }
    dropped
}

/// Rule ids that a switch of the policy governs: rules of the built-in pack that an overlay may replace
/// under the same id.
pub mod governed {
    /// Masks user agents; in force only with `user_agents: mask`.
    pub const USER_AGENTS: &[&str] = &["user-agent"];
    /// Find names by key; off with `names: off`.
    pub const NAMES: &[&str] = &["person-name", "person-name-header", "person-name-honorific", "company-name"];
    /// Keep private addresses; in force only with `private_ips: keep`.
    pub const PRIVATE_IPS: &[&str] = &["keep-private-ip"];
}

impl Policy {
    /// True when the rule of that id is in force under this policy.
    pub fn enables(&self, id: &str) -> bool {
        let named = |id: &str| self.disable.iter().any(|disabled| disabled == id);
        if let Some(base) = id.strip_suffix(BESIDE) {
            return self.enables(base) && !named(id);
        }
        let governed_off = (self.user_agents == KeepOrMask::Keep && governed::USER_AGENTS.contains(&id))
            || (self.names == Names::Off && governed::NAMES.contains(&id))
            || (self.private_ips == PrivateIps::Mask && governed::PRIVATE_IPS.contains(&id));
        !governed_off && !named(id)
    }

    /// How values of a class are replaced.
    pub fn style(&self, class: Class) -> MaskStyle {
        self.mask.iter().find(|(known, _)| *known == class).map_or(MaskStyle::Rule, |(_, style)| *style)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_govern_their_rules() {
        let mut policy = Policy::default();
        assert!(!policy.enables("user-agent") && policy.enables("person-name"));
        assert!(!policy.enables("keep-private-ip"));
        policy.user_agents = KeepOrMask::Mask;
        policy.names = Names::Off;
        policy.private_ips = PrivateIps::Keep;
        assert!(policy.enables("user-agent") && !policy.enables("person-name"));
        assert!(policy.enables("keep-private-ip"));
        policy.disable.push("email".into());
        assert!(!policy.enables("email") && policy.enables("ipv4"));
        assert!(!policy.enables("email@shadow") && policy.enables("ipv4@shadow"));
        policy.disable.push("ipv4@shadow".into());
        assert!(policy.enables("ipv4") && !policy.enables("ipv4@shadow"));
    }

    #[test]
    fn a_class_without_an_entry_follows_its_rules() {
        let policy = Policy { mask: vec![(Class::Financial, MaskStyle::Label)], ..Policy::default() };
        assert_eq!(policy.style(Class::Financial), MaskStyle::Label);
        assert_eq!(policy.style(Class::Network), MaskStyle::Rule);
    }
}
