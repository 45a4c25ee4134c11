//! Custom commands: their placeholders, and how values are substituted.
//!
//! ```text
//! run = "ping {ip} | grep {prompt:Word}"   sh -c 'ping "${1}" | grep "${2}"' hoist 10.0.3.2 'a b'
//! run = ["ping", "{ip}"]                   ping 10.0.3.2
//! ```
//! A value is always substituted as a single word: typed text may contain quotes, `$(…)` and
//! semicolons, and none of them is interpreted. In a shell line, a placeholder becomes a parameter
//! with the quotes that its context requires. `{{name}}` is the literal text `{name}`.
//!
//! An argument may itself be code, whatever the program is: `sh -c '…'`, `ssh HOST '…'`, `perl -e
//! '…'`. Therefore the values of objects must be plain words ([`is_plain`]), which are no code in any
//! language, and a placeholder for typed text, which can be anything, must not be inside an argument
//! that contains spaces, quotes or operators.

use crate::command::{join, split};
use crate::config::{At, Custom, Line, Whither};
use crate::tui::custom::quotes::{Place, Quotes};

/// A placeholder in a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Placeholder {
    Name,
    Id,
    Image,
    Ip,
    /// Text that the user is asked for, with this title.
    Prompt(String),
}

impl Placeholder {
    const NAMED: [(&str, Self); 4] =
        [("name", Self::Name), ("id", Self::Id), ("image", Self::Image), ("ip", Self::Ip)];

    fn parse(word: &str) -> Option<Self> {
        if let Some(title) = word.strip_prefix("prompt:").filter(|title| !title.trim().is_empty()) {
            return Some(Self::Prompt(title.trim().to_owned()));
        }
        Self::NAMED.into_iter().find(|(name, _)| *name == word).map(|(_, placeholder)| placeholder)
    }

    /// Returns the placeholder as it is written in a command.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Name => "{name}".to_owned(),
            Self::Id => "{id}".to_owned(),
            Self::Image => "{image}".to_owned(),
            Self::Ip => "{ip}".to_owned(),
            Self::Prompt(title) => format!("{{prompt:{title}}}"),
        }
    }
}

/// An error in a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Fault {
    #[error("it is empty")]
    Empty,
    #[error(
        "`{{{0}}}` is not a placeholder: expected {{name}}, {{id}}, {{image}}, {{ip}} or {{prompt:Title}}; for the text itself, write `{{{{{0}}}}}`"
    )]
    Unknown(String),
    #[error("{0} cannot be the program to run")]
    Program(String),
    #[error(
        "{0} is inside an argument that may be a script: make it an argument of its own, as in `sh -c '… \"$1\"' sh {0}`"
    )]
    Script(String),
    #[error("{0} cannot be inside {1}")]
    Place(String, Place),
    #[error("{0}")]
    Words(String),
    #[error("a hoist command does not run in a pane: remove `pane`, or set where = \"host\"")]
    PaneOfHoist,
    #[error("a command in a container always runs in a pane: remove `pane`")]
    NoPane,
}

/// A parsed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// A line for the shell.
    Shell(Vec<Part>),
    /// A list of arguments.
    Words(Vec<Vec<Part>>),
}

/// A piece of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Literal text.
    Text(String),
    /// A placeholder.
    Hole(Placeholder),
}

impl Part {
    /// Returns the placeholder if the user types its value.
    fn typed(&self) -> Option<&Placeholder> {
        match self {
            Self::Hole(placeholder @ Placeholder::Prompt(_)) => Some(placeholder),
            _ => None,
        }
    }
}

impl Template {
    /// Parses a custom command.
    ///
    /// # Errors
    ///
    /// Returns a fault if a placeholder is unknown, or stands where it would be run as code.
    pub fn of(command: &Custom) -> Result<Self, (Fault, At)> {
        match (&command.pane, command.whither) {
            (Some((true, at)), Whither::Hoist) => return Err((Fault::PaneOfHoist, at.clone())),
            (Some((false, at)), Whither::Container) => return Err((Fault::NoPane, at.clone())),
            _ => {}
        }
        let (run, at) = &command.run;
        let template = match (run, command.whither) {
            (Line::Shell(line), Whither::Hoist) => Self::line(line),
            (Line::Shell(line), Whither::Host | Whither::Container) => Self::shell(line),
            (Line::Words(words), _) => Self::words(words),
        };
        template.map_err(|fault| (fault, at.clone()))
    }

    /// Parses a line for the shell.
    ///
    /// # Errors
    ///
    /// Returns a fault if a placeholder is unknown.
    pub fn shell(line: &str) -> Result<Self, Fault> {
        if line.trim().is_empty() {
            return Err(Fault::Empty);
        }
        let parts = parts(line)?;
        check_line(&parts)?;
        Ok(Self::Shell(parts))
    }

    /// Parses a line of hoist's own command line into words.
    fn line(line: &str) -> Result<Self, Fault> {
        let words = split(line).map_err(|usage| Fault::Words(usage.message().to_owned()))?;
        Self::words(&words)
    }

    fn words(words: &[String]) -> Result<Self, Fault> {
        if words.is_empty() {
            return Err(Fault::Empty);
        }
        let template: Vec<Vec<Part>> = words.iter().map(|word| parts(word)).collect::<Result<_, _>>()?;
        let first = template[0].iter().find_map(|part| match part {
            Part::Hole(placeholder) => Some(placeholder.shown()),
            Part::Text(_) => None,
        });
        if let Some(hole) = first {
            return Err(Fault::Program(hole));
        }
        template.iter().try_for_each(|word| check_word(word))?;
        Ok(Self::Words(template))
    }

    /// Returns the placeholders in the order of the command, without duplicates.
    #[must_use]
    pub fn placeholders(&self) -> Vec<Placeholder> {
        let parts: Vec<&Part> = match self {
            Self::Shell(parts) => parts.iter().collect(),
            Self::Words(words) => words.iter().flatten().collect(),
        };
        let mut found = Vec::new();
        for part in parts {
            if let Part::Hole(placeholder) = part
                && !found.contains(placeholder)
            {
                found.push(placeholder.clone());
            }
        }
        found
    }

    /// Returns the command as it was written, with placeholders replaced by `value`, to be shown.
    #[must_use]
    pub fn typed(&self, value: impl Fn(&Placeholder) -> String) -> String {
        match self {
            Self::Shell(parts) => {
                let shown = parts.iter().map(|part| match part {
                    Part::Text(text) => text.clone(),
                    Part::Hole(placeholder) => join(&[value(placeholder)]),
                });
                shown.collect()
            }
            Self::Words(_) => join(&self.fill(value)),
        }
    }

    /// Returns the arguments to run, with placeholders replaced by `value`.
    #[must_use]
    pub fn fill(&self, value: impl Fn(&Placeholder) -> String) -> Vec<String> {
        match self {
            Self::Shell(parts) => {
                let placeholders = self.placeholders();
                let script = script(parts, &placeholders);
                let begin = ["sh", "-c", script.as_str(), "hoist"].map(str::to_owned);
                begin.into_iter().chain(placeholders.iter().map(value)).collect()
            }
            Self::Words(words) => {
                let filled = |part: &Part| match part {
                    Part::Text(text) => text.clone(),
                    Part::Hole(placeholder) => value(placeholder),
                };
                words.iter().map(|word| word.iter().map(filled).collect()).collect()
            }
        }
    }
}

/// Whether a value is a plain word, such as a name, an ID, an image or an address: it is one literal
/// word in every language, and no option. Valid names contain nothing else.
#[must_use]
pub fn is_plain(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphanumeric()) && value.chars().all(is_of_plain)
}

/// Whether plain words may contain this character.
#[must_use]
pub fn is_of_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._:/@+-".contains(c)
}

/// Whether an argument with this character may be a script.
fn is_of_script(c: char) -> bool {
    c.is_whitespace() || "'\"`\\;|&()<>$".contains(c)
}

/// Checks that no typed text is inside an argument that may be a script.
fn check_word(word: &[Part]) -> Result<(), Fault> {
    let is_script = word.iter().any(|part| match part {
        Part::Text(text) => text.contains(is_of_script),
        Part::Hole(_) => false,
    });
    match word.iter().find_map(Part::typed) {
        Some(hole) if is_script => Err(Fault::Script(hole.shown())),
        _ => Ok(()),
    }
}

/// Like [`check_word`], for the words of a line for the shell. Also refuses placeholders where values
/// could not be quoted, or would be run as code despite their quotes.
fn check_line(parts: &[Part]) -> Result<(), Fault> {
    let mut quotes = Quotes::default();
    // The typed text in the current word, and whether that word may be a script.
    let (mut hole, mut is_script) = (None, false);
    let fault = |hole: Option<&Placeholder>, is_script: bool| match hole {
        Some(hole) if is_script => Err(Fault::Script(hole.shown())),
        _ => Ok(()),
    };
    for part in parts {
        let text = match part {
            Part::Text(text) => text,
            Part::Hole(placeholder) => {
                if let Some(place) = quotes.refused(part.typed().is_some()) {
                    return Err(Fault::Place(placeholder.shown(), place));
                }
                quotes.pass_hole();
                hole = part.typed().or(hole);
                continue;
            }
        };
        for c in text.chars() {
            let before = quotes;
            quotes.pass(c);
            let is_bare = before.open.is_none() && !before.is_escaped;
            // It opens or closes quotes, or is the start of a parameter.
            let is_syntax =
                !before.is_escaped && (quotes.open != before.open || c == '$' && before.open != Some('\''));
            if is_bare && (c.is_whitespace() || ";|&()<>`".contains(c)) {
                fault(hole, is_script)?;
                (hole, is_script) = (None, false);
            } else {
                is_script |= !is_syntax && is_of_script(c);
            }
        }
    }
    fault(hole, is_script)
}

/// Splits text into literals and placeholders.
fn parts(text: &str) -> Result<Vec<Part>, Fault> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        plain += before;
        let is_escaped = from.starts_with("{{");
        let inner = &from[if is_escaped { 2 } else { 1 }..];
        let word = inner.split_once('}').map(|(word, _)| word).filter(|word| is_word(word));
        let Some(word) = word.filter(|_| !plain.ends_with('$')) else {
            plain.push('{');
            rest = &from[1..];
            continue;
        };
        let after = &inner[word.len() + 1..];
        match (is_escaped, after.strip_prefix('}')) {
            (true, Some(after)) => {
                plain += &format!("{{{word}}}");
                rest = after;
            }
            (true, None) => {
                plain.push('{');
                rest = &from[1..];
            }
            (false, _) => {
                let hole = Placeholder::parse(word).ok_or_else(|| Fault::Unknown(word.to_owned()))?;
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Hole(hole));
                rest = after;
            }
        }
    }
    plain += rest;
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

/// Whether text in braces looks like a placeholder; `{a,b}` and `{ print }` do not.
fn is_word(word: &str) -> bool {
    let is_name = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    is_name || word.starts_with("prompt:")
}

/// Returns the line for the shell, with placeholders as parameters, quoted for their context.
fn script(parts: &[Part], placeholders: &[Placeholder]) -> String {
    let mut script = String::new();
    let mut quotes = Quotes::default();
    for part in parts {
        match part {
            Part::Hole(placeholder) => {
                let at = placeholders.iter().position(|other| other == placeholder).unwrap_or(0) + 1;
                script += &match quotes.open {
                    None => format!("\"${{{at}}}\""),
                    Some('"') => format!("${{{at}}}"),
                    Some(_) => format!("'\"${{{at}}}\"'"),
                };
            }
            Part::Text(text) => {
                text.chars().for_each(|c| quotes.pass(c));
                script += text;
                // A backslash right before a placeholder is literal: it must not escape the
                // parameter.
                if quotes.is_escaped {
                    quotes.pass_hole();
                    script.push('\\');
                }
            }
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(placeholder: &Placeholder) -> String {
        match placeholder {
            Placeholder::Name => "web".to_owned(),
            Placeholder::Id => "ab12".to_owned(),
            Placeholder::Image => "$(reboot); \"'`x`".to_owned(),
            Placeholder::Ip => "10.0.3.2".to_owned(),
            Placeholder::Prompt(title) => format!("{title}!"),
        }
    }

    #[test]
    fn the_placeholders_in_the_documentation_are_those_there_are() {
        let text = include_str!("../../../docs/custom-commands.md");
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `{")?.split_once("}` |"));
        let there: Vec<_> = rows.filter_map(|(word, _)| Placeholder::parse(word)).collect();
        let named = Placeholder::NAMED.map(|(_, placeholder)| placeholder);
        let wanted = [named.as_slice(), &[Placeholder::Prompt("Title".to_owned())]].concat();
        assert_eq!(there, wanted);
    }

    fn shell(line: &str) -> Vec<String> {
        Template::shell(line).unwrap().fill(value)
    }

    #[test]
    fn in_a_line_for_the_shell_placeholders_are_parameters() {
        for (line, script) in [
            ("echo hi", "echo hi"),
            ("ping {ip}", r#"ping "${1}""#),
            ("echo {name} {ip} {name}", r#"echo "${1}" "${2}" "${1}""#),
            (r#"echo "a {name} b""#, r#"echo "a ${1} b""#),
            ("echo 'a {name} b'", r#"echo 'a '"${1}"' b'"#),
            (r#"echo "it's {name}""#, r#"echo "it's ${1}""#),
            (r#"echo \"{name}\""#, r#"echo \""${1}"\""#),
            ("awk '{ print $1 }' {{name}} ${name} {a,b}", "awk '{ print $1 }' {name} ${name} {a,b}"),
        ] {
            assert_eq!(shell(line)[2], script, "{line}");
        }
        assert_eq!(
            shell("echo {image} {prompt:Which word}")[3..],
            ["hoist", "$(reboot); \"'`x`", "Which word!"]
        );
    }

    #[test]
    fn words_are_filled_one_by_one() {
        let fill = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Template::words(&words).map(|template| template.fill(value))
        };
        assert_eq!(
            fill(&["echo", "{name}", "{{.Name}}", "x={ip}!"]).unwrap(),
            ["echo", "web", "{{.Name}}", "x=10.0.3.2!"]
        );
        assert_eq!(fill(&["{name}"]), Err(Fault::Program("{name}".to_owned())));
        assert_eq!(fill(&[]), Err(Fault::Empty));
        let error = fill(&["echo", "{nmae}"]).unwrap_err().to_string();
        assert!(
            error.starts_with("`{nmae}` is not a placeholder") && error.ends_with("write `{{nmae}}`"),
            "{error}"
        );
    }

    #[test]
    fn typed_text_is_never_inside_an_argument_that_may_be_a_script() {
        let words = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Template::words(&words)
        };
        let hole = "{prompt:Word}";
        for before in [
            "sh -c",
            "bash -cx",
            "busybox sh -c",
            "su -c",
            "env sh -c",
            "ssh host",
            "eval",
            "xargs sh -c",
            "python3 -c",
            "perl -e",
            "ruby -e",
            "node -e",
            "docker exec web sh -c",
        ] {
            for code in ["echo X", "print('X')", "puts \"X\"", "a;X", "X|cat", "`X`", "$(X)", "f(X)", "\tX\n"]
            {
                let code = code.replace('X', hole);
                let list: Vec<&str> = before.split(' ').chain([code.as_str()]).collect();
                assert_eq!(words(&list), Err(Fault::Script(hole.to_owned())), "{list:?}");
                let lines = [
                    format!("{before} '{}'", code.replace('\'', "\"")),
                    format!("{before} \"{}\"", code.replace('"', "'")),
                    format!(
                        "date; {before} {}",
                        code.chars()
                            .map(|c| match c {
                                c if is_of_script(c) => format!("\\{c}"),
                                c => c.to_string(),
                            })
                            .collect::<String>()
                    ),
                ];
                for line in lines {
                    let refused = Template::shell(&line);
                    assert!(matches!(refused, Err(Fault::Script(_) | Fault::Place(..))), "{line}");
                }
            }
        }
        for joined in ["-ce=X;", "-e'X'"] {
            assert!(words(&["sh", &joined.replace('X', hole)]).is_err(), "{joined}");
        }
        for line in [
            "grep {prompt:Word} file | wc -l",
            "grep --word={prompt:Word} \"$HOME/{prompt:File}\" > \"{prompt:Out}\"",
            "for x in {prompt:Word}; do (echo '{prompt:File}'); done; x={prompt:Word}",
            "sh -c 'echo \"$1\"' sh {prompt:Word} < {prompt:File}",
        ] {
            assert!(Template::shell(line).is_ok(), "{line}");
        }
        assert!(words(&["sh", "-c", "echo \"$1\"", "sh", hole, "a={prompt:Word},b"]).is_ok());
        let error = Template::shell("sh -c 'echo {prompt:Word}'").unwrap_err().to_string();
        assert_eq!(
            error,
            "{prompt:Word} is inside an argument that may be a script: make it an argument of its own, \
             as in `sh -c '… \"$1\"' sh {prompt:Word}`"
        );
    }

    #[test]
    fn placeholders_are_refused_where_they_cannot_be_quoted() {
        use Place::{Arithmetic, Comment, Document, Parameter, Substitution};
        let refused = |line: &str| match Template::shell(line) {
            Err(Fault::Place(_, place)) => Some(place),
            Err(other) => panic!("{line}: {other}"),
            Ok(_) => None,
        };
        for (line, place) in [
            ("echo $(({X}+1))", Some(Arithmetic)),
            ("echo $(( (1+2)*{X} ))", Some(Arithmetic)),
            ("(({X} > 1)) && date", Some(Arithmetic)),
            ("echo $[{X}+1] \"$[{X}]\"", Some(Arithmetic)),
            ("echo $((1<<2)) $((2*(3+4))) {X}", None),
            ("echo '$((' {X}; echo \\$\\(\\( {X}", None),
            ("cat <<< {X}; cat <<< \"{X}\"", None),
            ("cat < file 1>&2 <{X}", None),
            ("cat <<END\n{X}\nEND", Some(Document)),
            ("cat <<-'END'\n\t{X}\nEND", Some(Document)),
            ("cat <<{X}", Some(Document)),
            ("x={X}; cat <<END\n$x\nEND", None),
            ("echo \"$(basename '{X}')\"", Some(Substitution)),
            ("echo \"$(basename {X})\"", Some(Substitution)),
            ("echo \"$(basename \"{X}\")\"", Some(Substitution)),
            ("echo \"`basename {X}`\"", Some(Substitution)),
            ("echo \"$(date '+%F )') $HOME\" {X} \"`date`\" {X}", None),
            ("x=$(basename '{X}'); echo `basename {X}` \"$x\"", None),
            ("echo \"\\$(\" {X} \"\\`\" {X}", None),
            ("echo ${HOME} \"${HOME}\" {X}", None),
        ] {
            for hole in ["{prompt:X}", "{name}"] {
                assert_eq!(refused(&line.replace("{X}", hole)), place, "{line} with {hole}");
            }
        }
        assert_eq!(refused("echo ${x:{prompt:N}} \"${x:-{name}}\""), Some(Parameter));
        assert_eq!(refused("echo \"${x:-{name}}\""), None);
        // Quotes in a comment are none, and `#` in a word begins no comment.
        let script = |line: &str| matches!(Template::shell(line), Err(Fault::Script(_)));
        assert!(script("# a 5\" disk\nsh -c \"echo {prompt:X} done\""));
        assert!(script("echo a#\"b\" \"c d {prompt:X}\""));
        assert!(script("echo a#\nsh -c 'echo {prompt:X} done' # it's so"));
        assert!(!script("echo {prompt:X} # it's \"so"));
        assert_eq!(refused("echo $(date)#x; sh -c \"echo {prompt:X}\""), Some(Comment));
        assert_eq!(refused("date; \\\n# a 5\" disk\nsh -c \"echo {prompt:X}\""), Some(Comment));
        assert_eq!(refused("echo $(date) # x\n(date) {prompt:X}"), None);
        assert!(matches!(Template::shell("eval \\$x{prompt:X}"), Err(Fault::Script(_))));
        let told = ["echo $(({name}))", "cat <<END\n{name}\nEND", "\"$({name})\"", "${x:{prompt:N}}"]
            .map(|line| Template::shell(line).unwrap_err().to_string());
        assert_eq!(
            told,
            [
                "{name} cannot be inside arithmetic, in which some shells run text as code",
                "{name} cannot be inside a here-document: assign it to a variable before, as in `x={name}; cat <<END`",
                "{name} cannot be inside `$(…)` or backticks in double quotes: assign their result to a variable \
                 first, as in `x=$(…)`",
                "{prompt:N} cannot be inside `${…}`, in which some shells run text as code",
            ]
        );
    }

    #[test]
    fn plain_words_are_no_code() {
        for plain in
            ["web", "shop-web_1.2", "registry.test:5000/acme/app:2.4.1@sha256:ab12", "10.0.3.2", "fd00::2"]
        {
            assert!(is_plain(plain), "{plain}");
        }
        for code in [
            "", "-rf", "a b", "a;b", "$(a)", "`a`", "a'b", "a\"b", "a\nb", "a=b", "~a", "a*", "{a}", "a%b",
            "é", "/etc",
        ] {
            assert!(!is_plain(code), "{code}");
        }
    }

    /// Returns the arguments as a shell passes them on.
    fn run(words: &[String]) -> String {
        let (program, rest) = words.split_first().unwrap();
        let output = std::process::Command::new(program).args(rest).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
        #[test]
        fn no_value_is_ever_code(image in "[ -~]{0,20}", line in 0_usize..4) {
            let line = ["printf '<%s>' {image}", "printf '<%s>' \"{image}\"", "printf '<%s>' ''{image}''", "printf '<'{image}'>'"][line];
            let words = Template::shell(line).unwrap().fill(|_| image.replace('%', "p").replace('\\', "b"));
            prop_assert_eq!(run(&words), format!("<{}>", image.replace('%', "p").replace('\\', "b")));
        }
    }
}
