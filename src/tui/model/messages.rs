//! What is said at the bottom, and what the details page repeats of it.

use jiff::SignedDuration;
use unicode_width::UnicodeWidthStr;

use super::Model;
use super::notice::{Details, LongMessage, Notice};
use crate::base::text;
use crate::tui::action::Action;
use crate::tui::failure::{Failure, Tone};
use crate::tui::keymap::KeyContext;

/// How long a notice is shown.
const NOTICE: SignedDuration = SignedDuration::from_secs(8);

impl Model {
    /// Shows `text` at the bottom.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>, hint: Option<String>) {
        let text = text::line(&text.into()).into_owned();
        let hint = hint.map(|hint| text::line(&hint).into_owned());
        let until = self.now + NOTICE;
        self.notice = Some(Notice { tone, text, hint, until, asks: false, is_failure: false });
    }

    /// Like [`Self::say`], for a text that asks to press the same key again.
    pub fn ask_again(&mut self, tone: Tone, text: impl Into<String>, hint: Option<String>) {
        self.say(tone, text, hint);
        self.notice.iter_mut().for_each(|notice| notice.asks = true);
    }

    /// Shows a failure at the bottom, and keeps it for the details page.
    pub fn fail(&mut self, failure: Failure) {
        self.fail_with(failure.line(), failure.hint.clone(), Details::from(failure));
    }

    /// Shows `text` at the bottom, and keeps a failure with its parts for the details page.
    pub fn fail_with(&mut self, text: String, hint: Option<String>, details: Details) {
        self.keep_failure(details);
        self.say(Tone::Bad, text, hint);
        self.notice.iter_mut().for_each(|notice| notice.is_failure = true);
    }

    /// Like [`Self::fail`], but as a warning.
    pub fn warn_of(&mut self, failure: Failure) {
        self.fail(failure);
        self.notice.iter_mut().for_each(|notice| notice.tone = Tone::Warning);
    }

    /// Keeps a failure with its parts for the details page.
    pub fn keep_failure(&mut self, details: Details) {
        self.failed = Some(details);
        self.notice.iter_mut().for_each(|notice| notice.is_failure = false);
        self.long_message.iter_mut().for_each(|said| said.is_before_failure = true);
    }

    /// Keeps a notice that is too long for the last line. That of a failure is kept as such.
    pub(super) fn settle_long_message(&mut self) {
        let is_kept = |notice: &Notice| self.long_message.as_ref().is_some_and(|said| said.notice == *notice);
        let long = self.notice.as_ref().filter(|notice| !notice.is_failure && self.is_long(notice));
        if let Some(notice) = long.filter(|notice| !is_kept(notice)).cloned() {
            self.long_message = Some(LongMessage { notice, is_before_failure: false });
        }
    }

    /// Returns the title and the lines of the details page: the last long message and the last
    /// failure, the later one first. `None` if there was neither.
    #[must_use]
    pub fn details(&self) -> Option<(&'static str, Vec<String>)> {
        let failures = self.failed.iter().flat_map(|it| std::iter::once(&it.failure).chain(&it.parts));
        let failures = failures.map(Failure::lines);
        let failures = failures.collect::<Vec<_>>().join(&String::new());
        let message = self.long_message.as_ref().map(|said| {
            let hint = said.notice.hint.iter().map(|hint| format!("hint: {hint}"));
            std::iter::once(said.notice.text.clone()).chain(hint).collect()
        });
        let mut parts = vec![("Last message", message.unwrap_or_default()), ("Last error", failures)];
        if self.long_message.as_ref().is_some_and(|said| said.is_before_failure) {
            parts.reverse();
        }
        parts.retain(|(_, lines): &(_, Vec<String>)| !lines.is_empty());
        let mut parts = parts.into_iter();
        let (title, mut lines) = parts.next()?;
        for (title, others) in parts {
            lines.extend([String::new(), format!("{title}:")]);
            lines.extend(others);
        }
        Some((title, lines))
    }

    /// Returns the whole notice, with its hint and where to read more.
    #[must_use]
    pub fn sentence(&self, notice: &Notice) -> String {
        let sign = match notice.tone {
            Tone::Good => "✓",
            Tone::Plain => "·",
            Tone::Warning => "!",
            Tone::Bad => "✗",
        };
        let hint = notice.hint.as_ref().map_or_else(String::new, |hint| format!(" → {hint}"));
        let has_more = notice.is_failure && self.failed.as_ref().is_some_and(|it| it.failure.why.len() > 1);
        let more = match has_more {
            true => format!("  ({})", self.details_words()),
            false => String::new(),
        };
        format!("{sign} {}{hint}{more}", notice.text)
    }

    /// `g! for details`
    #[must_use]
    pub fn details_words(&self) -> String {
        format!("{} for details", self.keys_of(KeyContext::Global, Action::Details))
    }

    /// Whether a notice is too long for the last line.
    #[must_use]
    pub fn is_long(&self, notice: &Notice) -> bool {
        self.sentence(notice).width() + 2 > usize::from(self.size.0)
    }
}

#[cfg(test)]
impl Model {
    /// The last failure.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failed.as_ref().map(|failed| &failed.failure)
    }

    /// Its parts.
    pub(crate) fn failed_parts(&self) -> &[Failure] {
        self.failed.as_ref().map_or(&[], |failed| &failed.parts)
    }

    pub(crate) fn take_failure(&mut self) -> Option<Failure> {
        self.failed.take().map(|failed| failed.failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::{full, press};

    fn details(model: &Model) -> String {
        let (title, lines) = model.details().unwrap();
        format!("{title}\n{}", lines.join("\n"))
    }

    #[test]
    fn the_details_are_the_last_long_message_and_the_last_failure_the_later_first() {
        let long = "a message ".repeat(12);
        let mut model = full(80, 24);
        assert_eq!(model.details(), None);
        model.say(Tone::Plain, "a short one", None);
        model.settle();
        assert_eq!(model.details(), None);
        model.say(Tone::Warning, &long, Some("the advice".to_owned()));
        model.settle();
        // A short message later does not replace it.
        model.say(Tone::Plain, "a short one", None);
        model.settle();
        assert_eq!(details(&model), format!("Last message\n{long}\nhint: the advice"));

        let failure = |what: &str| Failure { what: what.to_owned(), ..Failure::default() };
        model.fail(failure(&"cannot do it ".repeat(12)));
        model.settle();
        let whole = format!("Last error\n{}", "cannot do it ".repeat(12));
        assert_eq!(details(&model), format!("{whole}\n\nLast message:\n{long}\nhint: the advice"));
        press(&mut model, "j");
        assert!(details(&model).starts_with("Last error"), "its notice, still shown, is no other message");

        model.say(Tone::Good, &long, None);
        model.settle();
        let whole = format!("Last message\n{long}\n\nLast error:\n{}", "cannot do it ".repeat(12));
        assert_eq!(details(&model), whole);

        let failed = Details { failure: failure("2 failed"), parts: vec![failure("a"), failure("b")] };
        model.fail_with("2 failed".to_owned(), None, failed);
        model.settle();
        assert_eq!(details(&model), format!("Last error\n2 failed\n\na\n\nb\n\nLast message:\n{long}"));
    }

    #[test]
    fn only_a_failure_with_more_causes_refers_to_the_details() {
        let why = vec!["a cause".to_owned(), "its cause".to_owned()];
        let failure = Failure { what: "cannot do it".to_owned(), why, hint: None };
        let mut model = full(80, 24);
        let shown = |model: &Model| model.sentence(model.notice.as_ref().unwrap());
        model.fail(failure.clone());
        assert_eq!(shown(&model), "✗ cannot do it: a cause  (g! for details)");
        model.say(Tone::Bad, "something else", None);
        assert_eq!(shown(&model), "✗ something else");
        model.warn_of(failure.clone());
        assert_eq!(shown(&model), "! cannot do it: a cause  (g! for details)");
        model.keep_failure(failure.into());
        assert_eq!(shown(&model), "! cannot do it: a cause", "the details are of another");
    }

    #[test]
    fn a_long_warning_of_a_failure_is_in_the_details_once() {
        let mut model = full(80, 24);
        let what = "cannot do it ".repeat(12);
        model.warn_of(Failure { what: what.clone(), ..Failure::default() });
        model.settle();
        assert_eq!(details(&model), format!("Last error\n{what}"));
    }

    #[test]
    fn what_is_added_to_a_message_is_in_the_details() {
        let mut model = full(80, 24);
        model.say(Tone::Good, "a message ".repeat(7), None);
        model.settle();
        assert_eq!(model.details(), None);
        model.notice.as_mut().unwrap().text += "· u undo (23 h left)";
        model.settle();
        assert!(details(&model).ends_with("· u undo (23 h left)"), "{}", details(&model));
    }
}
