//! End-to-end and integration tests: one binary, one module a theme.

mod faults;
mod hard_cases;

mod agent_tokens;
mod allocations;
mod apm;
mod batches;
mod carets;
mod delivery;
mod desk;
mod documentation;
mod host;
mod hostile_input;
mod intake_command;
mod intake_contract;
mod journal;
mod layering;
mod readme;
mod reload;
mod retention;
mod schemas;
mod service;
mod sink_datadog;
mod spool_command;
mod tokens;
mod tools;
