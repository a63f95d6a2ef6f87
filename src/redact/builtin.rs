//! The pack compiled into the binary: the files of `rules/`, in the order in which they are read.

use super::rule::{Pack, Rule};
use super::rule_file;

/// File name and text of every file of the built-in pack.
pub const FILES: &[(&str, &str)] = &[
    ("ai.yaml", include_str!("../../rules/ai.yaml")),
    ("ci.yaml", include_str!("../../rules/ci.yaml")),
    ("cloud.yaml", include_str!("../../rules/cloud.yaml")),
    ("commands.yaml", include_str!("../../rules/commands.yaml")),
    ("contact.yaml", include_str!("../../rules/contact.yaml")),
    ("database.yaml", include_str!("../../rules/database.yaml")),
    ("device.yaml", include_str!("../../rules/device.yaml")),
    ("financial.yaml", include_str!("../../rules/financial.yaml")),
    ("generic-keys.yaml", include_str!("../../rules/generic-keys.yaml")),
    ("headers.yaml", include_str!("../../rules/headers.yaml")),
    ("identity-eu.yaml", include_str!("../../rules/identity-eu.yaml")),
    ("identity-pl.yaml", include_str!("../../rules/identity-pl.yaml")),
    ("identity-us.yaml", include_str!("../../rules/identity-us.yaml")),
    ("infrastructure-keys.yaml", include_str!("../../rules/infrastructure-keys.yaml")),
    ("keep.yaml", include_str!("../../rules/keep.yaml")),
    ("key-blocks.yaml", include_str!("../../rules/key-blocks.yaml")),
    ("messaging.yaml", include_str!("../../rules/messaging.yaml")),
    ("monitoring.yaml", include_str!("../../rules/monitoring.yaml")),
    ("network.yaml", include_str!("../../rules/network.yaml")),
    ("payment.yaml", include_str!("../../rules/payment.yaml")),
    ("personal.yaml", include_str!("../../rules/personal.yaml")),
    ("poland-saas.yaml", include_str!("../../rules/poland-saas.yaml")),
    ("saas.yaml", include_str!("../../rules/saas.yaml")),
    ("vcs.yaml", include_str!("../../rules/vcs.yaml")),
];

/// The rules of the built-in pack without their examples: what is needed to redact.
pub fn rules() -> Vec<Rule> {
    FILES.iter().flat_map(|(name, text)| rule_file::load_trusted(name, text).pack.rules).collect()
}

/// The built-in pack with its examples. The files are part of the program and tested with it; a file that does
/// not load cleanly gives the rules that do.
pub fn packs() -> Vec<Pack> {
    FILES.iter().map(|(name, text)| rule_file::load(name, text).pack).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::rule::{Find, What};
    use crate::redact::shape;
    use std::collections::HashMap;

    #[test]
    fn every_file_of_the_folder_is_compiled_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".yaml"))
            .collect();
        found.sort();
        let listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(found, listed);
    }

    #[test]
    fn every_file_loads_without_a_problem() {
        let mut shown = String::new();
        for (name, text) in FILES {
            for problem in rule_file::load(name, text).problems {
                shown.push_str(&problem.to_string());
                shown.push('\n');
            }
        }
        assert!(shown.is_empty(), "{shown}");
    }

    #[test]
    fn ids_are_unique_across_the_files() {
        let mut files: HashMap<String, String> = HashMap::new();
        for rule in packs().into_iter().flat_map(|pack| pack.rules) {
            let here = rule.origin.file.clone();
            if let Some(other) = files.insert(rule.id.clone(), here) {
                panic!("{} stands in {other} and {}", rule.id, rule.origin.file);
            }
        }
    }

    #[test]
    fn every_shape_is_looked_for_by_a_rule() {
        let rules = rules();
        let used = |shape: &&str| {
            rules.iter().any(|rule| matches!(&rule.what, What::Mask(Find::Shape(name)) if name == shape))
        };
        // The shape of UUIDs is there for a keep rule.
        let unused: Vec<&str> = shape::names().filter(|shape| !used(shape) && *shape != "uuid").collect();
        assert!(unused.is_empty(), "{unused:?}");
    }
}
