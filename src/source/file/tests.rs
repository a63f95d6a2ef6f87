//! Tests with real files.
