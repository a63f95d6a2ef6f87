#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::redact::oracle::fuzz::fuzz_planted_table(data));
