#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::redact::view::expander::fuzz_offset_maps(data));
