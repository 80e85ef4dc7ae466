//! Logs in many files: found by name, pattern or directory, read by several threads, in order of time or not; always the same result.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]
#![cfg(all(feature = "csv", feature = "parquet"))]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clv::{
    BadRows, Customers, DataReport, Date, DuplicatePolicy, LogFiles, MergePeriod, Moment, Observation, ReadOptions, RefundPolicy, Table,
    TableFormat, Transaction, TransactionLog, Values, write_atomically, write_customers_csv,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tempfile::TempDir;

/// Files of a test, gone with it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Files(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn csv(&self, name: &str, rows: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!("customer_id,date,amount\n{rows}");
        if name.ends_with(".gz") {
            let mut encoder = GzEncoder::new(fs::File::create(&path).unwrap(), Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap();
        } else {
            fs::write(&path, text).unwrap();
        }
        path
    }

    fn parquet(&self, name: &str, rows: &[(&str, &str, f64)]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let table = Table::new()
            .with("amount", Values::Number(rows.iter().map(|row| row.2).collect()))
            .unwrap()
            .with("customer_id", Values::Text(rows.iter().map(|row| row.0).collect()))
            .unwrap()
            .with("date", Values::Date(rows.iter().map(|row| row.1.parse().unwrap()).collect()))
            .unwrap();
        write_atomically(&path, |out| table.write(TableFormat::Parquet, out)).unwrap();
        path
    }

    fn find(&self, names: &[&str]) -> clv::Result<LogFiles> {
        LogFiles::find(names.iter().map(|name| self.path(name)))
    }
}

/// Summary and report, or the message of an error.
fn outcome(customers: clv::Result<Customers>) -> Result<(String, DataReport), String> {
    let customers = customers.map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    write_customers_csv(&customers, &mut bytes).unwrap();
    Ok((String::from_utf8(bytes).unwrap(), customers.report().unwrap().clone()))
}

fn january() -> Observation {
    Observation::until("2026-01-31".parse().unwrap()).in_days()
}

fn names(files: &LogFiles, directory: &Path) -> Vec<String> {
    files.paths().iter().map(|path| path.strip_prefix(directory).unwrap().display().to_string()).collect()
}

#[test]
fn files_are_found_by_name_pattern_and_directory() {
    let files = Files::new();
    files.csv("logs/b.csv", "a,2026-01-05,1\n");
    files.csv("logs/a.csv", "b,2026-01-06,2\n");
    files.csv("logs/deep/c.csv.gz", "a,2026-01-07,4\n");
    files.csv("odd[1].csv", "a,2026-01-08,8\n");
    files.parquet("set/year=2026/month=1/part-0.parquet", &[("a", "2026-01-09", 16.0)]);
    files.parquet("set/part-1.PARQUET", &[("c", "2026-01-10", 32.0)]);
    fs::write(files.path("set/_SUCCESS.parquet"), "").unwrap();
    fs::write(files.path("set/.part-0.parquet"), "no parquet").unwrap();

    let found = files.find(&["logs/*.csv", "odd[1].csv", "set", "logs/**/*.gz"]).unwrap();
    let expected =
        ["logs/a.csv", "logs/b.csv", "odd[1].csv", "set/part-1.PARQUET", "set/year=2026/month=1/part-0.parquet", "logs/deep/c.csv.gz"];
    assert_eq!(names(&found, files.0.path()), expected);
    let customers = found.read(&ReadOptions::default()).unwrap().summarize(&january()).unwrap();
    assert_eq!((customers.ids().collect::<Vec<_>>(), customers.frequency()), (vec!["a", "b", "c"], &[3, 0, 0][..]));
    let report = customers.report().unwrap();
    assert_eq!((report.rows_read, report.used.value), (6, 63.0));

    let refusal = |names: &[&str]| files.find(names).unwrap_err().to_string();
    assert!(refusal(&["logs/a.csv", "logs/*.csv"]).ends_with("a.csv is there twice, and its rows would count twice; name it once"));
    assert!(refusal(&["logs/*.txt"]).ends_with("there is no file whose name fits this pattern"));
    assert!(refusal(&["logs"]).contains("it is a directory without a *.parquet file; CSV files are named one by one, or by a pattern"));
    assert!(refusal(&["none.csv"]).contains("none.csv: No such file"));
}

#[test]
fn an_error_in_the_middle_names_the_file_and_what_was_read_before() {
    let files = Files::new();
    files.csv("1.csv", "a,2026-01-05,1\nb,2026-01-05,1\n");
    files.csv("2.csv", "");
    files.csv("3.csv", "a,2026-01-06,1\na,never,1\n");
    files.csv("4.csv", "a,2026-01-07,1\n");
    fs::write(files.path("5.parquet"), "PAR1 and nothing else").unwrap();
    fs::write(files.path("6.csv"), "id,x,t_x,T\na,1,1,8\n").unwrap();
    let read = |names: &[&str]| files.find(names).unwrap().read(&ReadOptions::default());
    let refusal = |names: &[&str]| read(names).unwrap_err().to_string().replace(&format!("{}/", files.0.path().display()), "");
    let error = refusal(&["1.csv", "2.csv", "3.csv", "4.csv"]);
    assert!(error.starts_with("3.csv:3: column \"date\": \"never\" is no date"), "{error}");
    assert!(error.ends_with("; before this file, 2 files were read, with 2 rows"), "{error}");
    let error = refusal(&["1.csv", "5.parquet"]);
    assert!(error.starts_with("cannot read 5.parquet as Parquet") && error.ends_with("one file was read, with 2 rows"), "{error}");
    assert!(refusal(&["1.csv", "6.csv"]).starts_with("6.csv: this is a summary, one row per customer, and a transaction log is needed"));
    // A day without a sale is no fault where there are other days.
    assert_eq!(read(&["1.csv", "2.csv"]).unwrap().len(), 2);
    assert_eq!(refusal(&["2.csv"]), "2.csv: there is a header, but no row below it; look at the export or query that wrote it");
}

/// A log of many blocks, with quotes in some of them and line ends within these.
fn long_log(rows: usize, quoted: bool) -> String {
    let mut text = String::from("note,customer_id,date,amount\n");
    for row in 0..rows {
        let note = if quoted && row % 5000 < 3 { "\"two\nlines, and \"\"quotes\"\"\"" } else { "plain" };
        let day = 1 + row * 28 / rows;
        text += &format!("{note},customer-{:08},2026-01-{day:02}T10:20:30,{}.{:02}\n", row * 7919 % 20_011, row % 97, row % 89);
    }
    text
}

#[test]
fn a_file_of_many_blocks_is_read_to_the_last_row_and_errors_keep_their_lines() {
    let files = Files::new();
    for quoted in [false, true] {
        let text = long_log(120_000, quoted);
        let path = files.path("long.csv");
        fs::write(&path, &text).unwrap();
        let one = LogFiles::find([&path]).unwrap();
        let log = one.read(&ReadOptions::default()).unwrap();
        assert_eq!((log.len(), log.customer_count()), (120_000, 20_011));
        let ordered = one.summarize_in_order(&ReadOptions::default(), &january(), &|_| {});
        assert_eq!(outcome(ordered), outcome(log.summarize(&january())));

        // One row of another day, and one that is damaged: in the last block and in the first one.
        for (at, line) in
            text.lines().enumerate().filter(|&(at, line)| [1, 3, 119_000].contains(&at) && line.ends_with(|c: char| c.is_ascii_digit()))
        {
            let start: usize = text.lines().take(at).map(|line| line.len() + 1).sum();
            let damaged = [&text[..start], &line.replace("2026-01", "2026-13"), &text[start + line.len()..]].concat();
            fs::write(&path, &damaged).unwrap();
            let error = one.read(&ReadOptions::default()).unwrap_err();
            assert_eq!(error.place(), Some(format!("{}:{}", path.display(), at + 1).as_str()), "{error}");
            let late = [&text[..start], &line.replace("2026-01", "2025-12"), &text[start + line.len()..]].concat();
            fs::write(&path, &late).unwrap();
            let error = one.summarize_in_order(&ReadOptions::default(), &january(), &|_| {});
            if at > 3 {
                let error = error.unwrap_err();
                assert_eq!(error.place(), Some(format!("{}:{}", path.display(), at + 1).as_str()), "{error}");
                assert!(error.to_string().contains(" comes after 2026-01-28, but the log was said to be in order of time"), "{error}");
            }
        }
        let open = [&text, "plain,\"customer,2026-01-29,1\nplain,c,2026-01-29,1\n"].concat();
        fs::write(&path, &open).unwrap();
        let line = text.lines().count() + 1;
        let error = one.read(&ReadOptions { bad_rows: BadRows::Skip, ..ReadOptions::default() }).unwrap_err().to_string();
        assert!(error.ends_with(&format!("long.csv:{line}: the quote opened on line {line} is never closed, so all that follows it is one field; close it, or remove it if it is no quote")), "{error}");
    }
}

#[test]
fn the_order_of_files_is_the_order_of_time() {
    let files = Files::new();
    files.csv("1.csv", "a,2026-01-05,1\nb,2026-01-06,1\na,2026-01-06,1\n");
    files.csv("2.csv", "a,2026-01-06,1\nb,2026-01-07,1\n");
    let ordered = |names: &[&str], observation: &Observation| {
        files.find(names).unwrap().summarize_in_order(&ReadOptions::default(), observation, &|_| {})
    };
    assert_eq!(ordered(&["1.csv", "2.csv"], &january()).unwrap().frequency(), [1, 1]);
    let error = ordered(&["2.csv", "1.csv"], &january()).unwrap_err().to_string();
    assert!(error.contains("1.csv:2: 2026-01-05 comes after 2026-01-07"), "{error}");
    let within = files.csv("3.csv", "a,2026-01-05T10:00,1\na,2026-01-05T09:00,1\n");
    assert!(ordered(&["3.csv"], &january()).is_ok());
    let error = ordered(&["3.csv"], &january().merge(MergePeriod::Hour)).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}:3: 2026-01-05T09:00 comes after 2026-01-05T10:00", within.display())), "{error}");
}

const IDS: [&str; 4] = ["0", "b", "a", "00"];

fn event(&(id, at, amount): &(usize, i32, f64)) -> Transaction<'static> {
    let day = Date::from_days_since_1970("2026-01-01".parse::<Date>().unwrap().days_since_1970() + at / 24).unwrap();
    Transaction { customer: IDS[id], time: Moment::new(day, (at % 24) as u8).unwrap(), amount }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(5), ..ProptestConfig::default() })]

    #[test]
    fn in_order_of_time_is_as_in_any_order(
        mut events in prop::collection::vec(
            (0..IDS.len(), 0_i32..14 * 24, prop_oneof![6 => 0.0..100.0, 1 => -50.0..0.0, 1 => Just(0.0)]),
            1..60,
        ),
        end in 1_i32..16,
        by_hour in any::<bool>(),
        refunds in prop_oneof![Just(RefundPolicy::Net), Just(RefundPolicy::Drop), Just(RefundPolicy::Error)],
        again in prop_oneof![Just(0), 0_usize..20],
        cut in any::<prop::sample::Index>(),
    ) {
        events.extend_from_within(..again.min(events.len()));
        let duplicates = if again > 0 { DuplicatePolicy::Drop } else { DuplicatePolicy::Keep };
        events.sort_by_key(|&(_, at, _)| at);
        let merge = if by_hour { MergePeriod::Hour } else { MergePeriod::Day };
        let observation = Observation::until(event(&(0, end * 24 - 1, 0.0)).time.date()).in_hours().merge(merge).refunds(refunds).duplicates(duplicates);
        let files = Files::new();
        let (one, two) = events.split_at(cut.index(events.len()));
        let rows = |events: &[(usize, i32, f64)]| -> String {
            events.iter().map(|row| event(row)).map(|row| format!("{},{}T{:02}:30,{:?}\n", row.customer, row.time.date(), row.time.hour_of_day(), row.amount)).collect()
        };
        files.csv("1.csv", &rows(one));
        files.csv("2.csv.gz", &rows(two));
        let ordered = files.find(&["1.csv", "2.csv.gz"]).unwrap().summarize_in_order(&ReadOptions::default(), &observation, &|_| {});
        let log = TransactionLog::from_events(events.iter().map(event)).unwrap();
        let expected = outcome(log.summarize(&observation));
        prop_assert_eq!(&outcome(ordered), &expected);
        prop_assert_eq!(&outcome(log.into_summary(&observation)), &expected);
    }
}
