//! Every command line that the documents show is run: what is fenced as `sh` in README.md and docs/, in a directory of its own for each document, one snippet after
//! the other. A `text` block that follows a snippet directly is held against what the snippet printed; `...` stands for any number of lines. A `text` block that
//! begins with `$ ` is a transcript: commands, each with what it printed.
#![cfg(all(unix, feature = "cli"))]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What has to lie in the directory of a document before its first snippet: shell commands.
const PREPARATIONS: &[(&str, &str)] = &[
    (
        "README.md",
        "clv simulate --params r=0.55,alpha=5,a=0.8,b=2.4 --customers 600 --acquisition '26 weeks' --start 2025-01-01 --until 2026-06-30 --seed 1 --quiet | sed '1s/.*/client,ordered_at,total/' > orders.csv",
    ),
    (
        "docs/report.md",
        "cp examples/data/cdnow_sample.csv orders.csv
         clv fit orders.csv --observation-end 1998-06-30 --quiet -o model.json",
    ),
    (
        "docs/backtesting.md",
        "cp examples/data/cdnow_sample.csv orders.csv
         clv fit orders.csv --observation-end 1998-03-31 --quiet -o model.json",
    ),
    ("docs/report.md", "cp examples/data/cdnow_sample.csv orders.csv; clv fit orders.csv --quiet -o model.json"),
    (
        "docs/pipelines.md",
        r#"mkdir inbox taken
           awk -F, 'NR == 1 { header = $0; next }
                    $3 < "1997-11-01" { file = "inbox/" substr($3, 1, 7) ".csv"; if (!(file in seen)) { print header > file; seen[file] = 1 } print > file }
                   ' examples/data/cdnow_sample.csv
           clv fit examples/data/cdnow_sample.csv --observation-end 1997-09-30 --quiet -o model.json
           clv summarize examples/data/cdnow_sample.csv --observation-end 1997-09-30 --quiet -o summary.csv"#,
    ),
];

/// Stands in for `cargo`: the program is built already, so `cargo run .. -- ARGUMENTS` is `clv ARGUMENTS`; of what would compile or take minutes only the names are checked.
const CARGO: &str = r#"#!/bin/sh
all=$*
case "$all" in "run --release --features cli -- "*) shift 5; exec clv "$@" ;; esac
while [ $# -gt 0 ]; do
    case "$1" in
        --example) test -f "$ROOT/examples/$2.rs" || test -f "$ROOT/examples/$2/main.rs" || { echo "no example $2"; exit 1; } ;;
        --bench) test -f "$ROOT/benches/$2.rs" || { echo "no bench $2"; exit 1; } ;;
        --test) test -f "$ROOT/tests/$2.rs" || { echo "no test $2"; exit 1; } ;;
    esac
    shift
done
echo "| not run here |"
"#;

/// Stands in for `clv`: the program itself, its exit code written down. 3 says that a limit was crossed, which is an outcome and no failure.
const CLV: &str = r#"#!/bin/sh
"$PROGRAM" "$@"
code=$?
case $code in 0|3) ;; *) echo "$code: clv $*" >> "$FAILURES" ;; esac
exit $code
"#;

/// A fenced block.
#[derive(Debug)]
struct Block {
    language: String,
    line: usize,
    text: String,
    /// Nothing but empty lines between the block before and this one.
    follows: bool,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let (mut open, mut follows): (Option<Block>, bool) = (None, false);
    for (index, line) in document.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => {
                found.extend(open.take());
                follows = true;
            }
            (Some(language), None) => {
                open = Some(Block { language: language.trim().to_owned(), line: index + 1, text: String::new(), follows });
            }
            (None, Some(block)) => block.text.extend([line, "\n"]),
            (None, None) => follows &= line.trim().is_empty(),
        }
    }
    assert!(open.is_none(), "a fence is not closed: {open:?}");
    found
}

/// Commands, and what they are said to print.
#[derive(Debug, PartialEq)]
struct Snippet<'a> {
    line: usize,
    commands: &'a str,
    shown: Option<&'a str>,
}

fn snippets(blocks: &[Block]) -> Vec<Snippet<'_>> {
    let is_transcript = |block: &Block| block.language == "text" && block.text.starts_with("$ ");
    let mut found = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        if is_transcript(block) {
            for part in block.text.strip_prefix("$ ").unwrap_or_default().split("\n$ ") {
                let (commands, shown) = part.split_once('\n').unwrap_or((part, ""));
                found.push(Snippet { line: block.line, commands, shown: Some(shown) });
            }
        } else if block.language == "sh" {
            let next = blocks.get(index + 1).filter(|next| next.follows && next.language == "text" && !is_transcript(next));
            found.push(Snippet { line: block.line, commands: &block.text, shown: next.map(|next| next.text.as_str()) });
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and everything under docs/, by name.
fn documents() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    names.push("README.md".into());
    names.sort();
    names
}

/// A directory with the stand-ins. One for all documents, and before any thread starts a process: a script that is still open for writing anywhere cannot be run.
fn programs() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, script) in [("clv", CLV), ("cargo", CARGO)] {
        let path = directory.path().join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

/// The directory that the commands of one document are run in.
struct Session<'a> {
    directory: tempfile::TempDir,
    programs: &'a Path,
}

impl<'a> Session<'a> {
    fn new(document: &str, programs: &'a Path) -> Self {
        let session = Session { directory: tempfile::tempdir().unwrap(), programs };
        let work = session.path("work");
        fs::create_dir_all(&work).unwrap();
        for shown in ["examples", "docs"] {
            std::os::unix::fs::symlink(root().join(shown), work.join(shown)).unwrap();
        }
        for (_, commands) in PREPARATIONS.iter().filter(|(name, _)| *name == document) {
            let (output, failures) = session.run(commands);
            assert!(failures.is_empty(), "preparing {document}: {failures}\n{output}");
        }
        session
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What the commands printed, errors and all, and which of them failed.
    fn run(&self, commands: &str) -> (String, String) {
        let failures = self.path("failures");
        fs::write(&failures, "").unwrap();
        let path = format!("{}:{}", self.programs.display(), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .args(["-uc", &format!("exec 2>&1\n{commands}")])
            .current_dir(self.path("work"))
            .env("PATH", path)
            .env("PROGRAM", env!("CARGO_BIN_EXE_clv"))
            .env("ROOT", root())
            .env("LC_ALL", "C")
            .env("FAILURES", &failures)
            .output()
            .unwrap();
        let mut failed = fs::read_to_string(&failures).unwrap();
        if failed.is_empty() && !matches!(output.status.code(), Some(0 | 3)) {
            failed = format!("the snippet ends with {}", output.status);
        }
        (String::from_utf8(output.stdout).unwrap(), failed)
    }
}

/// Whether the lines of `shown` are among those printed: in order, and next to each other where there is no `...` between.
fn is_shown(printed: &str, shown: &str) -> Result<(), String> {
    let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let mut from = 0;
    for part in shown.split("...\n") {
        let part: Vec<&str> = part.lines().map(str::trim_end).collect();
        let start = part.iter().position(|line| !line.is_empty()).unwrap_or(part.len());
        let end = part.iter().rposition(|line| !line.is_empty()).map_or(start, |last| last + 1);
        let part = &part[start..end];
        if part.is_empty() {
            continue;
        }
        match printed[from..].windows(part.len()).position(|lines| lines == part) {
            Some(offset) => from += offset + part.len(),
            None => return Err(part.join("\n")),
        }
    }
    Ok(())
}

/// Runs all snippets of a document; what is wrong with it.
fn look_at(document: &str, programs: &Path) -> Vec<String> {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let blocks = blocks(&text);
    let snippets = snippets(&blocks);
    if snippets.is_empty() {
        return Vec::new();
    }
    let session = Session::new(document, programs);
    let mut wrong = Vec::new();
    for Snippet { line, commands, shown } in snippets {
        let (printed, failures) = session.run(commands);
        let error_is_shown = shown.is_some_and(|shown| shown.lines().any(|line| line.starts_with("error:")));
        if failures.is_empty() == error_is_shown {
            let expected = if error_is_shown { "an error is shown, and there was none" } else { failures.as_str() };
            wrong.push(format!("{document}:{line}: {expected}\n{commands}--- printed\n{printed}"));
        }
        if let Some(missing) = shown.and_then(|shown| is_shown(&printed, shown).err()) {
            wrong.push(format!("{document}:{line}: not printed:\n{missing}\n--- printed\n{printed}"));
        }
    }
    wrong
}

#[test]
fn commands_of_the_documents_run_and_print_what_is_shown() {
    let (documents, programs) = (documents(), programs());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = documents.iter().map(|document| scope.spawn(|| look_at(document, programs.path()))).collect();
        running.into_iter().flat_map(|handle| handle.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn prepared_documents_exist() {
    let documents = documents();
    for (name, _) in PREPARATIONS {
        assert!(documents.iter().any(|document| document == name), "{name} is prepared for");
    }
}

#[test]
fn what_is_shown_is_looked_for_in_order_and_without_gaps() {
    let printed = "one\ntwo  \nthree\nfour\n";
    for (shown, held) in
        [("one\ntwo\n", true), ("one\n...\nfour\n", true), ("one\nthree\n", false), ("three\n...\none\n", false), ("...\ntwo\n", true)]
    {
        assert_eq!(is_shown(printed, shown).is_ok(), held, "{shown}");
    }
}

#[test]
fn blocks_are_found_with_their_language_and_what_they_follow() {
    let found = blocks("a\n```sh\nclv\n```\n\n```text\nout\n```\nb\n```text\nother\n```\n");
    let found: Vec<_> = found.iter().map(|block| (block.language.as_str(), block.line, block.text.as_str(), block.follows)).collect();
    assert_eq!(found, [("sh", 2, "clv\n", false), ("text", 6, "out\n", true), ("text", 10, "other\n", false)]);
}

#[test]
fn snippets_are_shell_blocks_with_what_follows_and_consoles() {
    let blocks = blocks("```text\n$ clv x\nout\n$ clv y\n```\n```sh\na\n```\n```text\nb\n```\n```rust\nc\n```\n");
    let snippet = |line, commands, shown| Snippet { line, commands, shown };
    assert_eq!(snippets(&blocks), [snippet(1, "clv x", Some("out")), snippet(1, "clv y", Some("")), snippet(6, "a\n", Some("b\n"))]);
}
