#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::batch::fuzz_escape(data));
