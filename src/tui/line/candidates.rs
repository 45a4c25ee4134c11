//! Completions of the current word, which Tab cycles through.

/// Completions, including the selected one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The line before the word.
    pub before: String,
    /// The word as it was typed.
    pub begun: String,
    /// The completions, the most likely first.
    pub items: Vec<Candidate>,
    /// The selected completion, which is in the line.
    pub chosen: Option<usize>,
    /// A folder that must be read to know the completions.
    pub folder: Option<String>,
}

/// A completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The text for the line, quoted if necessary.
    pub word: String,
    /// A description.
    pub about: String,
}

/// The maximum number of completions.
pub const MOST: usize = 200;

impl Candidates {
    /// Selects the next or previous completion; returns the line up to the cursor. The first call
    /// inserts the common prefix, if it is longer than the word; a single completion is final.
    pub fn take(&mut self, by: isize) -> Option<String> {
        if self.items.is_empty() {
            return None;
        }
        if let [only] = self.items.as_slice() {
            let gap = if only.word.ends_with(['/', '=']) { "" } else { " " };
            return Some(format!("{}{}{gap}", self.before, only.word));
        }
        let common = self.common();
        if self.chosen.is_none() && common.len() > self.begun.len() && common.starts_with(&self.begun) {
            self.begun = common.to_owned();
            return Some(format!("{}{}", self.before, self.begun));
        }
        let count = self.items.len();
        let at = match (self.chosen, by < 0) {
            (None, false) => 0,
            (None, true) => count - 1,
            (Some(at), _) => at.checked_add_signed(by).unwrap_or(count - 1) % count,
        };
        self.chosen = Some(at);
        Some(format!("{}{}", self.before, self.items[at].word))
    }

    /// Returns the common prefix of all completions.
    fn common(&self) -> &str {
        let mut words = self.items.iter().map(|item| item.word.as_str());
        let first = words.next().unwrap_or_default();
        words.fold(first, |common, word| {
            let same = common.char_indices().zip(word.chars()).take_while(|((_, a), b)| a == b);
            let end = same.last().map_or(0, |((at, c), _)| at + c.len_utf8());
            &common[..end]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(begun: &str, words: &[&str]) -> Candidates {
        let item = |word: &&str| Candidate { word: (*word).to_owned(), about: String::new() };
        Candidates {
            before: "rm ".to_owned(),
            begun: begun.to_owned(),
            items: words.iter().map(item).collect(),
            ..Candidates::default()
        }
    }

    #[test]
    fn tab_completes_what_is_common_and_then_goes_round() {
        let mut three = of("w", &["web-1", "web-2", "web"]);
        let taken: Vec<_> = [1, 1, 1, 1, 1, -1].map(|by| three.take(by).unwrap()).to_vec();
        assert_eq!(taken, ["rm web", "rm web-1", "rm web-2", "rm web", "rm web-1", "rm web"]);
        assert_eq!(of("w", &["web"]).take(1).unwrap(), "rm web ");
        assert_eq!(of("s", &["src/"]).take(1).unwrap(), "rm src/");
        assert_eq!(of("", &["é1", "é2"]).take(-1).unwrap(), "rm é");
        assert_eq!(of("x", &[]).take(1), None);
    }
}
