//! The demo's own log: synthetic lines, hard ones among them. What stands between « and » is planted and
//! must not arrive; fillers such as `{{base62:40}}` become fixed pseudo-random text.

use crate::redact::filler;

const TEXT: &str = include_str!("sample.txt");

/// One line of the sample.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// As it is written to the log, without line end.
    pub(super) text: String,
    /// What must not arrive.
    pub(super) planted: Vec<String>,
}

/// The lines, stamped with `now`.
pub(super) fn lines(now: &str) -> Vec<Line> {
    TEXT.lines().map(|line| read(&line.replace("@NOW@", now))).collect()
}

fn read(line: &str) -> Line {
    let line = filler::expand(line).expect("the sample's fillers are known");
    let planted = line.split('«').skip(1).filter_map(|rest| rest.split_once('»')).map(|(value, _)| value.to_owned());
    Line { planted: planted.collect(), text: line.replace(['«', '»'], "") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::RuleSet;

    #[test]
    fn the_rules_mask_everything_planted_and_leave_the_rest() {
        for line in lines("2026-01-01T00:00:00Z") {
            let mut out = Vec::new();
            let input = std::io::Cursor::new(line.text.clone());
            crate::cli::redact::pump(RuleSet::builtin().into(), 1, input, &mut out).expect("written");
            let out = String::from_utf8(out).expect("text");
            for value in &line.planted {
                assert!(!out.contains(value.as_str()), "{value} stays in {out}");
            }
            assert_eq!(out == line.text, line.planted.is_empty(), "{out}");
        }
    }
}
