//! The `keep:` of a rule: which values no shape may mask.

use crate::redact::keep::LONGEST_PATH;
use crate::redact::key::{KeyFind, KeyTable};
use crate::redact::rule::{Keep, KeepShape, RuleIndex};
use crate::strict_yaml::{Fields, Node, Problems};

/// Shapes that are safe without a path.
const ANYWHERE: &[KeepShape] =
    &[KeepShape::Uuid, KeepShape::Digest, KeepShape::Version, KeepShape::PrivateIp, KeepShape::LoopbackIp];

/// Reads the value of `keep:`.
pub(super) fn read(node: &Node, problems: &Problems<'_>) -> Option<Keep> {
    let fields = Fields::of(node, problems)?;
    let written = fields.texts("path");
    let mut fine = true;
    for (text, span) in &written {
        let alone = KeyFind { key: vec![(*text).to_owned()], ..KeyFind::default() };
        if let Err(error) = KeyTable::compile([(RuleIndex(0), &alone)]) {
            problems.error(span, error.to_string());
            fine = false;
        }
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric).count();
        if letters > LONGEST_PATH {
            problems.error(span, format!("{letters} letters; a path has at most {LONGEST_PATH}"));
            fine = false;
        }
    }
    let shape = fields.require("shape").and_then(|node| node.read_choice(KeepShape::NAMES, problems));
    let path: Vec<String> = written.iter().map(|(text, _)| (*text).to_owned()).collect();
    fields.finish();
    let shape = shape?;
    if path.is_empty() && !ANYWHERE.contains(&shape) {
        problems.error_with_help(
            &node.span,
            "this would keep such values everywhere",
            "add 'path: […]': the keys under which they stand",
        );
        return None;
    }
    fine.then_some(Keep { path, shape })
}
