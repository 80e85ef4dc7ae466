//! `--definition clv.toml`: the flags of the command line as a file.
//!
//! The keys become arguments that the command line does not have already, and clap checks them like all others. A file serves all commands: a key
//! that means something to another command only is passed over.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command, CommandFactory};

use super::failure::{Failure, Outcome};
use crate::error::Error;

/// Arguments that are not settings but say what one call works on; by the names of their fields.
const NOT_SETTINGS: [&str; 10] =
    ["help", "version", "definition", "input", "output", "format", "out", "tables", "model_file", "customer_id"];

/// Parses the arguments, with the settings of a definition file where there is one.
pub(super) fn parse<C: CommandFactory>(arguments: Vec<OsString>) -> Outcome<ArgMatches> {
    let command = C::command();
    let matches = command.clone().try_get_matches_from(&arguments)?;
    let Some((name, given)) = matches.subcommand() else { return Ok(matches) };
    let Some(path) = given.get_one::<std::path::PathBuf>("definition") else { return Ok(matches) };
    let subcommand = command.find_subcommand(name).cloned().unwrap_or_default();
    let known = settings(&command);
    // The subcommand is the first argument: what stands before it would be a flag of `clv` itself, and there is none but --help.
    let (head, rest) = arguments.split_at(arguments.len().min(2));
    let mut from_file = Vec::new();
    for (key, value) in read(path)? {
        let flag = key.replace('_', "-");
        let Some(field) = known.get(&flag) else { return Err(unknown(path, &key, &known)) };
        let Some(argument) = subcommand.get_arguments().find(|argument| argument.get_id() == field.as_str()) else { continue };
        if given.value_source(field) == Some(ValueSource::CommandLine) {
            continue;
        }
        let long = argument.get_long().unwrap_or_default();
        let argument = match (argument.get_action(), &value) {
            (ArgAction::SetTrue, toml::Value::Boolean(false)) => continue,
            (ArgAction::SetTrue, toml::Value::Boolean(true)) => format!("--{long}"),
            _ => format!("--{long}={}", text_of(path, &key, &value)?),
        };
        // One at a time, so that an error can name the key.
        command
            .clone()
            .try_get_matches_from(head.iter().cloned().chain([OsString::from(&argument)]).chain(rest.iter().cloned()))
            .map_err(|error| refused(path, &key, &value, &error))?;
        from_file.push(OsString::from(argument));
    }
    Ok(command.try_get_matches_from(head.iter().cloned().chain(from_file).chain(rest.iter().cloned()))?)
}

/// The flags of all commands that are settings, with the field each sets.
fn settings(command: &Command) -> BTreeMap<String, String> {
    let arguments = command.get_subcommands().flat_map(Command::get_arguments);
    let settings = arguments.filter(|argument| !NOT_SETTINGS.contains(&argument.get_id().as_str()));
    let mut known = BTreeMap::new();
    for argument in settings {
        for name in argument.get_long_and_visible_aliases().into_iter().flatten() {
            known.insert(name.to_owned(), argument.get_id().to_string());
        }
    }
    known
}

fn read(path: &Path) -> Outcome<toml::Table> {
    let text = fs::read_to_string(path).map_err(|error| Error::file(format!("cannot read {}: {error}", path.display())))?;
    text.parse()
        .map_err(|error: toml::de::Error| Failure::Usage(format!("{} is no TOML file: {}", path.display(), error.to_string().trim_end())))
}

fn text_of(path: &Path, key: &str, value: &toml::Value) -> Outcome<String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => Ok(value.to_string()),
        toml::Value::Array(_) | toml::Value::Table(_) => Err(Failure::Usage(format!(
            "{}: {key} must be a single value; the file is a list of settings such as unit = \"week\"",
            path.display()
        ))),
    }
}

fn refused(path: &Path, key: &str, value: &toml::Value, error: &clap::Error) -> Failure {
    let why = match error.source() {
        Some(source) => source.to_string(),
        None => error.render().to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    };
    Failure::Usage(format!("{}: {key} = {value}: {why}", path.display()))
}

fn unknown(path: &Path, key: &str, known: &BTreeMap<String, String>) -> Failure {
    let flag = key.replace('_', "-");
    let nearest = known.keys().min_by_key(|name| distance(&flag, name)).map_or("", String::as_str);
    Failure::Usage(format!("{}: {key} is no setting; the nearest one is {nearest}", path.display()))
}

/// How many characters must be added, removed or changed to make one name of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn a_slip_of_the_pen_is_near() {
        assert_eq!([("horizn", "horizon"), ("untis", "unit"), ("", "seed")].map(|(a, b)| distance(a, b)), [1, 2, 4]);
    }
}
