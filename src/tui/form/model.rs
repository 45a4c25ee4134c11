//! The run form: a field for each option of `run`, and the command line that they form.
//!
//! ```text
//!          ┌────────── words ─────────▶
//!  fields ─┤                            hoist run -dit --name web -e A=b debian bash
//!          ◀────────── fill ──────────┘
//! ```
//! The fields are defined next to the command line's options and checked against them, so a new
//! option of `run` needs a field. `update` validates the values, because it knows the lists.

use std::collections::BTreeMap;

use crate::command::Kind::{Many, One, Switch};
pub use crate::command::{FIELDS, Field, Kind, Section};
use crate::command::{Request, Usage, choices, flags, join, parse, split};
use crate::tui::model::input::Input;

/// Options that are written as their short form.
const SHORT: &[(&str, &str)] =
    &[("env", "-e"), ("volume", "-v"), ("user", "-u"), ("workdir", "-w"), ("hostname", "-h")];

/// Switches that are on by default.
const ON: &[&str] = &["sig-proxy"];

/// A note about a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The severity.
    pub mark: Mark,
    /// The message.
    pub text: String,
    /// A suggested value.
    pub offer: Option<String>,
}

/// The severity of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The value is valid.
    Good,
    /// Neutral information.
    Plain,
    /// The value is valid, but may not do what the user expects.
    Warn,
    /// The value is invalid.
    Bad,
}

/// The run form.
#[derive(Debug, Clone)]
pub struct RunForm {
    /// The current group.
    pub section: Section,
    /// The index in [`FIELDS`] of the field with the cursor.
    pub field: usize,
    /// The typed values, indexed like [`FIELDS`].
    inputs: Vec<Input>,
    /// The switches, indexed like [`FIELDS`].
    on: Vec<bool>,
    /// The notes about each field, indexed like [`FIELDS`].
    pub notes: Vec<Option<Note>>,
    /// What is wrong with the combination of the fields.
    pub error: Option<String>,
    /// The resulting command line, for display.
    pub line: String,
    /// The command line when the form was opened; `None` if its fields were typed before.
    pub opened: Option<String>,
    /// Whether closing the form was asked for once, although that loses what was typed.
    pub is_leaving: bool,
}

impl RunForm {
    /// Returns a form for `image`, which runs in the background with a terminal.
    #[must_use]
    pub fn new(image: &str) -> Self {
        let mut form = Self {
            section: Section::General,
            field: 0,
            inputs: FIELDS.iter().map(|_| Input::default()).collect(),
            on: FIELDS.iter().map(|field| field.flag().is_some_and(|flag| ON.contains(&flag))).collect(),
            notes: vec![None; FIELDS.len()],
            error: None,
            line: String::new(),
            opened: None,
            is_leaving: false,
        };
        for flag in ["detach", "interactive", "tty"] {
            form.switch(place(flag), true);
        }
        form.switch(place_of(Kind::Opens), true);
        if let Some(input) = form.inputs.get_mut(place_of(Kind::Image)) {
            *input = Input::proposed(&shown(image));
        }
        form.field = if image.is_empty() { place_of(Kind::Image) } else { place("name") };
        form
    }

    /// Returns the form for a command line, such as `run -it debian`.
    ///
    /// # Errors
    ///
    /// Fails if the arguments are not those of `run`.
    pub fn of(words: &[String]) -> Result<Self, String> {
        let mut form = Self::new("");
        form.fill(words)?;
        form.field = place_of(Kind::Image);
        Ok(form)
    }

    /// Replaces the fields with the values of a command line.
    ///
    /// # Errors
    ///
    /// Fails if the arguments are not those of `run`; the form is unchanged then.
    pub fn fill(&mut self, words: &[String]) -> Result<(), String> {
        // Accept pasted commands of other programs with the same options.
        let words = match words {
            [program, rest @ ..] if ["hoist", "docker", "podman", "$"].contains(&program.as_str()) => rest,
            words => words,
        };
        let is_run = matches!(words, [run, ..] if run == "run")
            || matches!(words, [container, run, ..] if container == "container" && run == "run");
        let sorted = flags::sorted(words).filter(|_| is_run).ok_or("expected a `run` command")?;
        if let Some(waiting) = sorted.waiting {
            return Err(format!("flag needs an argument: --{waiting}"));
        }
        for (at, field) in FIELDS.iter().enumerate() {
            self.set(at, "");
            self.switch(at, field.flag().is_some_and(|flag| ON.contains(&flag)));
        }
        let mut lists: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut others = sorted.unknown;
        for given in sorted.given {
            match FIELDS.iter().position(|field| field.flag() == Some(given.long.as_str())) {
                Some(at) => match FIELDS[at].kind {
                    Switch(_) => self.switch(at, is_true(&given.value)),
                    Many(_) => lists.entry(at).or_default().push(given.value),
                    // A second network is left to the command line's parser, which rejects it.
                    _ if given.long == "network" && !self.text(at).is_empty() => {
                        others.push(format!("--network={}", given.value));
                    }
                    _ => self.set(at, &one(&given.value)),
                },
                None => others.push(format!("--{}={}", given.long, given.value)),
            }
        }
        for (at, values) in lists {
            self.set(at, &join(&values));
        }
        self.set(place_of(Kind::Flags), &join(&others));
        let (image, command) = sorted.rest.split_first().map_or(("", &[][..]), |(image, rest)| (image, rest));
        self.set(place_of(Kind::Image), image);
        self.set(place_of(Kind::Command), &join(command));
        self.switch(place_of(Kind::Opens), self.is_on(place("tty")));
        Ok(())
    }

    /// Returns the text of a field.
    #[must_use]
    pub fn text(&self, field: usize) -> String {
        unshown(self.inputs.get(field).map_or("", |input| input.text().trim()))
    }

    /// Returns the input of a field, for drawing and editing.
    #[must_use]
    pub fn input(&self, field: usize) -> Option<&Input> {
        self.inputs.get(field)
    }

    /// Returns the input of the field with the cursor; `None` for a switch.
    pub fn typed(&mut self) -> Option<&mut Input> {
        let is_typed = FIELDS.get(self.field).is_some_and(|field| !field.is_switch());
        self.inputs.get_mut(self.field).filter(|_| is_typed)
    }

    /// Replaces the text of a field.
    pub fn set(&mut self, field: usize, text: &str) {
        if let Some(input) = self.inputs.get_mut(field) {
            *input = Input::new(&shown(text));
        }
    }

    /// Whether something was changed since the form was opened.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.opened.as_ref() != Some(&self.line)
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn is_on(&self, field: usize) -> bool {
        self.on.get(field).is_some_and(|on| *on)
    }

    /// Sets a switch.
    pub fn switch(&mut self, field: usize, on: bool) {
        if let Some(slot) = self.on.get_mut(field) {
            *slot = on;
        }
    }

    /// Toggles the switch under the cursor. A terminal is of little use without input, so its
    /// switch toggles that as well.
    pub fn toggle(&mut self) {
        let on = !self.is_on(self.field);
        self.switch(self.field, on);
        if self.field == place("tty") {
            self.switch(place("interactive"), on);
        }
    }

    /// Whether the cursor is on a switch.
    #[must_use]
    pub fn is_switch(&self) -> bool {
        FIELDS.get(self.field).is_some_and(Field::is_switch)
    }

    /// Whether the cursor is on a field with a fixed set of values.
    #[must_use]
    pub fn is_choice(&self) -> bool {
        match FIELDS.get(self.field).map(|field| field.kind) {
            Some(One(flag)) => flag == "network" || !choices(flag).is_empty(),
            _ => false,
        }
    }

    /// Moves the cursor by this many fields within the group, wrapping around.
    pub fn step(&mut self, by: isize) {
        let fields = self.section.fields();
        let at = fields.iter().position(|field| *field == self.field).unwrap_or(0);
        let at = at.checked_add_signed(by).unwrap_or(fields.len().saturating_sub(1));
        self.field = fields.get(at % fields.len().max(1)).copied().unwrap_or(0);
    }

    /// Shows the next group.
    pub fn next_section(&mut self) {
        let at = Section::ALL.iter().position(|section| *section == self.section).unwrap_or(0);
        self.section = Section::ALL[(at + 1) % Section::ALL.len()];
        self.field = self.section.fields().first().copied().unwrap_or(0);
    }

    /// Moves the cursor to a field, and shows a group that contains it.
    pub fn go(&mut self, field: usize) {
        self.field = field;
        if let Some(spec) = FIELDS.get(field).filter(|spec| !spec.sections.contains(&self.section)) {
            self.section = spec.sections.first().copied().unwrap_or(self.section);
        }
    }

    /// Returns the arguments that a field produces.
    ///
    /// # Errors
    ///
    /// Fails if a quote is not closed.
    pub fn words_of(&self, field: usize) -> Result<Vec<String>, Usage> {
        let Some(spec) = FIELDS.get(field) else { return Ok(Vec::new()) };
        let text = self.text(field);
        let written = |flag: &str| {
            let short = SHORT.iter().find(|(long, _)| *long == flag).map(|(_, short)| (*short).to_owned());
            short.unwrap_or_else(|| format!("--{flag}"))
        };
        Ok(match spec.kind {
            Kind::Opens => Vec::new(),
            Kind::Image => vec![text],
            Kind::Command | Kind::Flags => split(&text)?,
            One(_) if text.is_empty() => Vec::new(),
            One(flag) => vec![written(flag), unone(text)],
            Many(flag) => split(&text)?.into_iter().flat_map(|value| [written(flag), value]).collect(),
            Switch(flag) => match (self.is_on(field), ON.contains(&flag)) {
                (true, false) => vec![format!("--{flag}")],
                (false, true) => vec![format!("--{flag}=false")],
                _ => Vec::new(),
            },
        })
    }

    /// Returns the arguments of the equivalent command, without the program's name.
    ///
    /// # Errors
    ///
    /// Fails if a quote is not closed.
    pub fn words(&self) -> Result<Vec<String>, Usage> {
        let mut words = vec!["run".to_owned()];
        let letters: String = [("detach", 'd'), ("interactive", 'i'), ("tty", 't')]
            .iter()
            .filter(|(flag, _)| self.is_on(place(flag)))
            .map(|(_, letter)| *letter)
            .collect();
        if !letters.is_empty() {
            words.push(format!("-{letters}"));
        }
        let is_last = |kind: Kind| matches!(kind, Kind::Image | Kind::Command);
        for (at, field) in FIELDS.iter().enumerate() {
            let is_letter = matches!(field.kind, Switch("detach" | "interactive" | "tty"));
            if !is_letter && !is_last(field.kind) {
                words.extend(self.words_of(at)?);
            }
        }
        words.extend(self.words_of(place_of(Kind::Image))?);
        words.extend(self.words_of(place_of(Kind::Command))?);
        Ok(words)
    }

    /// Returns the request, with its arguments.
    ///
    /// # Errors
    ///
    /// Fails if the arguments are invalid.
    pub fn request(&self) -> Result<(Vec<String>, Request), Usage> {
        let words = self.words()?;
        let request = parse(&words)?.request;
        Ok((words, request))
    }

    /// Returns the fields with invalid values.
    pub fn problems(&self) -> impl Iterator<Item = (usize, &Note)> {
        let notes = self.notes.iter().enumerate();
        notes.filter_map(|(at, note)| {
            note.as_ref().filter(|note| note.mark == Mark::Bad).map(|note| (at, note))
        })
    }
}

/// Returns the index in [`FIELDS`] of the option `flag`.
#[must_use]
pub fn place(flag: &str) -> usize {
    FIELDS.iter().position(|field| field.flag() == Some(flag)).unwrap_or(0)
}

/// Returns the index in [`FIELDS`] of the first field of a kind.
#[must_use]
pub fn place_of(kind: Kind) -> usize {
    FIELDS.iter().position(|field| field.kind == kind).unwrap_or(0)
}

/// Formats a single value for an input, quoted only if necessary.
fn one(value: &str) -> String {
    let is_plain = value.trim() == value && !value.is_empty() && !value.starts_with(['\'', '"']);
    if is_plain { value.to_owned() } else { join(&[value.to_owned()]) }
}

fn unone(text: String) -> String {
    match (text.starts_with(['\'', '"']), split(&text).as_deref()) {
        (true, Ok([word])) => word.clone(),
        _ => text,
    }
}

fn is_true(word: &str) -> bool {
    matches!(word, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// Replaces control characters by their pictures (`␊`), so that a value with line breaks fits on a
/// line.
fn shown(text: &str) -> String {
    let picture = |c: char| match u32::from(c) {
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(c),
        _ => c,
    };
    text.chars().map(picture).collect()
}

fn unshown(text: &str) -> String {
    let plain = |c: char| match u32::from(c) {
        code @ 0x2400..0x2420 => char::from_u32(code - 0x2400).unwrap_or(c),
        _ => c,
    };
    text.chars().map(plain).collect()
}

/// Masks an argument for display: the value of a variable whose name suggests a secret is replaced
/// by dots.
#[must_use]
pub fn masked(word: &str) -> String {
    let secret = word.match_indices('=').find(|(at, _)| {
        let name = word[..*at].rsplit('=').next().unwrap_or_default();
        is_secret(name) && *at + 1 < word.len()
    });
    secret.map_or_else(|| word.to_owned(), |(at, _)| format!("{}=•••••••", &word[..at]))
}

/// Joins arguments to a line for display, with secrets masked.
#[must_use]
pub fn shown_words(words: &[String]) -> String {
    let word = |word: &String| {
        let masked = masked(word);
        if masked == *word { join(std::slice::from_ref(word)) } else { masked }
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Whether a variable's name suggests a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "KEY"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(form: &RunForm) -> String {
        join(&form.words().unwrap())
    }

    #[test]
    fn each_option_of_run_has_a_field_and_each_field_an_option() {
        let known: Vec<String> = flags::flags("run").into_iter().map(|flag| flag.long).collect();
        for flag in &known {
            assert!(FIELDS.iter().any(|field| field.flag() == Some(flag)), "--{flag} has no field");
        }
        for flag in FIELDS.iter().filter_map(Field::flag) {
            assert!(known.iter().any(|long| long == flag), "--{flag} is no option of run");
        }
        for field in FIELDS.iter() {
            assert!(!field.sections.is_empty(), "{} is shown nowhere", field.label);
        }
        for field in flags::flags("run") {
            let ours = &FIELDS[place(&field.long)];
            assert_eq!(
                matches!(ours.kind, Many(_)),
                field.is_list && field.long != "network",
                "{}",
                field.long
            );
            assert_eq!(ours.is_switch(), field.value.is_none(), "{}", field.long);
        }
    }

    #[test]
    fn a_form_says_the_command_that_does_the_same() {
        let mut form = RunForm::new("debian:13");
        form.set(place("name"), "web");
        form.set(place_of(Kind::Command), "sh -c 'echo hi'");
        form.set(place("env"), "A=b 'C=d e'");
        form.switch(place("rm"), true);
        assert_eq!(line(&form), "run -dit --rm --name web -e A=b -e 'C=d e' debian:13 sh -c 'echo hi'");
    }

    #[test]
    fn a_line_of_words_fills_the_form_and_comes_out_again() {
        for (words, want) in [
            ("run -it debian", "run -it debian"),
            ("docker run --rm -e A=1 -eB=2 x ls -l --rm", "run --rm -e A=1 -e B=2 x ls -l --rm"),
            ("run --rm=false --sig-proxy=false x", "run --sig-proxy=false x"),
            ("run --net host --name=a --name b x", "run --name b --network host x"),
            ("run -v /a:/b:ro --tmpfs /t x sh -c 'a && b'", "run -v /a:/b:ro --tmpfs /t x sh -c 'a && b'"),
            ("run -e 'A=x\ny' x", "run -e 'A=x\ny' x"),
            ("run --entrypoint '' x", "run --entrypoint '' x"),
            ("run --network a --network b x", "run --network a --network=b x"),
        ] {
            let form = RunForm::of(&split(words).unwrap()).unwrap();
            assert_eq!(line(&form), want, "{words}");
        }
        assert_eq!(RunForm::of(&split("ps -a").unwrap()).unwrap_err(), "expected a `run` command");
        assert_eq!(RunForm::of(&split("run --name").unwrap()).unwrap_err(), "flag needs an argument: --name");
    }

    #[test]
    fn each_group_shows_its_fields_and_the_cursor_stays_among_them() {
        let mut form = RunForm::new("");
        for _ in Section::ALL {
            form.next_section();
            let fields = form.section.fields();
            assert!(!fields.is_empty());
            for by in [1, -1, 1, 1, -1] {
                form.step(by);
                assert!(fields.contains(&form.field));
            }
        }
        assert_eq!(form.section, Section::General);
        form.go(place("user"));
        assert_eq!(form.section, Section::Security);
    }

    #[test]
    fn secrets_are_not_for_others() {
        assert_eq!(masked("POSTGRES_PASSWORD=abc"), "POSTGRES_PASSWORD=•••••••");
        assert_eq!(masked("api_token=abc"), "api_token=•••••••");
        assert_eq!(masked("--env=API_KEY=a=b"), "--env=API_KEY=•••••••");
        assert_eq!(masked("MODE=abc"), "MODE=abc");
        assert_eq!(masked("TOKEN="), "TOKEN=");
    }

    proptest! {
        /// The command line of a filled form has the same meaning as the original.
        #[test]
        fn a_form_loses_nothing(
            rm in any::<bool>(), proxy in any::<bool>(), letters in "(-[dit]{1,3})?",
            env in proptest::collection::vec("[A-Z]{1,4}=[ -~\n]{0,8}", 0..3),
            name in proptest::option::of("[a-z]{2,6}"), user in proptest::option::of("[a-z0-9:]{1,6}"),
            image in "[a-z]{1,6}(:[0-9])?", command in proptest::collection::vec("[ -~\n]{0,6}", 0..4),
        ) {
            let mut words = vec!["run".to_owned()];
            words.extend((!letters.is_empty()).then_some(letters));
            words.extend(rm.then(|| "--rm".to_owned()));
            words.extend((!proxy).then(|| "--sig-proxy=false".to_owned()));
            words.extend(env.into_iter().flat_map(|value| ["--env".to_owned(), value]));
            words.extend(name.map(|name| format!("--name={name}")));
            words.extend(user.map(|user| format!("-u{user}")));
            words.push(image);
            words.extend(command);
            let asked = parse(&words).unwrap();
            let form = RunForm::of(&words).unwrap();
            let made = parse(&form.words().unwrap()).unwrap();
            prop_assert_eq!(asked, made);
        }
    }
}
