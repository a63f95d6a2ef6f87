//! The examples of a draft, and its text.
//!
//! What stands around a value is shown as the known rules would ship it, a few words of it, and only where it is
//! plain text: pasted lines hold more than the value.

use super::form::{Form, quoted};
use super::{Refusal, Values, Wish};
use crate::redact::policy::Policy;
use crate::redact::redactor::{Redactor, StreamState};
use crate::redact::rule::Rule;
use crate::redact::ruleset::RuleSet;
use std::fmt::Write;
use std::sync::Arc;

/// Words kept before a value.
const BEFORE: usize = 4;
/// Words kept behind it.
const AFTER: usize = 2;
/// Examples written.
const MOST: usize = 3;

/// What stands before and behind the value in the first samples, masked; and a known rule that masks every value.
pub(super) fn contexts(
    values: &Values<'_>,
    known: &[Rule],
) -> Result<(Vec<(String, String)>, Option<String>), Refusal> {
    let set = Arc::new(RuleSet::compile(known.to_vec(), &Policy::default())?);
    let mut redactor = Redactor::new(set.clone());
    let (mut contexts, mut masked) = (Vec::new(), Vec::new());
    for (line, value) in &values.found {
        let bytes = line.as_bytes();
        let (mut by, mut before, mut after) = (None, Vec::new(), Vec::new());
        redactor.redact(&mut StreamState::default(), bytes, &[bytes.len() as u32], &mut |record| {
            let (mut left, mut right) = (0, value.end);
            for (rule, span, mask) in record.masked() {
                if span.start < value.end && value.start < span.end {
                    by = Some(rule.map_or("(withheld)".to_owned(), |rule| set.id(rule).to_owned()));
                    (left, right) = (value.start, right.max(span.end));
                } else if span.end <= value.start {
                    before.extend_from_slice(&bytes[left..span.start]);
                    before.extend_from_slice(mask);
                    left = span.end;
                } else {
                    after.extend_from_slice(&bytes[right..span.start]);
                    after.extend_from_slice(mask);
                    right = span.end;
                }
            }
            before.extend_from_slice(&bytes[left..value.start]);
            after.extend_from_slice(&bytes[right..]);
        });
        masked.push(by);
        contexts.push((last_words(&before), first_words(&after)));
    }
    let by = masked.iter().all(Option::is_some).then(|| masked.swap_remove(0)).flatten();
    contexts.sort();
    contexts.dedup();
    contexts.truncate(MOST);
    Ok((contexts, by))
}

/// Contexts that hold for every form.
pub(super) fn plain_contexts(form: &Form) -> Vec<(String, String)> {
    match form {
        Form::Key { name, .. } => {
            vec![(format!("{name}="), String::new()), (format!("{{\"{name}\":\""), "\"}".to_owned())]
        }
        _ => vec![(String::new(), String::new()), ("value ".to_owned(), " seen".to_owned())],
    }
}

/// True for text without anything random in it.
fn is_plain(word: &str) -> bool {
    let label = word.contains('[') && word.contains(']');
    let harmless = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'\\');
    word.bytes().all(harmless) && (label || word.bytes().filter(u8::is_ascii_digit).count() < 2) && word.len() <= 32
}

fn last_words(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut words: Vec<&str> =
        text.split_inclusive(' ').rev().take(BEFORE).take_while(|word| is_plain(word.trim_end())).collect();
    words.reverse();
    words.concat().trim_start().to_owned()
}

fn first_words(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let words: Vec<&str> =
        text.split_inclusive(' ').take(AFTER + 1).take_while(|word| is_plain(word.trim_end())).collect();
    words.concat().trim_end().to_owned()
}

/// The text of the rule file.
pub(super) fn file(wish: &Wish<'_>, form: &Form, contexts: &[(String, String)]) -> String {
    let Wish { id, class, since } = wish;
    let title = id.replace('-', " ");
    let find = form.written();
    let mut text = format!(
        "pack: {id}\nversion: 0.1.0\nrules:\n  - id: {id}\n    title: {}\n    class: {class}\n    find: {find}\n    \
         stage: shadow\n    since: {since}\n    tests:\n",
        quoted(&title)
    );
    let value = form.example();
    for (before, after) in contexts {
        let input = quoted(&format!("{before}{value}{after}"));
        let output = quoted(&format!("{before}[{id}]{after}"));
        let _ = writeln!(text, "      - {{in: {input}, out: {output}}}");
    }
    let _ = writeln!(text, "      - {{same: {}}}", quoted(&form.harmless()));
    text
}
