//! Generates container names: an adjective and a tree, bird or stone.

use std::io;

use crate::base::{Name, id};

const ADJECTIVES: [&str; 64] = [
    "able", "airy", "amber", "ample", "apt", "balmy", "bold", "brave", "breezy", "bright", "brisk", "calm",
    "candid", "cheery", "civil", "clear", "clever", "cosy", "crisp", "daring", "deft", "eager", "early",
    "easy", "fair", "fleet", "fond", "frank", "fresh", "gentle", "glad", "golden", "grand", "hale", "handy",
    "hardy", "honest", "jolly", "keen", "kind", "level", "light", "lively", "lucid", "merry", "mild",
    "misty", "neat", "nimble", "noble", "patient", "placid", "proud", "quick", "quiet", "ready", "silver",
    "steady", "sunny", "swift", "tidy", "vivid", "warm", "witty",
];

const NOUNS: [&str; 64] = [
    "acorn",
    "agate",
    "alder",
    "ash",
    "aspen",
    "basalt",
    "beech",
    "beryl",
    "birch",
    "cedar",
    "cherry",
    "coral",
    "cormorant",
    "crane",
    "cypress",
    "dove",
    "egret",
    "elder",
    "elm",
    "falcon",
    "fern",
    "finch",
    "flint",
    "garnet",
    "gneiss",
    "granite",
    "gull",
    "hazel",
    "heron",
    "holly",
    "ibis",
    "ivy",
    "jackdaw",
    "jade",
    "jasper",
    "juniper",
    "kestrel",
    "kite",
    "larch",
    "lark",
    "linden",
    "lynx",
    "maple",
    "marble",
    "martin",
    "oak",
    "opal",
    "oriole",
    "osprey",
    "pebble",
    "pine",
    "plover",
    "quartz",
    "raven",
    "robin",
    "rowan",
    "sparrow",
    "spruce",
    "starling",
    "swallow",
    "swan",
    "thrush",
    "willow",
    "wren",
];

/// Returns a random name such as `quiet_heron`. From the third attempt on a number is appended, to
/// find a free name soon.
///
/// # Errors
///
/// The kernel provides no random bytes.
pub fn random(attempt: u32) -> io::Result<Name> {
    let [a, b, n] = id::random_bytes::<3>()?;
    let (adjective, noun) = (ADJECTIVES[usize::from(a) % 64], NOUNS[usize::from(b) % 64]);
    let name = if attempt < 2 { format!("{adjective}_{noun}") } else { format!("{adjective}_{noun}_{n}") };
    name.parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_is_there_once_and_makes_a_name() {
        for words in [ADJECTIVES, NOUNS] {
            assert_eq!(BTreeSet::from(words).len(), 64);
            assert!(words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())));
        }
        assert!(random(0).unwrap().as_str().contains('_'));
        assert_eq!(random(2).unwrap().as_str().split('_').count(), 3);
    }
}
