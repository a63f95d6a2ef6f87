//! Loopback endpoints: liveness, readiness with each condition, OpenMetrics.
