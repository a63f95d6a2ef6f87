//! Takes the examples out of a rule file before it is parsed.
//!
//! Two thirds of a pack are examples, and only those who test, lint or show rules want them. Their lines
//! become empty ones, so that every rule keeps its line number.

/// `text` with every block `tests:` emptied. Examples written in one line (`tests: […]`) stay.
pub(super) fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len() / 2);
    let mut block: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let words = line.trim_start_matches(' ');
        let indent = line.len() - words.len();
        let inside = |level: usize| indent > level || indent == level && words.starts_with("- ");
        if block.is_some_and(|level| inside(level) || words.trim_end().is_empty()) {
            out.push('\n');
            continue;
        }
        block = (words.trim_end() == "tests:").then_some(indent);
        out.push_str(if block.is_some() { "\n" } else { line });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::blank;
    use crate::redact::{builtin, rule_file};

    #[test]
    fn only_examples_go_and_lines_keep_their_numbers() {
        for (text, left) in [
            (
                "- id: a\n  tests:\n    - {same: x}\n\n    - in: y\n      out: z\n  mask: label\n",
                "- id: a\n\n\n\n\n\n  mask: label\n",
            ),
            ("- id: a\n  tests:\n  - {same: x}\n- id: b", "- id: a\n\n\n- id: b"),
            (
                "- id: a\n  tests: [{same: x}]\n  title: 'tests:'\n",
                "- id: a\n  tests: [{same: x}]\n  title: 'tests:'\n",
            ),
            ("tests:\n  - {same: x}", "\n\n"),
        ] {
            assert_eq!(blank(text), left);
        }
    }

    /// What start-up skips is what the full loader reads and checks: the rules are the same ones.
    #[test]
    fn the_pack_is_the_same_without_its_examples() {
        for (file, text) in builtin::FILES {
            let mut whole = rule_file::load(file, text);
            let examples: usize = whole.pack.rules.iter().map(|rule| rule.tests.len()).sum();
            assert!(examples > 0 && blank(text).len() < text.len(), "{file}: {examples} examples");
            whole.pack.rules.iter_mut().for_each(|rule| rule.tests.clear());
            let without = rule_file::load_trusted(file, text);
            assert_eq!(without.problems, [], "{file}");
            assert!(without.pack == whole.pack, "{file}");
        }
    }

    #[test]
    fn a_mistake_in_an_example_is_still_found_by_those_who_read_examples() {
        let (file, text) = builtin::FILES[0];
        for (right, wrong) in [("- {same: ", "- {sane: "), ("tests:", "test:")] {
            let broken = text.replacen(right, wrong, 1);
            assert!(broken != text && !rule_file::load(file, &broken).is_clean(), "{wrong}");
        }
    }
}
