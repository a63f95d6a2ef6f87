//! `logveil retention check | plan | apply`: whether records are kept as promised, asked of the site itself.
//!
//! Needs an application key, which the agent never has. Without one the answer is *skipped*, never *ok*.

use super::exit::{self, fail};
use crate::retention::{Facts, Problem, Verdict, judge, plan};
use crate::sink::http::ProxyChoice;
use crate::sink::key::{ApiKey, KeySource};
use crate::sink::site_api::{SiteApi, SiteError, SiteSettings};
use reqwest::Url;
use serde_json::json;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Ask the site where records land and for how long they are kept.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Say which index a record of this host lands in, and what is wrong with it.
    Check(Site),
    /// Print the missing index as the API's JSON and as Terraform.
    Plan(Site),
    /// Create the missing index and put it first.
    Apply {
        #[command(flatten)]
        site: Site,
        /// Really do it.
        #[arg(long)]
        yes: bool,
    },
}

/// Which site, with which keys, for which records.
#[derive(clap::Args, Debug)]
struct Site {
    /// Region; decides the site (eu: datadoghq.eu, us: us3.datadoghq.com).
    #[arg(long, value_parser = ["eu", "us"])]
    region: String,
    /// API origin instead of the region's; plain http for loopback only.
    #[arg(long, value_name = "URL")]
    api: Option<Url>,
    /// API key: file:PATH or env:NAME.
    #[arg(long, value_name = "REF", default_value = "env:DD_API_KEY", value_parser = reference)]
    api_key: Reference,
    /// Application key: file:PATH or env:NAME. Never given to the agent.
    #[arg(long, value_name = "REF", default_value = "env:DD_APP_KEY", value_parser = reference)]
    application_key: Reference,
    /// Retention tag of the records.
    #[arg(long, value_name = "TAG", default_value = "retention:90d")]
    tag: String,
    /// Days promised.
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    days: i64,
    /// Service of the records.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Further tags of the records (may be repeated).
    #[arg(long = "with-tag", value_name = "KEY:VALUE")]
    tags: Vec<String>,
    /// Certificates trusted beside the system's, PEM.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Where a key stands; never the key itself.
#[derive(Clone, Debug)]
enum Reference {
    File(PathBuf),
    Env(String),
}

fn reference(text: &str) -> Result<Reference, String> {
    match text.split_once(':') {
        Some(("file", path)) => Ok(Reference::File(path.into())),
        Some(("env", name)) => Ok(Reference::Env(name.to_owned())),
        _ => Err("keys are given as file:PATH or env:NAME, never as text: arguments are readable by every process"
            .to_owned()),
    }
}

impl Reference {
    /// The key; `None` where nothing is there, an error where something is there but unusable.
    fn read(&self) -> Result<Option<ApiKey>, String> {
        match self {
            Reference::Env(name) => Ok(std::env::var(name).ok().and_then(ApiKey::new)),
            Reference::File(path) if !path.exists() => Ok(None),
            Reference::File(path) => {
                let source = KeySource::File(path.clone());
                source.read().map(Some).map_err(|error| format!("{}: {error}", path.display()))
            }
        }
    }
}

impl Site {
    fn origin(&self) -> Result<Url, String> {
        if let Some(url) = &self.api {
            let plain = url.scheme() == "http" && !crate::sink::http::is_loopback(url);
            return if plain {
                Err(format!("--api {url}: plain http is for loopback only; use https"))
            } else {
                Ok(url.clone())
            };
        }
        let site = if self.region == "us" { "us3.datadoghq.com" } else { "datadoghq.eu" };
        Url::parse(&format!("https://api.{site}")).map_err(|error| error.to_string())
    }

    /// The API with both keys; `None` without an application key.
    fn open(&self) -> Result<Option<SiteApi>, String> {
        let Some(application_key) = self.application_key.read()? else { return Ok(None) };
        let Some(api_key) = self.api_key.read()? else {
            return Err("no API key: set DD_API_KEY or give --api-key file:PATH".to_owned());
        };
        let settings = SiteSettings {
            origin: self.origin()?,
            api_key,
            application_key: Some(application_key),
            ca_file: self.ca_file.clone(),
            proxy: ProxyChoice::Environment,
        };
        SiteApi::new(settings).map(Some).map_err(|error| error.to_string())
    }

    fn facts(&self) -> Facts {
        let mut tags = vec![self.tag.clone(), "source:logveil".to_owned()];
        tags.extend(self.service.iter().map(|service| format!("service:{service}")));
        tags.extend(self.tags.iter().cloned());
        let varying = if self.service.is_some() {
            vec!["status".to_owned()]
        } else {
            vec!["status".to_owned(), "service".to_owned()]
        };
        Facts { tags, varying, ..Facts::default() }
    }
}

/// Runs the command: 0 as promised or skipped, 1 not as promised, 4 the site does not answer, 5 not without `--yes`.
pub fn run(args: Args) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(exit::UNREACHABLE, error),
    };
    runtime.block_on(async {
        match args.command {
            Command::Check(site) => check(&site).await,
            Command::Plan(site) => print_plan(&site).await,
            Command::Apply { site, yes } => apply(&site, yes).await,
        }
    })
}

async fn check(site: &Site) -> ExitCode {
    let api = match site.open() {
        Ok(Some(api)) => api,
        Ok(None) => return skipped(site),
        Err(what) => return fail(exit::INVALID, what),
    };
    let asked = async { Ok::<_, SiteError>((api.indexes_in_order().await?, api.copies().await?)) };
    match asked.await {
        Err(error) => fail(exit::UNREACHABLE, error),
        Ok((indexes, copies)) => {
            let verdict = judge(&indexes, &copies, &site.facts(), site.days);
            // A closed pipe is no failure of the command.
            let _ = show(&verdict, site, &mut anstream::stdout().lock());
            ExitCode::from(if verdict.problems.is_empty() { 0 } else { exit::FINDINGS })
        }
    }
}

fn skipped(site: &Site) -> ExitCode {
    let text = "skipped (no application key); set DD_APP_KEY or give --application-key file:PATH";
    let mut out = anstream::stdout().lock();
    let _ =
        if site.json { writeln!(out, "{}", json!({"verdict": "skipped"})) } else { writeln!(out, "retention  {text}") };
    ExitCode::SUCCESS
}

fn show(verdict: &Verdict, site: &Site, out: &mut dyn Write) -> io::Result<()> {
    let unknown = |problem: &Problem| {
        matches!(problem, Problem::MayLandIn(_) | Problem::UnreadableFilter(..) | Problem::DaysUnknown)
    };
    let word = if verdict.problems.is_empty() {
        "ok"
    } else if verdict.problems.iter().all(unknown) {
        "unknown"
    } else {
        "not as promised"
    };
    if site.json {
        let problems: Vec<String> = verdict.problems.iter().map(ToString::to_string).collect();
        let answer = json!({
            "verdict": word, "index": verdict.index, "standard_days": verdict.standard_days,
            "flex_days": verdict.flex_days, "promised_days": site.days, "problems": problems,
        });
        return writeln!(out, "{answer}");
    }
    let index = verdict.index.as_deref().unwrap_or("no index");
    let days = match (verdict.standard_days, verdict.flex_days) {
        (Some(standard), Some(flex)) => format!("{standard} days standard, {flex} in all"),
        (Some(standard), None) => format!("{standard} days"),
        (None, Some(flex)) => format!("{flex} days in all"),
        (None, None) => "days unknown".to_owned(),
    };
    writeln!(out, "retention  {} lands in {index} ({days})  {word}", site.tag)?;
    verdict.problems.iter().try_for_each(|problem| writeln!(out, "  - {problem}"))
}

async fn print_plan(site: &Site) -> ExitCode {
    let order = match site.open() {
        Ok(Some(api)) => match api.order().await {
            Ok(order) => order,
            Err(error) => return fail(exit::UNREACHABLE, error),
        },
        Ok(None) => vec!["main".to_owned()],
        Err(what) => return fail(exit::INVALID, what),
    };
    let mut out = anstream::stdout().lock();
    let body = plan::index_body(&site.tag, site.days);
    let _ = writeln!(
        out,
        "# POST /api/v1/logs/config/indexes\n{body:#}\n\n# PUT /api/v1/logs/config/index-order\n{:#}\n\n# Terraform\n{}",
        plan::order_body(site.days, &order),
        plan::terraform(&site.tag, site.days, &order)
    );
    ExitCode::SUCCESS
}

async fn apply(site: &Site, yes: bool) -> ExitCode {
    if !yes {
        return fail(
            exit::POLICY,
            "this creates an index that is billed and a name that cannot be reused; repeat with --yes",
        );
    }
    let api = match site.open() {
        Ok(Some(api)) => api,
        Ok(None) => {
            return fail(exit::INVALID, "no application key: set DD_APP_KEY or give --application-key file:PATH");
        }
        Err(what) => return fail(exit::INVALID, what),
    };
    let done = async {
        let order = api.order().await?;
        if !order.contains(&plan::index_name(site.days)) {
            api.create_index(&plan::index_body(&site.tag, site.days)).await?;
        }
        api.set_order(&plan::order_body(site.days, &order)).await
    };
    match done.await {
        Err(error) => fail(exit::UNREACHABLE, error),
        Ok(()) => {
            let _ =
                writeln!(anstream::stdout().lock(), "index {} takes {} first", plan::index_name(site.days), site.tag);
            check(site).await
        }
    }
}
