#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::source::syslog::frame::fuzz_syslog_frame(data));
