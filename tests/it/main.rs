//! End-to-end and integration tests: one binary, one module a theme.

mod hard_cases;
