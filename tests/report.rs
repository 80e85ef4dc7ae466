//! The report page from outside: what is on it, that it needs nothing else, and that the files beside it hold the same numbers.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and exact figures are what it is about")]
#![cfg(feature = "cli")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use scraper::{ElementRef, Html, Selector};
use tempfile::TempDir;

const CDNOW: &str = "examples/data/cdnow_sample.csv";
const CUT: [&str; 2] = ["--observation-end", "1997-09-30"];

/// All charts, in the order of the page.
const CHARTS: [&str; 12] = [
    "concentration",
    "value_distribution",
    "tracking_cumulative",
    "tracking_weekly",
    "by_frequency",
    "deciles",
    "reliability",
    "map_p_alive",
    "map_expected_purchases",
    "cohorts",
    "parameters",
    "spend",
];

#[track_caller]
fn clv(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_clv"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The page that `clv run` makes, and where it is.
#[track_caller]
fn page_of(log: &str, flags: &[&str]) -> (String, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    clv(&[&["run", log, "--quiet", "--out", out], flags].concat());
    (fs::read_to_string(directory.path().join("report.html")).unwrap(), directory)
}

fn parsed(page: &str) -> Html {
    let html = Html::parse_document(page);
    assert!(html.errors.is_empty(), "{:?}", html.errors);
    html
}

fn select<'a>(within: ElementRef<'a>, selector: &str) -> Vec<ElementRef<'a>> {
    within.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect()
}

/// What must hold of every page, whatever is on it.
#[track_caller]
fn is_sound(page: &str) -> Html {
    let html = parsed(page);
    let root = html.root_element();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert_eq!((root.value().attr("lang"), select(root, "main").len(), select(root, "h1").len()), (Some("en"), 1, 1));
    assert!(select(root, "script, iframe, object, embed, img, video, audio, form, base").is_empty());
    let links = select(root, "[href]");
    assert!(links.iter().all(|link| ["#", "data:,"].iter().any(|own| link.value().attr("href").unwrap().starts_with(own))));
    assert!(select(root, "[src], [srcset], [xlink\\:href]").is_empty());
    // The one address is the name of SVG, which nobody loads.
    let addresses = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(["http:", "https:", "url(", "@import"].iter().all(|address| !addresses.contains(address)));
    let words: BTreeSet<String> = text(select(root, "body")[0]).split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    assert!(["nan", "inf", "infinity", "none", "some"].iter().all(|word| !words.contains(*word)), "a number is none");
    let ids: Vec<&str> = select(root, "[id]").iter().map(|element| element.value().attr("id").unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id stands twice");
    for label in select(root, "[aria-labelledby]").iter().flat_map(|element| element.value().attr("aria-labelledby").unwrap().split(' ')) {
        assert!(ids.contains(&label), "nothing is called {label}");
    }
    for svg in page.split("<svg ").skip(1) {
        let (svg, _) = svg.split_once("</svg>").unwrap();
        roxmltree::Document::parse(&format!("<svg {svg}</svg>")).unwrap_or_else(|error| panic!("{error}: {svg}"));
    }
    for table in select(root, "table") {
        assert!(!text(select(table, "caption")[0]).is_empty());
        assert!(select(table, "tbody tr").iter().all(|row| select(*row, "th[scope=row]").len() == 1));
        assert!(select(table, "thead th").iter().all(|cell| cell.value().attr("scope") == Some("col")));
    }
    html
}

/// A number as people read it, and half of its last digit; none of a date or a word.
fn read(shown: &str) -> Option<(f64, f64)> {
    let (digits, unit) = match shown.strip_suffix(" %") {
        Some(digits) => (digits, 0.01),
        None => (shown, 1.0),
    };
    let digits = digits.replace(',', "");
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i32);
    let value: f64 = digits.parse().ok()?;
    Some((value * unit, 0.5000001 * unit * 10_f64.powi(exponent.parse::<i32>().ok()? - decimals)))
}

/// The rows of a file below its header.
fn rows_of(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn every_chart_has_a_title_words_a_table_and_a_file_with_the_same_numbers() {
    let (page, directory) = page_of(CDNOW, &CUT);
    let html = is_sound(&page);
    let figures = select(html.root_element(), "figure");
    assert_eq!(figures.iter().map(|figure| figure.value().attr("id").unwrap()).collect::<Vec<_>>(), CHARTS);
    let mut compared = 0;
    for figure in figures {
        let name = figure.value().attr("id").unwrap();
        let svg = select(figure, "svg[role=img]")[0];
        assert_eq!(svg.value().attr("aria-labelledby"), Some(format!("{name}-title {name}-desc").as_str()));
        assert!(text(select(svg, "title")[0]).len() > 20 && text(select(svg, "desc")[0]).len() > 60, "{name}");
        // Axes with what they show, and their unit where it is not a number of things.
        assert!(select(svg, "text.axis").iter().all(|title| !text(*title).is_empty()) && select(svg, "text.axis").len() == 2, "{name}");
        let file = rows_of(&directory.path().join("report").join(format!("{name}.csv")));
        let shown: Vec<Vec<String>> =
            select(figure, "details tbody tr").iter().map(|row| select(*row, "th, td").iter().map(|cell| text(*cell)).collect()).collect();
        assert_eq!(shown.len(), file.len(), "{name}");
        for (shown, exact) in shown.iter().flatten().zip(file.iter().flatten()) {
            match read(shown) {
                Some((value, half)) => {
                    compared += 1;
                    assert!((value - exact.parse::<f64>().unwrap()).abs() <= half, "{name}: {shown} and {exact}");
                }
                None => assert!(shown == exact || (shown == "–" && exact.is_empty()), "{name}: {shown} and {exact}"),
            }
        }
    }
    assert!(compared > 1500, "only {compared} numbers were compared");
}

#[test]
fn the_first_screen_is_the_answer() {
    let (page, _directory) = page_of(CDNOW, &CUT);
    let html = parsed(&page);
    let tiles: Vec<String> = select(html.root_element(), ".tiles li").iter().map(|tile| text(*tile)).collect();
    // The total of the README, its interval; the last quarter of the time; who holds half.
    assert!(tiles[0].contains("72,656") && tiles[0].contains("64,258 to 81,866"), "{}", tiles[0]);
    assert!(
        tiles[1].starts_with("The past forecast of purchases was")
            && tiles[1].contains("63 days held out")
            && tiles[1].contains("spend: ")
            && tiles[1].contains("at 4 past dates, each looking "),
        "{}",
        tiles[1]
    );
    assert!(tiles[2].contains("174 customers") && tiles[2].contains("the top 10\u{a0}% hold 57\u{a0}%"), "{}", tiles[2]);
    assert!(tiles[3].contains("2,094"), "{}", tiles[3]);
    // What an auditor asks for.
    let model: serde_json::Value = serde_json::from_str(&fs::read_to_string(_directory.path().join("model.json")).unwrap()).unwrap();
    let all = text(html.root_element());
    assert!(all.contains(model["data"]["fingerprint"].as_str().unwrap()) && all.contains("Marketing Science 24(2)"));
    assert!(
        ["12 months after 1997-09-30, until 1998-09-30", "10 % a year", "rows merged into another purchase"]
            .iter()
            .all(|words| all.contains(words))
    );
}

#[test]
fn the_page_is_the_same_for_any_number_of_threads_order_of_rows_and_command() {
    let (page, directory) = page_of(CDNOW, &[&CUT[..], &["--threads", "1"]].concat());
    let (other, _other_directory) = page_of(CDNOW, &[&CUT[..], &["--threads", "3"]].concat());
    assert_eq!(page, other);
    // The same from what is stored.
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    clv(&[&["report", CDNOW, "--quiet", "--model", &path("model.json"), "-o", &path("again.html")], &CUT[..]].concat());
    assert_eq!(page.replace("report/", "again/"), fs::read_to_string(path("again.html")).unwrap());
    for name in CHARTS {
        let [one, other] = ["report", "again"].map(|folder| fs::read(directory.path().join(folder).join(format!("{name}.csv"))).unwrap());
        assert_eq!(one, other, "{name}");
    }
    let log = fs::read_to_string(CDNOW).unwrap();
    let (header, rows) = log.split_once('\n').unwrap();
    let turned: Vec<&str> = [header].into_iter().chain(rows.lines().rev()).collect();
    fs::write(path("turned.csv"), turned.join("\n")).unwrap();
    let (turned, _turned_directory) = page_of(&path("turned.csv"), &CUT);
    assert_eq!(page, turned.replace(&path("turned.csv"), CDNOW));
}

#[test]
fn hostile_ids_are_text_and_cut() {
    let long = "x".repeat(10_000);
    let hostile = ["<script>alert(1)</script>", "\"'&<b>]]>-->", &long, "\u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd}", "tab\tand\u{1}bell\u{7}"];
    let mut log = fs::read_to_string(CDNOW).unwrap();
    for (place, id) in hostile.iter().enumerate() {
        for day in 1..28 {
            log += &format!("0000,\"{}\",1997-09-{day:02},1,{}\n", id.replace('"', "\"\""), 500 + place);
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("<img src=x onerror=alert(1)>.csv");
    fs::write(&path, log).unwrap();
    let (page, _out) = page_of(path.to_str().unwrap(), &CUT);
    let html = is_sound(&page);
    let shown: Vec<String> = select(html.root_element(), "bdi").iter().map(|id| text(*id)).collect();
    let expected = [hostile[0], hostile[1], &format!("{}…", "x".repeat(39)), hostile[3], "tab\u{fffd}and\u{fffd}bell\u{fffd}"];
    assert!(expected.iter().all(|id| shown.iter().any(|shown| shown == id)), "{shown:?}");
    assert!(shown.iter().all(|id| id.chars().count() <= 40));
    assert!(text(html.root_element()).contains("<img src=x onerror=alert(1)>.csv"));
}

#[test]
fn what_there_is_not_is_left_out_and_said() {
    // A log too short for a back-test.
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("short.csv");
    let rows = (0..60).flat_map(|id| (0..1 + id % 4).map(move |k| format!("{id},2026-01-{:02},{}\n", 1 + id % 7 + 4 * k, 5 + id)));
    fs::write(&log, "customer_id,date,amount\n".to_owned() + &rows.collect::<String>()).unwrap();
    let (page, _short) = page_of(log.to_str().unwrap(), &["--model", "nbd", "--observation-end", "2026-01-25"]);
    let html = is_sound(&page);
    assert!(text(html.root_element()).contains("the log covers 24 days"));
    let charts = |html: &Html| {
        select(html.root_element(), "figure").iter().map(|figure| figure.value().attr("id").unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(charts(&html).iter().all(|name| !name.starts_with("tracking") && name != "deciles"), "{:?}", charts(&html));
    // Purchases alone have no value; a lifetime has no interval of its total.
    let (page, out) = page_of(CDNOW, &[&CUT[..], &["--spend", "none"]].concat());
    let html = is_sound(&page);
    assert!(!charts(&html).iter().any(|name| ["concentration", "value_distribution", "spend"].contains(&name.as_str())));
    let tables: Vec<String> =
        select(html.root_element(), "[role=region]").iter().map(|table| table.value().attr("aria-label").unwrap().to_owned()).collect();
    assert!(tables.contains(&"The customers with most expected purchases".to_owned()), "{tables:?}");
    let heads = select(html.root_element(), "[aria-label='The customers with most expected purchases'] thead th");
    assert_eq!(
        heads.iter().map(|head| text(*head)).collect::<Vec<_>>(),
        ["Customer", "Expected purchases", "P(alive)", "Purchases so far"]
    );
    assert!(!out.path().join("report/spend.csv").exists() && out.path().join("report/deciles.csv").exists());
    // Customers who cost more than they bring are worth less than nothing together: there are no shares of that.
    let (page, _costs) = page_of(CDNOW, &[&CUT[..], &["--cost-per-year", "60"]].concat());
    assert!(!charts(&is_sound(&page)).iter().any(|name| ["concentration", "value_distribution"].contains(&name.as_str())));
    let (page, _life) = page_of(CDNOW, &[&CUT[..], &["--horizon", "lifetime"]].concat());
    assert!(text(is_sound(&page).root_element()).contains("without an interval"));
}

#[test]
fn bands_and_costs_are_shown() {
    let (page, out) = page_of(CDNOW, &[&CUT[..], &["--bands", "gold,silver,rest"]].concat());
    let html = is_sound(&page);
    let model: serde_json::Value = serde_json::from_str(&fs::read_to_string(out.path().join("model.json")).unwrap()).unwrap();
    let limits: Vec<f64> = model["bands"]["limits"].as_array().unwrap().iter().map(|limit| limit.as_f64().unwrap()).collect();
    let table = select(html.root_element(), "[aria-label='Bands of value'] tbody tr");
    let cells: Vec<Vec<String>> = table.iter().map(|row| select(*row, "th, td").iter().map(|cell| text(*cell)).collect()).collect();
    assert_eq!(cells.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["gold", "silver", "rest"]);
    for (row, limit) in cells.iter().zip(&limits) {
        let (value, half) = read(&row[1]).unwrap();
        assert!((value - limit).abs() <= half, "{row:?} and {limit}");
    }
    let upright = select(html.root_element(), "#value_distribution svg text").iter().map(|words| text(*words)).collect::<Vec<_>>();
    assert!(["gold", "silver"].iter().all(|name| upright.iter().any(|words| words == name)), "{upright:?}");
    let legend = select(html.root_element(), "#value_distribution .legend li").iter().map(|words| text(*words)).collect::<Vec<_>>();
    assert!(["gold from ", "silver from "].iter().all(|name| legend.iter().any(|words| words.starts_with(name))), "{legend:?}");
    // The definition's hash is that of the model file.
    assert!(text(html.root_element()).contains(model["definition_hash"].as_str().unwrap()));
    // Most customers now cost more than they bring.
    let (page, out) = page_of(CDNOW, &[&CUT[..], &["--cost-per-year", "20"]].concat());
    let all = text(is_sound(&page).root_element());
    assert!(all.contains("20.00 a year for as long as") && all.contains("others cost more than they bring"), "shares beyond all are told");
    let classes = rows_of(&out.path().join("report/value_distribution.csv"));
    assert!(classes[0][0].starts_with('-') && classes[0][1] == "0" && classes[0][2].parse::<f64>().unwrap() > 1000.0, "{classes:?}");
    let curve = rows_of(&out.path().join("report/concentration.csv"));
    assert!(curve.iter().any(|row| row[1].parse::<f64>().unwrap() > 1.1) && curve[100] == ["1", "1"]);
}

#[test]
fn a_report_needs_a_name_for_its_folder_and_takes_the_place_of_no_input() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    clv(&[&["fit", CDNOW, "--quiet", "-o", &path("model.json")], &CUT[..]].concat());
    let fails = |output: &str, words: &str| {
        let call = ["report", CDNOW, "--model", &path("model.json"), "-o", output];
        let ended = Command::new(env!("CARGO_BIN_EXE_clv")).args(call).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success() && said.contains(words), "{said}");
    };
    fails(&path("report"), "name it report.html");
    fs::write(path("page"), "a file").unwrap();
    fails(&path("page.html"), "is a file");
    assert!(!Path::new(&path("page.html")).exists());
}

/// Customers who each buy twice a month for half a year; of them `stay` go on for the other half.
fn log_of(customers: usize, stay: impl Fn(usize) -> bool) -> String {
    let day = |k: usize| format!("2024-{:02}-{:02}", 1 + k / 2, if k.is_multiple_of(2) { 3 } else { 17 });
    let rows = (0..customers).flat_map(|id| {
        let last = if stay(id) { 24 } else { 12 };
        (id % 6..last).step_by(1 + id % 3).map(move |k| format!("c{id},{},{}\n", day(k), 10 + id % 7))
    });
    "customer_id,date,amount\n".to_owned() + &rows.collect::<String>()
}

#[test]
fn the_first_screen_speaks_against_a_model_whose_totals_were_off_beyond_chance() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log.csv");
    fs::write(&log, log_of(200, |id| id % 4 == 0)).unwrap();
    let (page, out) = page_of(log.to_str().unwrap(), &["--observation-end", "2024-12-31"]);
    let html = is_sound(&page);
    let answer = text(select(html.root_element(), "section[aria-label='The answer']")[0]);
    assert!(answer.contains("its totals are off by ") && answer.contains("more than chance does"), "{answer}");
    assert!(!text(html.root_element()).contains("Nothing that was looked at"));
    // The interval is not left alone where the past says that it is too narrow.
    let tiles: Vec<String> = select(html.root_element(), ".tiles li").iter().map(|tile| text(*tile)).collect();
    let by_more = |tile: usize, total: &str| tiles[tile].contains(&format!("judged by past totals: {total} "));
    assert!(by_more(0, "spend") && by_more(3, "purchases") && !tiles[0].contains("totals: purchases"), "{tiles:?}");
    drop(out);
}
