//! Probes: fresh synthetic values of every class, sent through a live redactor to see that they are masked
//! *now*, not only configured to be. Probe values never leave the process.
//!
//! A probe names the rule it is about and is skipped where that rule is not in force.

use super::redactor::{Redactor, StreamState};
use super::rule::Stage;

/// What the probes of one round showed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// Probes sent.
    pub sent: u32,
    /// Rules whose probe came out readable.
    pub missed: Vec<&'static str>,
    /// Probes sent and missed, by class of rule.
    pub classes: Vec<(&'static str, [u32; 2])>,
}

struct Probe {
    rule: &'static str,
    /// The rule's class.
    class: &'static str,
    /// A record and the value planted in it, drawn from the seed.
    draw: fn(&mut Seed) -> (String, String),
}

const PROBES: &[Probe] = &[
    Probe { rule: "password", class: "credential", draw: |seed| keyed("password", seed.letters(14)) },
    Probe {
        rule: "github-token",
        class: "credential",
        draw: |seed| planted(&format!("{}{}", ["gh", "p_"].concat(), seed.letters(36))),
    },
    Probe { rule: "email", class: "contact", draw: |seed| planted(&format!("{}@probe.example", seed.lower(10))) },
    Probe {
        rule: "ipv4",
        class: "network",
        draw: |seed| planted(&format!("198.51.{}.{}", 100 + seed.below(100), 10 + seed.below(200))),
    },
    Probe { rule: "card", class: "financial", draw: |seed| planted(&luhn(&format!("4111{}", seed.digits(11)))) },
    Probe { rule: "iban", class: "financial", draw: |seed| planted(&iban(&seed.digits(18))) },
    Probe {
        rule: "phone",
        class: "contact",
        draw: |seed| planted(&format!("+48 601 {} {}", seed.digits(3), seed.digits(3))),
    },
    Probe { rule: "mac", class: "device", draw: |seed| planted(&format!("00:00:5e:00:53:{:02x}", seed.below(256))) },
];

/// Sends one probe of each kind through `redactor`. `seed` makes the values: give a fresh one each round.
pub fn round(redactor: &mut Redactor, seed: u64) -> Round {
    let (mut seed, mut round) = (Seed(seed | 1), Round::default());
    for probe in PROBES {
        let (line, value) = (probe.draw)(&mut seed);
        let in_force =
            redactor.rules().rules().iter().any(|rule| rule.id == probe.rule && rule.stage == Stage::Enforce);
        if !in_force {
            continue;
        }
        round.sent += 1;
        let missed = is_readable(redactor, &line, &value);
        if missed {
            round.missed.push(probe.rule);
        }
        round.classes.push((probe.class, [1, u32::from(missed)]));
    }
    round
}

fn is_readable(redactor: &mut Redactor, line: &str, value: &str) -> bool {
    let mut out = Vec::new();
    redactor.redact(&mut StreamState::default(), line.as_bytes(), &[line.len() as u32], &mut |record| {
        record.write_to(&mut out);
    });
    memchr::memmem::find(&out, value.as_bytes()).is_some()
}

fn planted(value: &str) -> (String, String) {
    (format!("{{\"level\":\"info\",\"msg\":\"probe {value} done\"}}"), value.to_owned())
}

fn keyed(key: &str, value: String) -> (String, String) {
    (format!("{{\"level\":\"info\",\"{key}\":\"{value}\"}}"), value)
}

/// Adds the check digit.
fn luhn(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// A German account number with its check digits.
fn iban(digits: &str) -> String {
    let rest = format!("{digits}131400").bytes().fold(0u32, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("DE{:02}{digits}", 98 - rest)
}

/// A small generator: probes need fresh values, not secret ones.
struct Seed(u64);

impl Seed {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 16) % limit
    }

    fn of(&mut self, letters: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(letters[self.below(letters.len() as u64) as usize])).collect()
    }

    fn letters(&mut self, count: usize) -> String {
        self.of(b"ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789", count)
    }

    fn lower(&mut self, count: usize) -> String {
        self.of(b"abcdefghjkmnpqrstuvwxyz", count)
    }

    fn digits(&mut self, count: usize) -> String {
        self.of(b"0123456789", count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::RuleSet;
    use crate::redact::policy::Policy;
    use std::sync::Arc;

    #[test]
    fn every_probe_of_the_built_in_pack_is_masked_whatever_its_value() {
        let mut redactor = Redactor::new(RuleSet::builtin());
        for seed in 1..200u64 {
            let round = round(&mut redactor, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            assert_eq!((round.sent, round.missed.len()), (PROBES.len() as u32, 0), "seed {seed}");
        }
    }

    #[test]
    fn a_rule_that_masks_nothing_is_missed_and_one_that_is_off_is_skipped() {
        let rules = |disable: &[&str], break_email: bool| {
            let mut rules: Vec<_> = crate::redact::builtin::packs().into_iter().flat_map(|pack| pack.rules).collect();
            rules.retain(|rule| rule.id == "email" || rule.id == "ipv4");
            for rule in rules.iter_mut().filter(|rule| break_email && rule.id == "email") {
                rule.what = crate::redact::rule::What::Mask(crate::redact::rule::Find::Shape("mac".to_owned()));
            }
            let policy = Policy { disable: disable.iter().map(|id| (*id).to_owned()).collect(), ..Policy::default() };
            Redactor::new(Arc::new(RuleSet::compile(rules, &policy).unwrap()))
        };
        assert_eq!(round(&mut rules(&[], true), 7).missed, ["email"]);
        let round = round(&mut rules(&["email"], false), 7);
        assert_eq!((round.sent, round.missed, round.classes), (1, Vec::new(), vec![("network", [1, 0])]));
    }
}
