//! The route of a record through a site's indexes, judged against the promise.

use super::filter::{Facts, Filter, Truth};
use serde::Deserialize;

/// An index as the site's configuration API answers it; fields not needed here are ignored.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Index {
    /// Unique name.
    pub name: String,
    /// What it takes.
    pub filter: Query,
    /// Days in the standard tier.
    #[serde(default)]
    pub num_retention_days: Option<i64>,
    /// Days in all, standard tier included, when the flex tier is used.
    #[serde(default)]
    pub num_flex_logs_retention_days: Option<i64>,
    /// Records a day, beyond which nothing is indexed.
    #[serde(default)]
    pub daily_limit: Option<i64>,
    /// True while the quota is used up.
    #[serde(default)]
    pub is_rate_limited: bool,
    /// What is thrown away although the filter matched.
    #[serde(default)]
    pub exclusion_filters: Vec<Exclusion>,
}

/// A search query.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Query {
    /// In log search syntax.
    pub query: String,
}

/// An exclusion filter of an index.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Exclusion {
    /// Its name.
    pub name: String,
    /// Off: it does nothing.
    #[serde(default)]
    pub is_enabled: bool,
    /// What it drops.
    pub filter: Sampling,
}

/// The query of an exclusion filter and the share it drops.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Sampling {
    /// In log search syntax; absent means everything.
    #[serde(default)]
    pub query: Option<String>,
    /// 1.0 drops all that match.
    #[serde(default)]
    pub sample_rate: f64,
}

/// An archive or forwarding target: a copy outside the promise.
#[derive(Clone, Debug, PartialEq)]
pub struct Archive {
    /// Its name.
    pub name: String,
    /// What it copies.
    pub query: String,
}

/// A reason why the route is not what is promised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// No index takes the record: it is not kept (and not searchable) at all.
    NotIndexed,
    /// An index before the right one may take it; its filter cannot be decided here.
    MayLandIn(String),
    /// The filter of an index cannot be read.
    UnreadableFilter(String, String),
    /// The index keeps another number of days than promised.
    Days(i64),
    /// The index does not say how many days it keeps.
    DaysUnknown,
    /// A daily quota drops what exceeds it.
    Quota(i64),
    /// The quota is used up now.
    RateLimited,
    /// An exclusion filter drops such records (or may).
    Excluded(String),
    /// Copies leave for an archive or target with a life of its own.
    Copied(String),
}

/// Where records land and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The first index that surely matches.
    pub index: Option<String>,
    /// Days in the standard tier of that index.
    pub standard_days: Option<i64>,
    /// Days in all of that index, when it uses the flex tier.
    pub flex_days: Option<i64>,
    /// Empty exactly when the promise is kept.
    pub problems: Vec<Problem>,
}

/// Judges the route of records with `facts` through `indexes` (already in the site's order) against
/// `promised` days.
pub fn judge(indexes: &[Index], archives: &[Archive], facts: &Facts, promised: i64) -> Verdict {
    let mut verdict = Verdict { index: None, standard_days: None, flex_days: None, problems: Vec::new() };
    for index in indexes {
        match Filter::parse(&index.filter.query) {
            Err(what) => verdict.problems.push(Problem::UnreadableFilter(index.name.clone(), what)),
            Ok(filter) => match filter.matches(facts) {
                Truth::No => {}
                Truth::Unknown => verdict.problems.push(Problem::MayLandIn(index.name.clone())),
                Truth::Yes => {
                    landed(index, facts, promised, &mut verdict);
                    break;
                }
            },
        }
    }
    if verdict.index.is_none() {
        verdict.problems.push(Problem::NotIndexed);
    }
    for archive in archives {
        if may_match(Some(&archive.query), facts) {
            verdict.problems.push(Problem::Copied(archive.name.clone()));
        }
    }
    verdict
}

fn landed(index: &Index, facts: &Facts, promised: i64, verdict: &mut Verdict) {
    verdict.index = Some(index.name.clone());
    verdict.standard_days = index.num_retention_days;
    verdict.flex_days = index.num_flex_logs_retention_days.filter(|days| *days > 0);
    // Flex days count the standard ones in: the longer of the two is the record's life.
    match verdict.standard_days.max(verdict.flex_days) {
        None => verdict.problems.push(Problem::DaysUnknown),
        Some(days) if days != promised => verdict.problems.push(Problem::Days(days)),
        Some(_) => {}
    }
    if let Some(limit) = index.daily_limit {
        verdict.problems.push(Problem::Quota(limit));
    }
    if index.is_rate_limited {
        verdict.problems.push(Problem::RateLimited);
    }
    for exclusion in index.exclusion_filters.iter().filter(|exclusion| exclusion.is_enabled) {
        if exclusion.filter.sample_rate > 0.0 && may_match(exclusion.filter.query.as_deref(), facts) {
            verdict.problems.push(Problem::Excluded(exclusion.name.clone()));
        }
    }
}

/// True unless the query surely does not match; what cannot be read may match.
fn may_match(query: Option<&str>, facts: &Facts) -> bool {
    Filter::parse(query.unwrap_or("")).map_or(true, |filter| filter.matches(facts) != Truth::No)
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::NotIndexed => write!(f, "no index takes these records: they are not kept and cannot be searched"),
            Problem::MayLandIn(name) => write!(
                f,
                "unknown: index `{name}` stands before and its filter depends on more than this host knows; move it below"
            ),
            Problem::UnreadableFilter(name, what) => {
                write!(f, "unknown: the filter of index `{name}` cannot be read ({what})")
            }
            Problem::Days(days) => write!(f, "the index keeps records {days} days"),
            Problem::DaysUnknown => write!(f, "unknown: the index does not say how many days it keeps records"),
            Problem::Quota(limit) => {
                write!(f, "a daily quota of {limit} records drops what comes after; switch it off")
            }
            Problem::RateLimited => write!(f, "the daily quota is used up now: records are not indexed"),
            Problem::Excluded(name) => write!(f, "exclusion filter `{name}` drops such records, or may"),
            Problem::Copied(name) => {
                write!(f, "`{name}` keeps copies outside the promise; give it a life of its own, at most as long")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(name: &str, query: &str, days: i64) -> Index {
        Index {
            name: name.to_owned(),
            filter: Query { query: query.to_owned() },
            num_retention_days: Some(days),
            num_flex_logs_retention_days: None,
            daily_limit: None,
            is_rate_limited: false,
            exclusion_filters: Vec::new(),
        }
    }

    fn facts() -> Facts {
        Facts {
            tags: vec!["retention:90d".to_owned(), "env:prod".to_owned()],
            varying: vec!["status".to_owned()],
            ..Facts::default()
        }
    }

    #[test]
    fn only_exactly_the_promise_is_ok() {
        let right = index("logveil-90d", "retention:90d", 90);
        assert_eq!(judge(&[right.clone(), index("main", "*", 15)], &[], &facts(), 90).problems, []);
        let flex = Index { num_retention_days: Some(3), num_flex_logs_retention_days: Some(90), ..right.clone() };
        assert_eq!(judge(&[flex], &[], &facts(), 90).problems, []);
    }

    #[test]
    fn every_fault_is_named() {
        let right = index("logveil-90d", "retention:90d", 90);
        let main = index("main", "*", 15);
        let excluded = Exclusion {
            name: "noise".to_owned(),
            is_enabled: true,
            filter: Sampling { query: Some("env:prod".to_owned()), sample_rate: 0.5 },
        };
        let cases = [
            (vec![main.clone(), right.clone()], Problem::Days(15)),
            (vec![index("x", "retention:30d", 30)], Problem::NotIndexed),
            (vec![index("errors", "status:error", 30), right.clone()], Problem::MayLandIn("errors".to_owned())),
            (vec![Index { daily_limit: Some(10), ..right.clone() }], Problem::Quota(10)),
            (vec![Index { is_rate_limited: true, ..right.clone() }], Problem::RateLimited),
            (vec![Index { num_retention_days: None, ..right.clone() }], Problem::DaysUnknown),
            (vec![Index { num_flex_logs_retention_days: Some(360), ..right.clone() }], Problem::Days(360)),
            (vec![Index { exclusion_filters: vec![excluded], ..right.clone() }], Problem::Excluded("noise".to_owned())),
        ];
        for (indexes, problem) in cases {
            assert_eq!(judge(&indexes, &[], &facts(), 90).problems, [problem]);
        }
        let archive = Archive { name: "s3".to_owned(), query: "env:prod".to_owned() };
        assert_eq!(judge(&[right], &[archive], &facts(), 90).problems, [Problem::Copied("s3".to_owned())]);
    }

    #[test]
    fn answers_of_the_site_are_read() {
        let text = r#"{"name":"main","filter":{"query":"*"},"num_retention_days":15,"daily_limit":300,
            "is_rate_limited":false,"exclusion_filters":[{"name":"x","is_enabled":true,"filter":{"query":"*","sample_rate":1.0}}],"tags":[]}"#;
        let index: Index = serde_json::from_str(text).unwrap();
        assert_eq!((index.num_retention_days, index.daily_limit), (Some(15), Some(300)));
    }
}
