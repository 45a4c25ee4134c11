//! Compares what a command printed with two runtimes.

use crate::support::Said;

/// What may differ between the runtimes, and why.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Differs {
    /// The output.
    Output,
    /// The output and the exit code.
    Everything,
}

pub(super) struct Command<'a> {
    pub(super) line: &'a str,
    differs: Option<Differs>,
}

/// Reads a list of commands.
pub(super) fn read(list: &str) -> Vec<Command<'_>> {
    let mut commands: Vec<Command<'_>> = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let differs = match line.as_bytes()[0] {
            b'?' => Differs::Output,
            b'!' => Differs::Everything,
            _ => {
                commands.push(Command { line, differs: None });
                continue;
            }
        };
        commands.last_mut().unwrap().differs = Some(differs);
    }
    commands
}

/// Returns how the runtimes differ, other than the list of commands says. Their own words for what failed
/// are not compared.
pub(super) fn alike(command: &Command<'_>, ours: &Said, theirs: &Said) -> Result<(), String> {
    let same = match command.differs {
        None => ours.code == theirs.code && without_words(ours) == without_words(theirs),
        Some(Differs::Output) => ours.code == theirs.code,
        Some(Differs::Everything) => true,
    };
    if same { Ok(()) } else { Err(format!("hoist: {}runc:  {}", shown(ours), shown(theirs))) }
}

/// Returns the output and the errors without what is the runtime's own. Docker prints the error of a failed
/// `exec` to the standard output.
fn without_words(said: &Said) -> (String, String) {
    if said.code == 0 {
        return (without_ids(&said.out), without_ids(&without_times(&said.err)));
    }
    let lines = said.out.lines().filter(|line| !line.starts_with("OCI runtime "));
    (without_ids(&lines.collect::<Vec<_>>().join("\n")), String::new())
}

fn shown(said: &Said) -> String {
    format!("exit code {}\n{}{}\n", said.code, said.out, said.err)
}

/// Replaces each id (12 hexadecimal digits or more) by `ID`.
fn without_ids(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        result.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..end];
        let is_id = word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        result.push_str(if is_id { "ID" } else { word });
        rest = &rest[end..];
    }
    result + rest
}

/// Leaves out the time with which each line of a log begins.
fn without_times(log: &str) -> String {
    let line = |line: &str| match line.strip_prefix("time=\"").and_then(|line| line.split_once("\" ")) {
        Some((_, rest)) => format!("{rest}\n"),
        None => format!("{line}\n"),
    };
    log.lines().map(line).collect()
}

#[test]
fn ids_are_left_out() {
    assert_eq!(without_ids("a 0123456789ab\nsha256:0123456789abcdef, face 12"), "a ID\nsha256:ID, face 12");
}

#[test]
fn only_the_differences_of_the_list_are_allowed() {
    let said = |code, out: &str| Said { code, out: out.to_owned(), err: String::new() };
    let commands = read("# Words\nplain\n\noutput\n? why\nboth\n! why\n");
    let told = |at: usize, ours: &Said, theirs: &Said| alike(&commands[at], ours, theirs).is_err();
    for (at, expected) in [(0, [false, true, true]), (1, [false, false, true]), (2, [false, false, false])] {
        let theirs = said(0, "x");
        let found = [said(0, "x"), said(0, "y"), said(1, "x")].map(|ours| told(at, &ours, &theirs));
        assert_eq!(found, expected, "{}", commands[at].line);
    }
    let failed = |words: &str| said(126, &format!("OCI runtime exec failed: {words}\n"));
    assert!(!told(0, &failed("ours"), &failed("theirs")));
}
