#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::redact::oracle::fuzz::fuzz_slow_line(data));
