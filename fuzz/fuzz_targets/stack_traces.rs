#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::source::multiline::fuzz_multiline(data));
