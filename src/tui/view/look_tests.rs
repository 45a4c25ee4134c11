//! What hoist looks like: the help, the theme picker, questions of the user's commands, and
//! the screen that changes nothing.

use insta::assert_snapshot;

use crate::tui::fixture::{full, looks, press, write};
use crate::tui::model::Model;
use crate::tui::terminal::Screens;

const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 40), (200, 60)];

fn at_each_size(name: &str, change: impl Fn(&mut Model)) {
    for (width, height) in SIZES {
        let mut model = full(width, height);
        change(&mut model);
        assert_snapshot!(format!("{name}_{width}x{height}"), looks(model, &Screens::default()));
    }
}

#[test]
fn the_help_of_a_place_and_what_is_found_in_it() {
    at_each_size("help", |model| drop(press(model, "?")));
    at_each_size("help_found", |model| {
        press(model, "?");
        write(model, "remove");
        press(model, "down");
    });
    at_each_size("help_nothing", |model| {
        press(model, "?");
        write(model, "teleport");
    });
}

#[test]
fn the_themes_beside_what_they_do() {
    at_each_size("themes", |model| drop(press(model, "T j j")));
}

#[test]
fn a_line_for_this_machine() {
    at_each_size("host", |model| {
        press(model, "!");
        write(model, "ping {nmae}");
        press(model, "enter");
    });
}

#[test]
fn a_screen_that_changes_nothing_says_so() {
    at_each_size("read_only", |model| {
        (model.look.is_read_only, model.look.must_be_read_only) = (true, true);
        press(model, "s");
    });
}
