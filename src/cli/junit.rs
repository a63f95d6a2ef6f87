//! The outcome of `logveil rules test` as JUnit XML, which every CI shows: a suite a pack, a case a rule.

use crate::redact::rule::Rule;
use crate::redact::rule_test::{Failure, Report};
use std::fmt::Write;

/// The report of `rules` as XML. Examples are the author's own text.
pub(super) fn xml(rules: &[Rule], report: &Report) -> String {
    let mut packs: Vec<&str> = rules.iter().map(|rule| rule.origin.pack.as_str()).collect();
    packs.dedup();
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for pack in packs {
        let cases = || rules.iter().zip(&report.rules).filter(|(rule, _)| rule.origin.pack == pack);
        let failed = cases().filter(|(_, outcome)| !outcome.failures.is_empty()).count();
        let (name, count) = (escaped(pack), cases().count());
        let _ = writeln!(out, "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{failed}\">");
        for (rule, outcome) in cases() {
            let (id, file, line) = (escaped(&rule.id), escaped(&rule.origin.file), rule.origin.line);
            let checks = outcome.passed + outcome.failures.len();
            let _ = write!(
                out,
                "    <testcase classname=\"{name}\" name=\"{id}\" file=\"{file}\" line=\"{line}\" assertions=\"{checks}\""
            );
            match &outcome.failures[..] {
                [] => out.push_str("/>\n"),
                failures => {
                    out.push_str(">\n");
                    failures.iter().for_each(|failure| write_failure(&mut out, failure));
                    out.push_str("    </testcase>\n");
                }
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

fn write_failure(out: &mut String, failure: &Failure) {
    let told = format!(
        "in    {}\nwant  {}\ngot   {}\nby    {}",
        failure.input,
        failure.wanted,
        failure.got,
        failure.by.join(", ")
    );
    let _ = writeln!(out, "      <failure message=\"{}\">{}</failure>", escaped(failure.check), escaped(&told));
}

/// Characters that XML keeps for itself, and those that it does not know at all.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_in_an_example_is_text() {
        assert_eq!(escaped("<a b=\"c\">&\u{1b}\n"), "&lt;a b=&quot;c&quot;&gt;&amp;\u{fffd}\n");
    }
}
