#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::redact::shape::fuzz::fuzz_shapes(data));
