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
    pub const NAMES: &[&str] = &[
        "person-name",
        "person-name-in-object",
        "person-name-of-role",
        "person-name-part",
        "person-name-creditor",
        "person-name-beside",
        "person-name-header",
        "person-name-honorific",
        "person-name-card",
        "person-name-card-parts",
        "company-name",
        "company-in-text",
        "person-name-of-user",
        "person-name-segment",
        "person-name-entity",
        "person-name-party",
        "person-name-transfer",
    ];
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

#[cfg(test)]
mod over_the_pack {
    use super::*;
    use crate::redact::rule::AllowTest;
    use crate::redact::{Redactor, RuleSet, StreamState, builtin};
    use std::sync::Arc;

    /// What becomes of a line under a policy, and how often an exception let something through.
    fn redacted(policy: &Policy, text: &str) -> (String, u32) {
        let mut rules = builtin::rules();
        assert!(adjust(&mut rules, policy).is_empty());
        let mut redactor = Redactor::new(Arc::new(RuleSet::compile(rules, policy).expect("the pack")));
        let (line, end) = (format!("{text}\n"), [text.len() as u32 + 1]);
        let (mut out, mut allowed) = (Vec::new(), 0);
        redactor.redact(&mut StreamState::default(), line.as_bytes(), &end, &mut |record| {
            record.write_to(&mut out);
            allowed += record.allowed().len() as u32;
        });
        (String::from_utf8(out).unwrap().trim_end().to_owned(), allowed)
    }

    #[track_caller]
    fn becomes(policy: &Policy, text: &str, wanted: &str) {
        assert_eq!(redacted(policy, text).0, wanted);
    }

    #[test]
    fn user_agents_are_kept_or_masked() {
        let (line, off) = (r#"user_agent="Mozilla/5.0 (X11) Chrome/120.0" n=1"#, Policy::default());
        becomes(&off, line, line);
        becomes(&Policy { user_agents: KeepOrMask::Mask, ..off }, line, r#"user_agent="[user-agent]" n=1"#);
    }

    #[test]
    fn private_addresses_are_masked_or_kept() {
        let (line, off) = ("from 10.0.0.7 to 203.0.113.7", Policy::default());
        becomes(&off, line, "from [ip] to [ip]");
        let keep = Policy { private_ips: PrivateIps::Keep, ..off };
        becomes(&keep, line, "from 10.0.0.7 to [ip]");
        let line = "IP 10.0.0.5.443 > 203.0.113.7.51234: Flags [S]; host-10-1-2-3.acme.example host-203-0-113-7.isp.example 10[.]0[.]0[.]5";
        let kept =
            "IP 10.0.0.5.443 > [ip].51234: Flags [S]; host-10-1-2-3.acme.example host-[ip].isp.example 10[.]0[.]0[.]5";
        becomes(&keep, line, kept);
        becomes(
            &keep,
            "https://app:FAKEpw9Zt@10.0.0.5/x password=10.0.0.5",
            "https://app:[password]@10.0.0.5/x password=[password]",
        );
    }

    #[test]
    fn names_are_looked_for_by_key_or_not_at_all() {
        let line = r#"{"first_name":"Wieslawa","company_name":"ACME GmbH","customer":{"name":"Jan Kowalski"},"t":"Mr. John Smith"}"#;
        let (out, _) = redacted(&Policy::default(), line);
        assert!(!["Wieslawa", "ACME", "Kowalski", "Smith"].iter().any(|name| out.contains(name)), "{out}");
        becomes(&Policy { names: Names::Off, ..Policy::default() }, line, line);
        let named = builtin::rules().into_iter().filter(|rule| ["name", "company"].contains(&rule.label.as_str()));
        assert!(named.map(|rule| rule.id).all(|id| governed::NAMES.contains(&id.as_str())));
    }

    #[test]
    fn rules_are_switched_off_by_id_and_out_of_shadow() {
        let off = Policy::default();
        becomes(&off, "of a@b.example from 203.0.113.7", "of [email] from [ip]");
        let disabled = Policy { disable: vec!["email".into()], ..off.clone() };
        becomes(&disabled, "of a@b.example from 203.0.113.7", "of a@b.example from [ip]");
        becomes(&off, r#"{"customer_id":"C-7781234"}"#, r#"{"customer_id":"C-7781234"}"#);
        let keys = vec![MoreKeys { rule: "customer-id".into(), words: vec!["numer kontrahenta".into()] }];
        let enforced = Policy { enforce: vec!["customer-id".into()], keys, ..off };
        becomes(&enforced, r#"{"customer_id":"C-7781234"}"#, r#"{"customer_id":"[customer-id]"}"#);
        becomes(&enforced, "numerKontrahenta=C-7781234", "numerKontrahenta=[customer-id]");
    }

    #[test]
    fn a_class_is_masked_by_labels_alone() {
        let (line, off) = ("card 4111111111111111 ok", Policy::default());
        becomes(&off, line, "card [card-1111] ok");
        becomes(&Policy { mask: vec![(Class::Financial, MaskStyle::Label)], ..off }, line, "card [card] ok");
    }

    #[test]
    fn exceptions_act_on_the_exact_span_and_are_counted() {
        let allow = |test, rule: Option<&str>| Policy {
            allow: vec![Allow { test, rule: rule.map(str::to_owned), reason: "system sender".into(), until: None }],
            ..Policy::default()
        };
        let exact = allow(AllowTest::Exact("no@b.example".into()), None);
        assert_eq!(redacted(&exact, "of no@b.example, ano@b.example"), ("of no@b.example, [email]".into(), 1));
        let domain = allow(AllowTest::Domain("b.example".into()), Some("email"));
        assert_eq!(redacted(&domain, "of x@b.example, x@a.b.example"), ("of x@b.example, [email]".into(), 1));
        let other = allow(AllowTest::Domain("b.example".into()), Some("ipv4"));
        assert_eq!(redacted(&other, "of x@b.example"), ("of [email]".into(), 0));
    }
}
