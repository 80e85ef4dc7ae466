//! What the terminal tells of itself: every example of every --help runs, completions and the manual know every command, and nothing is coloured where it is not read by people.
#![allow(clippy::unwrap_used, reason = "a test panics when it fails")]
#![cfg(feature = "cli")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use clv::{Date, Table, TableFormat, Values};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

fn clv(place: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_clv")).args(arguments).current_dir(place).stdin(Stdio::null()).output().unwrap()
}

fn out(place: &Path, arguments: &[&str]) -> String {
    let output = clv(place, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The names of all commands.
fn commands(place: &Path) -> Vec<String> {
    let help = out(place, &["--help"]);
    let listed = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The examples of a command; a line that ends in a backslash goes on.
fn examples(place: &Path, command: &str) -> Vec<String> {
    let help = out(place, &[command, "--help"]);
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1).take_while(|line| !line.is_empty());
    let joined = lines.map(|line| line.strip_suffix('\\').map_or_else(|| format!("{line}\n"), str::to_owned)).collect::<String>();
    joined.lines().map(|line| line.trim().to_owned()).collect()
}

/// The rows of a sixth of CDNOW's customers: id, date, amount.
fn rows() -> Vec<[String; 3]> {
    let log = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/cdnow_sample.csv")).unwrap();
    let header: Vec<&str> = log.lines().next().unwrap().split(',').collect();
    let at = ["customer_id", "date", "amount"].map(|name| header.iter().position(|field| *field == name).unwrap());
    let rows = log.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()).map(|fields| at.map(|at| fields[at].to_owned()));
    rows.filter(|row| row[0] == "00004" || row[0].bytes().map(u32::from).sum::<u32>().is_multiple_of(6)).collect()
}

fn csv(header: &str, delimiter: &str, rows: &[[String; 3]]) -> String {
    let rows: String = rows.iter().map(|row| format!("{}\n", row.join(delimiter))).collect();
    format!("{header}\n{rows}")
}

fn parquet(names: [&str; 3], rows: &[[String; 3]], path: &Path) {
    let dates: Vec<Date> = rows.iter().map(|row| row[1].parse().unwrap()).collect();
    let amounts: Vec<f64> = rows.iter().map(|row| row[2].parse().unwrap()).collect();
    let table = Table::new()
        .with(names[0], Values::Text(rows.iter().map(|row| row[0].as_str()).collect()))
        .and_then(|table| table.with(names[1], Values::Date(dates)))
        .and_then(|table| table.with(names[2], Values::Number(amounts.into())));
    table.unwrap().write(TableFormat::Parquet, &mut fs::File::create(path).unwrap()).unwrap();
}

/// All that the examples read.
fn inputs(place: &Path) {
    const HEADER: &str = "customer_id,date,amount";
    let (rows, write) = (rows(), |name: &str, text: &str| fs::write(place.join(name), text).unwrap());
    let orders = csv(HEADER, ",", &rows);
    for name in ["orders.csv", "jan.csv", "feb.csv", "today.csv"] {
        write(name, &orders);
    }
    let by_channel =
        |row: &[String; 3]| format!("{},{}\n", row.join(","), if row[0].ends_with(['0', '2', '4', '6', '8']) { "web" } else { "shop" });
    write("channels.csv", &format!("{HEADER},channel\n{}", rows.iter().map(by_channel).collect::<String>()));
    write("costs.csv", "cohort,cost\nweb,4000\nshop,6000\n");
    write("shop.csv", &csv("user,date,amount", ",", &rows).replace("00004", "C-77"));
    write("export.csv", &csv("kunde;datum;betrag", ";", &rows));
    for folder in ["archive", "warehouse/orders", "history"] {
        fs::create_dir_all(place.join(folder)).unwrap();
    }
    for name in ["orders.csv.gz", "archive/old.csv.gz"] {
        let mut gzip = GzEncoder::new(fs::File::create(place.join(name)).unwrap(), Compression::fast());
        gzip.write_all(orders.as_bytes()).unwrap();
        gzip.finish().unwrap();
    }
    let names = ["customer_id", "date", "amount"];
    parquet(["user", "ordered_at", "total"], &rows, &place.join("orders.parquet"));
    parquet(names, &rows, &place.join("warehouse/orders/part.parquet"));
    let mut in_order = rows;
    in_order.sort_by(|one, other| one[1].cmp(&other[1]));
    parquet(names, &in_order, &place.join("history/all.parquet"));
    // Customers who arrive over three years.
    let arriving =
        ["--customers", "600", "--start", "2023-01-01", "--acquisition", "1000 days", "--horizon", "156 weeks", "-o", "years.csv"];
    let model = ["simulate", "--model", "bg-nbd", "--params", "r=0.243,alpha=4.414,a=0.793,b=2.426", "--seed", "1"];
    out(place, &[&model[..], &arriving].concat());
    for (example, name) in [("cdnow_monthly.csv", "monthly.csv"), ("cdnow_histograms.csv", "histograms.csv")] {
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(example), place.join(name)).unwrap();
    }
    let end = ["--observation-end", "1997-09-30", "--quiet"];
    out(place, &[&["summarize", "orders.csv", "-o", "customers.csv", "--excluded", "excluded.csv"], &end[..]].concat());
    out(place, &[&["fit", "orders.csv", "--band-confidence", "0.8", "-o", "model.json"], &end[..]].concat());
    out(place, &[&["score", "orders.csv", "--model", "model.json", "-o", "scores_of_last_month.csv"], &end[..]].concat());
}

#[test]
fn every_example_of_every_help_runs() {
    let place = TempDir::new().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_clv")).parent().unwrap().to_owned();
    let path = std::env::join_paths(std::iter::once(program).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap()))).unwrap();
    inputs(place.path());
    let saved = |name: &str| fs::read(place.path().join(name)).unwrap();
    let kept = ["model.json", "customers.csv", "orders.csv"].map(|name| (name, saved(name)));
    let mut commands = commands(place.path());
    // The file that it begins is one that others read.
    commands.sort_by_key(|command| command != "definition");
    assert!(commands.len() >= 11, "{commands:?}");
    for command in commands {
        let examples = examples(place.path(), &command);
        assert!(examples.len() >= 2, "clv {command} --help has {examples:?}");
        for example in examples {
            // Of what the examples of other commands write, nothing is read here.
            for (name, content) in &kept {
                fs::write(place.path().join(name), content).unwrap();
            }
            assert!(example.contains(&format!("clv {command} ")), "{example}");
            let ran = Command::new("sh").args(["-c", &example]).env("PATH", &path).current_dir(place.path()).stdin(Stdio::null()).output();
            let (ran, said) = (ran.as_ref().unwrap().status, String::from_utf8_lossy(&ran.as_ref().unwrap().stderr).into_owned());
            // A limit that is crossed is what --fail-if is for.
            assert!(ran.success() || ran.code() == Some(3) && example.contains("--fail-"), "{example}: {said}");
        }
    }
}

#[test]
fn completions_and_the_manual_know_every_command() {
    let place = TempDir::new().unwrap();
    let commands = commands(place.path());
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = out(place.path(), &["completions", shell]);
        assert!(commands.iter().all(|command| script.contains(command.as_str())) && script.contains("observation-end"), "{shell}");
    }
    assert_eq!(clv(place.path(), &["completions", "dos"]).status.code(), Some(2));
    let page = out(place.path(), &["man"]);
    assert!(page.contains(".TH clv 1") && commands.iter().all(|command| page.contains(command.as_str())), "{page}");
    out(place.path(), &["man", "man1"]);
    for command in &commands {
        let page = fs::read_to_string(place.path().join(format!("man1/clv-{command}.1"))).unwrap();
        assert!(page.contains("Examples") && page.contains(&format!("clv {command}")), "{command}: {page}");
    }
}

#[test]
fn a_slip_of_the_pen_is_answered_with_the_nearest_name() {
    let place = TempDir::new().unwrap();
    for (arguments, words) in [
        (&["scor", "x.csv"][..], "'score'"),
        (&["score", "x.csv", "--modle", "m.json"], "'--model'"),
        (&["fit", "x.csv", "--model", "pareto"], "pareto-nbd"),
        (&["run", "x.csv", "--outt", "y"], "'--out'"),
        (&["completions", "bsh"], "bash"),
    ] {
        let ended = clv(place.path(), arguments);
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && !said.contains('\x1b'), "{words} is not in: {said}");
    }
}

#[test]
fn no_line_of_an_example_is_too_wide_for_a_terminal() {
    let place = TempDir::new().unwrap();
    for command in commands(place.path()) {
        let help = out(place.path(), &[&command, "--help"]);
        let lines: Vec<&str> = help.lines().skip_while(|line| *line != "Examples:").take_while(|line| !line.is_empty()).collect();
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "clv {command}: {lines:#?}");
    }
}
