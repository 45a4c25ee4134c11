//! The keys of the signal menu.

use crate::engine::ContainerId;
use crate::tui::action::Action;
use crate::tui::effect::{ContainerVerb, Effect};
use crate::tui::model::Model;
use crate::tui::model::layer::Layer;
use crate::tui::signals::model::Receivers;

/// Performs `action` in the menu.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Layer::Signals(dialog)) = model.layers.last_mut() else { return Vec::new() };
    if dialog.menu.moves(action) {
        return Vec::new();
    }
    let signal = dialog.menu.items.get(dialog.menu.cursor).map(|(name, _)| name.clone());
    let receivers = dialog.receivers.clone();
    model.layers.pop();
    let Some(signal) = signal.filter(|_| action == Action::Accept) else { return Vec::new() };
    match receivers {
        Receivers::Process(id, process) => vec![Effect::Signal(id, process, signal)],
        Receivers::Sessions(sessions, ids) => {
            let send = |(id, exec)| Effect::SignalSession(id, exec, signal.clone());
            let mut effects: Vec<Effect> = sessions.into_iter().map(send).collect();
            effects.extend(kill(model, ids, &signal));
            effects
        }
        Receivers::Containers(ids) => kill(model, ids, &signal),
    }
}

fn kill(model: &mut Model, ids: Vec<ContainerId>, signal: &str) -> Vec<Effect> {
    let kill = |id| Effect::Container(ContainerVerb::Kill(signal.to_owned()), id);
    model.confirmed(ids.into_iter().map(kill).collect())
}
