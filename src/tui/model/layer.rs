//! The dialogs that are open over the screen.

/// Calls a macro with the table of the dialogs: the name of each, and its state.
macro_rules! each_dialog {
    ($then:ident) => {
        $then! {
            Prompt   $crate::tui::line::model::Prompt;
            Confirm  $crate::tui::confirm::model::Confirm;
            Removal  $crate::tui::removal::model::Question;
            Signals  $crate::tui::signals::model::SignalMenu;
            Verbs    $crate::tui::verbs::model::VerbMenu;
            Merge    $crate::tui::logs::model::MergeMenu;
            Columns  $crate::tui::list::columns::Choice;
            Run      $crate::tui::form::model::RunForm;
            Presets  $crate::tui::form::presets::Presets;
            Palette  $crate::tui::palette::model::Palette;
            Progress $crate::tui::tasks::model::ProgressPage;
            Output   $crate::tui::tasks::model::OutputPage;
            Page     $crate::tui::page::model::Page;
            Help     $crate::tui::help::model::Help;
            Themes   $crate::tui::themes::model::Picker;
            Ask      $crate::tui::custom::ask::Ask;
        }
    };
}
pub(crate) use each_dialog;

macro_rules! layers {
    ($($name:ident $dialog:ty;)*) => {
        /// A dialog that is open over the screen.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "their folders say it")]
        pub enum Layer { $($name(Box<$dialog>),)* }

        $(impl From<$dialog> for Layer {
            fn from(dialog: $dialog) -> Self {
                Self::$name(Box::new(dialog))
            }
        })*
    };
}

each_dialog!(layers);
