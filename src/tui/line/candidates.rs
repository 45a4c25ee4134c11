//! What the word that is being typed could become: a list that Tab goes through.

/// Words, and which of them was taken last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The line up to the word.
    pub before: String,
    /// The word as it was typed.
    pub begun: String,
    /// What it could become, the likeliest first.
    pub items: Vec<Candidate>,
    /// The one that stands in the line.
    pub chosen: Option<usize>,
    /// Another folder must be read to know them: this one.
    pub folder: Option<String>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What stands in the line then, quoted where it must be.
    pub word: String,
    /// What it is.
    pub about: String,
}

/// How many are listed at most.
pub const MOST: usize = 200;

impl Candidates {
    /// Takes the next one, or the one before; gives the line up to the cursor as it is then.
    /// What all of them begin with comes first, and a single one is done with at once.
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

    /// What all of them begin with.
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
