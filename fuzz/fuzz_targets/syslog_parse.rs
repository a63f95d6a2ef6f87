#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::source::syslog::parse::fuzz_syslog_parse(data));
