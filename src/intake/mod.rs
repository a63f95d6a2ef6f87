//! The development intake: the contract of the Datadog logs intake, strict and scriptable.
