//! The command line as a user calls it, and what it says.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs `clv` in a directory.
pub(crate) fn clv(place: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_clv")).args(arguments).current_dir(place).stdin(Stdio::null()).output().unwrap()
}

/// Standard error, however its lines are broken.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a call said that has done its work.
#[track_caller]
pub(crate) fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    said(output)
}

/// Whether a call was refused with an exit code and these words.
#[track_caller]
pub(crate) fn refused(output: &Output, code: i32, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(words.iter().all(|word| said.contains(word)), "{words:?} are not in: {said}");
}
