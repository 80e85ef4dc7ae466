//! Whatever a file holds, reading it ends in a value or an error; and what was read can be used.
#![no_main]

use clv::{BadRows, ModelFile, Observation, ReadOptions, Source, SummaryOptions, TransactionLog};
use libfuzzer_sys::fuzz_target;

/// A transaction log, and the customers it makes.
fn log(data: &[u8], bad_rows: BadRows) {
    let options = ReadOptions { bad_rows, ..ReadOptions::default() };
    if let Ok(log) = TransactionLog::from_csv_reader(data, "log", &options)
        && let Ok(end) = "2026-01-31".parse()
        && let Ok(customers) = log.summarize(&Observation::until(end))
    {
        for i in 0..customers.len() {
            assert!(customers.recency()[i] >= 0.0 && customers.recency()[i] <= customers.age()[i]);
        }
    }
}

/// A table of customers.
fn summary(data: &[u8], bad_rows: BadRows) {
    let options = SummaryOptions { bad_rows, ..SummaryOptions::default() };
    if let Ok(source) = Source::from_reader(data, "summary")
        && let Ok(customers) = source.read_summary(&options)
    {
        for i in 0..customers.len() {
            assert!(customers.recency()[i] >= 0.0 && customers.recency()[i] <= customers.age()[i]);
        }
    }
}

/// A model file: what was read is written so that it reads back to the same.
fn model(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(file) = ModelFile::from_json(text)
    {
        let written = file.to_json();
        let again = ModelFile::from_json(&written).map(|file| file.to_json());
        assert_eq!(again.ok().as_deref(), Some(written.as_str()));
    }
}

fuzz_target!(|data: &[u8]| {
    // The first byte chooses the reader, so that a corpus of each kind can grow.
    let Some((&kind, data)) = data.split_first() else { return };
    let bad_rows = if kind & 4 == 0 { BadRows::default() } else { BadRows::Skip };
    match kind % 4 {
        0 | 1 => log(data, bad_rows),
        2 => summary(data, bad_rows),
        _ => model(data),
    }
});
