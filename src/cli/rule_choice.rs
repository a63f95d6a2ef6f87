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
use crate::strict_yaml::nearest;
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
    /// Only this rule, as if there were no other; may be given several times.
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
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
            return self.load_only(&packs, &Policy::default(), change);
        };
        let loaded = ConfigFile::named(path.clone()).load(Depth::Text)?;
        match &loaded.config {
            Some(config) => self.load_only(&config.redaction.packs, &config.redaction.policy, change),
            None => Err(ExitCode::from(exit::INVALID)),
        }
    }

    /// Loads the rules; where some are named, once more without the others.
    fn load_only(
        &self,
        packs: &[PackRef],
        policy: &Policy,
        change: &mut dyn FnMut(&mut Rule),
    ) -> Result<RuleSet, ExitCode> {
        if self.only.is_empty() {
            return load(packs, policy, change);
        }
        let all = load(packs, policy, &mut |_| {})?;
        let ids = || all.rules().iter().map(|rule| rule.id.as_str());
        if let Some(unknown) = self.only.iter().find(|id| !ids().any(|known| known == id.as_str())) {
            let near = nearest(unknown, ids()).map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
            return Err(exit::fail(exit::USAGE, format_args!("--only: no rule is called '{unknown}'{near}")));
        }
        let others = ids().filter(|id| !self.only.iter().any(|only| only == id)).map(str::to_owned).collect();
        // What belongs to rules that are out would be a mistake.
        let policy = Policy {
            disable: others,
            enforce: policy.enforce.iter().filter(|id| self.only.contains(id)).cloned().collect(),
            ..policy.clone()
        };
        load(packs, &policy, change)
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
