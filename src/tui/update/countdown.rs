//! The countdown of containers that are being stopped, in seconds.

use jiff::SignedDuration;

use crate::engine::Running;
use crate::tui::effect::{ContainerVerb, Effect};
use crate::tui::model::Model;

/// Starts a countdown for each container that these effects stop.
pub(crate) fn watch(model: &mut Model, effects: &[Effect]) {
    for effect in effects {
        if let (Some(id), true) = (container(effect), stops(effect))
            && let Some(row) = model.containers.get(id.as_str())
            && row.is_up()
            && row.stop_timeout > 0
        {
            let end = model.now + SignedDuration::from_secs(row.stop_timeout);
            model.stopping.insert(id.clone(), end);
        }
    }
    tick(model);
}

/// Ends the countdown when the container has stopped, or could not be stopped.
pub(crate) fn end(model: &mut Model, effect: &Effect) {
    if let Some(id) = container(effect) {
        model.stopping.remove(id);
    }
}

/// Updates the countdowns in the rows.
pub(crate) fn tick(model: &mut Model) {
    for (id, end) in &model.stopping {
        let left = end.duration_since(model.now).as_millis().max(0);
        // Round up, so that it counts from 10s to 1s.
        let seconds = u64::try_from((left + 999) / 1000).unwrap_or(0);
        if let Some(row) = model.containers.get_still(id.as_str(), &[]) {
            row.left = Some(seconds);
        }
    }
}

fn container(effect: &Effect) -> Option<&crate::engine::ContainerId> {
    match effect {
        Effect::Container(_, id) => Some(id),
        _ => None,
    }
}

fn stops(effect: &Effect) -> bool {
    match effect {
        Effect::Container(ContainerVerb::Stop, _) => true,
        Effect::Container(ContainerVerb::Remove(removal), _) => removal.running == Running::Stop,
        _ => false,
    }
}
