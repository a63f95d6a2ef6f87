#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::source::container::fuzz_container(data));
