//! How single numbers and families of numbers with labels are written.

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;

/// Writes metrics; a family's label values come from closed sets.
pub(super) struct Out<'e>(pub(super) DescriptorEncoder<'e>);

impl Out<'_> {
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = ConstCounter::new(value);
        metric.encode(self.0.encode_descriptor(name, help, None, metric.metric_type())?)
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: i64) -> fmt::Result {
        let metric = ConstGauge::new(value);
        metric.encode(self.0.encode_descriptor(name, help, None, metric.metric_type())?)
    }

    pub(super) fn counters<'l, const N: usize>(&mut self, name: &str, help: &str, rows: Rows<'l, N>) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        rows.iter().try_for_each(|(labels, value)| {
            family.encode_family(&labels.as_slice())?.encode_counter::<NoLabelSet, _, u64>(value, None)
        })
    }

    pub(super) fn gauges<'l, const N: usize>(&mut self, name: &str, help: &str, rows: Rows<'l, N>) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        rows.iter().try_for_each(|(labels, value)| family.encode_family(&labels.as_slice())?.encode_gauge(value))
    }

    pub(super) fn seconds(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let metric = ConstGauge::new(value);
        metric.encode(self.0.encode_descriptor(name, help, Some(&Unit::Seconds), metric.metric_type())?)
    }

    /// Label, sum, and pieces by the upper end of their class.
    pub(super) fn histograms<'l>(&mut self, name: &str, help: &str, rows: Vec<Histogram<'l>>) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        rows.iter().try_for_each(|(labels, sum, classes)| {
            let count = classes.iter().map(|(_, count)| count).sum();
            family.encode_family(&labels.as_slice())?.encode_histogram::<NoLabelSet>(*sum, count, classes, None)
        })
    }
}

/// A label, the sum, and pieces by the upper end of their class.
pub(super) type Histogram<'l> = ([(&'static str, &'l str); 1], f64, Vec<(f64, u64)>);
/// Label names and values, and the number.
pub(super) type Rows<'l, const N: usize> = Vec<([(&'static str, &'l str); N], u64)>;
