//! `clv definition`: the definition of CLV as a file: begin one, see what is in force, check one.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};

use super::Cli;
use super::args::{Banding, Common, Measured, Measuring, Observing, Valuing};
use super::definition;
use super::failure::{Failure, Outcome};
use super::output::Destination;
use crate::data::{DataReport, counted_things};
use crate::score::{BandRule, ClvDefinition, DefinitionInForce};

/// The file that is begun when none is named.
const FILE: &str = "clv.toml";

/// The definition of CLV as a file: begin one, see what is in force, check one
///
/// One file, clv.toml, says what a CLV is: horizon, discount, margin, cost to serve, unit, refunds, duplicates, whether the first purchase counts, bands. All commands take
/// it by --definition. --show gives what is in force and where each setting comes from, and the hash that stands in model.json: two numbers with the same
/// hash mean the same.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv definition --init
  clv definition --show --definition clv.toml --horizon \"24 months\"
  clv definition --check clv.toml")]
pub(super) struct Args {
    /// Write a definition file with all settings, their meaning and their defaults [default: clv.toml]; an existing file stays
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = FILE, group = "what")]
    init: Option<PathBuf>,
    /// Show what is in force, from where, and its hash
    #[arg(long, group = "what")]
    show: bool,
    /// Check a definition file: unknown keys and values that break a rule are errors
    #[arg(long, value_name = "FILE", group = "what")]
    check: Option<PathBuf>,
    #[command(flatten)]
    valuing: Valuing,
    #[command(flatten)]
    banding: Banding,
    #[command(flatten)]
    observing: Observing,
    #[command(flatten)]
    measuring: Measuring,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(args: &Args, matches: &ArgMatches, from_file: &BTreeSet<String>) -> Outcome {
    let console = args.common.start()?;
    if let Some(path) = &args.init {
        if path.exists() {
            return Err(Failure::Usage(format!("{} is there already and stays as it is; name another file", path.display())));
        }
        Destination::new(Some(path.clone()))?.write_text(TEMPLATE)?;
        console.say(&format!("wrote {}; change it, and give it to any command with --definition {}", path.display(), path.display()));
        return Ok(());
    }
    if let Some(path) = &args.check {
        let count = definition::check::<Cli>(path)?;
        // Whether the settings go together is known when all of them are in force.
        in_force(&read(path)?)?;
        console.say(&format!("{}: {}, all of them known and valid", path.display(), counted_things(count as u64, "setting")));
        return Ok(());
    }
    if !args.show {
        return Err(Failure::Usage(
            "say what to do: --init begins a definition file, --show tells what is in force, --check FILE checks one".to_owned(),
        ));
    }
    let definition = in_force(args)?;
    let file = args.common.definition.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let lines: Vec<(String, String)> = definition
        .settings()
        .map(|(name, value)| {
            let source = match matches.value_source(name) {
                _ if from_file.contains(name) => file.clone(),
                Some(ValueSource::CommandLine) => "the command line".to_owned(),
                _ => "default".to_owned(),
            };
            (format!("{name} = {value}"), source)
        })
        .collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or_default();
    let mut text: String = lines.iter().map(|(line, source)| format!("{line:<width$}  # {source}\n")).collect();
    text += &format!("# hash: {}\n", definition.hash());
    Destination::Stdout.write_text(&text)
}

/// The definition that the flags make, as for a log.
fn in_force(args: &Args) -> Outcome<DefinitionInForce> {
    let definition = args.valuing.or(&ClvDefinition::default())?;
    let (refunds, duplicates, merge) = args.observing.cleaning(None::<&DataReport>);
    let resolved =
        DefinitionInForce::new(&definition, args.measuring.unit, args.measuring.spend_basis).cleaned_by(refunds, duplicates, merge);
    Ok(resolved.banded(args.banding.rule()?.as_ref()))
}

/// The settings of a definition file, as `clv definition` takes them.
fn read(path: &Path) -> Outcome<Args> {
    let definition = OsString::from(format!("--definition={}", path.display()));
    let parsed = definition::parse::<Cli>(vec!["clv".into(), "definition".into(), "--show".into(), definition])?;
    let (_, matches) = parsed.matches.subcommand().ok_or_else(|| Failure::Usage("clv definition takes no such file".to_owned()))?;
    Ok(Args::from_arg_matches(matches)?)
}

/// The definition of the file that a command was given, for a log that it measures by its own flags, and with bands where there is a CLV; none without a file.
/// So a command that takes no flags of value tells under which definition it was run.
pub(super) fn of_file(common: &Common, measured: &Measured, with_spend: bool) -> Outcome<Option<DefinitionInForce>> {
    let Some(path) = &common.definition else { return Ok(None) };
    let definition = read(path)?.valuing.or(&ClvDefinition::default())?;
    of_flags(&definition, common, measured, with_spend).map(Some)
}

/// The same for a command that has flags of value, by which `definition` is, and none of bands: these are of its file, or the default.
pub(super) fn of_flags(definition: &ClvDefinition, common: &Common, measured: &Measured, with_spend: bool) -> Outcome<DefinitionInForce> {
    let (refunds, duplicates, merge) = measured.observing.cleaning(None::<&DataReport>);
    let resolved =
        DefinitionInForce::new(definition, measured.measuring.unit, measured.measuring.spend_basis).cleaned_by(refunds, duplicates, merge);
    let bands = match &common.definition {
        Some(path) => read(path)?.banding.rule()?,
        None => Some(BandRule::default()),
    };
    Ok(resolved.banded(bands.filter(|_| with_spend).as_ref()))
}

/// A definition file with everything said and nothing changed.
const TEMPLATE: &str = include_str!("clv.toml");
