//! Tests of hoist's appearance: the help, the theme picker, confirmations of the user's commands,
//! and read-only mode.

use crate::tui::fixture::{full, over_shot, press, shot, write};
use crate::tui::model::Model;

fn after(change: impl Fn(&mut Model)) -> impl Fn(u16, u16) -> Model {
    move |width, height| {
        let mut model = full(width, height);
        change(&mut model);
        model
    }
}

#[test]
fn the_help_of_a_place_and_what_is_found_in_it() {
    over_shot("help", after(|model| drop(press(model, "?"))));
    over_shot(
        "help_found",
        after(|model| {
            press(model, "?");
            write(model, "remove");
            press(model, "down");
        }),
    );
    over_shot(
        "help_nothing",
        after(|model| {
            press(model, "?");
            write(model, "teleport");
        }),
    );
}

#[test]
fn the_themes_beside_what_they_do() {
    over_shot("themes", after(|model| drop(press(model, "T j j"))));
}

#[test]
fn a_line_for_this_machine() {
    over_shot(
        "host",
        after(|model| {
            press(model, "!");
            write(model, "ping {nmae}");
            press(model, "enter");
        }),
    );
}

#[test]
fn a_screen_that_changes_nothing_says_so() {
    shot(
        "read_only",
        after(|model| {
            (model.look.is_read_only, model.look.must_be_read_only) = (true, true);
            press(model, "s");
        }),
    );
}
