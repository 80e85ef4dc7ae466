//! Files in and out: the same log in every format, and every way in which a file can be wrong.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]
#![cfg(all(feature = "csv", feature = "parquet", feature = "serde"))]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, Date32Array, Date64Array, Decimal128Array, Decimal256Array, Float32Array, Float64Array, Int32Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use arrow_cast::cast;
use arrow_schema::DataType;
use clv::{
    BadRows, Customers, Date, DecimalMark, ErrorKind, InputKind, LogColumns, MergePeriod, Moment, Observation, ReadOptions, Source,
    SummaryOptions, Table, TableFormat, TimeUnit, Transaction, TransactionLog, Values, write_atomically, write_customers_csv,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

const CDNOW: &str = "examples/data/cdnow_sample.csv";

fn calibration() -> Observation {
    Observation::until("1997-09-30".parse().unwrap()).in_weeks()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn parquet(columns: &[(&str, ArrayRef)]) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns.iter().cloned()).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// Files of a test, gone with it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Files(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn csv_of(customers: &Customers) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_customers_csv(customers, &mut bytes).unwrap();
    bytes
}

fn read(csv: &[u8]) -> clv::Result<TransactionLog> {
    read_with(csv, &ReadOptions::default())
}

fn read_with(csv: &[u8], options: &ReadOptions) -> clv::Result<TransactionLog> {
    TransactionLog::from_csv_reader(csv, "orders.csv", options)
}

fn refusal(csv: &[u8]) -> String {
    read(csv).unwrap_err().to_string()
}

fn skipping() -> ReadOptions {
    ReadOptions { bad_rows: BadRows::Skip, ..ReadOptions::default() }
}

const WAY_OUT: &str = "; correct the row, or skip and count such rows with --bad-rows skip";

#[test]
fn the_cdnow_sample_sums_to_the_known_figures() {
    let log = TransactionLog::from_csv(CDNOW).unwrap();
    let customers = log.summarize(&calibration()).unwrap();
    let repeat: Vec<f64> = (0..customers.len()).filter(|&i| customers.frequency()[i] > 0).map(|i| customers.average_spend()[i]).collect();
    assert_eq!((customers.len(), customers.frequency().iter().sum::<u32>(), repeat.len()), (2357, 2457, 946));
    let close = |sum: f64, known: f64| assert!((sum - known).abs() < 5e-5, "{sum} instead of {known}");
    close(customers.recency().iter().sum(), 16135.5714);
    close(customers.age().iter().sum(), 77111.2857);
    close(repeat.iter().sum::<f64>() / 946.0, 35.0778);

    let end: Date = "1998-06-30".parse().unwrap();
    let all = log.summarize(&Observation::until(end)).unwrap();
    assert!(all.ids().eq(customers.ids()));
    assert_eq!(all.frequency().iter().sum::<u32>() - customers.frequency().iter().sum::<u32>(), 1882);

    let report = customers.report().unwrap();
    assert_eq!((report.rows_read, report.skipped.total().count, report.refunds_netted.count), (6919, 0, 0));
    assert_eq!(report.first_date, Some("1997-01-01".parse().unwrap()));
    assert!(report.to_string().contains("2,357 customers with 4,814 purchases"), "{report}");
}

#[test]
fn the_published_summary_is_that_of_the_log() {
    let options = SummaryOptions { observation_end: Some("1997-09-30".parse().unwrap()), ..SummaryOptions::default() };
    let published = Customers::from_csv("tests/data/cdnow_sample_summary_published.csv", &options).unwrap();
    let columns = LogColumns { customer: "sample_id".into(), ..LogColumns::default() };
    let log = TransactionLog::from_csv_with(CDNOW, &ReadOptions { columns, ..ReadOptions::default() }).unwrap();
    let customers = log.summarize(&calibration()).unwrap();
    assert_eq!(published.frequency(), customers.frequency());
    for row in 0..customers.len() {
        assert!((published.recency()[row] - customers.recency()[row]).abs() < 0.0051);
        assert!((published.age()[row] - customers.age()[row]).abs() < 0.0051);
        assert!((published.average_spend()[row] - customers.average_spend()[row]).abs() < 0.0051);
    }
    assert_eq!((published.id(0), published.observation_end()), ("1", options.observation_end));
}

#[test]
fn every_format_and_order_gives_the_same_bytes() {
    let files = Files::new();
    let text = fs::read_to_string(CDNOW).unwrap();
    let expected = csv_of(&TransactionLog::from_csv(CDNOW).unwrap().summarize(&calibration()).unwrap());

    let mut lines: Vec<&str> = text.lines().collect();
    let rows = &mut lines[1..];
    // A fixed permutation: 6919 is no multiple of 4001.
    let shuffled: Vec<&str> = (0..rows.len()).map(|i| rows[i * 4001 % rows.len()]).collect();
    rows.copy_from_slice(&shuffled);
    let shuffled = lines.join("\r\n");

    let log = TransactionLog::from_csv(CDNOW).unwrap();
    let (mut ids, mut dates, mut amounts) = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        ids.push(fields[1]);
        dates.push(fields[2].parse::<Date>().unwrap());
        amounts.push(fields[4]);
    }
    let days = Date32Array::from_iter_values(dates.iter().map(|date| date.days_since_1970()));
    let cents = amounts.iter().map(|amount| amount.replace('.', "").parse::<i128>().unwrap());
    let decimals = Decimal128Array::from_iter_values(cents).with_precision_and_scale(12, 2).unwrap();
    let columns: [(&str, ArrayRef); 3] =
        [("customer_id", Arc::new(StringArray::from(ids.clone()))), ("date", Arc::new(days)), ("amount", Arc::new(decimals))];
    let two_members = [gzip(&text.as_bytes()[..50_000]), gzip(&text.as_bytes()[50_000..])].concat();

    let numbers: Vec<f64> = amounts.iter().map(|amount| amount.parse().unwrap()).collect();
    let logs = [
        read(text.as_bytes()).unwrap(),
        read(shuffled.as_bytes()).unwrap(),
        TransactionLog::from_csv(files.write("shuffled", shuffled.as_bytes())).unwrap(),
        read(&gzip(shuffled.as_bytes())).unwrap(),
        TransactionLog::from_csv(files.write("named.csv", &two_members)).unwrap(),
        TransactionLog::from_parquet(files.write("orders.parquet", &parquet(&columns)), &ReadOptions::default()).unwrap(),
        TransactionLog::from_columns(&ids, &dates, &numbers).unwrap(),
    ];
    for (number, other) in logs.iter().enumerate() {
        assert_eq!(other.len(), log.len());
        assert!(csv_of(&other.summarize(&calibration()).unwrap()) == expected, "log {number}");
    }
}

#[test]
fn a_written_summary_reads_back_the_same() {
    let files = Files::new();
    let customers = TransactionLog::from_csv(CDNOW).unwrap().summarize(&calibration()).unwrap();
    for (format, name) in [(TableFormat::Csv, "c.csv"), (TableFormat::Parquet, "c.parquet")] {
        let path = files.0.path().join(name);
        write_atomically(&path, |out| Table::from(&customers).write(format, out)).unwrap();
        let source = Source::open(&path).unwrap();
        assert_eq!(source.kind(&ReadOptions::default()).unwrap(), InputKind::Summary);
        let again = source.read_summary(&SummaryOptions::default()).unwrap();
        assert_eq!(csv_of(&again), csv_of(&customers));
        assert_eq!((again.observation_end(), again.purchases()), (customers.observation_end(), customers.purchases()));
        // Dates tell a wrong unit and a wrong end.
        let days = SummaryOptions { unit: TimeUnit::Day, ..SummaryOptions::default() };
        let error = Source::open(&path).unwrap().read_summary(&days).unwrap_err().to_string();
        assert!(error.contains("give the unit in which the summary was made with --unit") || error.contains("check the unit"), "{error}");
        let end = SummaryOptions { observation_end: Some("1997-10-01".parse().unwrap()), ..SummaryOptions::default() };
        let error = Source::open(&path).unwrap().read_summary(&end).unwrap_err().to_string();
        assert!(error.contains("ends on 1997-09-30, but the customers were observed until 1997-10-01"), "{error}");
    }
}

#[test]
fn a_summary_by_the_hour_reads_back_the_same() {
    let events = [("a", "2026-01-05T09:10"), ("a", "2026-01-05T23:50"), ("b", "2026-01-06")];
    let events = events.map(|(customer, time)| Transaction { customer, time: time.parse::<Moment>().unwrap(), amount: 1.0 });
    let log = TransactionLog::from_events(events).unwrap();
    for unit in [TimeUnit::Hour, TimeUnit::Day, TimeUnit::Week] {
        let observation = Observation::until("2026-01-06".parse().unwrap()).unit(unit).merge(MergePeriod::Hour);
        let customers = log.summarize(&observation).unwrap();
        let files = Files::new();
        for format in [TableFormat::Csv, TableFormat::Parquet] {
            let path = files.0.path().join(format.name());
            write_atomically(&path, |out| Table::from(&customers).write(format, out)).unwrap();
            let again = Source::open(&path).unwrap().read_summary(&SummaryOptions { unit, ..SummaryOptions::default() }).unwrap();
            assert_eq!((csv_of(&again), again.observation_end()), (csv_of(&customers), customers.observation_end()));
        }
    }
}

#[test]
fn the_type_of_a_column_does_not_depend_on_the_rows() {
    let files = Files::new();
    let end: Date = "2026-01-31".parse().unwrap();
    // All purchases at midnight: by the hour their times are hours all the same.
    let log = TransactionLog::from_columns(
        &["a", "a", "b"],
        &["2026-01-05", "2026-01-06", "2026-01-05"].map(|day| day.parse().unwrap()),
        &[1.0; 3],
    );
    let log = log.unwrap();
    let by_hour = |customers: &Customers| match &Table::from(customers).columns()[1].values {
        Values::Hour(_) => true,
        Values::Date(_) => false,
        other => panic!("{other:?}"),
    };
    for merge in [MergePeriod::Day, MergePeriod::Hour] {
        let customers = log.summarize(&Observation::until(end).merge(merge)).unwrap();
        assert_eq!((customers.merge(), by_hour(&customers)), (merge, merge == MergePeriod::Hour));
        for format in [TableFormat::Csv, TableFormat::Parquet] {
            let path = files.0.path().join(format.name());
            write_atomically(&path, |out| Table::from(&customers).write(format, out)).unwrap();
            let again = Source::open(&path).unwrap().read_summary(&SummaryOptions::default()).unwrap();
            assert_eq!((again.merge(), by_hour(&again), csv_of(&again)), (merge, by_hour(&customers), csv_of(&customers)));
            assert_eq!(again.report().unwrap().merge, merge);
        }
    }
}

#[test]
fn ids_are_text() {
    let csv = "customer_id,date,amount\n\"a,b\",2026-01-05,1\n\"say \"\"hi\"\"\",2026-01-05,2\n a ,2026-01-05,3\n007,2026-01-05,4\n7,2026-01-05,5\n";
    let customers = read(csv.as_bytes()).unwrap().summarize(&Observation::until("2026-01-31".parse().unwrap())).unwrap();
    assert_eq!(customers.ids().collect::<Vec<_>>(), [" a ", "007", "7", "a,b", "say \"hi\""]);
    let again = Source::from_reader(&csv_of(&customers)[..], "c.csv").unwrap().read_summary(&SummaryOptions::default()).unwrap();
    assert!(again.ids().eq(customers.ids()));
}

#[test]
fn line_ends_within_quotes_belong_to_the_id() {
    let csv = "date,amount,customer_id\n2026-01-05,1,\"a\nb\"\n2026-01-05,2,\"a\r\nb\"\r\n2026-01-05,3,\"c\n\"\n2026-01-05,4,\"d\"";
    let customers = read(csv.as_bytes()).unwrap().summarize(&Observation::until("2026-01-31".parse().unwrap())).unwrap();
    assert_eq!(customers.ids().collect::<Vec<_>>(), ["a\nb", "a\r\nb", "c\n", "d"]);
    let again = Source::from_reader(&csv_of(&customers)[..], "c.csv").unwrap().read_summary(&SummaryOptions::default()).unwrap();
    assert!(again.ids().eq(customers.ids()));
}

#[test]
fn a_quote_that_is_never_closed_is_refused_even_where_bad_rows_are_skipped() {
    let header = "date,amount,customer_id\n";
    let long = format!("1997-01-06,5,\"b\n{}", "1997-01-07,6,c\n".repeat(20_000));
    for (rows, line) in [
        ("1997-01-06,5,\"b\n1997-01-07,6,c\n1997-01-08,6,d\n", 2),
        ("1997-01-06,5,\"b", 2),
        ("1997-01-05,5,a\r\n1997-01-06,5,\"b\r\n1997-01-07,6,c\r\n", 3),
        ("1997-01-05,5,\"a\nb\"\n\n1997-01-06,5,\"b\n", 5),
        ("1997-01-06,\"5,b\n1997-01-07,6,c\n", 2),
        ("\"1997-01-06,5,b\n", 2),
        ("1997-01-06,5,\"b\"\"\n", 2),
        ("\"1997-\n01-06\",5,\"b\n\n\n", 3),
        ("1997-01-05,5,a\n\"", 3),
        (&long, 2),
    ] {
        let csv = format!("{header}{rows}");
        for options in [ReadOptions::default(), skipping()] {
            let error = read_with(csv.as_bytes(), &options).unwrap_err();
            let expected = format!("orders.csv:{line}: the quote opened on line {line} is never closed");
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }
    // The next quote of the file is no end of it.
    for rows in [
        "1997-01-06,5,\"a\"\n1997-01-06,5,\"b\n1997-01-07,6,\"c\"\n1997-01-07,6,\"d\"\n",
        "1997-01-05,5,a\n\"1997-01-06,5,b\n\"1997-01-06\",5,c\n",
    ] {
        for options in [ReadOptions::default(), skipping()] {
            let error = read_with(format!("{header}{rows}").as_bytes(), &options).unwrap_err().to_string();
            assert!(error.starts_with("orders.csv:3: the quote opened on line 3 ends at a quote on line 4"), "{error}");
        }
    }
    assert!(
        refusal(b"date,amount,\"customer_id\n1997-01-06,5,b\n").starts_with("orders.csv:1: the quote opened on line 1 is never closed")
    );
    let summary = summary("id,x,t_x,T\na,1,1,8\n\"b,1,1,8\nc,1,1,8\n").unwrap_err().to_string();
    assert!(summary.starts_with("summary.csv:3: the quote opened on line 3 is never closed"), "{summary}");
}

#[test]
fn a_delimiter_that_cannot_separate_is_refused() {
    for delimiter in [b'"', b'\n', b'\r', 0xe4] {
        let error = read_with(b"customer_id,date,amount\n", &ReadOptions { delimiter, ..ReadOptions::default() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Parameter);
        assert!(error.to_string().starts_with("delimiter "), "{error}");
        let options = SummaryOptions { delimiter, ..SummaryOptions::default() };
        assert!(Source::from_reader(&b"x,t_x,T\n"[..], "summary.csv").unwrap().read_summary(&options).is_err());
    }
}

fn with_commas() -> ReadOptions {
    ReadOptions { delimiter: b';', decimal: DecimalMark::Comma, ..ReadOptions::default() }
}

/// A number with a decimal comma and points between its groups of three digits.
fn german(number: &str) -> String {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    format!("{grouped},{decimals}")
}

#[test]
fn decimal_commas_give_the_bits_of_decimal_points() {
    let sample = fs::read_to_string(CDNOW).unwrap();
    let rows = || sample.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let written = |amount: &dyn Fn(&str) -> String| -> String {
        let rows = rows().map(|row| format!("{};{};{}\n", row[1], row[2], amount(row[4])));
        std::iter::once("customer_id;date;amount\n".to_owned()).chain(rows).collect()
    };
    let summarized = |log: TransactionLog| csv_of(&log.summarize(&calibration()).unwrap());
    let expected = summarized(TransactionLog::from_csv(CDNOW).unwrap());
    let commas = written(&|amount| amount.replace('.', ","));
    assert!(summarized(read_with(commas.as_bytes(), &with_commas()).unwrap()) == expected);
    // Quoted fields take another way through the reader.
    let quoted = written(&|amount| format!("\"{}\"", amount.replace('.', ",")));
    assert!(summarized(read_with(quoted.as_bytes(), &with_commas()).unwrap()) == expected);
    // Dearer by 1,000,000 each, with groups of digits.
    let dearer = |row: &[&str]| format!("1{:0>9}", row[4]);
    let points: String = rows().map(|row| format!("{};{};{}\n", row[1], row[2], dearer(&row))).collect();
    let groups: String = rows().map(|row| format!("{};{};{}\n", row[1], row[2], german(&dearer(&row)))).collect();
    assert!(groups.contains(";1.000.029,33\n"));
    let header = "customer_id;date;amount\n";
    let semicolons = ReadOptions { delimiter: b';', ..ReadOptions::default() };
    let expected = summarized(read_with(format!("{header}{points}").as_bytes(), &semicolons).unwrap());
    assert!(summarized(read_with(format!("{header}{groups}").as_bytes(), &with_commas()).unwrap()) == expected);
    // A summary, too.
    let options = SummaryOptions { delimiter: b';', decimal: DecimalMark::Comma, ..SummaryOptions::default() };
    let summary = Source::from_reader(&b"id;x;t_x;T;m_x\na;2;30,43;38,86;1.022,35\n"[..], "s.csv").unwrap().read_summary(&options).unwrap();
    assert_eq!((summary.recency()[0], summary.age()[0], summary.average_spend()[0]), (30.43, 38.86, 1022.35));
}

#[test]
fn an_amount_with_two_readings_is_refused_and_never_guessed() {
    let row = |amount: &str| format!("customer_id;date;amount\n7;2026-01-05;{amount}\n");
    let refused = |amount: &str| read_with(row(amount).as_bytes(), &with_commas()).unwrap_err().to_string();
    assert_eq!(
        refused("1.234"),
        "orders.csv:2: column \"amount\": amount \"1.234\" has a point and no decimal comma, so that it has two readings; write 1.234 as 1234 or 1234,00, and \
         12.50 as 12,50, or leave out --decimal ',' if all amounts have a decimal point; correct the row, or skip and count such rows with --bad-rows skip"
    );
    assert!(refused("12.50").contains("two readings"));
    assert!(refused("1,234.50").contains("no number with a decimal comma"));
    // The other way round: what was not said to be a decimal comma is none.
    let semicolons = ReadOptions { delimiter: b';', ..ReadOptions::default() };
    let error = read_with(row("12,50").as_bytes(), &semicolons).unwrap_err().to_string();
    assert!(error.contains("say so with --decimal ','"), "{error}");
    // A mark that ends the field cannot be within it.
    let both = ReadOptions { delimiter: b',', ..with_commas() };
    let error = read_with(row("12,50").as_bytes(), &both).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Parameter);
    assert!(error.to_string().starts_with("a comma cannot be the decimal mark and separate the fields"), "{error}");
    let both = SummaryOptions { decimal: DecimalMark::Comma, ..SummaryOptions::default() };
    assert!(Source::from_reader(&b"x,t_x,T\n"[..], "s.csv").unwrap().read_summary(&both).is_err());
}

#[test]
fn a_decimal_comma_is_one_of_text_alone() {
    let amounts = |amounts: ArrayRef| {
        let columns = [
            ("customer_id", Arc::new(StringArray::from(vec!["7"])) as ArrayRef),
            ("date", Arc::new(StringArray::from(vec!["2026-01-05"])) as ArrayRef),
            ("amount", amounts),
        ];
        let files = Files::new();
        let path = files.write("log.parquet", &parquet(&columns));
        TransactionLog::from_parquet(&path, &with_commas()).map(|log| log.transactions_of("7")[0].amount)
    };
    let decimal = Decimal128Array::from(vec![123_450]).with_precision_and_scale(9, 2).unwrap();
    assert_eq!(amounts(Arc::new(decimal)).unwrap(), 1234.5);
    assert_eq!(amounts(Arc::new(Float64Array::from(vec![1.234]))).unwrap(), 1.234);
    assert_eq!(amounts(Arc::new(Float32Array::from(vec![1.234]))).unwrap(), 1.234);
    assert_eq!(amounts(Arc::new(StringArray::from(vec!["1.234,5"]))).unwrap(), 1234.5);
    assert!(amounts(Arc::new(StringArray::from(vec!["1.234"]))).unwrap_err().to_string().contains("two readings"));
}

#[test]
fn a_constructor_reads_the_format_it_names() {
    let files = Files::new();
    let csv = files.write("log.csv", b"customer_id,date,amount\n1,2026-01-05,29.33\n");
    let parquet = files.write("log.parquet", &with_column("none", Arc::new(Int32Array::from(vec![1]))));
    let message = |error: clv::Error| error.to_string();
    assert!(message(TransactionLog::from_csv(&parquet).unwrap_err()).contains("as CSV: it is Parquet; from_parquet or Source::open"));
    assert!(message(Customers::from_csv(&parquet, &SummaryOptions::default()).unwrap_err()).contains("as CSV: it is Parquet"));
    assert!(message(TransactionLog::from_parquet(&csv, &ReadOptions::default()).unwrap_err()).contains("from_csv or Source::open"));
    assert_eq!(Source::open(&csv).unwrap().read_log(&ReadOptions::default()).unwrap().len(), 1);
    // Standard input is for `Source::open`.
    assert!(message(TransactionLog::from_csv("-").unwrap_err()).starts_with("cannot read -: "));
    assert!(message(TransactionLog::from_parquet("-", &ReadOptions::default()).unwrap_err()).starts_with("cannot read -: "));
}

#[test]
fn headers_are_found_by_name() {
    let columns = LogColumns { customer: "Kunde".into(), date: "wann".into(), amount: "wie viel".into() };
    let options = ReadOptions { columns, delimiter: b';', ..ReadOptions::default() };
    let csv =
        "\u{feff}\"Kunde\"; wann ;wie viel;Notiz\r\nx;2026-01-05 10:00;1.5;\"zwei\r\nZeilen\"\r\n\r\ny;2026-01-06T23:30:00-05:00;+2e1;\r\n";
    let log = read_with(csv.as_bytes(), &options).unwrap();
    assert_eq!((log.len(), log.customer_count(), log.last_date()), (2, 2, Some("2026-01-06".parse().unwrap())));
    assert_eq!(log.transactions_of("y")[0].amount, 20.0);
}

#[test]
fn a_header_that_does_not_fit_is_refused() {
    assert_eq!(
        refusal(b"customer_id,day,amount\n1,2026-01-05,1\n"),
        "orders.csv: there is no column \"date\" among the columns found: \"customer_id\", \"day\", \"amount\"; name the right one with --date"
    );
    assert_eq!(
        refusal(b"customer_id;date;amount\n1;2026-01-05;1\n"),
        "orders.csv: there are no columns \"customer_id\", \"date\", \"amount\" among the columns found: \"customer_id;date;amount\"; \
         the delimiter seems to be \";\"; set it with --delimiter ';'"
    );
    // All that are missing are told at once.
    assert_eq!(
        refusal(b"user,date,total\n1,2026-01-05,1\n"),
        "orders.csv: there are no columns \"customer_id\", \"amount\" among the columns found: \"user\", \"date\", \"total\"; \
         name the right ones with --customer-column, --amount"
    );
    assert!(refusal(b"customer_id\tdate\tamount\n").contains(r"the delimiter seems to be a tab; set it with --delimiter '\t'"));
    assert_eq!(refusal(b"date,customer_id,date,amount\n"), "orders.csv: there are two columns \"date\"; rename or remove one of them");
    assert_eq!(
        refusal(b"customer_id,date,amount\n"),
        "orders.csv: there is a header, but no row below it; look at the export or query that wrote it"
    );
    for nothing in [&b""[..], b"\n\n", b" \r\n", &gzip(b"")] {
        assert_eq!(refusal(nothing), "orders.csv: the file is empty; expected a line of column names and rows below it");
    }
    assert!(refusal(b"customer_id,d\xe4te,amount\n").contains("orders.csv:1: the column names are not UTF-8 text"));
}

#[test]
fn a_bad_row_is_refused_by_line_and_column_or_skipped_and_counted() {
    for (row, message) in [
        (&b",2026-01-05,1"[..], "column \"customer_id\": the customer is missing; every row belongs to a customer"),
        (b" ,2026-01-05,1", "column \"customer_id\": the customer is missing; every row belongs to a customer"),
        (b"a,,1", "column \"date\": the date is missing"),
        (
            b"a,05.01.2026,1",
            "column \"date\": \"05.01.2026\" is no date; expected ISO 8601 such as 1997-09-30, 1997-09-30T14:05:00 or 1997-09-30 14:05:00+02:00",
        ),
        (b"a,2026-01-05,", "column \"amount\": the amount is missing"),
        (b"a,2026-01-05,abc", "column \"amount\": amount \"abc\" is no number; write it as digits with a decimal point, such as 1234.56"),
        (b"a,2026-01-05,NaN", "column \"amount\": amount NaN is not finite"),
        (b"a,2026-01-05,-inf", "column \"amount\": amount -inf is not finite"),
        (b"a,2026-01-05,1e999", "column \"amount\": amount 1e999 is not finite"),
        (
            b"a,2026-01-05,\"1.234,56\"",
            "column \"amount\": amount \"1.234,56\" has a decimal comma or thousands separators; write it with a decimal point and nothing else, such as 1234.56, or, if all amounts have a decimal comma, say so with --decimal ','",
        ),
        (b"a,2026-01-05,1,2", "the row has 4 fields, but the header has 3; put a field that contains ',' in quotes"),
        (b"a,2026-01-05", "the row has 2 fields, but the header has 3; put a field that contains ',' in quotes"),
        (b"\xff\xe4,2026-01-05,1", "column \"customer_id\": \"\u{fffd}\u{fffd}\" is not UTF-8 text; save the file as UTF-8"),
    ] {
        for end in ["\n", "\r\n"] {
            // Lines within quotes and blank lines count.
            let before = ["customer_id,date,amount", "\"two\nlines\",2026-01-04,5", "", ""].join(end);
            let file = [before.as_bytes(), row, end.as_bytes(), b"b,2026-01-06,7"].concat();
            assert_eq!(refusal(&file), format!("orders.csv:5: {message}{WAY_OUT}"));
            let log = read_with(&file, &skipping()).unwrap();
            assert_eq!((log.len(), log.rows_read()), (2, 3));
        }
    }
}

#[test]
fn skipped_rows_are_counted_with_their_value() {
    let csv = b"customer_id,date,amount\n,2026-01-05,1.5\n,2026-01-05,x\na,never,2.5\na,2026-01-05,nan\na\nb,2026-01-05,4\n";
    let log = read_with(csv, &skipping()).unwrap();
    let customers = log.summarize(&Observation::until("2026-01-31".parse().unwrap())).unwrap();
    let report = customers.report().unwrap();
    let counted = |tally: clv::Tally| (tally.count, tally.value);
    assert_eq!(counted(report.skipped.missing_customer), (2, 1.5));
    assert_eq!(counted(report.skipped.bad_date), (1, 2.5));
    assert_eq!(counted(report.skipped.bad_amount), (1, 0.0));
    assert_eq!(counted(report.skipped.malformed), (1, 0.0));
    assert_eq!((report.rows_read, report.used.count), (6, 1));
    let nothing = read_with(b"customer_id,date,amount\na,never,2.5\n", &skipping()).unwrap();
    let error = nothing.summarize(&Observation::until("2026-01-31".parse().unwrap())).unwrap_err();
    assert_eq!(error.to_string(), "there is no transaction to summarise: all 1 rows were skipped as unusable");
}

#[test]
fn a_damaged_or_foreign_file_is_refused() {
    let text = fs::read(CDNOW).unwrap();
    let whole = gzip(&text);
    for length in [4, 20, whole.len() / 2, whole.len() - 1] {
        let error = read(&whole[..length]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        assert!(error.to_string().contains("the compressed data end too early, the file is cut off"), "{length}: {error}");
    }
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 0xff;
    // The garbage is a bad row where it is met, and the checksum at the end tells of it when bad rows are skipped.
    assert!(read(&damaged).is_err());
    assert_eq!(read_with(&damaged, &skipping()).unwrap_err().kind(), ErrorKind::File);
    for (bytes, what) in [
        (&b"PK\x03\x04..."[..], "a ZIP archive or an Excel workbook; export it as CSV"),
        (b"\xff\xfec\0u\0", "UTF-16 text; save it as UTF-8"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
        (b"PAR1", "Parquet, which must be a file"),
    ] {
        assert!(refusal(bytes).starts_with(&format!("cannot read orders.csv: it is {what}")), "{}", refusal(bytes));
    }
    let files = Files::new();
    let open = |path: &Path| Source::open(path).unwrap_err().to_string();
    assert!(open(&files.0.path().join("none.csv")).contains("none.csv: No such file"));
    assert!(open(files.0.path()).ends_with("it is a directory"));
}

/// A log of three rows in Parquet, with one column replaced.
fn with_column(name: &str, column: ArrayRef) -> Vec<u8> {
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("customer_id", Arc::new(StringArray::from(vec!["1", "1", "2"]))),
        ("date", Arc::new(StringArray::from(vec!["2026-01-05", "2026-03-29", "2026-03-29"]))),
        ("amount", Arc::new(Float64Array::from(vec![29.33, 0.1, 7.0]))),
    ];
    for (other, array) in &mut columns {
        if *other == name {
            *array = Arc::clone(&column);
        }
    }
    parquet(&columns)
}

fn from_parquet(bytes: &[u8], options: &ReadOptions) -> clv::Result<TransactionLog> {
    let files = Files::new();
    let path = files.write("orders", bytes);
    // Messages must not depend on where the test runs.
    TransactionLog::from_parquet(&path, options).map_err(|error| {
        let text = error.to_string().replace(&path.display().to_string(), "orders");
        TransactionLog::from_csv_reader(&b""[..], text, options).unwrap_err()
    })
}

fn hourly(log: &TransactionLog) -> Vec<u8> {
    let observation = Observation::until("2026-04-30".parse().unwrap()).in_hours().merge(MergePeriod::Hour);
    csv_of(&log.summarize(&observation).unwrap())
}

#[test]
fn parquet_types_give_what_csv_gives() {
    let csv = read(b"customer_id,date,amount\n1,2026-01-05,29.33\n1,2026-03-29,0.1\n2,2026-03-29,7\n").unwrap();
    let expected = hourly(&csv);
    let day = |text: &str| i64::from(text.parse::<Date>().unwrap().days_since_1970());
    let days = [day("2026-01-05"), day("2026-03-29"), day("2026-03-29")];
    let seconds = |offsets: [i64; 3]| [0, 1, 2].map(|i| days[i] * 86_400 - offsets[i]).to_vec();
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    ["1", "1", "2"].into_iter().for_each(|id| dictionary.append_value(id));
    let decimals = |cents: [i128; 3]| Decimal128Array::from_iter_values(cents).with_precision_and_scale(10, 2).unwrap();
    let large = cast(&decimals([2933, 10, 700]), &DataType::Decimal256(40, 5)).unwrap();
    assert!(large.as_any().is::<Decimal256Array>());
    let late =
        TimestampMicrosecondArray::from(seconds([0; 3]).into_iter().map(|second| second * 1_000_000 + 3_599_999_999).collect::<Vec<_>>());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("customer_id", Arc::new(LargeStringArray::from(vec!["1", "1", "2"]))),
        ("customer_id", Arc::new(StringViewArray::from(vec!["1", "1", "2"]))),
        ("customer_id", Arc::new(Int32Array::from(vec![1, 1, 2]))),
        ("customer_id", Arc::new(Int64Array::from(vec![1, 1, 2]))),
        ("customer_id", Arc::new(dictionary.finish())),
        ("date", Arc::new(Date32Array::from(days.map(|day| day as i32).to_vec()))),
        ("date", Arc::new(Date64Array::from(days.map(|day| day * 86_400_000).to_vec()))),
        ("date", Arc::new(TimestampSecondArray::from(seconds([0; 3])))),
        ("date", Arc::new(late)),
        ("date", Arc::new(TimestampNanosecondArray::from(seconds([0; 3]).into_iter().map(|s| s * 1_000_000_000).collect::<Vec<_>>()))),
        ("date", Arc::new(TimestampSecondArray::from(seconds([0; 3])).with_timezone("UTC"))),
        ("date", Arc::new(TimestampSecondArray::from(seconds([7_200; 3])).with_timezone("+02:00"))),
        // Midnight in Berlin: the clock went forward on 29 March at 2 o'clock.
        ("date", Arc::new(TimestampSecondArray::from(seconds([3_600; 3])).with_timezone("Europe/Berlin"))),
        ("date", Arc::new(TimestampSecondArray::from(seconds([-18_000, -14_400, -14_400])).with_timezone("America/New_York"))),
        ("amount", Arc::new(decimals([2933, 10, 700]))),
        ("amount", large),
        ("amount", Arc::new(Float32Array::from(vec![29.33, 0.1, 7.0]))),
        ("amount", Arc::new(StringArray::from(vec!["29.33", "0.1", "7"]))),
    ];
    for (name, array) in columns {
        let kind = array.data_type().clone();
        let log = from_parquet(&with_column(name, array), &ReadOptions::default()).unwrap();
        assert_eq!(String::from_utf8(hourly(&log)), String::from_utf8(expected.clone()), "{name} {kind}");
    }
    let whole = from_parquet(&with_column("amount", Arc::new(Int64Array::from(vec![29, 1, 7]))), &ReadOptions::default()).unwrap();
    assert_eq!(whole.transactions_of("1")[0].amount, 29.0);
}

#[test]
fn parquet_that_does_not_fit_is_refused() {
    let refusal = |name: &str, column: ArrayRef| from_parquet(&with_column(name, column), &ReadOptions::default()).unwrap_err().to_string();
    let missing = || Arc::new(StringArray::from(vec![Some("1"), None, Some("2")]));
    assert!(refusal("customer_id", missing()).starts_with("orders:2: column \"customer_id\": the customer is missing"));
    assert!(
        refusal("date", Arc::new(Date32Array::from(vec![Some(1), Some(2), None])))
            .starts_with("orders:3: column \"date\": the date is missing")
    );
    assert!(
        refusal("amount", Arc::new(Float64Array::from(vec![None, Some(1.0), None])))
            .starts_with("orders:1: column \"amount\": the amount is missing")
    );
    assert!(
        refusal("amount", Arc::new(Float64Array::from(vec![1.0, f64::NAN, 1.0])))
            .starts_with("orders:2: column \"amount\": amount NaN is not finite")
    );
    assert!(
        refusal("customer_id", Arc::new(Float64Array::from(vec![1.0; 3])))
            .contains("is of type Float64, but customer ids must be text or integers")
    );
    assert!(
        refusal("date", Arc::new(Int64Array::from(vec![1; 3])))
            .contains("is of type Int64, but dates must be dates, timestamps or ISO text")
    );
    assert!(refusal("date", Arc::new(Date32Array::from(vec![i32::MAX; 3]))).contains("lies outside the years"));
    let log = from_parquet(&with_column("customer_id", missing()), &skipping()).unwrap();
    assert_eq!((log.len(), log.rows_read()), (2, 3));
}

#[test]
fn damaged_parquet_is_an_error_and_never_a_panic() {
    let bytes = with_column("none", Arc::new(Int32Array::from(vec![1])));
    for length in 4..bytes.len() {
        let error = from_parquet(&bytes[..length], &ReadOptions::default()).unwrap_err();
        assert!(error.to_string().contains("cut off, damaged"), "{length}: {error}");
    }
    for position in 4..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut damaged = bytes.clone();
            damaged[position] ^= bit;
            // Some damage goes unnoticed without checksums; none may panic.
            let _ = from_parquet(&damaged, &ReadOptions::default());
        }
    }
}

fn summary(csv: &str) -> clv::Result<Customers> {
    Source::from_reader(csv.as_bytes(), "summary.csv")?.read_summary(&SummaryOptions::default())
}

#[test]
fn summaries_by_their_usual_names() {
    for header in
        ["customer_id,frequency,recency,age,average_spend", "id,x,t_x,T,m_x", "cust,x,t.x,T.cal,monetary_value", "cust,x,t.x,T.cal,m.x"]
    {
        let csv = format!("{header}\n007,2.0,30.43,38.86,22.35\n8,0,0,38.86,\n");
        let source = Source::from_reader(csv.as_bytes(), "summary.csv").unwrap();
        assert_eq!(source.kind(&ReadOptions::default()).unwrap(), InputKind::Summary);
        let customers = source.read_summary(&SummaryOptions::default()).unwrap();
        assert_eq!((customers.id(0), customers.frequency(), customers.recency()), ("007", &[2, 0][..], &[30.43, 0.0][..]));
        assert_eq!((customers.age(), customers.average_spend()), (&[38.86; 2][..], &[22.35, 0.0][..]));
    }
    let bare = summary("x,t_x,T,weight\n0,0,6,3464\n1,1,6,1091\n").unwrap();
    assert_eq!((bare.ids().collect::<Vec<_>>(), bare.weight(0), bare.average_spend()), (vec!["1", "2"], 3464.0, &[0.0; 2][..]));
    assert_eq!(csv_of(&bare), b"customer_id,frequency,recency,age,average_spend,weight\n1,0,0,6,0,3464\n2,1,1,6,0,1091\n");
    let log = Source::from_reader(&b"customer_id,date,amount\n"[..], "log.csv").unwrap();
    assert_eq!(log.kind(&ReadOptions::default()).unwrap(), InputKind::Log);
}

#[test]
fn a_summary_that_contradicts_itself_is_refused() {
    for (row, message) in [
        ("a,1,9,8,5", "column \"recency\": recency 9 exceeds age 8"),
        ("a,0,1,8,0", "column \"recency\": recency 1 with frequency 0"),
        (
            "a,2,0,8,5",
            "column \"recency\": recency 0 with frequency 2; purchases of one day are one purchase, so a repeat purchase comes later",
        ),
        ("a,1.5,1,8,5", "column \"frequency\": frequency 1.5 must be a whole number"),
        ("a,-1,0,8,5", "column \"frequency\": frequency -1 must be a whole number"),
        ("a,1,-1,8,5", "column \"recency\": recency -1 must be a finite length of time"),
        ("a,1,1,NaN,5", "column \"age\": age NaN is not finite"),
        ("a,1,1,8,-5", "column \"average_spend\": average spend -5 must be a finite amount"),
        ("a,0,0,8,5", "column \"average_spend\": average spend 5 without a purchase"),
        ("a,1,1,8,", "column \"average_spend\": average spend is missing, but there are purchases it is the mean of: 1; write 0"),
        (",1,1,8,5", "column \"customer_id\": the customer is missing"),
        ("a,1,1,8", "the row has 4 fields, but the header has 5"),
    ] {
        let csv = format!("customer_id,frequency,recency,age,average_spend\nz,1,1,8,5\n{row}\n");
        let error = summary(&csv).unwrap_err().to_string();
        assert!(error.starts_with(&format!("summary.csv:3: {message}")), "{error}");
        let options = SummaryOptions { bad_rows: BadRows::Skip, ..SummaryOptions::default() };
        let customers = Source::from_reader(csv.as_bytes(), "summary.csv").unwrap().read_summary(&options).unwrap();
        assert_eq!((customers.len(), customers.report().unwrap().skipped.total().count), (1, 1));
    }
    let message = |csv: &str| summary(csv).unwrap_err().to_string();
    assert_eq!(
        message("id,x,t_x,T\na,1,1,8\na,1,1,8\n"),
        "summary.csv:3: customer \"a\" occurs a second time; a summary has one row per customer"
    );
    assert_eq!(
        message("id,x,t_x,T,age\na,1,1,8,30\n"),
        "summary.csv: the columns \"age\" and \"T\" are names of the same figure; rename or remove one of them"
    );
    assert!(
        message("id,x,t_x\na,1,1\n").starts_with("summary.csv: there is no column \"age\" or \"T\" or \"T.cal\" among the columns found")
    );
    assert_eq!(message("id,x,t_x,T\n"), "summary.csv: there is a header, but no row below it; look at the export or query that wrote it");
}

#[test]
fn a_table_in_three_formats() {
    let table = Table::new()
        .with("id", Values::Text(vec!["a\"b", "c\nd"]))
        .unwrap()
        .with("n", Values::Count((&[0, u32::MAX]).into()))
        .unwrap()
        .with("v", Values::Number((&[1e-7, 123456.75]).into()))
        .unwrap()
        .with("o", Values::Optional((&[None, Some(1e300)]).into()))
        .unwrap();
    let write = |format| {
        let mut bytes = Vec::new();
        table.write(format, &mut bytes).unwrap();
        bytes
    };
    assert_eq!(String::from_utf8(write(TableFormat::Csv)).unwrap(), "id,n,v,o\n\"a\"\"b\",0,1e-7,\n\"c\nd\",4294967295,123456.75,1e300\n");
    let json: serde_json::Value = serde_json::from_slice(&write(TableFormat::Json)).unwrap();
    assert_eq!(json[0], serde_json::json!({"id": "a\"b", "n": 0, "v": 1e-7, "o": null}));
    assert_eq!(json[1], serde_json::json!({"id": "c\nd", "n": 4294967295_u32, "v": 123456.75, "o": 1e300}));
    assert!(write(TableFormat::Parquet).starts_with(b"PAR1"));
    assert!(table.clone().with("n", Values::Text(vec!["", ""])).unwrap_err().to_string().contains("there is a column \"n\" already"));
    assert!(table.with("m", Values::Text(vec![])).unwrap_err().to_string().contains("column \"m\" has 0 values, but the table has 2 rows"));
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let files = Files::new();
    let path = files.write("out.csv", b"old");
    let half = write_atomically(&path, |out| {
        out.write_all(b"half").unwrap();
        read(b"").map(|_| ())
    });
    assert!(half.is_err());
    assert_eq!((fs::read(&path).unwrap(), fs::read_dir(files.0.path()).unwrap().count()), (b"old".to_vec(), 1));
    write_atomically(&path, |out| {
        out.write_all(b"new").unwrap();
        Ok(())
    })
    .unwrap();
    assert_eq!((fs::read(&path).unwrap(), fs::read_dir(files.0.path()).unwrap().count()), (b"new".to_vec(), 1));

    let nothing = |_: &mut std::io::BufWriter<File>| Ok(());
    let message = |path: &Path| write_atomically(path, nothing).unwrap_err().to_string();
    assert!(message(&files.0.path().join("none/out.csv")).contains("out.csv: there is no directory"));
    assert!(message(files.0.path()).ends_with("it is a directory"));
}

#[test]
fn a_write_that_fails_names_the_file_and_the_cause() {
    use std::error::Error as _;
    let table = Table::new().with("id", Values::Text(vec!["a"; 100_000])).unwrap();
    let files = Files::new();
    let path = files.0.path().join("out");
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    for format in [TableFormat::Csv, TableFormat::Json, TableFormat::Parquet] {
        let error = write_atomically(&path, |_| table.write(format, &mut Broken)).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{}: cannot write the table", path.display())), "{error}");
        assert!(error.source().unwrap().to_string().contains("the disk is gone"), "{error:?}");
        assert!(!path.exists());
    }
}
