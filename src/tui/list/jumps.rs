//! The jump list: where the user has been, to go back and forth as in vim.

use crate::tui::section::Section;

/// The maximum number of remembered positions.
const KEPT: usize = 100;

/// A position: a row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The list.
    pub section: Section,
    /// The row's key, if there was a row.
    pub key: Option<String>,
}

/// The jump list.
#[derive(Debug, Clone, Default)]
pub struct Jumps {
    past: Vec<Spot>,
    future: Vec<Spot>,
}

impl Jumps {
    /// Records the position that the user is leaving.
    pub fn leave(&mut self, spot: Spot) {
        self.future.clear();
        push(&mut self.past, spot);
    }

    /// Returns the previous position; `here` becomes the next one.
    pub fn back(&mut self, here: Spot) -> Option<Spot> {
        travel(&mut self.past, &mut self.future, here)
    }

    /// Returns the position from which [`Jumps::back`] was called.
    pub fn forward(&mut self, here: Spot) -> Option<Spot> {
        travel(&mut self.future, &mut self.past, here)
    }
}

fn travel(from: &mut Vec<Spot>, to: &mut Vec<Spot>, here: Spot) -> Option<Spot> {
    // Skip positions that are the current one.
    let spot = std::iter::from_fn(|| from.pop()).find(|spot| *spot != here)?;
    push(to, here);
    Some(spot)
}

fn push(spots: &mut Vec<Spot>, spot: Spot) {
    if spots.last() != Some(&spot) {
        spots.push(spot);
    }
    if spots.len() > KEPT {
        spots.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_the_way_one_came() {
        let spot = |section, key: &str| Spot { section, key: Some(key.to_owned()) };
        let (web, debian, job) =
            (spot(Section::Containers, "web"), spot(Section::Images, "debian"), spot(Section::Tasks, "1"));
        let mut jumps = Jumps::default();
        jumps.leave(web.clone());
        jumps.leave(web.clone());
        jumps.leave(debian.clone());
        assert_eq!(jumps.back(job.clone()), Some(debian.clone()));
        assert_eq!(jumps.back(debian.clone()), Some(web.clone()));
        assert_eq!(jumps.back(web.clone()), None);
        assert_eq!(jumps.forward(web.clone()), Some(debian.clone()));
        assert_eq!(jumps.forward(debian.clone()), Some(job.clone()));
        assert_eq!(jumps.back(job), Some(debian.clone()));
        // A new jump discards the old forward positions.
        jumps.leave(debian);
        assert_eq!(jumps.forward(web), None);
    }
}
