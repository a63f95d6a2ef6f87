#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::batch::facts::fuzz_facts(data));
