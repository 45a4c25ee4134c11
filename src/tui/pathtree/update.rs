//! What the keys of a tree of paths say when they have nothing to do.

use crate::tui::action::Action;
use crate::tui::failure::Tone;
use crate::tui::model::Model;

/// Says that there is nothing to the left of `part`, which has the keys.
pub(crate) fn say_leftmost(model: &mut Model, part: &str) {
    let key = model.keys_of(model.key_context(), Action::Right);
    let hint = format!("{key} goes to the files");
    model.say(Tone::Plain, format!("nothing to the left of {part}"), Some(hint));
}

/// Says that the row under the cursor is no folder that can be unfolded.
pub(crate) fn say_nothing_to_unfold(model: &mut Model) {
    model.say(Tone::Plain, "there is nothing to unfold here", None);
}
