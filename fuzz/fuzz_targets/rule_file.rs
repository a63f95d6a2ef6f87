#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::redact::rule_file::fuzz_rule_file(data));
