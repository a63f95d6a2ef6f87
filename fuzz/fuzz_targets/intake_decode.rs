#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::intake::decode::fuzz_decode(data));
