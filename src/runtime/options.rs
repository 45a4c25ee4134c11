//! Parses the mount options of a spec for the mount API.

use crate::sys::mount::{Attrs, Depth, Propagation};

/// The options of one mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    /// `bind` or `rbind`, with their depth.
    pub(super) bind: Option<Depth>,
    /// Attributes of the mount itself.
    pub(super) set: Attrs,
    pub(super) clear: Attrs,
    /// Attributes of the mount and all mounts below it (`rro` and the like).
    pub(super) set_all: Attrs,
    pub(super) clear_all: Attrs,
    pub(super) propagation: Vec<(Propagation, Depth)>,
    /// Whether a tmpfs gets the contents of the folder that it covers.
    pub(super) copy_up: bool,
    /// Options of the file system: keys with optional values.
    pub(super) data: Vec<(String, Option<String>)>,
}

/// An unsupported option.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) String);

const FLAGS: &[(&str, Attrs, Set)] = &[
    ("ro", Attrs::MOUNT_ATTR_RDONLY, Set::On),
    ("rw", Attrs::MOUNT_ATTR_RDONLY, Set::Off),
    ("nosuid", Attrs::MOUNT_ATTR_NOSUID, Set::On),
    ("suid", Attrs::MOUNT_ATTR_NOSUID, Set::Off),
    ("nodev", Attrs::MOUNT_ATTR_NODEV, Set::On),
    ("dev", Attrs::MOUNT_ATTR_NODEV, Set::Off),
    ("noexec", Attrs::MOUNT_ATTR_NOEXEC, Set::On),
    ("exec", Attrs::MOUNT_ATTR_NOEXEC, Set::Off),
    ("nodiratime", Attrs::MOUNT_ATTR_NODIRATIME, Set::On),
    ("diratime", Attrs::MOUNT_ATTR_NODIRATIME, Set::Off),
    ("nosymfollow", Attrs::from_bits_retain(0x0020_0000), Set::On),
    ("symfollow", Attrs::from_bits_retain(0x0020_0000), Set::Off),
    ("noatime", Attrs::MOUNT_ATTR_NOATIME, Set::Time),
    ("strictatime", Attrs::MOUNT_ATTR_STRICTATIME, Set::Time),
    ("relatime", Attrs::MOUNT_ATTR_RELATIME, Set::Time),
    ("atime", Attrs::MOUNT_ATTR_RELATIME, Set::Time),
    ("norelatime", Attrs::MOUNT_ATTR_STRICTATIME, Set::Time),
    ("nostrictatime", Attrs::MOUNT_ATTR_RELATIME, Set::Time),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    On,
    Off,
    /// One of several mutually exclusive attributes, which are cleared first.
    Time,
}

/// Options that have no effect.
const NOTHING: &[&str] =
    &["defaults", "async", "silent", "loud", "nomand", "auto", "user", "nouser", "_netdev"];

/// Options of other runtimes that are not supported. They are rejected, never passed on silently.
const REFUSED: &[&str] = &["remount", "idmap", "ridmap", "mand", "sync", "dirsync", "lazytime", "iversion"];

/// Parses the options of one mount.
pub(super) fn parse(options: &[String]) -> Result<Options, Refused> {
    let mut parsed = Options {
        bind: None,
        set: Attrs::empty(),
        clear: Attrs::empty(),
        set_all: Attrs::empty(),
        clear_all: Attrs::empty(),
        propagation: Vec::new(),
        copy_up: false,
        data: Vec::new(),
    };
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
        if let Some(propagation) = propagation(option) {
            self.propagation.push(propagation);
        } else if let Some((_, attrs, set)) = FLAGS.iter().find(|(name, _, _)| *name == option) {
            apply(&mut self.set, &mut self.clear, *attrs, *set);
        } else if let Some((_, attrs, set)) =
            FLAGS.iter().find(|(name, _, _)| option.strip_prefix('r') == Some(name))
        {
            apply(&mut self.set_all, &mut self.clear_all, *attrs, *set);
        } else {
            match option {
                "bind" => self.bind = Some(Depth::One),
                "rbind" => self.bind = Some(Depth::Tree),
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

/// Applies an option. The last one wins.
fn apply(on: &mut Attrs, off: &mut Attrs, attrs: Attrs, set: Set) {
    match set {
        Set::On => {
            on.insert(attrs);
            off.remove(attrs);
        }
        Set::Off => {
            on.remove(attrs);
            off.insert(attrs);
        }
        Set::Time => {
            on.remove(Attrs::MOUNT_ATTR__ATIME);
            on.insert(attrs);
            off.insert(Attrs::MOUNT_ATTR__ATIME);
        }
    }
}

/// Parses `rslave` and the like.
pub(super) fn propagation(option: &str) -> Option<(Propagation, Depth)> {
    let (depth, word) = match option.strip_prefix('r') {
        Some(word) => (Depth::Tree, word),
        None => (Depth::One, option),
    };
    let propagation = match word {
        "private" => Propagation::Private,
        "slave" => Propagation::Slave,
        "shared" => Propagation::Shared,
        "unbindable" => Propagation::Unbindable,
        _ => return None,
    };
    Some((propagation, depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str) -> Result<Options, Refused> {
        parse(&options.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_last_word_about_a_flag_counts() {
        let options = read("ro,nosuid,rw,noatime,relatime").unwrap();
        assert_eq!(options.set, Attrs::MOUNT_ATTR_NOSUID | Attrs::MOUNT_ATTR_RELATIME);
        assert_eq!(options.clear, Attrs::MOUNT_ATTR_RDONLY | Attrs::MOUNT_ATTR__ATIME);
    }

    #[test]
    fn binds_flags_for_all_and_propagation_are_told_from_data() {
        let options = read("rbind,rro,rslave,size=64k,newinstance,defaults").unwrap();
        assert_eq!(options.bind, Some(Depth::Tree));
        assert_eq!(options.set_all, Attrs::MOUNT_ATTR_RDONLY);
        assert_eq!(options.propagation, [(Propagation::Slave, Depth::Tree)]);
        let data = [("size".to_owned(), Some("64k".to_owned())), ("newinstance".to_owned(), None)];
        assert_eq!(options.data, data);
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_name() {
        for option in REFUSED {
            assert_eq!(read(option), Err(Refused((*option).to_owned())));
        }
    }
}
