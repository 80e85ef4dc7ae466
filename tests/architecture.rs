//! The house keeps its shape: imports point one way, two folder levels, no file without a first sentence, public types can cross threads.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. A file may import from its own layer and from those before it.
const LAYERS: [&[&str]; 12] = [
    &["error"],
    &["time", "numeric", "parallel"],
    &["data"],
    &["models"],
    &["simulate"],
    &["fit"],
    &["score", "conformance"],
    &["backtest"],
    &["report"],
    &["page"],
    &["io"],
    &["cli"],
];

fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

/// The path below `src`, as module names.
fn modules(path: &Path) -> Vec<String> {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    below.with_extension("").components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn imports_point_one_way() {
    let mut checked = 0;
    for path in sources() {
        let modules = modules(&path);
        let Some(own) = rank(&modules[0]) else {
            assert!(["lib", "bin"].contains(&modules[0].as_str()), "{} belongs to no layer", path.display());
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for (at, _) in code.match_indices("crate::") {
            // `$crate` and paths of other crates that end in `crate` do not occur; the module is the next word.
            let module: String = code[at + "crate::".len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let other = rank(&module).unwrap_or_else(|| panic!("{} imports crate::{module}, which is no layer", path.display()));
            assert!(other <= own, "{} imports from {module}, which lies above it", path.display());
            assert!(other < own || module == modules[0], "{} imports from {module} beside it", path.display());
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} imports seen: the test no longer reads the sources");
}

#[test]
fn two_folder_levels_and_a_first_sentence() {
    for path in sources() {
        assert!(modules(&path).len() <= 2, "{} lies too deep", path.display());
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not say what it is", path.display());
    }
}

#[test]
fn nothing_is_left_unfinished() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["todo!", "unimplemented!", "TODO", "FIXME", "dbg!"] {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

#[test]
fn public_types_can_cross_threads() {
    fn assert_send_sync<T: Send + Sync + 'static>() {}
    assert_send_sync::<clv::Error>();
    assert_send_sync::<clv::Customers>();
    assert_send_sync::<clv::TransactionLog>();
    assert_send_sync::<clv::Fitted<clv::BgNbd>>();
    assert_send_sync::<clv::Scorer<clv::AnyPurchaseModel>>();
    #[cfg(feature = "serde")]
    assert_send_sync::<clv::ModelFile>();
}
