//! `clv completions` and `clv man`: the command line as shells and manual pages know it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use super::failure::Outcome;
use super::output::Destination;
use super::result_directory::{NamedFile, ResultDirectory};
use crate::error::{Error, Result};

/// Completions for a shell, on standard output
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv completions bash > clv.bash
  clv completions zsh > _clv
  clv completions fish > clv.fish
  clv completions powershell > clv.ps1

Where they go: ~/.local/share/bash-completion/completions/clv, a directory of zsh's fpath (as _clv), ~/.config/fish/completions/clv.fish, $PROFILE.")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Manual pages, one for each command
///
/// Without a directory the page of clv itself goes to standard output; with one, clv.1 and a page for each command, such as clv-run.1, go there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  clv man > clv.1
  clv man man1")]
pub(super) struct Man {
    /// Directory for the pages, made when it is not there
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub(super) fn completions(args: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "clv", &mut script);
    Destination::Stdout.write_text(&String::from_utf8_lossy(&script))
}

pub(super) fn man(args: &Man) -> Outcome {
    let mut command = Cli::command();
    command.build();
    let Some(directory) = &args.directory else {
        return Destination::Stdout.write_text(&page(&command)?);
    };
    let mut pages = vec![("clv.1".to_owned(), page(&command)?)];
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        pages.push((format!("clv-{}.1", subcommand.get_name()), page(subcommand)?));
    }
    let writers: Vec<_> = pages.iter().map(|(name, text)| (name.as_str(), write_of(text))).collect();
    let files: Vec<NamedFile<'_>> = writers.iter().map(|(name, write)| (*name, write as _)).collect();
    Ok(ResultDirectory::create(directory)?.write(&files)?)
}

fn write_of(text: &str) -> impl Fn(&mut BufWriter<File>) -> Result<()> + '_ {
    |out| out.write_all(text.as_bytes()).map_err(|error| Error::file("cannot write the manual").because(error))
}

fn page(command: &clap::Command) -> Result<String> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text).map_err(|error| Error::file("cannot write the manual").because(error))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
