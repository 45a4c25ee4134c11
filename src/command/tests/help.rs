//! Tests of the verbs' help and completions.

use super::*;
use crate::command::complete::Shell;

#[test]
fn help_reads_well() {
    let Request::Show(text) = request("rm --help") else { panic!() };
    insta::assert_snapshot!(text, @"
    Usage:  hoist rm [OPTIONS] CONTAINER [CONTAINER...]

    Remove containers

    Aliases:
      hoist rm, hoist container rm, hoist container remove

    Options:
      -f, --force    Force the removal of a running container (uses SIGKILL)
      -v, --volumes  Also remove the container's anonymous volumes
      -h, --help     Show help

    Examples:
      hoist rm -f web
    ");
    let Request::Show(text) = request("help image") else { panic!() };
    insta::assert_snapshot!(text, @"
    Usage:  hoist image COMMAND

    Manage images

    Commands:
      from-host  Create an image from programs on this machine
      history    Show the history of an image
      import     Create an image from a tar archive of a root file system
      inspect    Show detailed information about images
      load       Load images from a tar archive or standard input
      ls         List images
      pull       Pull an image from a registry
      rm         Remove or untag images
      tag        Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE

    `hoist image COMMAND --help` shows the options of a command.
    ");
    let Request::Show(text) = request("--help") else { panic!() };
    insta::assert_snapshot!(text, @"
    Usage:  hoist [OPTIONS] [COMMAND]

    Run containers without a daemon. Without a command, open the terminal UI.

    Common commands:
      run     Create and run a new container from an image
      exec    Run a command in a running container
      ps      List containers
      logs    Print the logs of a container
      pull    Pull an image from a registry
      images  List images

    Command groups:
      container  Manage containers
      image      Manage images
      network    Manage networks
      volume     Manage volumes
      system     Manage this engine

    Other commands:
      attach      Attach the terminal to a running container
      create      Create a container without starting it
      export      Export the file system of a container as a tar archive
      kill        Send a signal to running containers, SIGKILL by default
      pause       Pause all processes in containers
      rename      Rename a container
      restart     Restart containers
      rm          Remove containers
      start       Start stopped containers
      stats       Show live resource usage of containers
      stop        Stop running containers
      top         Show the processes of a container
      unpause     Resume paused containers
      wait        Wait until containers exit, then print their exit codes
      history     Show the history of an image
      import      Create an image from a tar archive of a root file system
      load        Load images from a tar archive or standard input
      rmi         Remove or untag images
      tag         Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
      inspect     Show detailed information about any object
      events      Print events in real time
      info        Show system-wide information
      version     Show the version
      completion  Print the completion script for a shell
      oci         Use the embedded runtime through the OCI runtime command line

    Global options:
          --config FILE      Use this configuration file instead of the default ones
      -D, --debug            Write debug messages to standard error
          --read-only        Open the terminal UI in read-only mode
          --root FOLDER      Folder for all data (default /var/lib/hoist)
          --run-root FOLDER  Folder for runtime state (default /run/hoist)
      -v, --version          Print the version

    `hoist COMMAND --help` shows the options of a command.
    ");
}

#[test]
fn every_verb_has_help_and_completions() {
    clap_assert();
    for verb in table::each_verb() {
        for path in verb.names() {
            let Request::Show(text) = request(&format!("{path} --help")) else { panic!("{path}") };
            assert!(text.contains(&verb.usage()), "{text}");
        }
    }
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        let script = completion(shell);
        assert!(script.contains("from-host") && script.contains("detach-keys"), "{shell:?}");
    }
}

fn clap_assert() {
    table::tree().debug_assert();
}
