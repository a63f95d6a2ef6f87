//! The spool: one file per sealed batch, and the checkpoint that says what has been acknowledged.
