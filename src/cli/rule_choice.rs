//! Which rules a tool works with: the built-in pack, packs named on the command line, or those of a
//! configuration with its policy.

use super::configured::{self, ConfigFile};
use super::exit;
use crate::config::Depth;
use crate::config::rules;
use crate::config::settings::PackRef;
use crate::redact::RuleSet;
use crate::redact::policy::Policy;
use crate::redact::rule::Rule;
use std::path::PathBuf;
use std::process::ExitCode;

/// The arguments that choose rules.
#[derive(clap::Args, Debug)]
pub(super) struct RuleChoice {
    /// Rules to use: 'builtin', a folder or a rule file; given several times, later packs replace rules of
    /// the same id. Without it the built-in pack.
    #[arg(long = "rules", value_name = "PACK")]
    packs: Vec<String>,
    /// Use the packs and the redaction section of this configuration.
    #[arg(long, value_name = "FILE", conflicts_with = "packs")]
    config: Option<PathBuf>,
}

impl RuleChoice {
    /// Loads them; mistakes are shown and give the exit code.
    pub(super) fn load(&self) -> Result<RuleSet, ExitCode> {
        self.load_changed(&mut |_| {})
    }

    /// Like [`RuleChoice::load`]; `change` may change each rule before the set is compiled.
    pub(super) fn load_changed(&self, change: &mut dyn FnMut(&mut Rule)) -> Result<RuleSet, ExitCode> {
        let Some(path) = &self.config else {
            let packs = if self.packs.is_empty() { vec![PackRef::Builtin] } else { named(&self.packs) };
            return load(&packs, &Policy::default(), change);
        };
        let loaded = ConfigFile::named(path.clone()).load(Depth::Text)?;
        match &loaded.config {
            Some(config) => load(&config.packs, &config.policy, change),
            None => Err(ExitCode::from(exit::INVALID)),
        }
    }
}

/// Loads packs by name under the default policy.
pub(super) fn load_named(names: &[String]) -> Result<RuleSet, ExitCode> {
    load(&named(names), &Policy::default(), &mut |_| {})
}

fn named(names: &[String]) -> Vec<PackRef> {
    let pack = |name: &String| if name == "builtin" { PackRef::Builtin } else { PackRef::Folder(name.into()) };
    names.iter().map(pack).collect()
}

fn load(packs: &[PackRef], policy: &Policy, change: &mut dyn FnMut(&mut Rule)) -> Result<RuleSet, ExitCode> {
    rules::load(packs, policy, change).map_err(|error| configured::show_mistakes(&error))
}
