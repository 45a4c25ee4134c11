//! The user's configuration, read at the start and whenever a file is saved.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use std::time::Duration;

use crate::base::disk;
use crate::config::{Config, Preset, Ui};
use crate::engine::FileWatch;
use crate::tui::TuiSettings;
use crate::tui::custom::model::Template;
use crate::tui::event::{Configured, Event};
use crate::tui::failure::{Failure, Tone};
use crate::tui::keymap::Keymap;
use crate::tui::reader::EventSender;
use crate::tui::theme::{Depth, Theme, Themes};

/// By then, an editor that saves in several steps has finished.
const SETTLED: Duration = Duration::from_millis(15);

/// Returns the configuration at the start, with its errors.
pub(super) fn read_first(settings: &TuiSettings, depth: Depth) -> Configured {
    let mut configured = read(settings.ui.clone(), depth, settings.world.read);
    configured.faults.extend(settings.warnings.iter().cloned());
    configured
}

/// Reads keymap and themes; `ui` is from the configuration.
fn read(ui: Ui, depth: Depth, read: fn(&Path) -> io::Result<String>) -> Configured {
    let mut faults = Vec::new();
    let keymap = keymap(&ui, ui.keymap, read).map_err(|fault| faults.push(fault)).ok();
    let mut themes = Themes::of_hoist(depth);
    let mut broken = BTreeSet::new();
    for (path, text) in theme_files(ui.folder.as_deref()) {
        match text
            .map_err(|error| error.to_string())
            .and_then(|text| Theme::read(&text, depth).map_err(|error| error.to_string()))
        {
            Ok(theme) => themes.put(theme),
            Err(fault) => {
                faults.push(format!("{}: {fault}", path.display()));
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                broken.insert(name.into_owned());
            }
        }
    }
    for command in &ui.commands {
        if let Err((fault, at)) = Template::of(command) {
            faults.push(format!("{at}: {fault}"));
        }
    }
    Configured { ui: Some(ui), keymap: keymap.map(Arc::new), themes, broken, faults }
}

/// Sends an event whenever the user changes the configuration, keymap or a theme.
pub(super) async fn follow(settings: TuiSettings, depth: Depth, tell: EventSender) {
    let Ok(watch) = FileWatch::new(watched(&settings.ui)) else {
        let fault = "configuration changes are not detected: no inotify instance is available".to_owned();
        tell.send(Event::Notice(Tone::Warning, fault)).await;
        return;
    };
    let mut known = contents(&settings.ui);
    loop {
        watch.changed().await;
        tokio::time::sleep(SETTLED).await;
        let new = contents(&settings.ui);
        if new != known {
            known = new;
            tell.send(Event::Configured(Box::new(read_again(&settings, depth)))).await;
        }
    }
}

/// Returns every file that is part of the configuration, whether it exists or not.
fn watched(ui: &Ui) -> Vec<PathBuf> {
    let folder = ui.folder.iter();
    let keys = folder.clone().map(|folder| folder.join("keymap.toml"));
    let themes = folder.map(|folder| folder.join("themes"));
    ui.files.iter().cloned().chain(keys).chain(themes).filter(|path| can_be_saved(path)).collect()
}

/// Whether a file can be saved by the user. A device (such as `/dev/null`, to disable a file)
/// cannot: it is in a folder that changes whenever a program writes to a device, which would wake
/// hoist constantly.
fn can_be_saved(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |what| what.is_file() || what.is_dir())
}

/// Returns the current contents of all files, because a file that was only touched has not changed.
fn contents(ui: &Ui) -> Vec<(PathBuf, Option<String>)> {
    let files = watched(ui).into_iter().map(|path| (path.clone(), disk::read_regular_text(&path).ok()));
    let themes = theme_files(ui.folder.as_deref()).into_iter().map(|(path, text)| (path, text.ok()));
    files.chain(themes).collect()
}

/// Reads everything again. Invalid parts are reported as faults, and the previous ones are kept.
pub(super) fn read_again(settings: &TuiSettings, depth: Depth) -> Configured {
    match Config::load(&settings.flags, &settings.world.environment) {
        Ok(config) => {
            let mut configured = read(config.ui, depth, settings.world.read);
            configured.faults.extend(config.warnings);
            configured
        }
        Err(error) => {
            let mut configured = read(settings.ui.clone(), depth, settings.world.read);
            configured.ui = None;
            configured.faults.insert(0, error.line());
            configured
        }
    }
}

/// Reads the keymap of a preset, with the user's keymap applied to it.
pub(super) fn keymap_event(settings: &TuiSettings, preset: Preset) -> Event {
    // The user's commands may have changed since the start.
    let config = Config::load(&settings.flags, &settings.world.environment);
    let ui = config.map_or_else(|_| settings.ui.clone(), |config| config.ui);
    let keymap = keymap(&ui, preset, settings.world.read).map(Arc::new);
    Event::Keymap(preset, keymap.map_err(|what| Failure { what, ..Failure::default() }))
}

fn keymap(ui: &Ui, preset: Preset, read: fn(&Path) -> io::Result<String>) -> Result<Keymap, String> {
    let path = ui.folder.as_ref().map(|folder| folder.join("keymap.toml"));
    let text = match path.as_deref().map(read) {
        None => None,
        Some(Ok(text)) => Some(text),
        Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => None,
        Some(Err(error)) => {
            return Err(format!("{}: {error}", path.unwrap_or_default().display()));
        }
    };
    let user = path.as_deref().zip(text.as_deref());
    Keymap::load(preset, user, &ui.commands).map_err(|error| error.to_string())
}

/// Returns the user's themes, sorted by name.
fn theme_files(folder: Option<&Path>) -> Vec<(PathBuf, io::Result<String>)> {
    let entries =
        folder.map(|folder| folder.join("themes")).and_then(|folder| std::fs::read_dir(folder).ok());
    let paths = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let themes: BTreeSet<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    themes.into_iter().map(|path| (path.clone(), disk::read_regular_text(&path))).collect()
}

/// Returns the number of colours that the terminal claims to support.
pub(super) fn depth(settings: &TuiSettings) -> Depth {
    let variable = |name| settings.world.environment.text(name).unwrap_or_default();
    let (color, term) = (variable("COLORTERM"), variable("TERM"));
    match () {
        () if settings.ui.no_color || term == "dumb" => Depth::None,
        () if color == "truecolor" || color == "24bit" || term.ends_with("-direct") => Depth::True,
        () if term.contains("256color") => Depth::Indexed,
        () => Depth::Ansi,
    }
}

/// Whether hoist's symbols cannot be shown because of the character set of the locale (locale(7)),
/// or because nothing is known about the Linux console, whose font has few of them.
pub(super) fn lacks_unicode(settings: &TuiSettings) -> bool {
    let variable = |name| settings.world.environment.text(name);
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    match locale.map(|locale| locale.to_ascii_lowercase()) {
        Some(locale) => !locale.contains("utf-8") && !locale.contains("utf8"),
        None => variable("TERM").is_some_and(|term| term == "linux"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;
    use crate::tui::fixture;
    use crate::tui::update::begin;

    #[test]
    fn the_first_notice_tells_what_of_the_configuration_is_not_used() {
        let mut model = fixture::empty(80, 24);
        let settings = TuiSettings {
            ui: Ui { folder: None, ..Ui::default() },
            warnings: vec!["the configuration is not used".to_owned()],
            flags: Flags::default(),
            world: model.world.clone(),
        };
        begin(&mut model, read_first(&settings, Depth::True));
        assert_eq!(model.notice.unwrap().text, "the configuration is not used");
    }

    #[test]
    fn the_locale_decides_about_unicode() {
        for (variables, lacks) in [
            (vec![], false),
            (vec![("TERM", "linux")], true),
            (vec![("TERM", "linux"), ("LANG", "C.UTF-8")], false),
            (vec![("LANG", "de_DE.utf8")], false),
            (vec![("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")], true),
            (vec![("LANG", "de_DE.UTF-8"), ("LC_ALL", "")], false),
            (vec![("LANG", "C"), ("LC_CTYPE", "en_US.UTF-8")], false),
            (vec![("LANG", "de_DE@euro")], true),
        ] {
            let mut settings = TuiSettings {
                ui: Ui::default(),
                warnings: Vec::new(),
                flags: Flags::default(),
                world: fixture::empty(80, 24).world,
            };
            settings.world.environment = variables.iter().copied().collect();
            assert_eq!(lacks_unicode(&settings), lacks, "{variables:?}");
        }
    }

    #[test]
    fn a_device_that_stands_for_no_file_is_not_watched() {
        let dir = tempfile::tempdir().unwrap();
        let [there, not_there] = ["there.toml", "not-there.toml"].map(|name| dir.path().join(name));
        std::fs::write(&there, "").unwrap();
        let files = vec![PathBuf::from("/dev/null"), there.clone(), not_there.clone()];
        let ui = Ui { files, folder: None, ..Ui::default() };
        assert_eq!(watched(&ui), [there, not_there]);
    }

    #[test]
    fn a_pipe_among_the_themes_is_a_fault_and_not_waited_for() {
        use rustix::fs::{CWD, FileType, mknodat};
        let dir = tempfile::tempdir().unwrap();
        let themes = dir.path().join("themes");
        std::fs::create_dir(&themes).unwrap();
        let pipe = themes.join("pipe.toml");
        mknodat(CWD, &pipe, FileType::Fifo, 0o600.into(), 0).unwrap();
        let ui = Ui { folder: Some(dir.path().to_owned()), ..Ui::default() };
        assert!(contents(&ui).contains(&(pipe.clone(), None)));
        let configured = read(ui, Depth::True, disk::read_regular_text);
        assert_eq!(configured.faults, [format!("{}: it is not a regular file", pipe.display())]);
        assert!(configured.broken.contains("pipe"));
    }
}
