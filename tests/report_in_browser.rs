//! The report page in Chromium: nothing is loaded, no error is told, and every chart can be seen and read, wide and narrow, light and dark.
//!
//! Without a browser the test says so and passes, unless `CLV_BROWSER=required`. Screenshots are kept under target/report-screenshots.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test panics when it fails, and lengths are whole")]
#![cfg(feature = "cli")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const WIDTHS: [u32; 2] = [1280, 390];

/// Charts of a page with everything.
const CHARTS: usize = 12;

/// The contrast that WCAG AA asks of text, and of what has to be seen in a drawing.
const TEXT_CONTRAST: f64 = 4.5;
const DRAWING_CONTRAST: f64 = 3.0;

/// The smallest letters, in pixels of the screen.
const SMALLEST_TYPE: f64 = 10.0;

fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let paths = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&paths).flat_map(|directory| names.map(|name| directory.join(name))).find(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var("CLV_BROWSER").as_deref() != Ok("required"), "CLV_BROWSER=required, and there is no Chromium in PATH");
        // Written past the harness, which keeps what a test that passes prints.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "skipped: no Chromium found, the report page was not opened").unwrap();
    }
    found
}

/// Loads a file in Chromium; what it wrote to standard output, after a look for errors in what it said.
#[track_caller]
fn open(chromium: &Path, directory: &Path, dark: bool, size: (u32, u32), page: &Path, more: &[&str]) -> String {
    let output = Command::new(chromium)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"])
        .args([
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            "--v=0",
        ])
        // No name is looked up, so that nothing could be fetched either; the harness may look into the page that it frames.
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--allow-file-access-from-files"])
        .arg(format!("--user-data-dir={}", directory.join("profile").display()))
        .arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)))
        .arg(format!("--window-size={},{}", size.0, size.1))
        .args(more)
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let told: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(told.is_empty(), "the console says {told:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Frames the page at a width of its own (a window has a least width), and tells what it looks like.
const HARNESS: &str = r#"<!DOCTYPE html><meta charset="utf-8"><title>harness</title><style>html,body{margin:0}iframe{border:0;display:block;width:WIDTHpx;height:HEIGHTpx}</style>
<iframe id="page" src="PAGE"></iframe><pre id="result"></pre>
<script>
const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
const colour = text => text.match(/[\d.]+/g).map(Number);
const contrast = (one, other) => { const [a, b] = [one, other].map(luminance); return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
document.getElementById('page').onload = () => {
  const frame = document.getElementById('page'), view = frame.contentWindow, page = frame.contentDocument;
  const style = element => view.getComputedStyle(element);
  const ground = element => { while (element) { const c = colour(style(element).backgroundColor); if (c.length < 4 || c[3] > 0) return c; element = element.parentElement; } return [255, 255, 255]; };
  const box = element => { const { left, right, top, bottom, width, height } = element.getBoundingClientRect(); return { left, right, top, bottom, width, height }; };
  const apart = (a, b) => a.right <= b.left + 0.5 || b.right <= a.left + 0.5 || a.bottom <= b.top + 2 || b.bottom <= a.top + 2;
  const charts = [...page.querySelectorAll('figure')].map(figure => {
    const svg = figure.querySelector('svg[role=img]'), outer = box(svg), texts = [...svg.querySelectorAll('text')].filter(text => text.textContent);
    const boxes = texts.map(box), overlaps = [], clipped = [];
    boxes.forEach((one, i) => {
      if (one.left < outer.left - 0.5 || one.right > outer.right + 0.5 || one.top < outer.top - 0.5 || one.bottom > outer.bottom + 0.5) clipped.push(texts[i].textContent);
      boxes.slice(i + 1).forEach((other, j) => { if (!apart(one, other)) overlaps.push(texts[i].textContent + ' | ' + texts[i + 1 + j].textContent); });
    });
    const uprights = [...svg.querySelectorAll('path.upright')].map(box);
    const crossed = texts.filter((text, i) => uprights.some(line => line.left > boxes[i].left && line.right < boxes[i].right && line.top < boxes[i].bottom && line.bottom > boxes[i].top));
    const drawn = [...svg.querySelectorAll('.line:not(.ideal), .bar, .mark')].map(shape => {
      const is_bar = shape.classList.contains('bar');
      return contrast(colour(is_bar ? style(shape).fill : style(shape).stroke), ground(figure));
    });
    const scale = outer.width / svg.viewBox.baseVal.width;
    return { name: figure.id, box: outer, clipped, overlaps, crossed: crossed.map(text => text.textContent), marks: svg.querySelectorAll('path').length, drawing: Math.min(...drawn, 99),
      type: Math.min(...texts.map(text => parseFloat(style(text).fontSize) * scale)), text: Math.min(...texts.map(text => contrast(colour(style(text).fill), ground(figure)))) };
  });
  const words = [...page.querySelectorAll('h1, h2, h3, p, a, li, span, strong, td, th, caption, figcaption, summary, code, footer')];
  document.getElementById('result').textContent = JSON.stringify({
    width: view.innerWidth, scrolls_to: page.documentElement.scrollWidth, height: page.documentElement.scrollHeight, loaded: view.performance.getEntriesByType('resource').map(entry => entry.name),
    ground: luminance(colour(style(page.body).backgroundColor)), text: Math.min(...words.map(word => contrast(colour(style(word).color), ground(word)))), charts });
};
</script>"#;

/// A page that frames the report.
fn harness(directory: &Path, report: &Path, width: u32, height: u32) -> PathBuf {
    let text = HARNESS.replace("PAGE", &format!("file://{}", report.display())).replace("WIDTH", &width.to_string());
    let path = directory.join(format!("harness-{width}-{height}.html"));
    fs::write(&path, text.replace("HEIGHT", &height.to_string())).unwrap();
    path
}

#[test]
fn every_chart_can_be_seen_and_nothing_is_loaded() {
    let Some(chromium) = chromium() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let run = ["run", "examples/data/cdnow_sample.csv", "--observation-end", "1997-09-30", "--quiet", "--out", out.to_str().unwrap()];
    assert!(Command::new(env!("CARGO_BIN_EXE_clv")).args(run).current_dir(root).status().unwrap().success());
    let report = out.join("report.html");
    let screenshots = root.join("target/report-screenshots");
    fs::create_dir_all(&screenshots).unwrap();
    let mut found = Vec::new();
    for dark in [false, true] {
        for width in WIDTHS {
            let page = harness(directory.path(), &report, width, 2000);
            let dom = open(&chromium, directory.path(), dark, (1400, 2000), &page, &["--virtual-time-budget=5000", "--dump-dom"]);
            let result = dom.split_once("<pre id=\"result\">").unwrap().1.split_once("</pre>").unwrap().0;
            let seen: Value = serde_json::from_str(&result.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")).unwrap();
            let case = format!("{width} px, {}", if dark { "dark" } else { "light" });
            found.extend(faults(&seen, width, dark, &case));
            let height = seen["height"].as_f64().unwrap() as u32;
            let page = harness(directory.path(), &report, width, height);
            let file = screenshots.join(format!("{width}-{}.png", if dark { "dark" } else { "light" }));
            let shot = format!("--screenshot={}", file.display());
            // A window is no narrower than this; the rest stays white.
            open(&chromium, directory.path(), dark, (width.max(500), height), &page, &[&shot]);
            assert!(fs::metadata(&file).unwrap().len() > 50_000, "{case}: there is no picture");
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What is wrong with a page.
fn faults(seen: &Value, width: u32, dark: bool, case: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            faults.push(format!("{case}: {what}"));
        }
    };
    let number = |value: &Value| value.as_f64().unwrap();
    must(number(&seen["width"]) == f64::from(width), format!("shown at {}", seen["width"]));
    must(number(&seen["scrolls_to"]) == f64::from(width), format!("as wide as {}", seen["scrolls_to"]));
    must(seen["loaded"].as_array().unwrap().is_empty(), format!("it loads {}", seen["loaded"]));
    must((number(&seen["ground"]) < 0.1) == dark, format!("a ground of luminance {}", seen["ground"]));
    must(number(&seen["text"]) >= TEXT_CONTRAST, format!("text with a contrast of {}", seen["text"]));
    let charts = seen["charts"].as_array().unwrap();
    must(charts.len() == CHARTS, format!("{} charts", charts.len()));
    for chart in charts {
        let of = |name: &str| number(&chart["box"][name]);
        let is_there = of("width") > 250.0 && of("height") > 150.0 && of("left") >= 0.0 && of("right") <= f64::from(width);
        must(is_there && number(&chart["marks"]) > 5.0, format!("{} is not there: {}", chart["name"], chart["box"]));
        for fault in ["clipped", "overlaps", "crossed"] {
            must(chart[fault].as_array().unwrap().is_empty(), format!("{}: {fault} {}", chart["name"], chart[fault]));
        }
        must(number(&chart["type"]) >= SMALLEST_TYPE, format!("{}: letters of {} px", chart["name"], chart["type"]));
        must(number(&chart["text"]) >= TEXT_CONTRAST, format!("{}: letters with a contrast of {}", chart["name"], chart["text"]));
        must(number(&chart["drawing"]) >= DRAWING_CONTRAST, format!("{}: lines with a contrast of {}", chart["name"], chart["drawing"]));
    }
    faults
}
