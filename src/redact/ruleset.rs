//! The compiled rule set: immutable, shared as `Arc`, identified by its fingerprint.
//!
//! Compiling sorts rules into strategies: literals of all rules into one prefilter, key rules into the
//! key table, shapes into lists by trigger, keep rules into their own table. Nothing is sorted while
//! searching.

use super::context::Near;
use super::digit_filter::DigitFilter;
use super::digit_index::{Asked, DigitIndex};
use super::expression::Expression;
use super::gate::{GateWord, Gates};
use super::keep::Keeps;
use super::key::{KeyFind, KeyTable, Labels};
use super::policy::{MaskStyle, Policy, drop_ended};
use super::prefilter::{Border, Literal, Prefilter, Target};
use super::rule::{Allow, AnchorFind, Class, Find, Mask, Rule, RuleIndex, Severity, ShortAnchorFind, Stage, What};
use super::shape::{self, Shape, Trigger};
use super::validate::{self, Check};
use crate::record::Fingerprint;
use std::sync::Arc;

/// Rules compiled once, with every table the engine needs.
pub struct RuleSet {
    fingerprint: Fingerprint,
    rules: Vec<Rule>,
    policy: Policy,
    pub(super) compiled: Vec<Compiled>,
    pub(super) prefilter: Prefilter,
    pub(super) keys: KeyTable,
    pub(super) anchors: Vec<(RuleIndex, AnchorFind)>,
    pub(super) short_anchors: Vec<(RuleIndex, ShortAnchorFind)>,
    pub(super) short_index: ShortIndex,
    pub(super) expressions: Vec<Expressed>,
    pub(super) shapes: Vec<(RuleIndex, &'static Shape)>,
    pub(super) by_trigger: ByTrigger,
    pub(super) gates: Gates,
    pub(super) keeps: Keeps,
    allow: Vec<Allow>,
    /// By rule: its exceptions, as places in `allow`.
    allow_by_rule: Vec<Box<[u32]>>,
    /// The rule that masks key blocks, when the set has one.
    pub(super) key_block: Option<RuleIndex>,
    /// The shape that looks for names beside other data of persons, when the set has it.
    pub(super) names_beside: Option<u16>,
    /// Refused candidates are reported too; for explanations, never on the way to a sink.
    pub(super) reasons: bool,
}

/// What the engine needs of a rule once it has a candidate.
pub(super) struct Compiled {
    pub(super) severity: Severity,
    /// `[label]`
    pub(super) label: Box<[u8]>,
    pub(super) mask: Mask,
    pub(super) checks: Vec<Check>,
    /// Checks whose refusal is final, whatever the anchor.
    pub(super) demands: Vec<Check>,
    pub(super) near: Option<Near>,
    pub(super) not_near: Option<Near>,
    pub(super) enforced: bool,
    /// What it finds is of a person: names may stand beside it.
    pub(super) of_person: bool,
}

/// A regex rule.
pub(super) struct Expressed {
    pub(super) rule: RuleIndex,
    pub(super) expression: Expression,
    pub(super) before: usize,
    pub(super) after: usize,
}

/// Literals of short anchors by the byte that they begin with.
#[derive(Default)]
pub(super) struct ShortIndex {
    /// One row for each place in a run at which literals are looked for.
    rows: Vec<(usize, Vec<Vec<ShortLiteral>>)>,
}

/// One literal of a short anchor.
#[derive(Clone, Copy)]
struct ShortLiteral {
    /// Its second byte; nothing for one of a single byte.
    second: Option<u8>,
    /// Bytes from the start of the run that it takes at least, when none stands behind the run's end.
    least: u16,
    /// Number of the short anchor.
    number: u16,
    /// Its place in the short anchor's list.
    place: u16,
}

impl ShortIndex {
    fn push(&mut self, number: u16, short: &ShortAnchorFind) {
        let at = short.at as usize;
        let row = match self.rows.iter().position(|(known, _)| *known == at) {
            Some(row) => row,
            None => {
                self.rows.push((at, vec![Vec::new(); 256]));
                self.rows.len() - 1
            }
        };
        for (place, literal) in short.short_anchor.iter().enumerate() {
            let bytes = literal.as_bytes();
            let token = if short.alphabet.runs_on() { 0 } else { short.min as usize };
            let least = u16::try_from(at + bytes.len() + token).unwrap_or(u16::MAX);
            let literal = ShortLiteral { second: bytes.get(1).copied(), least, number, place: place as u16 };
            self.rows[row].1[usize::from(bytes.first().copied().unwrap_or(0))].push(literal);
        }
    }

    /// The short anchors that may stand in the run, and which of their literals.
    pub(super) fn at<'i>(
        &'i self,
        text: &'i [u8],
        run: std::ops::Range<usize>,
    ) -> impl Iterator<Item = (u16, u16)> + 'i {
        let run = &text[run];
        self.rows.iter().flat_map(move |(at, row)| {
            let literals = run.get(*at).map_or(&[][..], |byte| &row[usize::from(*byte)]);
            let second = run.get(at + 1);
            let fits = move |literal: &&ShortLiteral| {
                run.len() >= usize::from(literal.least) && literal.second.is_none_or(|byte| second == Some(&byte))
            };
            literals.iter().filter(fits).map(|literal| (literal.number, literal.place))
        })
    }
}

/// Numbers of shapes (into `shapes`) to ask, by trigger.
#[derive(Default)]
pub(super) struct ByTrigger {
    pub(super) at: Vec<u16>,
    pub(super) dotted: Vec<u16>,
    pub(super) colons: Vec<u16>,
    pub(super) pairs: Vec<u16>,
    pub(super) opaque: Vec<u16>,
    /// Shapes of digits.
    pub(super) digits: DigitIndex,
    /// The first look at a group of digits.
    pub(super) digit_filter: DigitFilter,
}

/// Why rules do not make a set.
#[derive(Debug)]
pub struct CompileError {
    /// Id of the rule at fault, where it is one rule's.
    pub rule: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.rule {
            Some(rule) => write!(f, "rule `{rule}`: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for CompileError {}

impl RuleSet {
    /// Compiles the rules that `policy` leaves in force.
    ///
    /// # Errors
    /// When a rule names an unknown shape or check, or the tables would exceed their limits. The loader finds these earlier and with their place.
    pub fn compile(rules: Vec<Rule>, policy: &Policy) -> Result<RuleSet, CompileError> {
        let rules: Vec<Rule> = rules.into_iter().filter(|rule| policy.enables(&rule.id)).collect();
        if rules.len() > usize::from(u16::MAX) {
            return Err(CompileError { rule: None, what: format!("{} rules; at most 65,535", rules.len()) });
        }
        let fingerprint = fingerprint(&rules, policy);
        let mut builder = Builder::default();
        for (place, rule) in rules.iter().enumerate() {
            let index = RuleIndex(place as u16);
            builder.add(index, rule, policy).map_err(|what| CompileError { rule: Some(rule.id.clone()), what })?;
        }
        builder.finish(rules, policy, fingerprint)
    }

    /// The pack compiled into the binary, under the default policy.
    ///
    /// # Panics
    /// Never in a program whose tests pass: they compile the same files.
    pub fn builtin() -> Arc<RuleSet> {
        Arc::new(RuleSet::compile(super::builtin::rules(), &Policy::default()).expect("the built-in pack compiles"))
    }

    /// The set as it is from `today` on (days since 1970-01-01), when exceptions of this one have ended before.
    ///
    /// # Errors
    /// None in practice: the rules compiled before.
    pub fn without_ended(&self, today: i64) -> Result<Option<RuleSet>, CompileError> {
        if self.allow.iter().all(|allow| allow.in_force(today)) {
            return Ok(None);
        }
        let (mut rules, mut policy) = (self.rules.clone(), self.policy.clone());
        drop_ended(&mut rules, &mut policy, today);
        RuleSet::compile(rules, &policy).map(Some)
    }

    /// The rules in shadow as if they were in force, with those that keep; none where none is in shadow. A small set:
    /// it is for text that this one has masked.
    ///
    /// # Errors
    /// None in practice: the rules compiled before.
    pub fn awakened(&self) -> Result<Option<RuleSet>, CompileError> {
        if self.rules.iter().all(|rule| rule.stage == Stage::Enforce) {
            return Ok(None);
        }
        let matters = |rule: &&Rule| rule.stage != Stage::Enforce || matches!(rule.what, What::Keep(_));
        let awake = |rule: &Rule| Rule { stage: Stage::Enforce, ..rule.clone() };
        RuleSet::compile(self.rules.iter().filter(matters).map(awake).collect(), &self.policy).map(Some)
    }

    /// The set without one of its rules: what the rule costs shows in the difference.
    ///
    /// # Errors
    /// None in practice: the rules compiled before.
    pub fn without(&self, rule: RuleIndex) -> Result<RuleSet, CompileError> {
        let others = self.rules.iter().enumerate().filter(|(at, _)| *at != usize::from(rule.0));
        RuleSet::compile(others.map(|(_, rule)| rule.clone()).collect(), &self.policy)
    }

    /// The same set, reporting every candidate with what became of it: slower, for explanations.
    pub(super) fn with_reasons(mut self) -> RuleSet {
        self.by_trigger.digits.open_all();
        self.by_trigger.digit_filter = DigitFilter::of(&self.by_trigger.digits);
        RuleSet { reasons: true, ..self }
    }

    /// Digest over everything that decides what is masked.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// True without rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules in force, in order; [`RuleIndex`] counts them.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The id of a rule, as written in its file.
    pub fn id(&self, rule: RuleIndex) -> &str {
        &self.rules[usize::from(rule.0)].id
    }

    /// Bytes the prefilter's tables take.
    pub fn prefilter_memory(&self) -> usize {
        self.prefilter.memory()
    }

    /// The exceptions that concern a rule, in their order.
    pub(super) fn allow_of(&self, rule: RuleIndex) -> impl Iterator<Item = &Allow> {
        self.allow_by_rule[usize::from(rule.0)].iter().map(|place| &self.allow[*place as usize])
    }

    pub(super) fn of(&self, rule: RuleIndex) -> &Compiled {
        &self.compiled[usize::from(rule.0)]
    }
}

/// Digest of what rules and policy decide; titles, references and examples do not count.
fn fingerprint(rules: &[Rule], policy: &Policy) -> Fingerprint {
    let (mut digest, mut decisions) = (blake3::Hasher::new(), String::new());
    for rule in rules {
        decisions.clear();
        rule.write_decisions(&mut decisions);
        decisions.push('\n');
        digest.update(decisions.as_bytes());
    }
    digest.update(format!("{policy:?}").as_bytes());
    let bytes = digest.finalize();
    let mut head = [0; 8];
    head.copy_from_slice(&bytes.as_bytes()[..8]);
    Fingerprint(u64::from_be_bytes(head))
}

#[derive(Default)]
struct Builder {
    compiled: Vec<Compiled>,
    literals: Vec<Literal>,
    key_rules: Vec<(RuleIndex, KeyFind)>,
    anchors: Vec<(RuleIndex, AnchorFind)>,
    short_anchors: Vec<(RuleIndex, ShortAnchorFind)>,
    expressions: Vec<Expressed>,
    shapes: Vec<(RuleIndex, &'static Shape)>,
    by_trigger: ByTrigger,
    digit_shapes: Vec<Asked>,
    gate_words: Vec<GateWord>,
    keeps: Keeps,
    key_block: Option<RuleIndex>,
    names_beside: Option<u16>,
}

impl Builder {
    fn add(&mut self, index: RuleIndex, rule: &Rule, policy: &Policy) -> Result<(), String> {
        let (demands, checks): (Vec<_>, Vec<_>) = rule.check.iter().partition(|name| validate::is_demand(name));
        let resolve = |names: Vec<&String>| -> Result<Vec<Check>, String> {
            names.iter().map(|name| validate::by_name(name).ok_or(format!("unknown check `{name}`"))).collect()
        };
        let mask = match policy.style(rule.class) {
            MaskStyle::Rule => rule.mask,
            MaskStyle::Label => Mask::Label,
        };
        self.compiled.push(Compiled {
            severity: rule.severity,
            label: format!("[{}]", rule.label).into_bytes().into_boxed_slice(),
            mask,
            checks: resolve(checks)?,
            demands: resolve(demands)?,
            near: rule.near.as_ref().map(Near::compile),
            not_near: rule.not_near.as_ref().map(Near::compile),
            enforced: rule.stage == Stage::Enforce,
            of_person: matches!(rule.class, Class::Identity | Class::Contact | Class::Financial)
                && rule.stage == Stage::Enforce,
        });
        match &rule.what {
            What::Keep(keep) => self.keeps.push(index, keep),
            What::Mask(find) => self.add_find(index, rule, find)?,
        }
        Ok(())
    }

    fn add_find(&mut self, index: RuleIndex, rule: &Rule, find: &Find) -> Result<(), String> {
        match find {
            Find::Anchor(anchor) => {
                let target = Target::Anchor(self.anchors.len() as u16);
                self.literals.extend(anchor.anchor.iter().map(|text| literal(text, anchor.any_case, target)));
                self.anchors.push((index, anchor.clone()));
            }
            Find::ShortAnchor(short) => self.short_anchors.push((index, short.clone())),
            Find::Key(key) => self.key_rules.push((index, key.clone())),
            Find::Shape(name) => {
                let shape = shape::by_name(name).ok_or(format!("unknown shape `{name}`"))?;
                self.add_shape(index, rule, shape);
            }
            Find::Regex(regex) => {
                let target = Target::Regex(self.expressions.len() as u16);
                self.literals.extend(regex.literals.iter().map(|text| literal(text, false, target)));
                self.expressions.push(Expressed {
                    rule: index,
                    expression: regex.regex.clone(),
                    before: regex.before as usize,
                    after: regex.after as usize,
                });
            }
        }
        Ok(())
    }

    fn add_shape(&mut self, index: RuleIndex, rule: &Rule, shape: &'static Shape) {
        let number = self.shapes.len() as u16;
        let gated = self.add_gates(number, rule, shape);
        if shape.name == "key-block" {
            self.key_block = Some(index);
        }
        if shape.name == "name-beside" {
            self.names_beside = Some(number);
        }
        for trigger in shape.triggers {
            match trigger {
                Trigger::At => self.by_trigger.at.push(number),
                Trigger::DottedDigits => self.by_trigger.dotted.push(number),
                Trigger::HexColon => self.by_trigger.colons.push(number),
                Trigger::HexPairs => self.by_trigger.pairs.push(number),
                Trigger::OpaqueRun => self.by_trigger.opaque.push(number),
                Trigger::DigitRun(least) => self.digit_shapes.push(Asked { least: *least, number, shape, gated }),
                Trigger::Literals(texts) => {
                    self.literals.extend(texts.iter().map(|text| literal(text, false, Target::Shape(number))));
                }
                Trigger::Words(texts) => {
                    self.literals.extend(texts.iter().map(|text| literal(text, true, Target::Shape(number))));
                }
            }
        }
        self.shapes.push((index, shape));
    }

    /// The words without which the shape's groups of digits mean nothing; false when the rule needs none.
    fn add_gates(&mut self, shape_number: u16, rule: &Rule, shape: &Shape) -> bool {
        let Some(near) = rule.near.as_ref().filter(|_| rule.check.is_empty()) else { return false };
        let context = Near::compile(near);
        let own = shape::start::words(shape).iter().map(|word| (word.as_bytes().into(), false));
        for (bytes, whole) in context.into_words().into_iter().map(|word| (word, true)).chain(own) {
            self.gate_words.push(GateWord { bytes, whole, shape: shape_number, within: near.within as usize });
        }
        true
    }

    fn finish(self, rules: Vec<Rule>, policy: &Policy, fingerprint: Fingerprint) -> Result<RuleSet, CompileError> {
        let fault = |what: String| CompileError { rule: None, what };
        let mut keys = KeyTable::compile(self.key_rules.iter().map(|(index, find)| (*index, find)))
            .map_err(|error| fault(error.to_string()))?;
        keys.set_labels(Labels::new(rules.iter().map(|rule| rule.label.as_str())));
        let mut literals = self.literals;
        literals.extend(keys.literals().map(|(bytes, number)| Literal {
            bytes: bytes.to_vec(),
            folded: true,
            border: Border::Key,
            target: Target::Key(number),
        }));
        let mut by_trigger = self.by_trigger;
        by_trigger.digits = DigitIndex::new(self.digit_shapes);
        by_trigger.digit_filter = DigitFilter::of(&by_trigger.digits);
        let (gates, words) = Gates::compile(self.gate_words, |shape| by_trigger.digits.rows_of(shape));
        literals.extend(words.into_iter().enumerate().map(|(number, (word, whole))| Literal {
            bytes: word.into_vec(),
            folded: true,
            border: if whole { Border::Word } else { Border::Any },
            target: Target::Gate(number as u16),
        }));
        let mut short_index = ShortIndex::default();
        for (number, (_, short)) in self.short_anchors.iter().enumerate() {
            short_index.push(number as u16, short);
        }
        let allow = rules
            .iter()
            .flat_map(|rule| rule.allow.iter().map(|allow| Allow { rule: Some(rule.id.clone()), ..allow.clone() }))
            .chain(policy.allow.iter().cloned())
            .collect::<Vec<_>>();
        let allow_by_rule = rules.iter().map(|rule| places_of(&allow, &rule.id)).collect();
        Ok(RuleSet {
            fingerprint,
            rules,
            policy: policy.clone(),
            compiled: self.compiled,
            prefilter: Prefilter::compile(literals).map_err(fault)?,
            keys,
            anchors: self.anchors,
            short_anchors: self.short_anchors,
            short_index,
            expressions: self.expressions,
            shapes: self.shapes,
            by_trigger,
            gates,
            keeps: self.keeps,
            allow,
            allow_by_rule,
            key_block: self.key_block,
            names_beside: self.names_beside,
            reasons: false,
        })
    }
}

/// The places of the exceptions that concern the rule of this id.
fn places_of(allow: &[Allow], id: &str) -> Box<[u32]> {
    let concerns = |allow: &Allow| allow.rule.as_deref().is_none_or(|rule| rule == id);
    allow.iter().enumerate().filter(|(_, allow)| concerns(allow)).map(|(place, _)| place as u32).collect()
}

fn literal(text: &str, folded: bool, target: Target) -> Literal {
    let bytes = if folded { text.to_ascii_lowercase() } else { text.to_owned() }.into_bytes();
    Literal { bytes, folded, border: Border::Any, target }
}
