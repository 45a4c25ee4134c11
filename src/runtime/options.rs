//! Parses the mount options of a spec for the mount API.

use crate::sys::mount::{Attrs, Depth, Propagation};

/// The options of one mount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `bind` or `rbind`, with their depth.
    pub(super) bind: Option<Depth>,
    /// Attributes of the mount itself.
    pub(super) own: Attributes,
    /// Attributes of the mount and all mounts below it (`rro` and the like).
    pub(super) all: Attributes,
    pub(super) propagation: Vec<(Propagation, Depth)>,
    /// Whether ids are mapped, in the mount or also in those below it.
    pub(super) idmap: Option<Depth>,
    /// Whether a tmpfs gets the contents of the folder that it covers.
    pub(super) copy_up: bool,
    /// Options of the file system: keys with optional values.
    pub(super) data: Vec<(String, Option<String>)>,
}

/// Attributes to set and to clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) set: Attrs,
    pub(super) clear: Attrs,
    times: Times,
}

/// What the options say about each way to update access times: that it is used, or that it is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Times {
    never: Option<bool>,
    relative: Option<bool>,
    strict: Option<bool>,
}

/// How a mount updates access times so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Now {
    /// `noatime`
    Never,
    /// `relatime`, the kernel's default
    Relative,
    /// `strictatime`
    Strict,
    /// It may be any of them.
    Unknown,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { set: Attrs::empty(), clear: Attrs::empty(), times: Times::default() }
    }
}

impl Attributes {
    /// Whether nothing is to be changed, however access times are updated so far.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the attributes to set and to clear in a mount.
    pub(super) fn of(&self, now: Now) -> (Attrs, Attrs) {
        match self.times.attribute(now) {
            Some(attribute) => (self.set | attribute, self.clear | Attrs::MOUNT_ATTR__ATIME),
            None => (self.set, self.clear),
        }
    }
}

impl Times {
    /// Returns the attribute that is set instead of what is used `now`. As in mount(2),
    /// `strictatime` is stronger than `noatime`, and that than `relatime`. What is not to be used
    /// gives way to the default.
    fn attribute(self, now: Now) -> Option<Attrs> {
        let is_not =
            |word: Option<bool>, this: Now| word == Some(false) && [this, Now::Unknown].contains(&now);
        match self {
            Self { strict: Some(true), .. } => Some(Attrs::MOUNT_ATTR_STRICTATIME),
            Self { never: Some(true), .. } => Some(Attrs::MOUNT_ATTR_NOATIME),
            Self { relative: Some(true), .. } => Some(Attrs::MOUNT_ATTR_RELATIME),
            _ if is_not(self.never, Now::Never) || is_not(self.strict, Now::Strict) => {
                Some(Attrs::MOUNT_ATTR_RELATIME)
            }
            _ => None,
        }
    }
}

/// An unsupported option.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) String);

const NOSYMFOLLOW: Attrs = Attrs::from_bits_retain(0x0020_0000);

/// Options about attributes: each is also one for the whole tree, with an `r` before it.
const FLAGS: &[(&str, Set)] = &[
    ("ro", Set::On(Attrs::MOUNT_ATTR_RDONLY)),
    ("rw", Set::Off(Attrs::MOUNT_ATTR_RDONLY)),
    ("nosuid", Set::On(Attrs::MOUNT_ATTR_NOSUID)),
    ("suid", Set::Off(Attrs::MOUNT_ATTR_NOSUID)),
    ("nodev", Set::On(Attrs::MOUNT_ATTR_NODEV)),
    ("dev", Set::Off(Attrs::MOUNT_ATTR_NODEV)),
    ("noexec", Set::On(Attrs::MOUNT_ATTR_NOEXEC)),
    ("exec", Set::Off(Attrs::MOUNT_ATTR_NOEXEC)),
    ("nodiratime", Set::On(Attrs::MOUNT_ATTR_NODIRATIME)),
    ("diratime", Set::Off(Attrs::MOUNT_ATTR_NODIRATIME)),
    ("nosymfollow", Set::On(NOSYMFOLLOW)),
    ("symfollow", Set::Off(NOSYMFOLLOW)),
    ("noatime", Set::Time(|times| times.never = Some(true))),
    ("atime", Set::Time(|times| times.never = Some(false))),
    ("relatime", Set::Time(|times| times.relative = Some(true))),
    ("norelatime", Set::Time(|times| times.relative = Some(false))),
    ("strictatime", Set::Time(|times| times.strict = Some(true))),
    ("nostrictatime", Set::Time(|times| times.strict = Some(false))),
];

/// What an option does. The last one about the same thing counts.
#[derive(Clone, Copy)]
enum Set {
    On(Attrs),
    Off(Attrs),
    Time(fn(&mut Times)),
}

/// Words for the propagation; each also with an `r` before it.
const PROPAGATIONS: &[(&str, Propagation)] = &[
    ("private", Propagation::Private),
    ("slave", Propagation::Slave),
    ("shared", Propagation::Shared),
    ("unbindable", Propagation::Unbindable),
];

/// Options of every file system, which the kernel takes when it is created, and their opposites.
const OF_FILESYSTEMS: &[(&str, &str)] = &[("sync", "async"), ("dirsync", ""), ("lazytime", "nolazytime")];

/// Options about what is mounted and how.
const OTHERS: &[&str] = &["bind", "rbind", "idmap", "ridmap", "tmpcopyup"];

/// Options that have no effect: they are the default, or for mount(8).
const NOTHING: &[&str] = &["defaults", "silent", "loud", "nomand", "auto", "user", "nouser", "_netdev"];

/// Options of other runtimes that are not supported. They are rejected, never passed on silently.
const REFUSED: &[&str] = &["remount", "mand", "iversion"];

/// Returns all options that mean the same for every file system.
pub(super) fn names() -> Vec<String> {
    let twice = FLAGS.iter().map(|(name, _)| name).chain(PROPAGATIONS.iter().map(|(name, _)| name));
    let filesystems = OF_FILESYSTEMS.iter().flat_map(|(name, opposite)| [name, opposite]);
    let once = OTHERS.iter().chain(NOTHING).chain(filesystems).filter(|name| !name.is_empty());
    let mut names: Vec<String> = once.map(|name| (*name).to_owned()).collect();
    names.extend(twice.flat_map(|name| [(*name).to_owned(), format!("r{name}")]));
    names.sort();
    names
}

/// Parses the options of one mount.
pub(super) fn parse(options: &[String]) -> Result<Options, Refused> {
    let mut parsed = Options::default();
    for option in options {
        parsed.take(option)?;
    }
    Ok(parsed)
}

impl Options {
    fn take(&mut self, option: &str) -> Result<(), Refused> {
        if REFUSED.contains(&option) {
            return Err(Refused(option.to_owned()));
        }
        let flag = |wanted: &str| FLAGS.iter().find(|(name, _)| *name == wanted).map(|(_, set)| *set);
        if let Some(propagation) = propagation(option) {
            self.propagation.push(propagation);
        } else if let Some(set) = flag(option) {
            apply(&mut self.own, set);
        } else if let Some(set) = option.strip_prefix('r').and_then(flag) {
            apply(&mut self.all, set);
        } else if let Some((name, _)) = OF_FILESYSTEMS.iter().find(|(_, opposite)| *opposite == option) {
            self.data.retain(|(key, _)| key != name);
        } else {
            match option {
                "bind" => self.bind = Some(Depth::One),
                "rbind" => self.bind = Some(Depth::Tree),
                "idmap" => self.idmap = Some(Depth::One),
                "ridmap" => self.idmap = Some(Depth::Tree),
                "tmpcopyup" => self.copy_up = true,
                _ if NOTHING.contains(&option) => {}
                _ => match option.split_once('=') {
                    Some((key, value)) => self.data.push((key.to_owned(), Some(value.to_owned()))),
                    None => self.data.push((option.to_owned(), None)),
                },
            }
        }
        Ok(())
    }
}

fn apply(attributes: &mut Attributes, set: Set) {
    match set {
        Set::On(attrs) => {
            attributes.set.insert(attrs);
            attributes.clear.remove(attrs);
        }
        Set::Off(attrs) => {
            attributes.set.remove(attrs);
            attributes.clear.insert(attrs);
        }
        Set::Time(note) => note(&mut attributes.times),
    }
}

/// Parses `rslave` and the like.
pub(super) fn propagation(option: &str) -> Option<(Propagation, Depth)> {
    let (depth, word) = match option.strip_prefix('r') {
        Some(word) => (Depth::Tree, word),
        None => (Depth::One, option),
    };
    let (_, propagation) = PROPAGATIONS.iter().find(|(name, _)| *name == word)?;
    Some((*propagation, depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str) -> Result<Options, Refused> {
        parse(&options.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_last_word_about_a_flag_counts() {
        let options = read("ro,nosuid,rw,suid,nosuid").unwrap();
        assert_eq!(options.own.set, Attrs::MOUNT_ATTR_NOSUID);
        assert_eq!(options.own.clear, Attrs::MOUNT_ATTR_RDONLY);
    }

    #[test]
    fn access_times_are_updated_as_mount_2_has_it() {
        use Now::{Never, Relative, Strict, Unknown};
        let (never, relative, strict) =
            (Attrs::MOUNT_ATTR_NOATIME, Attrs::MOUNT_ATTR_RELATIME, Attrs::MOUNT_ATTR_STRICTATIME);
        let table = [
            ("noatime", Relative, Some(never)),
            ("relatime", Strict, Some(relative)),
            ("strictatime", Never, Some(strict)),
            ("noatime,relatime", Relative, Some(never)),
            ("strictatime,noatime", Relative, Some(strict)),
            ("noatime,atime", Relative, None),
            ("strictatime,nostrictatime,noatime", Relative, Some(never)),
            ("atime", Never, Some(relative)),
            ("atime", Strict, None),
            ("atime", Unknown, Some(relative)),
            ("nostrictatime", Strict, Some(relative)),
            ("nostrictatime", Never, None),
            ("norelatime", Relative, None),
            ("norelatime", Unknown, None),
            ("relatime,norelatime", Never, None),
            ("nodiratime", Never, None),
        ];
        for (words, now, expected) in table {
            for all in [false, true] {
                let words = if all { format!("r{}", words.replace(',', ",r")) } else { words.to_owned() };
                let options = read(&words).unwrap();
                let attributes = if all { options.all } else { options.own };
                let (set, clear) = attributes.of(now);
                assert_eq!(
                    set & Attrs::MOUNT_ATTR__ATIME,
                    expected.unwrap_or(Attrs::empty()),
                    "{words} {now:?}"
                );
                assert_eq!(clear.contains(Attrs::MOUNT_ATTR__ATIME), expected.is_some(), "{words} {now:?}");
            }
        }
    }

    #[test]
    fn binds_flags_for_all_and_propagation_are_told_from_data() {
        let options =
            read("rbind,rro,rslave,ridmap,size=64k,newinstance,defaults,sync,lazytime,async").unwrap();
        assert_eq!((options.bind, options.idmap), (Some(Depth::Tree), Some(Depth::Tree)));
        assert_eq!(options.all.set, Attrs::MOUNT_ATTR_RDONLY);
        assert_eq!(options.propagation, [(Propagation::Slave, Depth::Tree)]);
        let data = [("size", Some("64k")), ("newinstance", None), ("lazytime", None)];
        let found = options.data.iter().map(|(key, value)| (key.as_str(), value.as_deref()));
        assert_eq!(found.collect::<Vec<_>>(), data);
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_name() {
        for option in REFUSED {
            assert_eq!(read(option), Err(Refused((*option).to_owned())));
        }
    }

    #[test]
    fn all_names_are_options_that_mean_the_same_everywhere() {
        let names = names();
        assert!(names.windows(2).all(|two| two[0] < two[1]), "sorted, and each only once");
        for name in names {
            let options = read(&name).unwrap();
            let key = options.data.first().map(|(key, _)| key.as_str());
            let is_known = |key| OF_FILESYSTEMS.iter().any(|(name, _)| *name == key);
            assert!(key.is_none_or(is_known), "{name} is unknown");
        }
    }
}
