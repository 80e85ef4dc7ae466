//! The documents tell the truth: links lead somewhere, and the commands they name exist.

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

#[test]
fn relative_links_lead_to_files() {
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("](") {
            let target: String = text[at + 2..].chars().take_while(|c| *c != ')' && *c != '#').collect();
            if !target.is_empty() && !target.contains("://") {
                assert!(path.parent().unwrap().join(&target).exists(), "{} links to {target}", path.display());
            }
        }
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
