//! What is asked of a redacted text: nothing leaks, everything else survives, JSON keeps its shape, a second
//! pass changes nothing.

use super::case_file::Case;
use super::plain;
use logveil::redact::{Redactor, RuleSet, StreamState};
use serde_json::Value;
use std::ops::Range;

/// Redacts `text`, one record a line, in one block.
pub(super) fn redact(redactor: &mut Redactor, text: &str) -> String {
    let block = format!("{text}\n").into_bytes();
    let ends: Vec<u32> = memchr::memchr_iter(b'\n', &block).map(|at| at as u32 + 1).collect();
    let mut out = Vec::new();
    let mut records = 0;
    redactor.redact(&mut StreamState::default(), &block, &ends, &mut |record| {
        record.write_to(&mut out);
        out.push(b'\n');
        records += 1;
    });
    assert_eq!(records, ends.len(), "one record out for each record in");
    out.pop();
    String::from_utf8_lossy(&out).into_owned()
}

/// A redactor over the shipped rules.
pub(super) fn redactor() -> Redactor {
    Redactor::new(RuleSet::builtin())
}

/// Everything wrong with `output` as the redacted form of the case; empty when nothing is.
pub(super) fn faults(case: &Case, output: &str, again: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if case.input.lines().count() != output.lines().count() {
        faults.push("number of records".to_owned());
    }
    faults.extend(leak(&case.input, &case.masked(), output));
    faults.extend(shape(&case.input, output));
    if !case.miss {
        if case.mask.is_empty() && output != case.input {
            faults.push("changed, nothing was to be masked".to_owned());
        }
        faults.extend(lost(&case.kept(), output));
    }
    if again != output {
        faults.push(format!("a second pass gives {again}"));
    }
    faults
}

/// The first text to keep that is missing or out of order.
pub(super) fn lost(kept: &[&str], output: &str) -> Option<String> {
    let (mut from, mut last) = (0, "");
    for keep in kept {
        from += if *keep == last { keep.len() } else { 0 };
        match output.get(from..).and_then(|rest| rest.find(keep)) {
            Some(at) => from += at,
            None => return Some(format!("lost {keep}")),
        }
        last = keep;
    }
    None
}

/// The first piece of a masked text that can still be read in `output`, as it stands or decoded once.
pub(super) fn leak(input: &str, masked: &[Range<usize>], output: &str) -> Option<String> {
    let mut rest = input.to_owned();
    let mut hidden: Vec<String> = Vec::new();
    let mut ranges = masked.to_vec();
    ranges.sort_by_key(|range| std::cmp::Reverse(range.start));
    let mut free = input.len();
    for range in ranges {
        hidden.push(input[range.clone()].to_owned());
        let end = range.end.min(free);
        if range.start < end {
            rest.replace_range(range.start..end, "\0");
            free = range.start;
        }
    }
    let decoders: [fn(&str) -> String; 4] =
        [str::to_owned, plain::percent_decode, plain::unescape, plain::base64_decode_runs];
    decoders.into_iter().find_map(|decode| {
        let (rest, output) = (decode(&rest), decode(&without_labels(output)));
        hidden.iter().find_map(|text| leaked_piece(&decode(text), &rest, &output))
    })
}

/// The first four characters in a row of `text` (all of it, if shorter) that `output` has more often than the
/// input has outside masked texts.
fn leaked_piece(text: &str, rest: &str, output: &str) -> Option<String> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let width = 4.min(starts.len() - 1);
    starts.windows(width + 1).filter(|_| width > 0).find_map(|window| {
        let piece = &text[window[0]..window[width]];
        let more = output.matches(piece).count() > rest.matches(piece).count();
        more.then(|| format!("leaks {piece} of {text}"))
    })
}

/// `output` without labels (`[github-token]`, `[card-1111]`), whose letters are nobody's.
fn without_labels(output: &str) -> String {
    let mut out = String::new();
    let mut rest = output;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        let label = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || "-_:".contains(char);
        let end = after.find(|char| !label(char)).unwrap_or(after.len());
        if end > 1 && after[end..].starts_with(']') {
            out.push('\0');
            rest = &after[end + 1..];
        } else {
            out.push('[');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The first record of JSON that lost its shape.
pub(super) fn shape(input: &str, output: &str) -> Option<String> {
    input.lines().zip(output.lines()).find_map(|(before, after)| {
        let before = serde_json::from_str::<Value>(before).ok()?;
        match serde_json::from_str::<Value>(after) {
            Ok(after) => same_shape(&before, &after).err(),
            Err(_) => Some(format!("JSON broken: {after}")),
        }
    })
}

/// Same nesting, array lengths and number of keys, keys equal unless masked, numbers equal unless masked to a
/// string; texts that hold JSON keep its shape too.
pub(super) fn same_shape(before: &Value, after: &Value) -> Result<(), String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) if before.len() == after.len() => {
            for ((key, value), (new_key, new_value)) in before.iter().zip(after) {
                if key != new_key && !new_key.contains('[') {
                    return Err(format!("key {key} became {new_key}"));
                }
                same_shape(value, new_value)?;
            }
            Ok(())
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            before.iter().zip(after).try_for_each(|(before, after)| same_shape(before, after))
        }
        (Value::String(before), Value::String(after)) => nested_shape(before, after),
        (Value::Number(_), Value::String(_)) => Ok(()),
        (before, after) if before == after => Ok(()),
        _ => Err(format!("shape: {before} became {after}")),
    }
}

fn nested_shape(before: &str, after: &str) -> Result<(), String> {
    let nested =
        |text: &str| serde_json::from_str::<Value>(text).ok().filter(|value| value.is_object() || value.is_array());
    match (nested(before), nested(after)) {
        (Some(before), Some(after)) => same_shape(&before, &after),
        (Some(_), None) if !after.starts_with('[') || after.contains('{') => {
            Err(format!("nested JSON broken: {after}"))
        }
        _ => Ok(()),
    }
}
