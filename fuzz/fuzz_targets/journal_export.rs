#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| logveil::source::journald::export::fuzz_journal_export(data));
