//! The menu of the verbs of a row.

pub mod model;

use ratatui::Frame;
use unicode_width::UnicodeWidthStr;

use crate::tui::action::Action;
use crate::tui::dialog::Dialog;
use crate::tui::effect::Effect;
use crate::tui::keymap::KeyContext;
use crate::tui::menu;
use crate::tui::menu::model::Menu;
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::model::offers::Offer;
use crate::tui::model::titles::subject_name;
use crate::tui::words::{Align, cell};
use model::VerbMenu;

impl Dialog for VerbMenu {
    fn key_context(&self) -> KeyContext {
        KeyContext::Menu
    }

    fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        menu::view::draw(frame, model, &self.menu, "↵ run · Esc close");
    }

    fn act(model: &mut Model, action: Action) -> Vec<Effect> {
        let Some(Layer::Verbs(dialog)) = model.layers.last_mut() else { return Vec::new() };
        if dialog.menu.moves(action) {
            return Vec::new();
        }
        let chosen = dialog.actions.get(dialog.menu.cursor).copied();
        model.layers.pop();
        match chosen.filter(|_| action == Action::Accept) {
            Some(chosen) => model.act(chosen),
            None => Vec::new(),
        }
    }

    fn menu(&mut self) -> Option<&mut Menu> {
        Some(&mut self.menu)
    }
}

/// Opens the menu of the verbs of the list's current row.
pub(crate) fn open(model: &mut Model) {
    let verbs = model.verbs();
    if !verbs.is_empty() {
        let (_, marked) = model.list().mark_count();
        let title = if marked > 0 { format!("{marked} marked") } else { subject_name(model) };
        let keys: Vec<String> = verbs.iter().map(|offer| model.signs(&offer.keys)).collect();
        let wide = keys.iter().map(|keys| keys.width()).max().unwrap_or(0);
        let item = |(keys, offer): (String, Offer)| {
            (offer.action, (cell(&keys, wide, Align::Left) + " " + &offer.label, offer.help))
        };
        model.open(VerbMenu::new(title, keys.into_iter().zip(verbs).map(item).collect()));
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Status;
    use crate::tui::containers::model::ContainerRow;
    use crate::tui::fixture::container;
    use crate::tui::palette::model::{Does, Object};
    use crate::tui::reading::Listed;
    use crate::tui::section::Section;
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

    use super::*;
    use crate::tui::containers::fit;
    use crate::tui::event::Event;
    use crate::tui::fixture::{full, over_shot, press};
    use crate::tui::tab::Tab;
    use crate::tui::update::update;

    fn click(model: &mut Model, button: MouseButton, (column, row): (u16, u16)) -> Vec<Effect> {
        let kind = MouseEventKind::Down(button);
        update(model, Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
    }

    /// Opens the menu of the second row.
    fn opened(width: u16, height: u16) -> Model {
        let mut model = full(width, height);
        let list = model.layout().list.unwrap();
        click(&mut model, MouseButton::Right, (list.x + 10, list.y + 3));
        model
    }

    #[test]
    fn a_right_click_opens_the_verbs_of_the_row() {
        over_shot("verbs", opened);
        let model = opened(80, 24);
        let mut other = full(80, 24);
        press(&mut other, "j");
        assert_eq!(model.subject(), other.subject());
    }

    /// Returns the verbs on containers that the menu offers, then those of the palette.
    fn offered(row: ContainerRow) -> [Vec<Action>; 2] {
        let mut model = full(200, 60);
        let (id, busy) = (row.id.clone(), row.busy);
        update(&mut model, Event::List(Ok(Listed::Containers(vec![row]))));
        model.containers.get_mut(id.as_str()).unwrap().busy = busy;
        let is_ours = |action: &Action| fit::ACTIONS.contains(action);
        let menu = model.verbs().into_iter().map(|offer| offer.action).filter(is_ours).collect();
        press(&mut model, "ctrl-p");
        let Some(Layer::Palette(palette)) = model.layers.last() else { panic!("no palette") };
        let is_container = |object: &Object| object.of == Section::Containers;
        let deeds = palette.shown.iter().filter(|entry| entry.object.as_ref().is_some_and(is_container));
        let actions = deeds.filter_map(|entry| match entry.deed.does {
            Does::Act(action) => Some(action),
            _ => None,
        });
        let mut palette: Vec<Action> = actions.filter(is_ours).collect();
        palette.sort_by_key(|action| fit::ACTIONS.iter().position(|other| other == action));
        [menu, palette]
    }

    #[test]
    fn menu_and_palette_offer_only_what_fits() {
        let of = |status| container("web", status);
        use Action as A;
        for (row, without) in [
            (of(Status::Running), &[][..]),
            (of(Status::Created), &[A::Pause, A::Kill, A::Shell, A::Exec, A::Attach]),
            (of(Status::Exited), &[A::Pause, A::Kill, A::Shell, A::Exec, A::Attach]),
            (of(Status::Paused), &[A::Shell, A::Exec, A::Attach]),
            (of(Status::Restarting), &[A::Pause, A::Shell, A::Exec, A::Attach]),
            (
                ContainerRow { busy: Some("stopping"), ..of(Status::Running) },
                &[A::StartStop, A::Restart, A::Pause, A::Rename],
            ),
        ] {
            let name = format!("{} {:?}", row.status, row.busy);
            for offered in offered(row) {
                for action in fit::ACTIONS {
                    let is_offered = offered.contains(action);
                    assert_eq!(is_offered, !without.contains(action), "{name}: {action:?} in {offered:?}");
                }
            }
        }
        let damaged = Some("no JSON".to_owned());
        for offered in offered(ContainerRow { damaged, ..of(Status::Dead) }) {
            assert_eq!(offered, [A::Remove, A::RemoveForce]);
        }
        // Of several that are marked, one is enough.
        let mut model = full(80, 24);
        press(&mut model, "G space g g space");
        assert!(model.verbs().iter().any(|offer| offer.action == A::Pause));
        press(&mut model, "esc G");
        assert!(!model.verbs().iter().any(|offer| offer.action == A::Pause), "it has not been started");
    }

    #[test]
    fn a_click_chooses_a_verb_and_one_outside_closes_the_menu() {
        let mut model = opened(80, 24);
        click(&mut model, MouseButton::Left, (0, 0));
        assert!(model.layers.is_empty());
        let mut model = opened(80, 24);
        let Some(Layer::Verbs(dialog)) = model.layers.last() else { panic!("no menu") };
        let line = dialog.actions.iter().position(|action| *action == Action::Inspect).unwrap();
        let area = dialog.menu.area(model.size);
        let row = area.y + 1 + u16::try_from(line).unwrap();
        click(&mut model, MouseButton::Left, (area.x, row));
        assert_eq!(model.layers.len(), 1, "the border chooses nothing");
        click(&mut model, MouseButton::Left, (area.x + 2, row));
        assert!(model.layers.is_empty() && model.is_zoomed);
        assert_eq!(model.shown_tab(model.pane()), Tab::Inspect);
    }
}
