//! The missing index, written out: as the body of the configuration API and as Terraform.

use serde_json::{Value, json};

/// The name of the index that keeps logveil's records `days` days.
pub fn index_name(days: i64) -> String {
    format!("logveil-{days}d")
}

/// Body of `POST /api/v1/logs/config/indexes`.
pub fn index_body(tag: &str, days: i64) -> Value {
    json!({
        "name": index_name(days),
        "filter": {"query": tag},
        "num_retention_days": days,
        "exclusion_filters": [],
    })
}

/// Body of `PUT /api/v1/logs/config/index-order`: the new index first, the others as they were.
pub fn order_body(days: i64, order: &[String]) -> Value {
    let name = index_name(days);
    let names: Vec<&str> =
        std::iter::once(name.as_str()).chain(order.iter().map(String::as_str).filter(|other| *other != name)).collect();
    json!({ "index_names": names })
}

/// The same as Terraform. The daily quota is switched off by name: the provider's default is on.
pub fn terraform(tag: &str, days: i64, order: &[String]) -> String {
    let name = index_name(days);
    let resource = name.replace('-', "_");
    let others: String = order.iter().filter(|other| **other != name).map(|other| format!(", {other:?}")).collect();
    format!(
        r#"resource "datadog_logs_index" "{resource}" {{
  name                = "{name}"
  retention_days      = {days}
  disable_daily_limit = true
  filter {{ query = "{tag}" }}
}}

resource "datadog_logs_index_order" "order" {{
  indexes = [datadog_logs_index.{resource}.id{others}]
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retention::{Facts, Index, judge};

    #[test]
    fn the_planned_index_keeps_the_promise() {
        let index: Index = serde_json::from_value(index_body("retention:90d", 90)).unwrap();
        let facts = Facts { tags: vec!["retention:90d".to_owned()], ..Facts::default() };
        assert_eq!(judge(&[index], &[], &facts, 90).problems, []);
        assert_eq!(
            order_body(90, &["main".to_owned(), "logveil-90d".to_owned()])["index_names"],
            json!(["logveil-90d", "main"])
        );
    }

    #[test]
    fn terraform_names_every_index_once() {
        let text = terraform("retention:90d", 90, &["main".to_owned()]);
        assert!(text.contains("disable_daily_limit = true"));
        assert!(text.contains(r#"indexes = [datadog_logs_index.logveil_90d.id, "main"]"#), "{text}");
    }
}
