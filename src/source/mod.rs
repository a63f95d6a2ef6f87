//! Where records come from; one file a source, all under one contract.
