//! A search in all actions on all objects.
//!
//! ```text
//!  re wor ─┬─ "re"  in the action or the object ─┐
//!          └─ "wor" in the action or the object ─┴▶ Restart worker, Remove worker, …
//! ```
//! Words are matched against actions and objects separately, and only the scores are combined. With
//! ten thousand containers, a key press thus matches each of them once, rather than each pair of
//! action and container.

use nucleo_matcher::{Config, Matcher, Utf32String};

use crate::tui::action::Action;
use crate::tui::model::input::Input;
use crate::tui::section::Section;

/// The palette.
#[derive(Debug)]
pub struct Palette {
    /// The search text.
    pub input: Input,
    /// The best matches in order, limited to a manageable number.
    pub shown: Vec<Entry>,
    /// The total number of matches.
    pub found: usize,
    /// The number of possible entries.
    pub total: usize,
    /// The position of the cursor.
    pub cursor: usize,
    deeds: Vec<(Deed, Utf32String)>,
    objects: Vec<(Object, Utf32String)>,
    matcher: Matcher,
}

/// An action in the palette.
#[derive(Debug, Clone)]
pub struct Deed {
    /// The name.
    pub name: String,
    /// A description in one sentence.
    pub about: String,
    /// The keys, if there are any.
    pub keys: String,
    /// The list whose objects it applies to; `None` if it applies to no object.
    pub on: Option<Section>,
    /// The category, if it applies to no object.
    pub kind: &'static str,
    /// The effect.
    pub does: Does,
    /// The rank among the recently used actions; 0 is the most recent.
    pub recent: Option<usize>,
}

/// The effect of an action in the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Applies an action, like a key.
    Act(Action),
    /// Runs a command, as typed at `:`.
    Line(String),
    /// Opens the `:` line with this text.
    Type(String),
    /// Opens the run form with the preset of this name.
    Preset(String),
    /// Runs the user's command with this index.
    Custom(usize),
}

/// An object in the palette.
#[derive(Debug, Clone)]
pub struct Object {
    /// The list that contains it.
    pub of: Section,
    /// The key in the list.
    pub key: String,
    /// The name.
    pub name: String,
    /// Whether its list's cursor is on it.
    pub is_selected: bool,
    /// The actions that its state does not allow.
    pub unfit: Vec<Action>,
    /// The verbs that actions with several meanings have in its state.
    pub meant: Vec<(Action, &'static str)>,
}

impl Object {
    fn fits(&self, deed: &Deed) -> bool {
        let Does::Act(action) = deed.does else { return true };
        let is_other = |(of, verb): &(Action, &str)| *of == action && deed.name != *verb;
        !self.unfit.contains(&action) && !self.meant.iter().any(is_other)
    }
}

/// An entry of the palette.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The action.
    pub deed: Deed,
    /// The object that it applies to.
    pub object: Option<Object>,
}

/// The maximum number of listed entries.
const MOST: usize = 200;
/// The maximum number of search words; the rest belongs to the last one.
const WORDS: usize = 4;

/// The score of each word in a text; 0 if it does not match.
type Hits = [u32; WORDS];

impl Palette {
    /// Returns a palette with these entries and an empty search.
    #[must_use]
    pub fn new(deeds: Vec<Deed>, objects: Vec<Object>) -> Self {
        let mut config = Config::DEFAULT;
        config.prefer_prefix = true;
        let deeds = deeds.into_iter().map(|deed| {
            let hay = format!("{} {}", deed.name, deed.kind).into();
            (deed, hay)
        });
        let objects = objects.into_iter().map(|object| {
            let hay = object.name.as_str().into();
            (object, hay)
        });
        let mut palette = Self {
            input: Input::default(),
            shown: Vec::new(),
            found: 0,
            total: 0,
            cursor: 0,
            deeds: deeds.collect(),
            objects: objects.collect(),
            matcher: Matcher::new(config),
        };
        palette.search();
        palette.total = palette.found;
        palette
    }

    /// Returns the entry under the cursor.
    #[must_use]
    pub fn chosen(&self) -> Option<&Entry> {
        self.shown.get(self.cursor)
    }

    /// Searches for the current text.
    pub fn search(&mut self) {
        let words = words(self.input.text());
        let matcher = &mut self.matcher;
        let deeds: Vec<Hits> =
            self.deeds.iter().map(|(deed, hay)| hits_of_deed(matcher, deed, hay, &words)).collect();
        let objects: Vec<Hits> = self.objects.iter().map(|(_, hay)| hits(matcher, hay, &words)).collect();
        let mut found: Vec<(u32, usize, usize)> = Vec::new();
        for (at, (deed, _)) in self.deeds.iter().enumerate() {
            let Some(kind) = deed.on else {
                let sum = sum(&deeds[at], &Hits::default(), words.len());
                found.extend(sum.map(|sum| (rank(sum, deed, None), at, usize::MAX)));
                continue;
            };
            for (place, (object, _)) in self.objects.iter().enumerate() {
                if object.of == kind && object.fits(deed) {
                    let sum = sum(&deeds[at], &objects[place], words.len());
                    found.extend(sum.map(|sum| (rank(sum, deed, Some(object)), at, place)));
                }
            }
        }
        self.found = found.len();
        // The best first; for equal scores, in the order of the tables.
        let order = |a: &(u32, usize, usize), b: &(u32, usize, usize)| {
            b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2)))
        };
        if found.len() > MOST {
            found.select_nth_unstable_by(MOST, order);
            found.truncate(MOST);
        }
        found.sort_unstable_by(order);
        let entry = |(_, deed, place): (u32, usize, usize)| Entry {
            deed: self.deeds[deed].0.clone(),
            object: self.objects.get(place).map(|(object, _)| object.clone()),
        };
        self.shown = found.into_iter().map(entry).collect();
        self.cursor = 0;
    }
}

/// Splits the search text into words, in lower case.
fn words(text: &str) -> Vec<Utf32String> {
    let text = text.to_lowercase();
    text.split_whitespace().take(WORDS).map(Utf32String::from).collect()
}

fn hits(matcher: &mut Matcher, text: &Utf32String, words: &[Utf32String]) -> Hits {
    let mut hits = Hits::default();
    for (hit, word) in hits.iter_mut().zip(words) {
        *hit = matcher.fuzzy_match(text.slice(..), word.slice(..)).map_or(0, |score| u32::from(score) + 1);
    }
    hits
}

/// Like [`hits`], but a literal match in the description counts a little as well.
fn hits_of_deed(matcher: &mut Matcher, deed: &Deed, hay: &Utf32String, words: &[Utf32String]) -> Hits {
    let mut found = hits(matcher, hay, words);
    let about = deed.about.to_lowercase();
    for (hit, word) in found.iter_mut().zip(words) {
        let word = word.to_string();
        if *hit == 0 && word.len() > 2 && about.contains(&word) {
            *hit = 1;
        }
    }
    found
}

/// Returns the total score, where each word may match either text; `None` if a word matches
/// neither.
fn sum(deed: &Hits, object: &Hits, count: usize) -> Option<u32> {
    let each = deed.iter().zip(object).take(count).map(|(a, b)| *a.max(b));
    each.map(|hit| (hit > 0).then_some(hit)).sum()
}

/// Ranks recent actions and selected objects higher.
fn rank(sum: u32, deed: &Deed, object: Option<&Object>) -> u32 {
    let recent = deed.recent.map_or(0, |ago| 20_u32.saturating_sub(u32::try_from(ago).unwrap_or(u32::MAX)));
    let selected = object.map_or(10, |object| if object.is_selected { 30 } else { 0 });
    sum * 4 + recent + selected
}

/// Returns the arguments of the equivalent command, if there is one.
pub(crate) fn equivalent(entry: &Entry) -> Option<Vec<String>> {
    use Action as A;
    let words: &[&str] = match (&entry.deed.does, entry.object.as_ref().map(|object| object.of)) {
        (Does::Type(line), _) => return crate::command::split(line).ok(),
        (Does::Preset(_), _) => return crate::command::split(&entry.deed.about).ok(),
        (Does::Act(A::StartStop | A::Pause), Some(_)) => &[entry.deed.name.as_str()],
        (Does::Act(action), Some(section)) => (section.screen().command)(*action)?,
        (Does::Act(action), None) => Section::shown_by(*action)?.screen().list_command?,
        _ => return None,
    };
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    words.extend(entry.object.as_ref().map(|object| object.name.clone()));
    if entry.deed.does == Does::Act(A::Shell) {
        words.push("sh".to_owned());
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(name: &str, on: Option<Section>) -> Deed {
        Deed {
            name: name.to_owned(),
            about: format!("{name} the thing"),
            keys: "x".to_owned(),
            on,
            kind: "",
            does: Does::Act(Action::Restart),
            recent: None,
        }
    }

    fn object(name: &str, of: Section) -> Object {
        Object {
            of,
            key: name.to_owned(),
            name: name.to_owned(),
            is_selected: name == "web",
            unfit: Vec::new(),
            meant: Vec::new(),
        }
    }

    fn palette() -> Palette {
        let containers = Some(Section::Containers);
        let deeds = vec![deed("restart", containers), deed("remove", containers), deed("theme", None)];
        let objects = vec![
            object("worker", Section::Containers),
            object("web", Section::Containers),
            object("debian", Section::Images),
        ];
        Palette::new(deeds, objects)
    }

    fn shown(palette: &mut Palette, text: &str) -> String {
        palette.input = Input::new(text);
        palette.search();
        let line = |entry: &Entry| {
            let object = entry.object.as_ref().map_or("-", |object| object.name.as_str());
            format!("{} {object}", entry.deed.name)
        };
        palette.shown.iter().map(line).collect::<Vec<_>>().join(" · ")
    }

    #[test]
    fn words_are_looked_for_in_deeds_and_objects() {
        let mut palette = palette();
        assert_eq!(palette.total, 5);
        assert_eq!(shown(&mut palette, "re wor"), "restart worker · remove worker");
        assert_eq!(shown(&mut palette, "wor rst"), "restart worker");
        assert_eq!(shown(&mut palette, "rem"), "remove web · remove worker");
        assert_eq!(shown(&mut palette, "thm"), "theme -");
        assert_eq!(shown(&mut palette, "rem nothing"), "");
        assert!(shown(&mut palette, "").starts_with("restart web · remove web · theme -"));
    }

    #[test]
    fn what_was_done_lately_comes_first() {
        let mut palette = palette();
        palette.deeds[1].0.recent = Some(0);
        assert!(shown(&mut palette, "re").starts_with("remove web"));
    }

    #[test]
    fn ten_thousand_objects_are_searched_and_few_are_listed() {
        let deeds = (0..30).map(|at| deed(&format!("deed{at}"), Some(Section::Containers))).collect();
        let objects = (0..10_000).map(|at| object(&format!("web-{at}"), Section::Containers)).collect();
        let mut palette = Palette::new(deeds, objects);
        assert_eq!((palette.total, palette.shown.len()), (300_000, MOST));
        assert!(shown(&mut palette, "deed7 web-9999").starts_with("deed7 web-9999"));
    }
}
