//! The catalogue of a pack as Markdown: one table a file, one row a rule. `docs/catalogue.md` is made by it.

use super::rule::{Find, Mask, Pack, Rule, Stage, What};
use super::rule_file::{CLASSES, VALUE_KINDS};
use std::fmt::Write;

/// The whole catalogue.
pub fn markdown(packs: &[Pack]) -> String {
    let rules: usize = packs.iter().map(|pack| pack.rules.len()).sum();
    let mut out = format!(
        "# Catalogue of the built-in pack\n\n\
         Made from `rules/*.yaml` by `logveil rules catalogue`; do not edit. {rules} rules in {} files.\n\n\
         How a rule finds: *anchor* a telling text and the token behind it, *short anchor* the same at the start of an\n\
         opaque run, *key* the value under a name and its kind, *shape* a structure with a check, *regex* an expression near a text,\n\
         *keep* what stays readable; `rules/README.md` tells kinds and shapes. *Shadow* rules count and mask nothing.\n",
        packs.len()
    );
    for pack in packs {
        let file = pack.rules.first().map_or("", |rule| rule.origin.file.as_str());
        let _ = write!(out, "\n## {}\n\n`rules/{file}`, version {}\n\n", pack.name, pack.version);
        out.push_str("| rule | finds | class | how | becomes |\n|---|---|---|---|---|\n");
        for rule in &pack.rules {
            row(rule, &mut out);
        }
    }
    out
}

fn row(rule: &Rule, out: &mut String) {
    let shadow = if rule.stage == Stage::Shadow { ", shadow" } else { "" };
    let _ = writeln!(
        out,
        "| `{}` | {} | {}{shadow} | {} | {} |",
        rule.id,
        rule.title.replace('|', "\\|"),
        class(rule),
        how(rule),
        becomes(rule)
    );
}

/// The form of a rule, and for keys and shapes which.
fn how(rule: &Rule) -> String {
    match &rule.what {
        What::Mask(Find::Shape(name)) => format!("shape `{name}`"),
        What::Mask(Find::Key(find)) => {
            let kind = VALUE_KINDS.iter().find(|(_, kind)| *kind == find.value).map_or("any", |(name, _)| name);
            format!("key, `{kind}`")
        }
        _ => form(rule).to_owned(),
    }
}

/// The name of a rule's class.
pub fn class(rule: &Rule) -> &'static str {
    CLASSES.iter().find(|(_, class)| *class == rule.class).map_or("", |(name, _)| name)
}

/// The name of the form a rule takes.
pub fn form(rule: &Rule) -> &'static str {
    match &rule.what {
        What::Keep(_) => "keep",
        What::Mask(Find::Anchor(_)) => "anchor",
        What::Mask(Find::ShortAnchor(_)) => "short anchor",
        What::Mask(Find::Key(_)) => "key",
        What::Mask(Find::Shape(_)) => "shape",
        What::Mask(Find::Regex(_)) => "regex",
    }
}

/// What stands in place of a finding, in words.
pub fn becomes(rule: &Rule) -> String {
    match (&rule.what, rule.mask) {
        (What::Keep(_), _) => "stays".to_owned(),
        (_, Mask::Label) => format!("`[{}]`", rule.label),
        (_, Mask::Token(class)) => format!("token `{}_…` or `[{}]`", class.short(), rule.label),
        (_, Mask::KeepLast(last)) => format!("`[{}-…]`, last {last}", rule.label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::builtin;

    #[test]
    fn the_catalogue_in_the_documentation_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/catalogue.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        let current = markdown(&builtin::packs());
        assert!(written == current, "run: logveil rules catalogue > docs/catalogue.md");
    }
}
