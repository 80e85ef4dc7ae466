//! `--definition clv.toml`: the flags of the command line as a file.
//!
//! The keys become arguments that the command line does not have already, and clap checks them like all others. A file serves all commands: a key
//! that means something to another command only is checked and passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::args::{Banding, Reading, Valuing};
use super::failure::{Failure, Outcome};
use crate::error::Error;
use crate::score::ClvDefinition;

/// Arguments that are not settings but say what one call works on; by the names of their fields.
const NOT_SETTINGS: [&str; 20] = [
    "help",
    "version",
    "definition",
    "input",
    "output",
    "account",
    "excluded",
    "counts",
    "format",
    "out",
    "tables",
    "model_file",
    "model_files",
    "customer_id",
    "init",
    "show",
    "check",
    "shell",
    "directory",
    "bands_before",
];

/// Arguments, and which of them a definition file has set.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) matches: ArgMatches,
    /// By the names of their fields.
    pub(super) from_file: BTreeSet<String>,
}

/// Parses the arguments, with the settings of a definition file where there is one.
pub(super) fn parse<C: CommandFactory>(arguments: Vec<OsString>) -> Outcome<Parsed> {
    let command = C::command();
    let matches = command.clone().try_get_matches_from(&arguments)?;
    let none = BTreeSet::new();
    let Some((name, given)) = matches.subcommand() else { return Ok(Parsed { matches, from_file: none }) };
    let path = given.try_get_one::<PathBuf>("definition").ok().flatten();
    let Some(path) = path else { return Ok(Parsed { matches, from_file: none }) };
    let subcommand = command.find_subcommand(name).cloned().unwrap_or_default();
    // The subcommand is the first argument: what stands before it would be a flag of `clv` itself, and there is none but --help.
    let (head, rest) = arguments.split_at(arguments.len().min(2));
    let (mut from_file, mut settings) = (Vec::new(), Vec::new());
    for setting in Settings::read(path, &command)?.settings {
        let Some(argument) = setting.argument_of(&subcommand) else {
            // Of no use here, but a fault of the file all the same.
            setting.check(&command)?;
            continue;
        };
        if is_given(given, argument) || excluded_by(given, argument, &subcommand) {
            continue;
        }
        let Some(argument) = setting.as_argument(argument)? else { continue };
        // One at a time, so that an error can name the key.
        command
            .clone()
            .try_get_matches_from(head.iter().cloned().chain([OsString::from(&argument)]).chain(rest.iter().cloned()))
            .map_err(|error| setting.refused(&error))?;
        from_file.push(OsString::from(argument));
        settings.push(setting);
    }
    let without = |left_out: Option<usize>| {
        let of_file = from_file.iter().enumerate().filter(|(index, _)| Some(*index) != left_out).map(|(_, argument)| argument);
        command.clone().try_get_matches_from(head.iter().chain(of_file).chain(rest))
    };
    let matches = without(None)?;
    for right_together in [bands, value, skipped] {
        let Err(failure) = right_together(&matches) else { continue };
        // The setting without which all would be right or, where there is none, something else would be wrong.
        let left_out = |index| without(Some(index)).map_err(Failure::from).and_then(|matches| right_together(&matches));
        let rest: Vec<Outcome> = (0..from_file.len()).map(left_out).collect();
        let culprit = rest.iter().position(Outcome::is_ok).or_else(|| rest.iter().position(|other| !failure.says_the_same(other)));
        return Err(match culprit {
            Some(index) => failure.at(&settings[index].as_written()),
            None => failure,
        });
    }
    Ok(Parsed { matches, from_file: settings.into_iter().map(|setting| setting.field).collect() })
}

/// Whether names and limits of bands go together, for a command that has them.
fn bands(matches: &ArgMatches) -> Outcome {
    match matches.subcommand() {
        Some((_, given)) if given.try_contains_id("bands").is_ok() => Banding::from_arg_matches(given)?.rule().map(drop),
        _ => Ok(()),
    }
}

/// Whether the parts of the definition of value go together, for a command that takes them.
fn value(matches: &ArgMatches) -> Outcome {
    match matches.subcommand() {
        Some((_, given)) if given.try_contains_id("first_purchase").is_ok() => {
            Valuing::from_arg_matches(given)?.or(&ClvDefinition::default()).map(drop)
        }
        _ => Ok(()),
    }
}

/// Whether a limit on skipped rows is one, for a command that reads rows.
fn skipped(matches: &ArgMatches) -> Outcome {
    match matches.subcommand() {
        Some((_, given)) if given.try_contains_id("max_skipped").is_ok() => Reading::from_arg_matches(given)?.check_limit(),
        _ => Ok(()),
    }
}

/// Whether an argument stands on the command line.
fn is_given(given: &ArgMatches, argument: &Arg) -> bool {
    given.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine)
}

/// Whether an argument of the command line excludes this one: flags win over the file, also those that cannot stand beside one of its settings.
fn excluded_by(given: &ArgMatches, argument: &Arg, subcommand: &Command) -> bool {
    subcommand.get_arguments().filter(|other| is_given(given, other)).any(|other| conflict(argument, other, subcommand))
}

/// Whether one of two arguments excludes the other.
fn conflict(one: &Arg, other: &Arg, subcommand: &Command) -> bool {
    let excludes = |one: &Arg, other: &Arg| subcommand.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id());
    excludes(one, other) || excludes(other, one)
}

/// Checks a definition file by itself: every key is a setting, and every value one that some command takes. Gives the number of settings.
pub(super) fn check<C: CommandFactory>(path: &Path) -> Outcome<usize> {
    let command = C::command();
    let settings = Settings::read(path, &command)?.settings;
    settings.iter().try_for_each(|setting| setting.check(&command))?;
    Ok(settings.len())
}

/// What a definition file says.
struct Settings {
    settings: Vec<Setting>,
}

/// A key of a definition file, with its value.
struct Setting {
    /// File and line.
    place: String,
    key: String,
    /// The field that the key sets.
    field: String,
    value: toml::Value,
}

impl Settings {
    fn read(path: &Path, command: &Command) -> Outcome<Self> {
        let known = known(command);
        let text = fs::read_to_string(path).map_err(|error| Error::file(format!("cannot read {}: {error}", path.display())))?;
        let broken =
            |error: toml::de::Error| Failure::Usage(format!("{} is no TOML file: {}", path.display(), error.to_string().trim_end()));
        let table: toml::Table = text.parse().map_err(broken)?;
        let spanned = toml::de::DeTable::parse(&text).map_err(broken)?;
        let mut places: Vec<(usize, String)> = spanned.get_ref().keys().map(|key| (key.span().start, key.get_ref().to_string())).collect();
        // In the order of the file, so that the first fault is told.
        places.sort();
        let mut settings = Vec::with_capacity(places.len());
        for (start, key) in places {
            let line = 1 + text[..start].matches('\n').count();
            let place = format!("{}:{line}", path.display());
            let Some(field) = known.get(&key.replace('_', "-")) else { return Err(unknown(&place, &key, &known)) };
            let Some(value) = table.get(&key) else { continue };
            settings.push(Setting { place, field: field.clone(), value: value.clone(), key });
        }
        (1..settings.len()).try_for_each(|index| settings[index].check_beside(&settings[..index], command))?;
        Ok(Settings { settings })
    }
}

impl Setting {
    fn argument_of<'a>(&self, subcommand: &'a Command) -> Option<&'a Arg> {
        subcommand.get_arguments().find(|argument| argument.get_id() == self.field.as_str())
    }

    /// The setting as an argument of the command line; a switch that is off is none.
    fn as_argument(&self, argument: &Arg) -> Outcome<Option<String>> {
        let long = argument.get_long().unwrap_or_default();
        Ok(match (argument.get_action(), &self.value) {
            (ArgAction::SetTrue, toml::Value::Boolean(false)) => None,
            (ArgAction::SetTrue, toml::Value::Boolean(true)) => Some(format!("--{long}")),
            (_, toml::Value::Array(values)) if argument.get_value_delimiter().is_some() => {
                let values = values.iter().map(|value| self.text_of(value)).collect::<Outcome<Vec<_>>>()?;
                Some(format!("--{long}={}", values.join(",")))
            }
            (_, value) => Some(format!("--{long}={}", self.text_of(value)?)),
        })
    }

    fn text_of(&self, value: &toml::Value) -> Outcome<String> {
        match value {
            toml::Value::String(text) => Ok(text.clone()),
            toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => Ok(value.to_string()),
            toml::Value::Array(_) | toml::Value::Table(_) => Err(Failure::Usage(format!(
                "{}: {} must be a single value; the file is a list of settings such as unit = \"week\"",
                self.place, self.key
            ))),
        }
    }

    /// Refuses a value that no command takes.
    fn check(&self, command: &Command) -> Outcome {
        let mut refusal = None;
        for subcommand in command.get_subcommands() {
            let Some(argument) = self.argument_of(subcommand) else { continue };
            let Some(argument) = self.as_argument(argument)? else { continue };
            let tried = subcommand.clone().try_get_matches_from([subcommand.get_name(), &argument]);
            // What the command works on is not there, which is no fault of the setting.
            let wrong = |error: &clap::Error| {
                use clap::error::ErrorKind::{InvalidValue, TooManyValues, ValueValidation, WrongNumberOfValues};
                matches!(error.kind(), InvalidValue | ValueValidation | TooManyValues | WrongNumberOfValues)
            };
            match tried.err().filter(wrong) {
                Some(error) => refusal = refusal.or(Some(error)),
                // One that takes it is enough: a model to fit need not be one to simulate.
                None => return Ok(()),
            }
        }
        refusal.map_or(Ok(()), |error| Err(self.refused(&error)))
    }

    /// Refuses a second setting of one field, and one that excludes an earlier one of the file.
    fn check_beside(&self, earlier: &[Setting], command: &Command) -> Outcome {
        let excludes = |other: &Setting, subcommand: &Command| -> Outcome<bool> {
            let (Some(own), Some(theirs)) = (self.argument_of(subcommand), other.argument_of(subcommand)) else { return Ok(false) };
            // A switch that is off excludes nothing.
            Ok(conflict(own, theirs, subcommand) && self.as_argument(own)?.is_some() && other.as_argument(theirs)?.is_some())
        };
        for other in earlier {
            let rule = if other.field == self.field {
                format!("{} of {} sets the same by another name", other.key, other.place)
            } else if command
                .get_subcommands()
                .map(|subcommand| excludes(other, subcommand))
                .collect::<Outcome<Vec<bool>>>()?
                .contains(&true)
            {
                format!("it cannot stand beside {} of {}", other.key, other.place)
            } else {
                continue;
            };
            return Err(Failure::Usage(format!("{}: {rule}; remove one of them", self.as_written())));
        }
        Ok(())
    }

    /// Where it stands, and what is written there.
    fn as_written(&self) -> String {
        format!("{}: {} = {}", self.place, self.key, self.value)
    }

    fn refused(&self, error: &clap::Error) -> Failure {
        let why = match error.source() {
            Some(source) => source.to_string(),
            None => error.render().to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        };
        Failure::Usage(format!("{}: {why}", self.as_written()))
    }
}

/// The flags of all commands that are settings, with the field each sets.
fn known(command: &Command) -> BTreeMap<String, String> {
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

fn unknown(place: &str, key: &str, known: &BTreeMap<String, String>) -> Failure {
    let flag = key.replace('_', "-");
    // Fewer than a third of the letters may be wrong.
    let near = known.keys().map(|name| (strsim::levenshtein(&flag, name), name)).filter(|(steps, name)| steps * 3 < name.len()).min();
    let hint = match near {
        Some((_, name)) => format!("the nearest one is {}", name.replace('-', "_")),
        None => "clv definition --init writes a file with all of them".to_owned(),
    };
    Failure::Usage(format!("{place}: {key} is no setting; {hint}"))
}
