//! Generates the manual page of `hoist oci`, `docs/man/hoist-oci.1`, from its command line.
//!
//! `HOIST_BLESS=1 cargo test man` writes it.

use std::fs;

use clap::{Arg, Command};

use super::oci;
use crate::command::flags::{about, value};
use crate::command::man::{bold, escaped, head, italic, option, synopsis, tagged};
use crate::command::reference::is_to_be_written;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/man/hoist-oci.1");

/// Formats the options of a command.
fn options(command: &Command) -> String {
    let named = command.get_arguments().filter_map(|arg| Some((arg, arg.get_long()?)));
    let row = |(arg, long): (&Arg, &str)| option(arg.get_short(), long, value(arg).as_deref(), &about(arg));
    named.map(row).collect()
}

/// Formats the usage of a command of `hoist oci`.
fn usage(command: &Command) -> String {
    let mut text = bold(command.get_name());
    if command.get_arguments().any(|arg| arg.get_long().is_some()) {
        text += &format!(" [{}]", italic("OPTIONS"));
    }
    for arg in command.get_positionals() {
        let name = italic(&arg.get_id().as_str().to_uppercase());
        let name = if arg.is_trailing_var_arg_set() { format!("{name}...") } else { name };
        text += &if arg.is_required_set() { format!(" {name}") } else { format!(" [{name}]") };
    }
    text
}

fn page() -> String {
    let words = oci::words();
    let of = |command: &Command| command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = head("hoist-oci");
    text += ".SH NAME\nhoist\\-oci \\- use the embedded runtime through the OCI runtime command line\n";
    text += &synopsis("hoist oci", "[OPTIONS] COMMAND [ARG...]");
    text += &format!(".SH DESCRIPTION\n{}.\n", escaped(&of(&words)));
    text += "\
The commands and options are those of other runtimes, such as runc, so that container engines can use
.B hoist oci
instead. It does not use the images and containers of
.BR hoist (1):
a container is a bundle, which is a folder with a root file system and a
.IR config.json .
.SH OPTIONS
";
    text += &options(&words);
    text += ".SH COMMANDS\n";
    for command in words.get_subcommands() {
        text += &tagged(&usage(command), &format!("{}.", escaped(&of(command))));
        let options = options(command);
        if !options.is_empty() {
            text += &format!(".RS\n{options}.RE\n");
        }
    }
    text += ".SH SEE ALSO\n\\fBhoist\\fR(1)\n";
    text
}

#[test]
fn the_manual_page_of_the_runtime_is_that_of_its_command_line() {
    let wanted = page();
    if is_to_be_written() {
        fs::write(PATH, &wanted).unwrap();
    }
    let there = fs::read_to_string(PATH).unwrap_or_default();
    assert!(there == wanted, "docs/man/hoist-oci.1 is not up to date: HOIST_BLESS=1 cargo test --lib man");
}
