//! The command line as its users see it: words in; output, errors and exit codes out.
//!
//! Needs root (or `tests/all`'s user namespace), as every test that runs a container.

#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

mod support;

use support::Home;

#[test]
fn words_that_make_no_sense_end_with_dockers_codes() {
    let home = Home::new();
    for (words, code, said) in [
        (&["run", "--nosuch", "x"][..], 125, "error: unknown flag: --nosuch\n"),
        (&["run"], 1, "error: `hoist run` needs IMAGE\n"),
        (&["run", "-p", "80:80", "x"], 125, "error: --publish is not supported yet\n"),
        (&["blorp"], 1, "error: unknown command: hoist blorp\n"),
        (&["images", "--filter", "x"], 1, "error: bad format of filter `x` (expected name=value)\n"),
        (
            &["images", "--format", "{{.Nope"],
            1,
            "error: template parsing error: template: :1: unclosed action\n",
        ),
        (&["rmi", "nope"], 1, "error: cannot remove `nope`\n  because No such image: nope\n"),
    ] {
        let told = home.hoist(words).fails(code);
        assert!(told.starts_with(said), "{words:?}: {told}");
    }
    assert_eq!(home.hoist(["rmi", "-f", "nope"]).code, 0, "what is not there need not be removed by force");
}

#[test]
fn help_goes_to_standard_output() {
    let home = Home::new();
    for words in [&["--help"][..], &["run", "--help"], &["image"], &["help", "ps"]] {
        assert!(home.hoist(words).ok().starts_with("Usage:  hoist"), "{words:?}");
    }
    assert!(home.hoist(["completion", "bash"]).ok().contains("complete -F"));
}

#[test]
fn images_are_listed_tagged_and_removed() {
    let home = Home::with_busybox();
    let id = home.hoist(["images", "-q", "--no-trunc"]).ok();
    home.hoist(["tag", "busybox", "box:1"]).ok();
    assert_eq!(home.hoist(["images", "--format", "{{.Repository}}:{{.Tag}}"]).ok(), "box:1\nbusybox:latest");
    assert_eq!(home.hoist(["images", "-q", "box"]).ok(), id["sha256:".len()..][..12]);
    assert_eq!(home.hoist(["inspect", "-f", "{{.Id}}", "box:1"]).ok(), id);
    assert_eq!(
        home.hoist(["image", "inspect", "-f", "{{json .Config.Cmd}}", "box:1"]).ok(),
        r#"["/bin/sh","-c","sh"]"#
    );
    assert_eq!(home.hoist(["rmi", "box:1"]).ok(), "Untagged: box:1");
    let removed = home.hoist(["rmi", "busybox"]).ok();
    let lines: Vec<_> = removed.lines().collect();
    assert_eq!(lines[..2], ["Untagged: busybox:latest".to_owned(), format!("Deleted: {id}")]);
    assert_eq!(home.hoist(["images"]).ok(), "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE");
}

#[test]
fn inspect_shows_what_there_is_and_tells_what_is_not() {
    let home = Home::with_busybox();
    let said = home.hoist(["inspect", "nope"]);
    assert_eq!(
        (said.code, said.out.as_str(), said.err.as_str()),
        (1, "[]\n", "error: No such object: nope\n")
    );
    let said = home.hoist(["inspect", "--type", "image", "busybox", "nope"]);
    assert_eq!(said.err, "error: No such image: nope\n");
    assert!(said.out.starts_with("[\n    {\n        \"Id\": \"sha256:"), "{}", said.out);
    assert_eq!(home.hoist(["inspect", "-f", "{{.Driver}}", "bridge"]).ok(), "bridge");
}

#[test]
fn lists_that_are_empty_have_a_header() {
    let home = Home::new();
    for (words, header) in [
        (&["volume", "ls"][..], "DRIVER    VOLUME NAME"),
        (&["ps"], "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES"),
        (&["images", "--digests"], "REPOSITORY   TAG       DIGEST    IMAGE ID   CREATED   SIZE"),
    ] {
        assert_eq!(home.hoist(words).ok(), header);
    }
    let networks = home.hoist(["network", "ls", "--format", "{{.Name}} {{.Driver}}"]).ok();
    assert_eq!(networks, "bridge bridge\nhost host\nnone null");
}
