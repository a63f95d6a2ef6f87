#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::redact::key::fuzz_keyed(data));
