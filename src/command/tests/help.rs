//! Tests of the verbs' help and completions.

use super::*;
use crate::command::complete::Shell;

#[test]
fn help_reads_well() {
    let Request::Show(text) = request("rm --help") else { panic!() };
    insta::assert_snapshot!(text, @"
    Usage:  hoist rm [OPTIONS] CONTAINER [CONTAINER...]

    Remove one or more containers

    Aliases:
      hoist rm, hoist container rm, hoist container remove

    Options:
      -f, --force    Force the removal of a running container (uses SIGKILL)
      -v, --volumes  Remove anonymous volumes associated with the container
      -h, --help     Print usage

    Examples:
      hoist rm -f web
    ");
    let Request::Show(text) = request("help image") else { panic!() };
    insta::assert_snapshot!(text, @"
    Usage:  hoist image COMMAND

    Manage images

    Commands:
      from-host  Create an image from programs of this machine
      history    Show the history of an image
      import     Import the contents from a tarball to create a filesystem image
      inspect    Display detailed information on one or more images
      load       Load an image from a tar archive or STDIN
      ls         List images
      pull       Download an image from a registry
      rm         Remove one or more images
      tag        Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE

    Run `hoist image COMMAND --help` for more information on a command.
    ");
    let Request::Show(text) = request("--help") else { panic!() };
    insta::assert_snapshot!(text, @"
    Usage:  hoist [OPTIONS] [COMMAND]

    Run containers without a daemon. Without a command, open the terminal UI.

    Common Commands:
      run     Create and run a new container from an image
      exec    Execute a command in a running container
      ps      List containers
      logs    Fetch the logs of a container
      pull    Download an image from a registry
      images  List images

    Management Commands:
      container  Manage containers
      image      Manage images
      network    Manage networks
      volume     Manage volumes
      system     Manage this engine

    Commands:
      attach      Attach local standard input, output, and error streams to a running container
      create      Create a new container
      export      Export a container's filesystem as a tar archive
      kill        Kill one or more running containers
      pause       Pause all processes within one or more containers
      rename      Rename a container
      restart     Restart one or more containers
      rm          Remove one or more containers
      start       Start one or more stopped containers
      stats       Display a live stream of container(s) resource usage statistics
      stop        Stop one or more running containers
      top         Display the running processes of a container
      unpause     Unpause all processes within one or more containers
      wait        Block until one or more containers stop, then print their exit codes
      history     Show the history of an image
      import      Import the contents from a tarball to create a filesystem image
      load        Load an image from a tar archive or STDIN
      rmi         Remove one or more images
      tag         Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
      inspect     Return low-level information on objects
      events      Show events in real time
      info        Display system-wide information
      version     Show the version information
      completion  Print the completion script for a shell
      oci         Use the embedded runtime through the OCI runtime command line

    Global Options:
          --config FILE      Use this configuration file instead of the default ones
      -D, --debug            Write debug messages to standard error
          --read-only        Open the terminal UI in read-only mode
          --root FOLDER      Folder for images and containers (default /var/lib/hoist)
          --run-root FOLDER  Folder for runtime state (default /run/hoist)
      -v, --version          Print version information and quit

    Run `hoist COMMAND --help` for more information on a command.
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
