//! The definition of value: as a file, in force, hashed; bands and scores by limits that stay; completions, manual and the examples of every --help.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]
#![cfg(feature = "cli")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const END: [&str; 2] = ["--observation-end", "1997-09-30"];

fn cdnow() -> String {
    format!("{}/examples/data/cdnow_sample.csv", env!("CARGO_MANIFEST_DIR"))
}

fn clv(place: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_clv")).args(arguments).current_dir(place.path()).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn done(output: Output) -> (String, String) {
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{stderr}");
    (stdout, stderr)
}

#[track_caller]
fn refused(output: &Output, code: i32, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{words:?} is not in: {said}");
}

fn write(place: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = place.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn read(place: &TempDir, name: &str) -> String {
    fs::read_to_string(place.path().join(name)).unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// The named columns of a table of scores, by customer.
fn columns(csv: &str, names: &[&str]) -> BTreeMap<String, Vec<String>> {
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let at: Vec<usize> = names.iter().map(|name| header.iter().position(|field| field == name).unwrap()).collect();
    let rows = csv.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    rows.map(|fields| (fields[0].to_owned(), at.iter().map(|&at| fields[at].to_owned()).collect())).collect()
}

#[test]
fn a_definition_file_is_begun_checked_and_shown() {
    let place = TempDir::new().unwrap();
    done(clv(&place, &["definition", "--init"]));
    refused(&clv(&place, &["definition", "--init"]), 2, "clv.toml is there already");
    let (_, said) = done(clv(&place, &["definition", "--check", "clv.toml"]));
    assert!(said.contains("14 settings, all of them known and valid"), "{said}");

    // Everything in it is the default.
    let (default, _) = done(clv(&place, &["definition", "--show"]));
    let (shown, _) = done(clv(&place, &["definition", "--show", "--definition", "clv.toml", "--margin", "0.3"]));
    let (same, _) = done(clv(&place, &["definition", "--show", "--definition", "clv.toml"]));
    let hash = |text: &str| text.lines().last().unwrap().to_owned();
    assert_eq!(hash(&default), hash(&same));
    assert_ne!(hash(&default), hash(&shown));
    let lines = |text: &str| text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
    assert!(lines(&default).contains(&"horizon = \"12 months\" # default".to_owned()), "{default}");
    assert!(lines(&shown).contains(&"horizon = \"12 months\" # clv.toml".to_owned()), "{shown}");
    assert!(lines(&shown).contains(&"margin = 0.3 # the command line".to_owned()), "{shown}");
    // What is shown is a definition file again.
    write(&place, "again.toml", &shown);
    done(clv(&place, &["definition", "--check", "again.toml"]));
    assert_eq!(hash(&done(clv(&place, &["definition", "--show", "--definition", "again.toml"])).0), hash(&shown));
}

#[test]
fn faults_in_a_definition_file_are_named_with_their_line() {
    let place = TempDir::new().unwrap();
    for (text, words) in [
        ("# fine\nmargin = 0.3\nhorizn = \"6 months\"\n", "bad.toml:3: horizn is no setting; the nearest one is horizon"),
        ("cost_per_purchas = 1\n", "bad.toml:1: cost_per_purchas is no setting; the nearest one is cost_per_purchase"),
        ("\nmargin = 30\n", "bad.toml:2: margin = 30: margin 30 must be a share of spend above 0 and at most 1"),
        ("cost_per_year = -1\n", "bad.toml:1: cost_per_year = -1: cost -1 must be an amount of money of at least 0"),
        ("unit = \"month\"\n", "unit \"month\" is not known"),
        ("band_by = \"rank\"\n", "quantile, share, value"),
        ("band_limits = [0.5, 0.8]\n", "that fall"),
        ("band_by = \"value\"\n", "need their limits"),
        ("horizon = \"lifetime\"\ndiscount = 0\n", "a lifetime horizon needs a discount"),
        ("horizon = \"lifetime\"\ndiscount = 0\n", "bad.toml:1: horizon = \"lifetime\": a lifetime horizon needs a discount"),
        ("margin = 1\nhorizon = \"9000 years\"\n", "bad.toml:2: horizon = \"9000 years\": a horizon of 9000 years"),
        ("horizon = \"9000 years\"\n", "leaves the calendar, which ends with the year 9999; give a shorter one, or \"lifetime\""),
        (
            "\nband_by = \"quantile\"\nband_limits = [0.5, 0.8]\n",
            "bad.toml:3: band_limits = [0.5, 0.8]: limits 0.5,0.8 of bands by quantile",
        ),
        ("band_by = \"value\"\nband_limits = [10, 20]\n", "limits 10,20 of bands by value must be amounts above 0 that fall"),
        ("bands = [\"a\", \"a\", \"b\"]\n", "bad.toml:1: bands = [\"a\", \"a\", \"b\"]: band \"a\" is named twice"),
        (
            "unit = \"day\"\nband_by = \"share\"\nband-by = \"share\"\n",
            "bad.toml:3: band-by = \"share\": band_by of bad.toml:2 sets the same by another name",
        ),
        (
            "customer = \"a\"\ncustomer_column = \"b\"\n",
            "bad.toml:2: customer_column = \"b\": customer of bad.toml:1 sets the same by another name",
        ),
        (
            "acquired = \"x.csv\"\nrun_in = \"4 weeks\"\n",
            "bad.toml:2: run_in = \"4 weeks\": it cannot stand beside acquired of bad.toml:1; remove one of them",
        ),
        ("margin = \n", "is no TOML file"),
    ] {
        write(&place, "bad.toml", text);
        refused(&clv(&place, &["definition", "--check", "bad.toml"]), 2, words);
        refused(&clv(&place, &["fit", &cdnow(), "--definition", "bad.toml"]), 2, words.split(": margin 30").next().unwrap());
    }
    // What one call works on is no setting, the same for all: a file would replace one result by another.
    for key in ["excluded", "counts", "model_files", "account", "bands_before"] {
        write(&place, "bad.toml", &format!("{key} = \"per-period\"\n"));
        refused(&clv(&place, &["definition", "--check", "bad.toml"]), 2, &format!("bad.toml:1: {key} is no setting"));
    }
    write(&place, "good.toml", "model = \"auto\"\nspend = \"none\"\n[x]\n");
    refused(&clv(&place, &["definition", "--check", "good.toml"]), 2, "good.toml:3: x is no setting");
    write(&place, "good.toml", "model = \"auto\" # for fit, and not for simulate\nspend = \"none\"\n");
    done(clv(&place, &["definition", "--check", "good.toml"]));
    refused(&clv(&place, &["definition"]), 2, "--init begins a definition file");
    refused(&clv(&place, &["fit", &cdnow(), "--horizn", "6 months"]), 2, "--horizon");
}

#[test]
fn a_model_carries_the_hash_and_another_definition_is_said() {
    let place = TempDir::new().unwrap();
    let (_, said) = done(clv(&place, &["run", &cdnow(), END[0], END[1], "--out", "out"]));
    let model = json(&read(&place, "out/model.json"));
    let hash = model["definition_hash"].as_str().unwrap();
    assert_eq!(json(&read(&place, "out/backtest.json"))["definition_hash"].as_str(), Some(hash));
    assert!(said.contains(&hash[..12]), "{said}");
    let (shown, _) = done(clv(&place, &["definition", "--show"]));
    assert!(shown.contains(hash), "{shown}");
    assert!(fs::metadata(place.path().join("out/model.json")).unwrap().len() < 10_000);
    // The account beside the scores is the one that scoring by the model writes.
    let score = ["score", &cdnow(), "--model", "out/model.json", "--account", "again.json"];
    done(clv(&place, &[&score[..], &END].concat()));
    // Only the run has looked at the past.
    let (mut of_run, mut of_score) = (json(&read(&place, "out/account.json")), json(&read(&place, "again.json")));
    assert!(of_score.as_object_mut().unwrap().remove("shocks").is_some_and(|shocks| shocks.is_null()));
    assert_eq!(of_run.as_object_mut().unwrap().remove("shocks").unwrap().as_array().unwrap().len(), 2);
    assert_eq!(of_run, of_score);
    assert_eq!(json(&read(&place, "again.json"))["definition_hash"].as_str(), Some(hash));

    let score = |flags: &[&str]| {
        done(clv(&place, &[&["score", &cdnow(), "--model", "out/model.json", "--no-intervals"], &END[..], flags].concat()))
    };
    assert!(!score(&[]).1.contains("another definition"));
    let (scores, said) = score(&["--margin", "0.5"]);
    assert!(said.contains("another definition of value than the model's: margin 0.5 instead of 1"), "{said}");
    assert!(said.contains("band and score are empty"), "{said}");
    assert!(columns(&scores, &["band", "score"]).values().all(|fields| fields.iter().all(String::is_empty)));
    let (_, said) = score(&["--refunds", "drop"]);
    assert!(said.contains("refunds \"drop\" instead of \"net\""), "{said}");
    let (_, said) = score(&["--duplicates", "drop"]);
    assert!(said.contains("duplicates \"drop\" instead of \"keep\""), "{said}");

    // It goes with the scores: in the metadata of Parquet, beside the rows of other formats.
    score(&["-o", "scores.parquet", "--account", "account.json"]);
    let file = fs::File::open(place.path().join("scores.parquet")).unwrap();
    let metadata = parquet::arrow::arrow_reader::ArrowReaderMetadata::load(&file, Default::default()).unwrap();
    let noted = metadata.metadata().file_metadata().key_value_metadata().unwrap();
    let noted = |key: &str| noted.iter().find(|note| note.key == key).and_then(|note| note.value.clone());
    assert_eq!(noted("clv.definition_hash").as_deref(), Some(hash));
    let account = json(&read(&place, "account.json"));
    assert_eq!((account["definition_hash"].as_str(), account["model_definition_hash"].as_str()), (Some(hash), Some(hash)));
    assert_eq!(account["definition"].as_str(), noted("clv.definition").as_deref());
    assert!(shown.contains(account["definition"].as_str().unwrap().lines().next().unwrap()), "{shown}");
    let scores = columns(&score(&["--account", "account.json"]).0, &["clv"]);
    let sum: f64 = scores.values().map(|fields| fields[0].parse::<f64>().unwrap()).sum();
    let total = json(&read(&place, "account.json"))["clv"].as_f64().unwrap();
    assert!((total - sum).abs() < 1e-9 * sum, "{total} {sum}");
    assert_eq!(account["coverage"].as_array().unwrap().iter().map(|row| row["customers"].as_f64().unwrap()).sum::<f64>(), 2357.0);
    score(&["--margin", "0.5", "--account", "account.json"]);
    let other = json(&read(&place, "account.json"));
    assert_eq!(other["model_definition_hash"].as_str(), Some(hash));
    assert_ne!(other["definition_hash"].as_str(), Some(hash));
    let same = ["score", &cdnow(), "--model", "out/model.json", "-o", "scores.json", "--account", "scores.json"];
    refused(&clv(&place, &same), 2, "cannot go to the same place");

    // A definition that was changed by hand is not what its hash says.
    let changed = read(&place, "out/model.json").replace("\"margin\": 1.0", "\"margin\": 0.5");
    let mut changed = json(&changed);
    changed.as_object_mut().unwrap().remove("checksum");
    write(&place, "changed.json", &changed.to_string());
    refused(&clv(&place, &["score", &cdnow(), "--model", "changed.json"]), 1, "definition_hash");
}

/// The first purchase of those yet to come is in the definition and its hash, and in nobody's CLV.
#[test]
fn the_first_purchase_in_or_out_is_part_of_the_definition() {
    let place = TempDir::new().unwrap();
    let show = |flags: &[&str]| done(clv(&place, &[&["definition", "--show"], flags].concat())).0;
    let hash = |text: &str| text.lines().last().unwrap().rsplit(' ').next().unwrap().to_owned();
    write(&place, "clv.toml", "first_purchase = \"out\"\n");
    let (with, without) = (show(&[]), show(&["--definition", "clv.toml"]));
    assert!(with.contains("first_purchase = \"in\"") && without.contains("first_purchase = \"out\""), "{with}{without}");
    assert_ne!(hash(&with), hash(&without));
    write(&place, "bad.toml", "first_purchase = \"no\"\n");
    refused(&clv(&place, &["definition", "--check", "bad.toml"]), 2, "first purchase \"no\" is not known; it is one of in, out");

    let of_file = ["--definition", "clv.toml"];
    done(clv(&place, &[&["fit", &cdnow(), "-o", "model.json"], &END[..], &of_file].concat()));
    let model = json(&read(&place, "model.json"));
    assert_eq!((model["definition"]["first_purchase"].as_str(), model["definition_hash"].as_str()), (Some("out"), Some(&*hash(&without))));
    let score = |flags: &[&str]| done(clv(&place, &[&["score", &cdnow(), "--model", "model.json"], &END[..], flags].concat()));
    let ((scores, _), (same, said)) = (score(&[]), score(&["--first-purchase", "in"]));
    assert!(scores == same && columns(&scores, &["band"]).values().all(|fields| !fields[0].is_empty()));
    assert!(said.contains("first_purchase \"in\" instead of \"out\""), "{said}");
}

/// A model remembers that duplicates were dropped, and scores a log with copies of rows as it was fitted.
#[test]
fn a_model_fitted_without_duplicates_scores_without_them() {
    let place = TempDir::new().unwrap();
    let log = fs::read_to_string(cdnow()).unwrap();
    let (header, rows) = log.split_once('\n').unwrap();
    let kept: std::collections::BTreeSet<&str> = rows.lines().collect();
    let once: Vec<&str> = kept.into_iter().collect();
    write(&place, "once.csv", &format!("{header}\n{}\n", once.join("\n")));
    write(&place, "twice.csv", &format!("{header}\n{0}\n{0}\n", once.join("\n")));
    write(&place, "clv.toml", "duplicates = \"drop\"\n");
    done(clv(&place, &["fit", "twice.csv", "-o", "model.json", END[0], END[1], "--definition", "clv.toml"]));
    let model = json(&read(&place, "model.json"));
    let dropped = model["data"]["cleaning"]["repeated"]["count"].as_u64().unwrap();
    assert_eq!((model["data"]["cleaning"]["duplicates"].as_str(), dropped), (Some("drop"), once.len() as u64));
    let score = |log: &str| done(clv(&place, &["score", log, "--model", "model.json", "--no-intervals", END[0], END[1]]));
    let ((scores, _), (same, said)) = (score("once.csv"), score("twice.csv"));
    assert!(scores == same && !said.contains("another definition"), "{said}");
    let explained = done(clv(&place, &["explain", "twice.csv", "--model", "model.json", "--customer", "00004", END[0], END[1]])).0;
    assert!(explained.contains("nothing: repeats the row before, and duplicates are dropped"), "{explained}");
}

/// What a back-test is worth does not depend on margins; by the hash it can be told which definition it was made beside.
#[test]
fn a_back_test_by_a_definition_file_carries_its_hash() {
    let place = TempDir::new().unwrap();
    write(&place, "clv.toml", "margin = 0.3\nunit = \"day\"\nband_by = \"share\"\n");
    let backtest = |flags: &[&str]| {
        let test = ["backtest", &cdnow(), "--cut", "1997-09-30", "--holdout", "39 weeks", "--models", "nbd"];
        json(&done(clv(&place, &[&test[..], flags].concat())).0)["definition_hash"].as_str().map(str::to_owned)
    };
    let shown = |flags: &[&str]| {
        let shown = done(clv(&place, &[&["definition", "--show", "--definition", "clv.toml"], flags].concat())).0;
        shown.lines().last().and_then(|line| line.rsplit(' ').next()).map(str::to_owned)
    };
    assert_eq!(backtest(&[]), None);
    assert_eq!(backtest(&["--definition", "clv.toml"]), shown(&[]));
    assert_eq!(backtest(&["--definition", "clv.toml", "--unit", "week"]), shown(&["--unit", "week"]));
    // Without spend there is no CLV, and so there are no bands.
    let no_spend = backtest(&["--definition", "clv.toml", "--spend", "none"]);
    assert!(no_spend.is_some() && no_spend == backtest(&["--definition", "clv.toml", "--spend", "none"]) && no_spend != shown(&[]));
}

#[test]
fn costs_come_off_and_leave_no_intervals() {
    let place = TempDir::new().unwrap();
    let costs = ["--cost-per-purchase", "2.5", "--cost-per-year", "12"];
    done(clv(&place, &[&["fit", &cdnow(), "-o", "model.json"], &END[..], &costs].concat()));
    assert_eq!(json(&read(&place, "model.json"))["definition"]["cost_per_year"], 12.0);
    let (scores, said) = done(clv(&place, &["score", &cdnow(), END[0], END[1], "--model", "model.json"]));
    assert!(said.contains("no intervals with a cost to serve") && said.contains("less 2.50 a purchase"), "{said}");
    let of = columns(&scores, &["clv", "clv_lower", "band"]);
    // Who hardly comes back costs more than they bring, and is in the last band.
    let negative = of.values().filter(|fields| fields[0].starts_with('-'));
    assert!(negative.clone().count() > 100 && negative.clone().all(|fields| fields[1].is_empty() && fields[2] == "low"));
    let (text, _) = done(clv(&place, &["explain", &cdnow(), END[0], END[1], "--customer", "00004", "--model", "model.json"]));
    assert!(text.contains("cost_per_year * years_alive"), "{text}");
}

#[test]
fn a_band_does_not_depend_on_who_else_is_scored() {
    let place = TempDir::new().unwrap();
    done(clv(&place, &[&["run", &cdnow(), "--out", "out", "--band-by", "share"], &END[..]].concat()));
    let model = json(&read(&place, "out/model.json"));
    assert_eq!(model["bands"]["rule"], serde_json::json!({"names": ["high", "mid", "low"], "by": "share", "at": [0.5, 0.8]}));
    let all = columns(&read(&place, "out/scores.csv"), &["clv", "band", "score"]);
    let held = |band: &str| all.values().filter(|fields| fields[1] == band).map(|fields| fields[0].parse::<f64>().unwrap()).sum::<f64>();
    let total = held("high") + held("mid") + held("low");
    assert!((0.5..0.51).contains(&(held("high") / total)) && (0.8..0.81).contains(&((held("high") + held("mid")) / total)));
    // Whoever is worth more has no lower score.
    let mut by_value: Vec<(f64, f64)> = all.values().map(|fields| (fields[0].parse().unwrap(), fields[2].parse().unwrap())).collect();
    by_value.sort_by(|one, other| one.0.total_cmp(&other.0));
    assert!(by_value.windows(2).all(|pair| pair[0].1 <= pair[1].1) && by_value.last().unwrap().1 == 100.0);

    // The worst half alone keeps its bands.
    let summary = read(&place, "out/customers.csv");
    let few: Vec<&str> = summary
        .lines()
        .enumerate()
        .filter(|(i, line)| *i == 0 || all[line.split(',').next().unwrap()][1] == "low")
        .map(|(_, line)| line)
        .collect();
    assert!(few.len() > 1000);
    write(&place, "few.csv", &(few.join("\n") + "\n"));
    let (scores, _) =
        done(clv(&place, &["score", "few.csv", "--model", "out/model.json", "--no-intervals", "--observation-end", "1997-09-30"]));
    assert!(columns(&scores, &["clv", "band", "score"]).iter().all(|(id, fields)| all[id] == *fields));

    // A new fit to other customers can keep the limits, and then everyone who has not changed stays.
    done(clv(
        &place,
        &["fit", "few.csv", "--observation-end", "1997-09-30", "--spend", "none", "--bands-from", "out/model.json", "-o", "later.json"],
    ));
    assert_eq!(json(&read(&place, "later.json"))["bands"], model["bands"]);
    refused(
        &clv(&place, &["fit", "few.csv", "--margin", "0.2", "--bands-from", "out/model.json"]),
        2,
        "another definition of value: here it has margin 0.2 instead of 1",
    );
    // The definition file is not all that a CLV depends on.
    let by_hour = &["fit", &cdnow(), END[0], END[1], "--spend-basis", "all", "--merge", "hour", "--bands-from", "out/model.json"];
    refused(&clv(&place, by_hour), 2, "spend_basis \"all\" instead of \"repeat\", merge \"hour\" instead of \"day\"");
    refused(&clv(&place, &["fit", "few.csv", "--bands", "a,b", "--bands-from", "out/model.json"]), 2, "cannot be used with");
}

#[test]
fn without_spend_there_are_no_bands() {
    let place = TempDir::new().unwrap();
    let (_, said) = done(clv(&place, &[&["run", &cdnow(), "--out", "out", "--spend", "none"], &END[..]].concat()));
    assert!(said.contains("no bands of value"), "{said}");
    assert!(json(&read(&place, "out/model.json"))["bands"].is_null());
    assert!(columns(&read(&place, "out/scores.csv"), &["band", "score"]).values().all(|fields| fields.iter().all(String::is_empty)));
    done(clv(&place, &[&["fit", &cdnow(), "--bands", "none", "-o", "none.json"], &END[..]].concat()));
    assert!(json(&read(&place, "none.json"))["bands"].is_null());
}

#[test]
fn a_customer_leaves_a_band_only_where_that_is_sure() {
    let place = TempDir::new().unwrap();
    done(clv(&place, &[&["fit", &cdnow(), "--band-confidence", "0.6", "-o", "model.json"], &END[..]].concat()));
    let score =
        |flags: &[&str]| clv(&place, &[&["score", &cdnow(), "--model", "model.json", "-o", "scores.csv"], &END[..], flags].concat());
    done(score(&["--threshold", "20"]));
    let by_value = columns(&read(&place, "scores.csv"), &["band", "clv"]);
    // Everybody was in the other end's band before: some are surely not, of others it cannot be told.
    let flipped: String =
        by_value.iter().map(|(id, fields)| format!("{id},{}\n", if fields[0] == "low" { "mid" } else { "low" })).collect();
    write(&place, "before.csv", &format!("customer_id,band\n{flipped}"));
    done(score(&["--bands-before", "before.csv"]));
    let now = columns(&read(&place, "scores.csv"), &["band", "clv"]);
    let moved = |from: &str, to: &str| now.iter().filter(|(id, fields)| by_value[*id][0] == from && fields[0] == to).count();
    assert!(moved("high", "high") > 0, "nobody rises");
    assert!(moved("mid", "low") > 0 && moved("high", "low") > 0, "everybody rises");
    // Who is worth little and was in the band above goes down: the chance of no purchase alone is that large.
    assert!(moved("low", "low") > 0);
    assert_eq!(moved("mid", "high"), 0);
    // Who was where they are stays.
    let same: String = by_value.iter().map(|(id, fields)| format!("{id},{}\n", fields[0])).collect();
    write(&place, "before.csv", &format!("customer_id,band\n{same}"));
    done(score(&["--bands-before", "before.csv"]));
    assert_eq!(columns(&read(&place, "scores.csv"), &["band", "clv"]), by_value);

    write(&place, "before.csv", "customer_id,band\n00004,gold\n");
    refused(&score(&["--bands-before", "before.csv"]), 1, "before.csv:2: band \"gold\" is none of the model's");
    write(&place, "before.csv", "customer,band\n");
    refused(&score(&["--bands-before", "before.csv"]), 1, "no column \"customer_id\"");
}

#[test]
fn customers_born_before_the_log_have_bands_too() {
    let place = TempDir::new().unwrap();
    let log = fs::read_to_string(cdnow()).unwrap();
    let rows: Vec<[String; 3]> = columns_of(&log, ["customer_id", "date", "amount"]);
    let mut acquired = BTreeMap::new();
    for [id, date, _] in &rows {
        let first = acquired.entry(id).or_insert(date);
        *first = date.min(*first);
    }
    let text: String = acquired.iter().map(|(id, date)| format!("{id},{date}\n")).collect();
    write(&place, "acquired.csv", &format!("customer_id,acquired\n{text}"));
    let late: String = rows.iter().filter(|row| row[1].as_str() >= "1997-03-01").map(|row| format!("{}\n", row.join(","))).collect();
    write(&place, "late.csv", &format!("customer_id,date,amount\n{late}"));
    let born = [&["late.csv", "--acquired", "acquired.csv"], &END[..]].concat();
    done(clv(&place, &[&["fit"], &born[..], &["--band-confidence", "0.9", "-o", "model.json"]].concat()));
    let (scores, said) = done(clv(&place, &[&["score"], &born[..], &["--model", "model.json"]].concat()));
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("a total CLV of") && said.contains("with a probability of 90 %"), "{said}");
    let bands = columns(&scores, &["clv", "band", "status", "clv_lower", "clv_upper"]);
    for fields in bands.values().filter(|fields| !fields[0].is_empty()) {
        let [lower, upper] = [&fields[3], &fields[4]].map(|end| end.parse::<f64>().unwrap());
        assert!(0.0 <= lower && lower <= upper, "{fields:?}");
    }
    assert!(bands.values().any(|fields| fields[2] == "left_truncated" && fields[1] == "high"));
    assert!(bands.values().all(|fields| fields[0].is_empty() == fields[1].is_empty()));
    // Those who were low leave that band only where it is sure.
    let some = bands.iter().filter(|(_, fields)| fields[2] == "left_truncated" && fields[1] == "high").take(60);
    let low: String = some.map(|(id, _)| format!("{id},low\n")).collect();
    write(&place, "before.csv", &format!("customer_id,band\n{low}"));
    let (scores, _) =
        done(clv(&place, &[&["score"], &born[..], &["--model", "model.json", "--no-intervals", "--bands-before", "before.csv"]].concat()));
    let moved = columns(&scores, &["clv", "band", "status"]);
    let high = |bands: &BTreeMap<String, Vec<String>>| {
        bands.values().filter(|fields| fields[2] == "left_truncated" && fields[1] == "high").count()
    };
    assert!(0 < high(&moved) && high(&moved) < high(&bands), "{} of {}", high(&moved), high(&bands));
}

/// Three columns of a CSV file without quotes.
fn columns_of(csv: &str, names: [&str; 3]) -> Vec<[String; 3]> {
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let at = names.map(|name| header.iter().position(|field| *field == name).unwrap());
    csv.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()).map(|fields| at.map(|at| fields[at].to_owned())).collect()
}

/// A flag wins over the file also where it cannot stand beside one of its settings.
#[test]
fn a_flag_wins_over_settings_that_it_excludes() {
    let place = TempDir::new().unwrap();
    write(&place, "clv.toml", "run_in = \"8 weeks\"\nthreshold = 100\nbands = [\"a\", \"b\"]\nband_limits = [0.5]\n");
    let cdnow = cdnow();
    let fit = ["fit", &cdnow, END[0], END[1], "--spend", "none"];
    let with = ["--definition", "clv.toml"];
    done(clv(&place, &[&fit[..], &["-o", "plain.json"]].concat()));
    done(clv(&place, &[&fit[..], &with, &["--first-seen-is-new", "-o", "told.json"]].concat()));
    let fitted = |name: &str| json(&read(&place, name))["purchases"].clone();
    assert_eq!(fitted("plain.json"), fitted("told.json"));
    // The setting alone is in force; dates of acquisition on the line replace it.
    let (_, words) = done(clv(&place, &[&fit[..], &with, &["-o", "run_in.json"]].concat()));
    assert!(words.contains("a run-in of 8 weeks") && fitted("run_in.json") != fitted("plain.json"), "{words}");
    let births: std::collections::BTreeSet<String> =
        fs::read_to_string(&cdnow).unwrap().lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_owned()).collect();
    let births: String = births.iter().map(|id| format!("{id},1997-01-01\n")).collect();
    write(&place, "births.csv", &format!("customer_id,acquired\n{births}"));
    let (_, words) = done(clv(&place, &[&fit[..], &with, &["--acquired", "births.csv", "-o", "dates.json"]].concat()));
    assert!(words.contains("dates from births.csv") && !words.contains("run-in"), "{words}");
    let score = ["score", &cdnow, END[0], END[1], "--model", "plain.json", "--first-seen-is-new", "--no-intervals", "-o", "scores.csv"];
    done(clv(&place, &[&score[..], &with].concat()));
    assert!(!read(&place, "scores.csv").contains("p_clv_above"));
    done(clv(&place, &["fit", &cdnow, END[0], END[1], "-o", "banded.json"]));
    done(clv(
        &place,
        &["fit", &cdnow, END[0], END[1], "--first-seen-is-new", with[0], with[1], "--bands-from", "banded.json", "-o", "kept.json"],
    ));
    assert_eq!(json(&read(&place, "kept.json"))["bands"], json(&read(&place, "banded.json"))["bands"]);
    // Two settings of one file that exclude each other are an error all the same.
    write(&place, "both.toml", "run_in = \"8 weeks\"\nfirst_seen_is_new = true\n");
    refused(
        &clv(&place, &[&fit[..], &["--definition", "both.toml"]].concat()),
        2,
        "both.toml:2: first_seen_is_new = true: it cannot stand beside run_in of both.toml:1; remove one of them",
    );
}
