//! Where sealed batches go; one file a sink, all under one contract.

pub mod contract;
