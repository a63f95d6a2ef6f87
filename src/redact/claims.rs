//! The claims on one record, and the edits they become.
//!
//! A finding becomes a claim unless a keep rule, an exception or the engine's own masks speak against it;
//! claims are merged, moved to safe boundaries and written as masks. Edits are relative to the record.

use super::boundary::{Strings, on_boundaries};
use super::finding::{Span, Withheld};
use super::json_borders::{Begins, Borders};
use super::json_number::Numbers;
use super::reason::{self, Fate, Seen};
use super::rule::{Allow, AllowTest, Class, Mask, RuleIndex};
use super::ruleset::RuleSet;
use super::search::Found;
use super::union::{Claim, Quotes, Shown, in_key_position, merge, sort};
use super::view::Chain;
use crate::token::{Minter, Token, TokenClass, form};
use std::ops::Range;

/// Most tokens listed for one record.
const MAX_TOKENS: usize = 64;
/// Bytes of the longest escape of JSON.
const WIDEST_ESCAPE: u32 = 6;

/// One replacement in a record.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) start: u32,
    pub(super) end: u32,
    /// The rule whose label stands there; none for a withheld record.
    pub(super) rule: Option<RuleIndex>,
    /// Where the mask's text stands in [`Claims::masks`].
    pub(super) mask: Range<u32>,
}

/// Claims and edits of the record in work; reused.
#[derive(Default)]
pub(super) struct Claims {
    record: Range<usize>,
    claims: Vec<Claim>,
    /// Chains of the views claims were found in; index 0 of `Claim::view` is the raw record.
    chains: Vec<Chain>,
    edits: Vec<Edit>,
    masks: Vec<u8>,
    rules: Vec<RuleIndex>,
    shadowed: Vec<RuleIndex>,
    /// The rules of findings that an exception let through, one a finding.
    allowed: Vec<RuleIndex>,
    tokens: Vec<Token>,
    /// Tokens of addresses found in this record, each with the token of its network.
    networks: Vec<(Token, Token)>,
    /// Labels already used in key position of this record, with how often.
    in_keys: Vec<(RuleIndex, u16)>,
    /// Filled only for rule sets that were asked for reasons.
    seen: Vec<Seen>,
    /// What is known of the record's bare numbers and strings.
    numbers: Numbers,
    strings: Strings,
    borders: Borders,
    /// Where the text in work begins, for the borders.
    begins: Begins,
    quote: Vec<u8>,
}

impl Claims {
    /// Starts a record that lies at `record` of its block.
    pub(super) fn begin(&mut self, record: Range<usize>) {
        self.record = record;
        self.claims.clear();
        self.chains.clear();
        self.networks.clear();
        self.clear_output();
        self.shadowed.clear();
        self.allowed.clear();
        self.seen.clear();
    }

    /// The text of the next records begins so.
    pub(super) fn set_begins(&mut self, begins: Begins) {
        self.begins = begins;
    }

    fn clear_output(&mut self) {
        self.edits.clear();
        self.masks.clear();
        self.rules.clear();
        self.tokens.clear();
        self.in_keys.clear();
    }

    /// Takes a finding of `text`; `origin` is set for views.
    pub(super) fn add(
        &mut self,
        rules: &RuleSet,
        minter: Option<&mut Minter>,
        text: &[u8],
        found: Found,
        origin: Option<Origin>,
    ) {
        let (rule, span) = (found.finding.rule, found.finding.span);
        let (floor, limit) = if origin.is_some() { (0, text.len()) } else { (self.record.start, self.record.end) };
        let value = span.of(text);
        if rules.reasons {
            let raw = origin.as_ref().map_or(span, |origin| origin.raw);
            let chain = origin.as_ref().map(|origin| origin.chain);
            let fate = fate(rules, text, found, floor..limit);
            self.seen.push(Seen { rule, span: raw.relative_to(self.record.start), chain, fate });
        }
        if found.refused {
            return;
        }
        if is_own_mask(rules, value) || kept_by(rules, text, found, floor..limit).is_some() {
            return;
        }
        if allowed(rules, rule, value).is_some() {
            self.allowed.push(rule);
            return;
        }
        let compiled = rules.of(rule);
        if !compiled.enforced {
            push_once(&mut self.shadowed, rule);
            return;
        }
        let (raw, view, run, number) = match origin {
            None => (span, 0, false, None),
            Some(origin) => {
                if self.chains.last() != Some(&origin.chain) {
                    self.chains.push(origin.chain);
                }
                let view = self.chains.len() as u16;
                (origin.raw, view, origin.run, origin.number.map(|backslashes| Quotes::View(view, backslashes)))
            }
        };
        let shown = self.shown(compiled.mask, value, minter);
        self.claims.push(Claim { span: raw, rule, severity: compiled.severity, shown, view, number, run });
    }

    /// Merges all claims and writes the edits.
    pub(super) fn finish(&mut self, rules: &RuleSet, block: &[u8]) {
        if self.claims.is_empty() {
            return;
        }
        self.settle(rules, block);
        self.claims.retain(|claim| !claim.span.is_empty());
        merge(&mut self.claims);
        self.borders.respect(block, self.record.clone(), self.begins, &mut self.claims);
        let claims = std::mem::take(&mut self.claims);
        for claim in &claims {
            push_once(&mut self.rules, claim.rule);
            let from = self.masks.len() as u32;
            self.write_mask(rules, block, claim);
            let base = self.record.start as u32;
            self.edits.push(Edit {
                start: claim.span.start - base,
                end: claim.span.end - base,
                rule: Some(claim.rule),
                mask: from..self.masks.len() as u32,
            });
        }
        self.claims = claims;
    }

    /// Moves every claim to safe boundaries, and over the whole of the number it lies in; no mask is cut that stands
    /// there already.
    fn settle(&mut self, rules: &RuleSet, block: &[u8]) {
        let (floor, limit) = (self.record.start, self.record.end);
        sort(&mut self.claims);
        self.strings.begin(floor);
        self.numbers.begin(limit - floor);
        let bracketed = memchr::memchr(b'[', &block[floor..limit]).is_some();
        for place in 0..self.claims.len() {
            let (claim, behind) = (self.claims[place], &self.claims[place + 1..]);
            let near = |other: &&Claim| other.span.start <= claim.span.start + WIDEST_ESCAPE;
            let begins = |at: usize| {
                behind.iter().take_while(near).any(|other| other.view > 0 && other.span.start as usize == at)
            };
            let mut span = on_boundaries(block, claim.span, floor, limit, &mut self.strings, &begins);
            if bracketed {
                let masks = |at: u32| rules.keys.labels().across(block, floor..limit, at as usize);
                span.start = masks(span.start).map_or(span.start, |mask| mask.start as u32);
                span.end = masks(span.end).map_or(span.end, |mask| mask.end as u32);
            }
            let number = match self.numbers.around(block, span, floor, limit) {
                Some(number) => {
                    span = number.span;
                    Some(Quotes::Raw(number.backslashes))
                }
                None => claim.number.filter(|_| !claim.run),
            };
            self.claims[place] = Claim { span, number, ..claim };
        }
    }

    fn write_mask(&mut self, rules: &RuleSet, block: &[u8], claim: &Claim) {
        self.quote(claim.number);
        self.write_label(rules, block, claim);
        self.quote(claim.number);
    }

    fn quote(&mut self, quotes: Option<Quotes>) {
        match quotes {
            None => {}
            Some(Quotes::Raw(backslashes)) => {
                self.masks.extend(std::iter::repeat_n(b'\\', backslashes));
                self.masks.push(b'"');
            }
            Some(Quotes::View(view, backslashes)) => {
                let quote = &DEEPEST_QUOTE[DEEPEST_QUOTE.len() - 1 - usize::from(backslashes)..];
                self.chains[usize::from(view) - 1].encode_mask(quote, &mut self.quote, &mut self.masks);
            }
        }
    }

    fn write_label(&mut self, rules: &RuleSet, block: &[u8], claim: &Claim) {
        match claim.shown {
            Shown::Token(token) => {
                self.masks.extend_from_slice(token.as_str().as_bytes());
                self.list(token);
            }
            Shown::Last(digits) => {
                let label = &rules.of(claim.rule).label;
                self.masks.extend_from_slice(&label[..label.len() - 1]);
                self.masks.push(b'-');
                self.masks.extend_from_slice(&digits);
                self.masks.push(b']');
            }
            Shown::Label => {
                let label = &rules.of(claim.rule).label;
                self.masks.extend_from_slice(label);
                if in_key_position(block, claim.span, self.record.end) {
                    self.number_key(claim.rule);
                }
            }
        }
    }

    /// A second equal label among the keys of a record gets its number, so that no key appears twice.
    fn number_key(&mut self, rule: RuleIndex) {
        match self.in_keys.iter_mut().find(|(known, _)| *known == rule) {
            None => self.in_keys.push((rule, 1)),
            Some((_, count)) => {
                *count += 1;
                self.masks.pop();
                let number = *count;
                self.masks.push(b'-');
                write_number(&mut self.masks, number);
                self.masks.push(b']');
            }
        }
    }

    /// How a finding will be shown. An address also has the token of its network, which stands in no text.
    fn shown(&mut self, mask: Mask, value: &[u8], minter: Option<&mut Minter>) -> Shown {
        let (class, minter) = match (mask, minter) {
            (Mask::Token(class), Some(minter)) => (class, minter),
            (Mask::KeepLast(_), _) => return last_digits(value).map_or(Shown::Label, Shown::Last),
            _ => return Shown::Label,
        };
        let Some(token) = minter.mint(class, value) else { return Shown::Label };
        if class == TokenClass::Ip
            && self.networks.len() < MAX_TOKENS
            && let Some(network) = minter.mint(TokenClass::IpNetwork, value)
        {
            self.networks.push((token, network));
        }
        Shown::Token(token)
    }

    /// Lists a token that was written, and its network's.
    fn list(&mut self, token: Token) {
        let network = self.networks.iter().find(|(address, _)| *address == token).map(|(_, network)| *network);
        for token in [Some(token), network].into_iter().flatten() {
            if self.tokens.len() < MAX_TOKENS && !self.tokens.contains(&token) {
                self.tokens.push(token);
            }
        }
    }

    /// Replaces the whole record by the reason's mark.
    pub(super) fn withhold(&mut self, raw: &[u8], reason: Withheld) {
        self.clear_output();
        let (open, close): (&[u8], &[u8]) =
            if raw.first() == Some(&b'{') { (b"{\"withheld\":\"", b"\"}") } else { (b"[withheld-", b"]") };
        self.masks.extend_from_slice(open);
        self.masks.extend_from_slice(reason.name().as_bytes());
        self.masks.extend_from_slice(close);
        self.edits.push(Edit { start: 0, end: raw.len() as u32, rule: None, mask: 0..self.masks.len() as u32 });
    }

    pub(super) fn edits(&self) -> &[Edit] {
        &self.edits
    }

    pub(super) fn masks(&self) -> &[u8] {
        &self.masks
    }

    pub(super) fn rules(&self) -> &[RuleIndex] {
        &self.rules
    }

    pub(super) fn shadowed(&self) -> &[RuleIndex] {
        &self.shadowed
    }

    pub(super) fn allowed(&self) -> &[RuleIndex] {
        &self.allowed
    }

    pub(super) fn seen(&self) -> &[Seen] {
        &self.seen
    }

    pub(super) fn tokens(&self) -> &[Token] {
        &self.tokens
    }
}

fn push_once(list: &mut Vec<RuleIndex>, rule: RuleIndex) {
    if !list.contains(&rule) {
        list.push(rule);
    }
}

fn write_number(out: &mut Vec<u8>, number: u16) {
    if number >= 10 {
        write_number(out, number / 10);
    }
    out.push(b'0' + (number % 10) as u8);
}

/// The rule that keeps a candidate. What an anchor, a key or an expression claims is only kept as an address of a private
/// network.
fn kept_by(rules: &RuleSet, text: &[u8], found: Found, place: Range<usize>) -> Option<RuleIndex> {
    let (rule, span) = (found.finding.rule, found.finding.span);
    let covering = || rules.keeps.covering(text, span, place.start, place.end);
    if let Some(keeper) = (!found.strong).then(covering).flatten() {
        return Some(keeper);
    }
    let keeper = rules.keeps.private_address(span.of(text))?;
    (rules.rules()[usize::from(rule.0)].class == Class::Network).then_some(keeper)
}

/// What becomes of a candidate; off the normal path.
fn fate(rules: &RuleSet, text: &[u8], found: Found, place: Range<usize>) -> Fate {
    let (rule, span) = (found.finding.rule, found.finding.span);
    let value = span.of(text);
    let kept = || kept_by(rules, text, found, place.clone());
    if is_own_mask(rules, value) {
        Fate::OwnMask
    } else if found.refused {
        reason::refusal(rules, text, rule, span, place)
    } else if let Some(keep) = kept() {
        Fate::KeptBy(keep)
    } else if let Some(allow) = allowed(rules, rule, value) {
        Fate::Allowed(allow.reason.clone())
    } else if rules.of(rule).enforced {
        Fate::Masked
    } else {
        Fate::Shadow
    }
}

/// A label or token of ours: `[email]`, `[card-1111]`, `em_…`.
fn is_own_mask(rules: &RuleSet, value: &[u8]) -> bool {
    if value.first() == Some(&b'[') {
        return rules.keys.labels().make_up(value);
    }
    form::token_at(value) == Some(value.len())
}

/// The last four digits of a value that has at least twelve.
fn last_digits(value: &[u8]) -> Option<[u8; 4]> {
    let count = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let mut last = [0; 4];
    let mut digits = value.iter().rev().filter(|byte| byte.is_ascii_digit());
    for place in last.iter_mut().rev() {
        *place = *digits.next()?;
    }
    (12..=19).contains(&count).then_some(last)
}

/// Exceptions act on the exact span.
fn allowed<'r>(rules: &'r RuleSet, rule: RuleIndex, value: &[u8]) -> Option<&'r Allow> {
    rules.allow_of(rule).find(|allow| match &allow.test {
        AllowTest::Exact(text) => value == text.as_bytes(),
        AllowTest::Prefix(text) => value.starts_with(text.as_bytes()),
        AllowTest::Suffix(text) => value.ends_with(text.as_bytes()),
        AllowTest::Domain(domain) => value
            .iter()
            .rposition(|byte| *byte == b'@')
            .is_some_and(|at| value[at + 1..].eq_ignore_ascii_case(domain.as_bytes())),
    })
}

/// Where a finding of a view came from.
pub(super) struct Origin {
    pub(super) raw: Span,
    pub(super) chain: Chain,
    pub(super) run: bool,
    /// The value is a bare number of JSON in the view, whose quotes stand behind so many backslashes.
    pub(super) number: Option<u8>,
}

/// A quote behind as many backslashes as quotes of JSON in JSON in JSON in JSON have.
const DEEPEST_QUOTE: &[u8; 16] = br#"\\\\\\\\\\\\\\\""#;
