#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::redact::oracle::second_pass::fuzz_idempotence(data));
