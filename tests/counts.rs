//! Tables of counts instead of purchases: read alike whatever their format and order, fitted and scored from the command line, and refused with file and
//! line where they are wrong.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]

mod command;

use std::fs;
use std::path::Path;

use clv::{
    AnyPurchaseModel, CensoredCustomers, CensoredFuture, CensoredLikelihood, ClvDefinition, CountsRead, CrossSection, Date, Estimator,
    FitRecord, KnownBirths, LogFiles, ModelFile, Observation, ParetoNbd, PeriodCounts, Scorer, SeenAs, SeenThrough, SummaryOptions, Table,
    TableFormat, TimeUnit, TransactionLog, Values,
};
use command::{clv, done, refused};
use tempfile::TempDir;

const MONTHLY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/cdnow_monthly.csv");
const HISTOGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/cdnow_histograms.csv");
const CDNOW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/cdnow_sample.csv");

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn read(path: impl AsRef<Path>) -> CountsRead {
    CountsRead::per_period(&LogFiles::find([path]).unwrap(), &SummaryOptions::default()).unwrap()
}

fn read_histograms(path: impl AsRef<Path>) -> CountsRead<CensoredCustomers<CrossSection>> {
    CountsRead::histograms(&LogFiles::find([path]).unwrap(), &SummaryOptions::default()).unwrap()
}

fn model(place: &TempDir, name: &str) -> ModelFile {
    ModelFile::from_json(&fs::read_to_string(place.path().join(name)).unwrap()).unwrap()
}

const PER_PERIOD: &str = "customer_id,first_purchase,period_start,period_end,purchases";

/// Two customers in two months.
const TWO: &str = "\
customer_id,first_purchase,period_start,period_end,purchases
a,1997-01-20,1997-01-01,1997-01-31,2
a,1997-01-20,1997-02-01,1997-02-28,0
b,1997-02-28,1997-02-01,1997-02-28,1
";

#[test]
fn counts_of_days_are_those_of_times() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("two.csv");
    fs::write(&path, TWO).unwrap();
    let counts = read(&path);
    assert_eq!((counts.rows, counts.customers, counts.counted.customers().observation_end()), (3, 2, Some(date("1997-02-28"))));
    assert_eq!(counts.counted.ids().collect::<Vec<_>>(), ["a", "b"]);
    let (a, b) = (counts.counted.customers().row(0), counts.counted.customers().row(1));
    assert_eq!(*a, PeriodCounts::new(&[11.0 / 7.0, 39.0 / 7.0], &[1, 0]).unwrap());
    // Born on the last day: all that is known is that there is such a customer.
    assert_eq!((b.frequency(), b.age()), (0, 0.0));
    let model = ParetoNbd::new(clv::ParetoNbdParams { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 }).unwrap();
    assert_eq!((model.censored_ln_likelihood(b), model.censored_p_alive(b)), (0.0, 1.0));
}

/// As many purchases as days are possible, and a cell of nobody says nothing of how often anybody bought.
#[test]
fn a_purchase_on_every_day_is_taken() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("daily.csv");
    fs::write(&path, format!("{PER_PERIOD}\na,1997-01-20,1997-01-01,1997-01-31,12\na,1997-01-20,1997-02-01,1997-02-28,28\n")).unwrap();
    assert_eq!(read(&path).counted.customers().row(0).frequency(), 39);
    let cell = |purchases: &str, customers: u32| format!("feb,1997-01-31,1997-02-01,1997-02-28,{purchases},{customers}\n");
    let header = "cohort,first_purchase,period_start,period_end,purchases,customers";
    fs::write(&path, format!("{header}\n{}{}{}", cell("0", 9), cell("28", 1), cell("29+", 0))).unwrap();
    assert_eq!(read_histograms(&path).counted.rows().map(|(row, _)| row.purchases()).collect::<Vec<_>>(), [0, 28]);
}

#[test]
fn histograms_of_days_are_those_of_times() {
    let table = read_histograms(HISTOGRAMS);
    assert_eq!(table.customers, 2357);
    let (row, weight) = table.counted.rows().next().unwrap();
    // The first purchases of the first week lie in its first period, and are not counted: 1 purchase is none that repeats it.
    assert_eq!((row.purchases(), row.period(), weight), (0, (0.0, 87.0 / 7.0), 108.0));
    let open = table.counted.rows().find(|(row, _)| row.is_open()).unwrap();
    assert_eq!((open.0.purchases(), open.1), (4, 8.0));
    let second = table.counted.rows().find(|(row, _)| row.period().0 > 0.0).unwrap().0;
    assert_eq!(second.period(), (87.0 / 7.0, 13.0));
    // A cohort is the same customers all along, and every cohort others.
    let cohorts: std::collections::BTreeSet<_> = table.counted.rows().map(|(row, _)| row.cohort().unwrap()).collect();
    assert_eq!(cohorts.len(), 12);
}

/// The rows in another order, in two files, one of them gzip and one Parquet.
#[test]
fn format_files_and_order_of_rows_do_not_matter() {
    let place = TempDir::new().unwrap();
    let text = fs::read_to_string(MONTHLY).unwrap();
    let mut rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    rows.reverse();
    let (some, others) = rows.split_at(rows.len() / 3);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let lines: String = some.iter().map(|row| format!("{};{};{};{};{}\n", row[4], row[0], row[1], row[3], row[2])).collect();
    std::io::Write::write_all(&mut gzip, format!("purchases;customer_id;first_purchase;period_end;period_start\n{lines}").as_bytes())
        .unwrap();
    fs::write(place.path().join("some.csv.gz"), gzip.finish().unwrap()).unwrap();
    let dates = |k: usize| Values::Date(others.iter().map(|row| date(row[k])).collect());
    let counts = Values::Number(others.iter().map(|row| row[4].parse().unwrap()).collect());
    let table = Table::new()
        .with("customer_id", Values::Text(others.iter().map(|row| row[0]).collect()))
        .and_then(|table| table.with("first_purchase", dates(1))?.with("period_start", dates(2))?.with("period_end", dates(3)))
        .and_then(|table| table.with("purchases", counts));
    table.unwrap().write(TableFormat::Parquet, &mut fs::File::create(place.path().join("others.parquet")).unwrap()).unwrap();

    let files = LogFiles::find([place.path().join("others.parquet")]).unwrap();
    let error = CountsRead::per_period(&files, &SummaryOptions::default()).unwrap_err().to_string();
    assert!(error.contains("others.parquet:"), "{error}");
    // Each file has its delimiter; the two are read as they are.
    let options = SummaryOptions { delimiter: b';', ..SummaryOptions::default() };
    let files = LogFiles::find([place.path().join("some.csv.gz"), place.path().join("others.parquet")]).unwrap();
    let (one, other) = (read(MONTHLY), CountsRead::per_period(&files, &options).unwrap());
    assert_eq!((&one.fingerprint, one.rows), (&other.fingerprint, other.rows));
    assert!(one.counted.customers().rows().eq(other.counted.customers().rows()));

    let text = fs::read_to_string(HISTOGRAMS).unwrap();
    let mut lines: Vec<&str> = text.lines().skip(1).collect();
    lines.reverse();
    let path = place.path().join("reversed.csv");
    fs::write(&path, format!("{}\n{}\n", text.lines().next().unwrap(), lines.join("\n"))).unwrap();
    let (one, other) = (read_histograms(HISTOGRAMS), read_histograms(&path));
    assert_eq!(one.fingerprint, other.fingerprint);
    assert!(one.counted.rows().eq(other.counted.rows()));
}

#[test]
fn a_fit_to_counts_is_that_of_the_library_and_close_to_that_of_the_purchases() {
    let place = TempDir::new().unwrap();
    let fit = ["fit", MONTHLY, "--counts", "per-period", "--model", "pareto-nbd", "-o", "model.json"];
    let note = done(&clv(place.path(), &fit));
    assert!(note.contains("counts hold no amounts") && note.contains("pareto-nbd, fitted to 294 customers"), "{note}");
    let (file, counts) = (model(&place, "model.json"), read(MONTHLY));
    let fitted = Estimator::<SeenThrough<ParetoNbd, PeriodCounts>>::new().fit(counts.counted.customers()).unwrap();
    assert_eq!(*file.purchases(), FitRecord::of(&fitted));
    assert_eq!((file.births(), file.seen_as(), file.unit()), (Some(KnownBirths::FirstPurchase), SeenAs::PeriodCounts, TimeUnit::Week));
    assert_eq!((file.data().rows, file.data().customers, &file.data().fingerprint), (2359, 294, &counts.fingerprint));
    assert_eq!(file.observation_end(), Some(date("1997-09-30")));

    // The same customers with the days of their purchases: what the months hide is less than half of what the sample leaves open.
    let log = TransactionLog::from_csv(CDNOW).unwrap().summarize(&Observation::until(date("1997-09-30")).in_weeks()).unwrap();
    let ids: std::collections::BTreeSet<&str> = counts.counted.ids().collect();
    let mut same = clv::Customers::new(TimeUnit::Week);
    for row in (0..log.len()).filter(|&row| ids.contains(log.id(row))) {
        let history = log.history(row);
        same.push(clv::Customer { id: log.id(row), history, average_spend: 0.0, weight: 1.0, purchases: None }).unwrap();
    }
    assert_eq!(same.len(), 294);
    let whole = clv::Fit::fit(&same).map(|fitted: clv::Fitted<ParetoNbd>| fitted).unwrap();
    for i in 0..4 {
        use clv::Estimable;
        let (one, other) = (fitted.model().parameters()[i], whole.model().parameters()[i]);
        let apart = (one - other).abs() / whole.standard_error(i).unwrap();
        println!("{}: {one:.3} by months, {other:.3} by days, {apart:.2} standard errors", ParetoNbd::PARAMETERS[i].name);
        assert!(apart < 0.5, "{i}: {one} and {other}");
    }
}

#[test]
fn a_fit_to_histograms_is_that_of_the_library() {
    let place = TempDir::new().unwrap();
    let note = done(&clv(place.path(), &["fit", HISTOGRAMS, "--counts", "histograms", "--model", "pareto-nbd", "-o", "model.json"]));
    assert!(note.contains("the histograms are of 2,357 customers"), "{note}");
    let (file, table) = (model(&place, "model.json"), read_histograms(HISTOGRAMS));
    let fitted = Estimator::<SeenThrough<ParetoNbd, CrossSection>>::new().fit(&table.counted).unwrap();
    assert_eq!(*file.purchases(), FitRecord::of(&fitted));
    assert_eq!((file.seen_as(), file.data().customers, file.data().rows), (SeenAs::Histograms, 2357, 305));
    // It scores any customer: a summary by the same model.
    done(&clv(place.path(), &["summarize", CDNOW, "--observation-end", "1998-06-30", "-o", "customers.csv"]));
    let scores = clv(place.path(), &["score", "customers.csv", "--model", "model.json"]);
    done(&scores);
    assert_eq!(String::from_utf8(scores.stdout).unwrap().lines().count(), 2358);
}

#[test]
fn every_customer_of_the_counts_has_a_score_with_a_status() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("two.csv"), TWO).unwrap();
    let fit = ["fit", CDNOW, "--model", "pareto-nbd", "--observation-end", "1997-09-30", "-o", "model.json"];
    done(&clv(place.path(), &fit));
    let score = ["score", "two.csv", "--counts", "per-period", "--model", "model.json", "--account", "account.json"];
    let output = clv(place.path(), &score);
    let note = done(&output);
    assert!(note.contains("in no bands of value") && note.contains("scored: 1 (50 % of the customers) prior_dominated: 1 (50 %"), "{note}");
    let table = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|column| *column == name).unwrap();
    let value = |row: usize, name: &str| rows[row][column(name)].parse::<f64>().unwrap();
    assert_eq!((rows.len(), rows[1][0], rows[1][column("recency")], rows[2][column("status")]), (3, "a", "", "prior_dominated"));
    assert_eq!((value(1, "frequency"), value(2, "age"), value(2, "prior_weight")), (1.0, 0.0, 1.0));

    // The same from the library; a CLV has an interval, also where the spend is not known.
    let (file, counts) = (model(&place, "model.json"), read(place.path().join("two.csv")));
    let scorer = file.scorer(Some(date("1997-02-28"))).unwrap();
    let scores = scorer.score_counted(&counts.counted).unwrap();
    for (row, score) in scores.iter().enumerate() {
        assert_eq!((value(row + 1, "p_alive"), value(row + 1, "clv")), (score.p_alive, score.clv.unwrap()));
        assert!(value(row + 1, "clv_lower") <= score.clv.unwrap() && value(row + 1, "clv_upper") > score.clv.unwrap());
    }
    let account: serde_json::Value = serde_json::from_str(&fs::read_to_string(place.path().join("account.json")).unwrap()).unwrap();
    assert_eq!(
        (account["customers"].as_f64(), account["clv"].as_f64()),
        (Some(2.0), Some(scores[0].clv.unwrap() + scores[1].clv.unwrap()))
    );
    // In other units than the model's they are no customers of it.
    let days = SummaryOptions { unit: TimeUnit::Day, ..SummaryOptions::default() };
    let days = CountsRead::per_period(&LogFiles::find([place.path().join("two.csv")]).unwrap(), &days).unwrap();
    assert!(scorer.score_counted(&days.counted).unwrap_err().to_string().contains("measured in days and the model in weeks"));
}

/// As a period becomes a day, all that is not known is the hour, which no log of days knows either: half a day in 38 is worth a few ten-thousandths.
#[test]
fn scores_from_counts_by_day_are_those_of_the_purchases() {
    let periods: Vec<clv::CalendarCount> = (0..39_i32)
        .map(|day| {
            let on = Date::from_days_since_1970(date("1997-01-20").days_since_1970() + day).unwrap();
            clv::CalendarCount { start: on, end: on, purchases: u32::from(day == 0 || day == 9 || day == 21) }
        })
        .collect();
    let row = PeriodCounts::of_calendar(date("1997-01-20"), &periods, TimeUnit::Week).unwrap();
    let mut counted = clv::CountedCustomers::new(TimeUnit::Week);
    counted.push("a", row).unwrap();
    let terms = ClvDefinition::default().resolve(TimeUnit::Week, Some(date("1997-02-27"))).unwrap();
    for (name, parameters) in [
        ("pareto-nbd", &[0.553, 10.578, 0.606, 11.669][..]),
        ("bg-nbd", &[0.243, 4.414, 0.793, 2.426]),
        ("mbg-nbd", &[0.6, 3.0, 2.5, 4.0]),
        ("nbd", &[0.385, 12.07]),
    ] {
        let scorer = Scorer::new(AnyPurchaseModel::from_name(name, parameters).unwrap(), None, terms);
        let by_counts = scorer.score_counted(&counted).unwrap()[0];
        let history = clv::History::new(2, 20.5 / 7.0, 38.0 / 7.0).unwrap();
        let by_times = scorer.score(&history, &clv::SpendHistory::UNKNOWN);
        let apart = by_counts.p_alive / by_times.p_alive - 1.0;
        assert!(apart.abs() < 5e-4, "{name}: {} and {}", by_counts.p_alive, by_times.p_alive);
    }
}

/// A file with these rows, and what is said of it.
#[track_caller]
fn is_refused(kind: &str, text: &str, more: &[&str], words: &[&str]) {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("counts.csv"), text).unwrap();
    let fit = ["fit", "counts.csv", "--counts", kind, "--model", "pareto-nbd", "-o", "model.json"];
    let output = clv(place.path(), &[&fit, more].concat());
    refused(&output, 1, words);
    assert!(!place.path().join("model.json").exists());
}

#[test]
fn counts_per_period_that_are_wrong_are_refused_with_file_line_and_rule() {
    let rows = |rows: &str| format!("{PER_PERIOD}\n{rows}\n");
    let cases: &[(&str, &[&str])] = &[
        ("a,1997-01-20,1997-01-01,1997-01-31,-1", &["counts.csv:2: ", "column \"purchases\": \"-1\" is negative", "whole number from 0"]),
        ("a,1997-01-20,1997-01-01,1997-01-31,1.5", &["counts.csv:2: ", "\"1.5\" is no whole number"]),
        ("a,1997-01-20,1997-01-01,1997-01-31,", &["counts.csv:2: ", "the count is missing; write 0"]),
        ("a,1997-01-20,1997-01-01,1997-01-31,two", &["counts.csv:2: ", "\"two\" is no number"]),
        ("a,1997-01-20,1997-01-01,1997-01-31,9999999999", &["counts.csv:2: ", "too large"]),
        (
            "a,1997-01-20,1997-01-01,1997-01-31,+4",
            &["counts.csv:2: ", "\"+4\" has a plus in front; leave it out, or write it behind", "as in 4+"],
        ),
        ("a,1997-01-20,1997-01-31,1997-01-01,1", &["counts.csv:2: customer \"a\": ", "ends on 1997-01-01, before it starts on 1997-01-31"]),
        (
            "a,1997-01-20,1997-01-01,1997-01-31,1\na,1997-01-20,1997-01-31,1997-02-28,1",
            &["counts.csv:3: customer \"a\": ", "overlaps that from 1997-01-01 to 1997-01-31"],
        ),
        ("a,1997-01-20,1997-01-01,1997-01-31,1\na,1997-01-20,1997-01-01,1997-01-31,1", &["counts.csv:3: customer \"a\": ", "overlaps"]),
        (
            "a,1997-01-20,1997-01-01,1997-01-31,1\na,1997-01-20,1997-03-01,1997-03-31,1",
            &["counts.csv:3: ", "the days between are missing; write a row for every period"],
        ),
        (
            "a,1997-01-20,1997-01-01,1997-01-31,1\nb,1997-02-20,1997-02-01,1997-02-28,1",
            &["counts.csv:2: customer \"a\": the last period ends on 1997-01-31, and the counts of others reach to 1997-02-28"],
        ),
        (
            "a,1997-02-20,1997-01-01,1997-01-31,0\na,1997-02-20,1997-02-01,1997-02-28,1",
            &["counts.csv:2: ", "before the first purchase of 1997-02-20"],
        ),
        ("a,1997-01-20,1997-02-01,1997-02-28,1", &["counts.csv:2: ", "the first purchase is of 1997-01-20; the days between are missing"]),
        ("a,1997-01-20,1997-01-01,1997-01-31,0", &["counts.csv:2: ", "holds the first purchase, of 1997-01-20, but counts no purchase"]),
        ("a,1997-01-31,1997-01-01,1997-01-31,2", &["counts.csv:2: ", "2 purchases on 1997-01-31; all transactions of a day are"]),
        (
            "a,1997-01-20,1997-01-01,1997-01-31,13",
            &[
                "counts.csv:2: customer \"a\": ",
                "13 purchases on the 12 days from 1997-01-20 to 1997-01-31",
                "number of days with a purchase",
            ],
        ),
        (
            "a,1997-01-20,1997-01-01,1997-01-31,12\na,1997-01-20,1997-02-01,1997-02-28,29",
            &["counts.csv:3: customer \"a\": ", "29 purchases on the 28 days from 1997-02-01 to 1997-02-28"],
        ),
        (
            "a,1997-01-20,1997-01-01,1997-01-31,1\na,1997-01-21,1997-02-01,1997-02-28,1",
            &["counts.csv:3: ", "first_purchase 1997-01-21 here and 1997-01-20 at counts.csv:2"],
        ),
        (",1997-01-20,1997-01-01,1997-01-31,1", &["counts.csv:2: ", "the customer is missing"]),
        ("a,1997-01-20,1997-13-01,1997-01-31,1", &["counts.csv:2: ", "column \"period_start\"", "1997-13-01"]),
        ("a,,1997-01-01,1997-01-31,1", &["counts.csv:2: ", "column \"first_purchase\": the date is missing"]),
        (
            "a,1997-01-20,1997-01-01,1997-01-31",
            &["counts.csv:2: the row has 4 fields, but the header has 5; put a field that contains ',' in quotes"],
        ),
    ];
    for (text, words) in cases {
        is_refused("per-period", &rows(text), &[], words);
    }
    is_refused(
        "per-period",
        "customer_id,month,purchases\na,1997-01,1\n",
        &[],
        &["counts.csv: ", "no column \"first_purchase\"", "\"month\""],
    );
    let channel = format!("{PER_PERIOD},channel\na,1997-01-20,1997-01-01,1997-01-31,1,web\n");
    is_refused("per-period", &channel, &[], &["counts.csv:1: there is a column \"channel\" that is not known", "leave it out"]);
    is_refused("per-period", &format!("{PER_PERIOD}\n"), &[], &["counts.csv: there is a header, but no row below it"]);
    is_refused("per-period", TWO, &["--observation-end", "1997-01-31"], &["counts.csv:3: ", "given as 1997-01-31; counts cannot be cut"]);
    // Tables of another kind are known by their columns.
    let histograms = "cohort,first_purchase,period_start,period_end,purchases,customers\njan,1997-01-15,1997-02-01,1997-02-28,0,60\n";
    is_refused("per-period", histograms, &[], &["these are histograms of the purchases of cohorts", "by --counts histograms"]);
    is_refused("per-period", "id,x,t_x,T\na,1,1,2\n", &[], &["this is a summary and no table of counts; leave --counts out"]);
    is_refused("per-period", "customer_id,date,amount\na,1997-01-20,5\n", &[], &["this is a transaction log and no table of counts"]);
    // Nothing to learn from one customer who did not come back.
    is_refused("per-period", &rows("a,1997-01-20,1997-01-01,1997-01-31,1"), &[], &["repeat"]);
}

#[test]
fn counts_without_their_flag_are_known_by_their_columns() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("counts.csv"), format!("{PER_PERIOD}\na,1997-01-20,1997-01-01,1997-01-31,1\n")).unwrap();
    let histograms = "cohort,first_purchase,period_start,period_end,purchases,customers\njan,1997-01-15,1997-02-01,1997-02-28,0,60\n";
    fs::write(place.path().join("histograms.csv"), histograms).unwrap();
    for command in [&["run", "--out", "out"][..], &["summarize"], &["backtest"], &["fit"], &["cohorts"]] {
        for (file, words) in [
            (
                "counts.csv",
                "counts.csv: these are counts per customer and period, and a transaction log is needed, one row per transaction; `clv fit` and `clv score` take them by --counts per-period",
            ),
            (
                "histograms.csv",
                "histograms.csv: these are histograms of the purchases of cohorts, and a transaction log is needed, one row per transaction; `clv fit` takes them by --counts histograms",
            ),
        ] {
            refused(&clv(place.path(), &[command, &[file]].concat()), 1, &[words]);
        }
    }
    // A log may have such columns beside its own.
    let log = "customer_id,date,amount,period_start,period_end,purchases\na,1997-01-20,5,,,\n";
    fs::write(place.path().join("log.csv"), log).unwrap();
    done(&clv(place.path(), &["summarize", "log.csv", "--observation-end", "1997-12-31"]));
}

#[test]
fn histograms_that_are_wrong_are_refused_with_file_line_and_rule() {
    const HEADER: &str = "cohort,first_purchase,period_start,period_end,purchases,customers";
    const FIRST: &str =
        "jan,1997-01-15,1997-02-01,1997-02-28,0,60\njan,1997-01-15,1997-02-01,1997-02-28,1,30\njan,1997-01-15,1997-02-01,1997-02-28,2+,10";
    let with = |rows: &str| format!("{HEADER}\n{FIRST}\n{rows}\n");
    let cases: &[(&str, &[&str])] = &[
        ("jan,1997-01-15,1997-03-01,1997-03-31,0,-5", &["counts.csv:5: ", "column \"customers\": \"-5\" is negative"]),
        ("jan,1997-01-15,1997-03-01,1997-03-31,0,5.5", &["counts.csv:5: ", "\"5.5\" is no whole number"]),
        (
            "jan,1997-01-15,1997-03-01,1997-03-31,+4,5",
            &["counts.csv:5: ", "column \"purchases\": \"+4\" has a plus in front; leave it out, or write it behind", "as in 4+"],
        ),
        ("jan,1997-01-15,1997-03-01,1997-03-31,0,+5", &["counts.csv:5: ", "column \"customers\": \"+5\" has a plus in front"]),
        ("jan,1997-01-15,1997-03-01,1997-03-31,-1,5", &["counts.csv:5: ", "column \"purchases\": \"-1\" is negative"]),
        (
            "jan,1997-01-15,1997-03-01,1997-03-31,0,70\njan,1997-01-15,1997-03-01,1997-03-31,1,20",
            &[
                "counts.csv:5: cohort \"jan\": ",
                "add up to 90 customers, and those of the one at counts.csv:2 to 100",
                "who bought nothing",
            ],
        ),
        (
            "jan,1997-01-15,1997-02-15,1997-03-31,0,100",
            &["counts.csv:5: cohort \"jan\": ", "overlaps that from 1997-02-01 to 1997-02-28 at counts.csv:2"],
        ),
        ("jan,1997-01-15,1997-02-01,1997-02-28,1,5", &["counts.csv:5: ", "1 purchases are there a second time, after counts.csv:3"]),
        (
            "jan,1997-01-15,1997-02-01,1997-02-28,3,5",
            &["counts.csv:5: cohort \"jan\": ", "3 purchases have a row of their own, and are in the cell 2+"],
        ),
        ("jan,1997-01-15,1997-02-01,1997-02-28,4+,5", &["counts.csv:5: ", "two open cells, 2+ and 4+"]),
        ("jan,1997-01-15,1997-03-01,1997-03-31,1,100", &["counts.csv:5: cohort \"jan\": ", "there is no row for 0 purchases"]),
        (
            "jan,1997-01-15,1997-01-01,1997-01-31,0,100",
            &["counts.csv:5: cohort \"jan\": ", "without a purchase in the period of their first one"],
        ),
        (
            "jan,1997-01-15,1996-12-01,1996-12-31,0,100",
            &["counts.csv:5: ", "ends on 1996-12-31, and the first purchases are of 1997-01-15"],
        ),
        (
            "jan,1997-01-16,1997-03-01,1997-03-31,0,100",
            &["counts.csv:5: ", "first_purchase 1997-01-16 here and 1997-01-15 at counts.csv:2"],
        ),
        ("one,1997-01-15,1997-03-01,1997-03-31,0,1", &["counts.csv:5: cohort \"one\": ", "is one customer"]),
        ("one,1997-01-15,1997-03-01,1997-03-31,0,0", &["counts.csv:5: cohort \"one\": ", "has no customer"]),
        (",1997-01-15,1997-03-01,1997-03-31,0,100", &["counts.csv:5: ", "the name is missing"]),
        ("jan,1997-01-15,1997-03-31,1997-03-01,0,100", &["counts.csv:5: ", "before it starts"]),
        ("jan,1997-01-15,1997-03-01,1997-03-31,0,100,5", &["counts.csv:5: ", "the row has 7 fields"]),
        (
            "jan,1997-01-15,1997-03-01,1997-03-31,0,99\njan,1997-01-15,1997-03-01,1997-03-31,32+,1",
            &["counts.csv:6: ", "32 purchases on the 31 days from 1997-03-01 to 1997-03-31; all transactions of a day are one purchase"],
        ),
        (
            "jan,1997-01-15,1997-03-01,1997-03-31,0,2000000000000000",
            &["counts.csv:5: ", "column \"customers\": 2000000000000000 customers are more than 1e15"],
        ),
        ("feb,1997-02-15,1997-03-01,1997-03-31,0+,100", &["counts.csv:5: cohort \"feb\": ", "one cell that holds them all"]),
    ];
    for (rows, words) in cases {
        is_refused("histograms", &with(rows), &[], words);
    }
    // One period of one age cannot tell those who left from those who buy rarely.
    is_refused("histograms", &format!("{HEADER}\n{FIRST}\n"), &[], &["all periods are of customers of the same age"]);
    is_refused("histograms", "cohort,purchases\njan,1\n", &[], &["no column \"first_purchase\""]);
    is_refused("histograms", TWO, &[], &["these are counts per customer and period", "by --counts per-period"]);
    is_refused(
        "histograms",
        &with("jan,1997-01-15,1997-03-01,1997-03-31,0,100"),
        &["--observation-end", "1997-02-28"],
        &["counts.csv:5: ", "cannot be cut"],
    );
}

#[test]
fn models_and_flags_that_do_not_go_with_counts_are_wrong_usage() {
    let place = TempDir::new().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["fit", MONTHLY, "--counts", "per-period", "--model", "nbd"], "bg-nbd, mbg-nbd, pareto-nbd"),
        (&["fit", MONTHLY, "--counts", "per-period", "--model", "auto"], "counts cannot be cut there"),
        (&["fit", HISTOGRAMS, "--counts", "histograms"], "bg-nbd cannot be fitted to histograms"),
        (&["fit", MONTHLY, "--counts", "per-period", "--bad-rows", "skip"], "--bad-rows"),
        (&["fit", MONTHLY, "--counts", "per-period", "--run-in", "26 weeks"], "--run-in"),
        (&["fit", MONTHLY, "--counts", "per-period", "--bands", "high,low"], "'--bands <"),
        (&["fit", MONTHLY, "--counts", "per-period", "--band-by", "share"], "'--band-by <"),
        (&["fit", MONTHLY, "--counts", "per-period", "--band-limits", "0.9,0.5"], "'--band-limits <"),
        (&["fit", MONTHLY, "--counts", "per-period", "--band-confidence", "0.9"], "'--band-confidence <"),
        (&["fit", MONTHLY, "--counts", "per-period", "--bands-from", "model.json"], "'--bands-from <"),
        (&["fit", MONTHLY, "--counts", "per-period", "--spend-basis", "all"], "'--spend-basis <"),
        (&["fit", HISTOGRAMS, "--counts", "histograms", "--model", "pareto-nbd", "--customer", "id"], "--customer names a column"),
        (&["fit", MONTHLY, "--counts", "monthly"], "per-period"),
        (
            &["score", HISTOGRAMS, "--counts", "histograms", "--model", "model.json"],
            "know no customer whom to score; fit a model to them with clv fit",
        ),
        (&["score", MONTHLY, "--counts", "monthly", "--model", "model.json"], "counts to be scored are per-period"),
    ];
    for (arguments, words) in cases {
        let output = clv(place.path(), arguments);
        refused(&output, 2, &[words]);
    }
}

/// A definition file is for all commands: what counts have no use for is passed over.
#[test]
fn settings_that_counts_have_no_use_for_are_passed_over() {
    let place = TempDir::new().unwrap();
    let settings = "bands = [\"a\", \"b\"]\nband_limits = [0.5]\nspend_basis = \"all\"\ncustomer = \"customer_id\"\nmargin = 0.3\n";
    fs::write(place.path().join("clv.toml"), settings).unwrap();
    for (input, kind, model) in [(MONTHLY, "per-period", "bg-nbd"), (HISTOGRAMS, "histograms", "pareto-nbd")] {
        let fit = ["fit", input, "--counts", kind, "--model", model, "--definition", "clv.toml", "-o", "model.json"];
        done(&clv(place.path(), &fit));
        let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(place.path().join("model.json")).unwrap()).unwrap();
        assert_eq!((&json["definition"]["margin"], json.get("bands").filter(|bands| !bands.is_null())), (&serde_json::json!(0.3), None));
    }
}

/// What is said of scores of purchases is said of those of counts.
#[test]
fn scores_of_counts_have_the_notes_that_those_of_purchases_have() {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("two.csv"), TWO).unwrap();
    let log = "customer_id,date,amount\na,1997-01-20,10\na,1997-01-29,12\nb,1997-02-28,11\n";
    fs::write(place.path().join("log.csv"), log).unwrap();
    let fit = ["fit", CDNOW, "--observation-end", "1997-09-30", "--quiet"];
    done(&clv(place.path(), &[&fit[..], &["-o", "model.json"]].concat()));
    done(&clv(place.path(), &[&fit[..], &["--spend", "none", "-o", "purchases.json"]].concat()));
    // One customer leaves nearly all open.
    fs::write(place.path().join("few.csv"), "customer_id,date,amount\na,1997-01-01,10\na,1997-02-01,12\na,1997-03-01,12\n").unwrap();
    done(&clv(place.path(), &["fit", "few.csv", "--quiet", "-o", "open.json"]));
    for (model, flags, words) in [
        ("open.json", &[][..], "the data leave parameters of a model open"),
        ("model.json", &[], "the customers are seen until 1997-02-28, and the model was fitted to data until 1997-09-30"),
        ("model.json", &["--cost-per-purchase", "1"], "there are no intervals with a cost to serve"),
        ("model.json", &["--horizon", "lifetime"], "there are no intervals for a horizon of lifetime at a discount of 10 %"),
        ("purchases.json", &["--threshold", "100"], "without a spend model there is no CLV to exceed a threshold"),
    ] {
        for (input, how) in [("log.csv", &["--observation-end", "1997-02-28"][..]), ("two.csv", &["--counts", "per-period"])] {
            let score = ["score", input, "--model", model, "-o", "scores.csv"];
            let note = done(&clv(place.path(), &[&score[..], how, flags].concat()));
            assert!(note.contains(words), "{input}: {words} is not in: {note}");
        }
    }
}
