//! The documents tell the truth: links lead somewhere, the commands, flags and tests they name exist, and their code is tested. That their commands run is held by
//! `documents_commands.rs`.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let of = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = of(root().to_owned()).chain(of(root().join("docs"))).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(found.len() >= 5, "only {found:?}");
    found
}

/// What `](..)` of a document points to; not what stands in code.
fn links(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        // Every second piece between backticks is code.
        let prose: String = if fenced { String::new() } else { line.split('`').step_by(2).collect::<Vec<_>>().join("`") };
        found.extend(prose.match_indices("](").map(|(at, _)| prose[at + 2..].chars().take_while(|c| *c != ')').collect()));
    }
    found
}

/// The anchors of the headings of a document: lower case, punctuation left out, hyphens for spaces.
fn anchors(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if let Some(heading) = line.strip_prefix('#').filter(|_| !fenced) {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let anchor: String = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect();
            found.push(anchor.replace(' ', "-"));
        }
    }
    found
}

#[test]
fn relative_links_lead_to_files_and_headings() {
    let mut seen = 0;
    for path in documents() {
        for link in links(&fs::read_to_string(&path).unwrap()) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{} links to {link}", path.display());
            if !anchor.is_empty() {
                assert!(
                    anchors(&fs::read_to_string(&target).unwrap()).iter().any(|found| found == anchor),
                    "{} links to {link}",
                    path.display()
                );
            }
            seen += 1;
        }
    }
    assert!(seen >= 30, "only {seen} links were found");
}

#[test]
fn links_in_code_are_none_and_anchors_are_those_of_headings() {
    assert_eq!(links("see [a](b.md#c), `[not](d.md)`\n```sh\n[nor](e.md)\n```\n[f](g.md)"), ["b.md#c", "g.md"]);
    assert_eq!(anchors("# One `clv` *word*, or two\n```sh\n# comment\n```\n## P(alive)"), ["one-clv-word-or-two", "palive"]);
}

/// The words in which the queries of docs/sql differ from that for DuckDB, and nothing else.
const DIALECTS: &[(&str, &[(&str, &str)])] = &[
    (
        "postgres",
        &[
            ("as double)", "as double precision)"),
            ("date_diff('day', min(day), max(day))", "(max(day) - min(day))"),
            ("date_diff('day', min(day), date '1997-09-30')", "(date '1997-09-30' - min(day))"),
        ],
    ),
    (
        "spark",
        &[
            ("date_diff('day', min(day), max(day))", "datediff(max(day), min(day))"),
            ("date_diff('day', min(day), date '1997-09-30')", "datediff(date '1997-09-30', min(day))"),
        ],
    ),
    (
        "bigquery",
        &[
            ("as double)", "as float64)"),
            ("date_diff('day', min(day), max(day))", "date_diff(max(day), min(day), day)"),
            ("date_diff('day', min(day), date '1997-09-30')", "date_diff(date '1997-09-30', min(day), day)"),
            ("decimal(18, 4)", "numeric"),
        ],
    ),
    (
        "snowflake",
        &[
            ("date_diff('day', min(day), max(day))", "datediff('day', min(day), max(day))"),
            ("date_diff('day', min(day), date '1997-09-30')", "datediff('day', min(day), date '1997-09-30')"),
        ],
    ),
];

#[test]
fn queries_differ_in_the_words_of_their_dialect_alone() {
    let query = |dialect: &str| fs::read_to_string(root().join(format!("docs/sql/{dialect}.sql"))).unwrap();
    let duckdb = query("duckdb");
    for (dialect, words) in DIALECTS {
        let expected = words.iter().fold(duckdb.clone(), |text, (from, to)| text.replace(from, to));
        assert_eq!(query(dialect), expected, "{dialect}");
    }
    assert!(fs::read_to_string(root().join("docs/pipelines.md")).unwrap().contains(&format!("```sql\n{duckdb}```")));
}

#[test]
fn rust_in_the_documents_is_tested() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for path in documents().iter().filter(|path| fs::read_to_string(path).unwrap().contains("\n```rust")) {
        let name = path.strip_prefix(root()).unwrap().display();
        assert!(library.contains(&format!("#[doc = include_str!(\"../{name}\")]")), "{name} has Rust in it; src/lib.rs has to include it");
    }
}

#[test]
fn tests_named_in_the_documents_exist() {
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for word in text.split('`').filter(|word| word.ends_with(".rs") && !word.contains(' ')) {
            let exists = ["", "tests", "src", "benches", "examples"].iter().any(|folder| root().join(folder).join(word).exists());
            assert!(exists, "{} names {word}", path.display());
        }
    }
}

/// Units of time, rates and sizes: a number before one of them was measured, unless it is a setting.
const UNITS: &[&str] = &["ns", "us", "ms", "s", "seconds", "minutes", "kB", "MB", "GB", "bytes", "a second"];

/// Numbers with a unit that nobody measured: what was set, or how something is laid out.
const SETTINGS: &[(&str, &str)] = &[
    ("docs/design.md", "16 MB"),
    ("docs/design.md", "32 MB"),
    ("docs/design.md", "16 bytes"),
    ("docs/design.md", "32 bytes"),
    ("docs/service.md", "30 seconds"),
    ("docs/service.md", "5 seconds"),
    ("docs/service.md", "256 kB"),
    ("docs/guide.md", "6 kB"),
    ("docs/guide.md", "16 bytes"),
];

/// The number that a word is, without what stands around it.
fn number(word: &str) -> Option<&str> {
    let number = word.trim_start_matches('(').trim_end_matches([',', ';', '.', ':', ')']);
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    (number.starts_with(|c: char| c.is_ascii_digit() || c == '.') && number.chars().all(digits)).then_some(number)
}

/// What stands in a document outside of code, line by line.
fn prose(text: &str) -> impl Iterator<Item = String> {
    let mut fenced = false;
    text.lines().filter_map(move |line| {
        fenced ^= line.trim_start().starts_with("```");
        (!fenced).then(|| line.split('`').step_by(2).collect::<Vec<_>>().join(" "))
    })
}

/// The numbers of a document that have a unit, with it: `17.3 s`, `110,000 a second`.
fn figures(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        let words: Vec<&str> = line.split_whitespace().collect();
        for (at, number) in words.iter().enumerate().filter_map(|(at, word)| Some((at, number(word)?))) {
            // What stands behind a comma is another matter: alpha = 12.28, s = 0.467.
            if words[at].ends_with([',', ';', ':', ')']) {
                continue;
            }
            let next: Vec<&str> = words[at + 1..].iter().take(4).map(|word| word.trim_end_matches([',', ';', '.', ':', ')'])).collect();
            // A number ends what is said of the one before it.
            let next = next.split(|word| word.starts_with(|c: char| c.is_ascii_digit())).next().unwrap_or_default();
            let unit = match next {
                ["CPU", "s", ..] => Some("s"),
                [unit, ..] if UNITS.contains(unit) => Some(*unit),
                _ => next.windows(2).any(|pair| pair == ["a", "second"]).then_some("a second"),
            };
            found.extend(unit.map(|unit| format!("{number} {unit}")));
        }
    }
    found
}

/// The cells of the tables of a document that are a number and nothing else, with the unit that ends the heading of their column: `17.3 s` below `lifetimes, s`.
fn cells(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut units: Vec<Option<&str>> = Vec::new();
    for line in prose(text) {
        if !line.starts_with('|') {
            units.clear();
        } else if units.is_empty() {
            units =
                line.split('|').map(|heading| UNITS.iter().copied().find(|unit| heading.trim().ends_with(&format!(" {unit}")))).collect();
        } else {
            let cells = line.split('|').zip(&units).filter_map(|(cell, unit)| Some(format!("{} {}", number(cell.trim())?, (*unit)?)));
            found.extend(cells);
        }
    }
    found
}

/// What was measured stands in docs/performance.md or docs/validation.md, where it says how, and everywhere else with the same digits and unit: a figure that is measured
/// anew cannot stay behind elsewhere.
#[test]
fn measured_figures_are_those_of_performance_and_validation() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let sources = ["docs/performance.md", "docs/validation.md"];
    let measured: Vec<String> = sources.iter().map(|name| read(name)).flat_map(|text| [figures(&text), cells(&text)].concat()).collect();
    let mut seen = 0;
    for path in documents() {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
        // A change log tells of figures that were; accuracy.md is measured by a test of its own.
        if sources.contains(&name) || ["CHANGELOG.md", "docs/accuracy.md"].contains(&name) {
            continue;
        }
        for figure in figures(&read(name)) {
            let stands = measured.contains(&figure) || SETTINGS.contains(&(name, &figure));
            assert!(stands, "{name} says {figure}, which neither {sources:?} nor the list of settings has");
            seen += 1;
        }
    }
    assert!(seen >= 15, "only {seen} figures were found");
    for (name, figure) in SETTINGS {
        assert!(figures(&read(name)).iter().any(|found| found == figure), "{name} says nothing of {figure} any more");
    }

    // In the comparison with other packages every number that has a fraction or three digits counts, also without a unit.
    let readme = read("README.md");
    let of_sources: Vec<String> = sources.iter().map(|name| read(name)).collect();
    let stands =
        |wanted: &str| of_sources.iter().any(|text| text.split([' ', '|', '\n', '(', ';']).filter_map(number).any(|found| found == wanted));
    let comparison = readme.split("## Beside other packages").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let rows: Vec<String> = prose(comparison).filter(|line| line.starts_with('|')).collect();
    let numbers = rows.iter().flat_map(|row| row.split([' ', '|', '('])).filter_map(number);
    let telling: Vec<&str> = numbers.filter(|text| text.contains('.') || text.len() >= 3).filter(|text| !is_year(text)).collect();
    assert!(telling.len() >= 10, "only {telling:?}");
    for number in telling {
        assert!(stands(number), "README.md compares by {number}, which {sources:?} do not have");
    }
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.starts_with("20") && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn figures_are_numbers_with_their_unit() {
    let text = "It took 17.3 s (0.12 CPU s); 110,000 single scores a second, of 2,357 customers 5 ms, alpha = 12.28, s = 0.467.\n`7 s`\n```\n8 s\n```\n| 1.2 | 3 s | x |";
    assert_eq!(figures(text), ["17.3 s", "0.12 s", "110,000 a second", "5 ms", "3 s"]);
    let tables = "| job | call, s | ratio | scores a second |\n|---|---|---|---|\n| fit | 1.2 | 157 | 1,280 |\n\n| us | CPU s |\n|---|---|\n| 4 | 5.6 |";
    assert_eq!(cells(tables), ["1.2 s", "1,280 a second", "5.6 s"]);
}

/// An example is read in one go: each of its files is short, and each example is run by .ci/run as it stands, without arguments.
#[test]
fn examples_are_short_and_run_without_arguments() {
    let checks = fs::read_to_string(root().join(".ci/run")).unwrap();
    let run: Vec<&str> =
        checks.lines().find_map(|line| line.strip_prefix("for example in ")?.split_once(';')).unwrap().0.split(' ').collect();
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    let entries = |folder: &Path| -> Vec<PathBuf> { fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect() };
    let mut seen = 0;
    for path in entries(&root().join("examples")) {
        let files = if path.is_dir() { entries(&path) } else { vec![path.clone()] };
        for file in files.iter().filter(|file| is_rust(file)) {
            let lines = fs::read_to_string(file).unwrap().lines().count();
            assert!(lines < 80, "{} has {lines} lines", file.display());
        }
        if files.iter().any(is_rust) {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(run.contains(&name), ".ci/run does not run the example {name}");
            seen += 1;
        }
    }
    assert_eq!(seen, run.len(), "{run:?}");
}

#[cfg(feature = "cli")]
#[test]
fn commands_named_in_the_documents_exist() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_clv")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("`clv ") {
            let command: String = text[at + "`clv ".len()..].chars().take_while(char::is_ascii_lowercase).collect();
            assert!(help.contains(&format!("\n  {command} ")), "{} names clv {command}", path.display());
        }
    }
}

#[cfg(feature = "cli")]
#[test]
fn flags_named_beside_a_command_are_flags_of_it() {
    let mut seen = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for code in text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("clv ")) {
            let mut words = code.split_whitespace().skip(1);
            let command = words.next().unwrap();
            let help = std::process::Command::new(env!("CARGO_BIN_EXE_clv")).args([command, "--help"]).output().unwrap();
            let help = String::from_utf8(help.stdout).unwrap();
            for flag in words.filter(|word| word.starts_with("--")) {
                let flag: String = flag.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
                assert!(
                    help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n")),
                    "{} names {flag} of clv {command}",
                    path.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen >= 10, "only {seen} flags were found");
}
