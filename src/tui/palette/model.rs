//! Everything that can be done to everything there is, to be searched.
//!
//! ```text
//!  re wor ─┬─ "re"  in the deed or in the object ─┐
//!          └─ "wor" in the deed or in the object ─┴▶ Restart worker, Remove worker, …
//! ```
//! Words are looked for in deeds and in objects apart, and only the sums are put together:
//! with ten thousand containers a key costs one look at each of them, not one at each pair.

use nucleo_matcher::{Config, Matcher, Utf32String};

use crate::tui::action::Action;
use crate::tui::model::input::Input;
use crate::tui::section::Section;

/// The palette.
#[derive(Debug)]
pub struct Palette {
    /// What is looked for.
    pub input: Input,
    /// What was found, the best first, and no more than can be looked through.
    pub shown: Vec<Entry>,
    /// How much was found.
    pub found: usize,
    /// How much there is.
    pub total: usize,
    /// Where the cursor is.
    pub cursor: usize,
    deeds: Vec<(Deed, Utf32String)>,
    objects: Vec<(Object, Utf32String)>,
    matcher: Matcher,
}

/// Something that can be done.
#[derive(Debug, Clone)]
pub struct Deed {
    /// What it is called.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// The keys that do it, where there are some.
    pub keys: String,
    /// What it is done to; nothing for what stands alone.
    pub on: Option<Section>,
    /// What kind of thing it is, where it is done to nothing.
    pub kind: &'static str,
    /// What it does.
    pub does: Does,
    /// How long ago it was done: the smaller, the later.
    pub recent: Option<usize>,
}

/// What a deed does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// What a key does.
    Act(Action),
    /// What a line at `:` does.
    Line(String),
    /// Begins a line at `:` with this.
    Type(String),
    /// Opens the run form with what is kept under this name.
    Preset(String),
    /// Runs the user's command with this number.
    Custom(usize),
}

/// Something that there is.
#[derive(Debug, Clone)]
pub struct Object {
    /// The list it stands in.
    pub of: Section,
    /// What the list knows it by.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// The cursor of its list is on it.
    pub is_selected: bool,
}

/// One line of the palette.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What is done.
    pub deed: Deed,
    /// What to.
    pub object: Option<Object>,
}

/// How many entries are listed.
const MOST: usize = 200;
/// How many words are looked for; what is more belongs to the last one.
const WORDS: usize = 4;

/// How well each word was found in a text; 0 where it was not.
type Hits = [u32; WORDS];

impl Palette {
    /// A palette of these, with nothing looked for.
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

    /// What the cursor is on.
    #[must_use]
    pub fn chosen(&self) -> Option<&Entry> {
        self.shown.get(self.cursor)
    }

    /// Looks again for what is typed.
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
                if object.of == kind {
                    let sum = sum(&deeds[at], &objects[place], words.len());
                    found.extend(sum.map(|sum| (rank(sum, deed, Some(object)), at, place)));
                }
            }
        }
        self.found = found.len();
        // The best first; what is equally good, in the order of the tables.
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

/// The words of what is typed, in lower case.
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

/// As [`hits`]; the sentence about it counts too, a little, where it has the very word.
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

/// How well all words were found in one text or the other; `None` when one was in neither.
fn sum(deed: &Hits, object: &Hits, count: usize) -> Option<u32> {
    let each = deed.iter().zip(object).take(count).map(|(a, b)| *a.max(b));
    each.map(|hit| (hit > 0).then_some(hit)).sum()
}

/// What was done lately, and what is selected, comes first.
fn rank(sum: u32, deed: &Deed, object: Option<&Object>) -> u32 {
    let recent = deed.recent.map_or(0, |ago| 20_u32.saturating_sub(u32::try_from(ago).unwrap_or(u32::MAX)));
    let selected = object.map_or(10, |object| if object.is_selected { 30 } else { 0 });
    sum * 4 + recent + selected
}

/// The words of the command line that do the same, where there are such.
pub(crate) fn equivalent(entry: &Entry) -> Option<Vec<String>> {
    use Action as A;
    let words: &[&str] = match (&entry.deed.does, entry.object.as_ref().map(|object| object.of)) {
        (Does::Type(line), _) => return crate::command::split(line).ok(),
        (Does::Preset(_), _) => return crate::command::split(&entry.deed.about).ok(),
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
        Object { of, key: name.to_owned(), name: name.to_owned(), is_selected: name == "web" }
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
