//! Custom commands: their placeholders, and how values are substituted.
//!
//! ```text
//! run = "ping {ip} | grep {prompt:Word}"   sh -c 'ping "${1}" | grep "${2}"' hoist 10.0.3.2 'a b'
//! run = ["ping", "{ip}"]                   ping 10.0.3.2
//! ```
//! A value is always substituted as a single word: an image name or typed text may contain quotes,
//! `$(…)` and semicolons, and none of them is interpreted. In a shell line, a placeholder becomes a
//! parameter with the quotes that its context requires. `{{name}}` is the literal text `{name}`.

use crate::command::{join, split};
use crate::config::{At, Custom, Line, Whither};

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
    #[error("{0} is inside a script: write `run` as a single line, so that the value is quoted")]
    Script(String),
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
        Ok(Self::Shell(parts(line)?))
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
        for (at, word) in template.iter().enumerate() {
            let hole = word.iter().find_map(|part| match part {
                Part::Hole(placeholder) => Some(placeholder.shown()),
                Part::Text(_) => None,
            });
            if let Some(hole) = hole.filter(|_| at == 0 || is_script(words, at)) {
                return Err(Fault::Script(hole));
            }
        }
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

/// Whether the argument is code for the shell before it: `sh -c HERE`, `bash -lc HERE`.
fn is_script(words: &[String], at: usize) -> bool {
    let is_shell = |word: &String| {
        let program = word.rsplit('/').next().unwrap_or_default();
        matches!(
            program,
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash" | "fish" | "python" | "python3" | "perl"
        )
    };
    let before = &words[at - 1];
    let takes_code = before.starts_with('-') && (before.ends_with('c') || before.ends_with('e'));
    (takes_code && words[..at].iter().any(is_shell)) || words[..at].iter().any(|word| word == "eval")
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
    // The open quote, according to the shell's rules as far as they matter here.
    let mut open: Option<char> = None;
    for part in parts {
        match part {
            Part::Hole(placeholder) => {
                let at = placeholders.iter().position(|other| other == placeholder).unwrap_or(0) + 1;
                script += &match open {
                    None => format!("\"${{{at}}}\""),
                    Some('"') => format!("${{{at}}}"),
                    Some(_) => format!("'\"${{{at}}}\"'"),
                };
            }
            Part::Text(text) => {
                let mut is_escaped = false;
                for c in text.chars() {
                    match (c, open) {
                        _ if is_escaped => is_escaped = false,
                        ('\\', None | Some('"')) => is_escaped = true,
                        ('\'' | '"', None) => open = Some(c),
                        (c, Some(quote)) if c == quote => open = None,
                        _ => {}
                    }
                    script.push(c);
                }
                // A backslash right before a placeholder is literal: it must not escape the
                // parameter.
                if is_escaped {
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
        for words in [
            &["sh", "-c", "echo {image}"][..],
            &["sudo", "/bin/bash", "-lc", "echo {image}"],
            &["busybox", "sh", "-c", "{image}"],
            &["python3", "-c", "print('{name}')"],
            &["{name}"],
        ] {
            assert!(matches!(fill(words), Err(Fault::Script(_))), "{words:?}");
        }
        assert_eq!(fill(&[]), Err(Fault::Empty));
        let error = fill(&["echo", "{nmae}"]).unwrap_err().to_string();
        assert!(
            error.starts_with("`{nmae}` is not a placeholder") && error.ends_with("write `{{nmae}}`"),
            "{error}"
        );
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
