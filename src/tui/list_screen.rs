//! The interface of a list.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::command::NameKind;
use crate::engine;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::events::model::EventRow;
use crate::tui::inspect::model::Document;
use crate::tui::keymap::KeyContext;
use crate::tui::list::columns::Column;
use crate::tui::list::model::List;
use crate::tui::list::table::Table;
use crate::tui::list::view::{self, Cell, empty};
use crate::tui::model::Model;
use crate::tui::model::targets::About;
use crate::tui::reader::ListReader;
use crate::tui::section::Subject;
use crate::tui::tab::Tab;

/// Whether the line of sections shows the number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    Always,
    WhereThereAreSome,
    Never,
}

/// A list. The defaults do nothing.
pub(crate) trait ListScreen {
    /// The type of its rows.
    type Row: About + 'static;

    /// The data that is read for it.
    type Read;

    /// The context in which its keys are looked up.
    const KEY_CONTEXT: KeyContext;

    /// The action that shows it.
    const ACTION: Action;

    /// The default columns.
    const COLUMNS: &'static [Column];

    /// Further columns that the user can choose.
    const FURTHER: &'static [Column] = &[];

    /// Whether the line of sections shows the number of rows.
    const COUNTED: Counted = Counted::Always;

    /// Whether rows start with a symbol of their state.
    const HAS_GLYPH: bool = false;

    /// Whether it is read at the start, and when everything is reloaded.
    const IS_READ_AT_START: bool = true;

    /// Whether its rows are objects that actions apply to.
    const HAS_OBJECTS: bool = true;

    /// Whether it is listed at the bottom of the navigator, because the tree does not contain its
    /// objects.
    const IS_IN_NAVIGATOR: bool = false;

    /// The kind of name that its objects have on the command line.
    const NAMES_ARE: Option<NameKind> = None;

    /// The command that prints the same list.
    const COMMAND: Option<&'static [&'static str]> = None;

    /// Returns its rows.
    fn table(model: &Model) -> &Table<Self::Row>;

    /// Like [`Self::table`], but mutable.
    fn table_mut(model: &mut Model) -> &mut Table<Self::Row>;

    /// Returns the cell of a row in a column of this width; without a column, the symbol before the
    /// row.
    fn cell(model: &Model, row: &Self::Row, column: Option<Column>, width: usize) -> Cell;

    /// Returns the text for an empty list.
    fn empty(model: &Model) -> empty::Said;

    /// Reads the list.
    fn read(reader: ListReader) -> impl Future<Output = ()> + Send;

    /// Stores what was read.
    fn take(model: &mut Model, read: Self::Read);

    /// Whether it must be read again after an event.
    fn is_changed_by(_event: &engine::Event) -> bool {
        false
    }

    /// Applies an action to its marked or selected rows; `None` if it is not such an action.
    fn act(_model: &mut Model, _action: Action) -> Option<Vec<Effect>> {
        None
    }

    /// Handles Enter on the row under the cursor; false if Enter opens a tab.
    fn open(_model: &mut Model) -> bool {
        false
    }

    /// Returns the tab that Enter opens; `last` is the tab that the pane showed last.
    fn first_tab(_model: &Model, last: Option<Tab>) -> Tab {
        last.unwrap_or(Tab::Logs)
    }

    /// Returns the name of an object; its id if it is gone.
    fn name_of(_model: &Model, _subject: &Subject) -> String {
        String::new()
    }

    /// Returns the id of an object, if it has one in addition to its name.
    fn id_of(_model: &Model, _subject: &Subject) -> Option<String> {
        None
    }

    /// Returns the object with this name, as used in saved layouts.
    fn named(_model: &Model, _name: &str) -> Option<Subject> {
        None
    }

    /// Returns the subject of an event, if it is in this list.
    fn of_event(_model: &Model, _event: &EventRow) -> Option<Subject> {
        None
    }

    /// Returns the number of objects, and their size if it is known, for the navigator.
    fn amount(model: &Model) -> String {
        Self::table(model).all().len().to_string()
    }

    /// Returns the names for completion, each with a description.
    fn names(_model: &Model) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Returns the command that does the same to an object as an action.
    fn command(_action: Action) -> Option<&'static [&'static str]> {
        None
    }

    /// Reads everything known about an object.
    fn document(
        _engine: &engine::Engine,
        _subject: &Subject,
    ) -> impl Future<Output = engine::Result<Document>> + Send {
        std::future::ready(Ok(Document::default()))
    }
}

/// A list as a table of functions.
pub(crate) struct ListFunctions {
    pub(crate) key_context: KeyContext,
    pub(crate) action: Action,
    pub(crate) columns: (&'static [Column], &'static [Column]),
    pub(crate) counted: Counted,
    pub(crate) has_glyph: bool,
    pub(crate) is_read_at_start: bool,
    pub(crate) has_objects: bool,
    pub(crate) is_in_navigator: bool,
    pub(crate) names_are: Option<NameKind>,
    pub(crate) list_command: Option<&'static [&'static str]>,
    pub(crate) list: fn(&Model) -> &dyn List,
    pub(crate) list_mut: fn(&mut Model) -> &mut dyn List,
    pub(crate) draw: fn(&mut Frame<'_>, &Model, Rect),
    pub(crate) empty: fn(&Model) -> empty::Said,
    pub(crate) is_changed_by: fn(&engine::Event) -> bool,
    pub(crate) act: fn(&mut Model, Action) -> Option<Vec<Effect>>,
    pub(crate) open: fn(&mut Model) -> bool,
    pub(crate) first_tab: fn(&Model, Option<Tab>) -> Tab,
    pub(crate) name_of: fn(&Model, &Subject) -> String,
    pub(crate) id_of: fn(&Model, &Subject) -> Option<String>,
    pub(crate) named: fn(&Model, &str) -> Option<Subject>,
    pub(crate) of_event: fn(&Model, &EventRow) -> Option<Subject>,
    pub(crate) amount: fn(&Model) -> String,
    pub(crate) names: fn(&Model) -> Vec<(String, String)>,
    pub(crate) command: fn(Action) -> Option<&'static [&'static str]>,
}

impl ListFunctions {
    pub(crate) const fn of<S: ListScreen>() -> Self {
        Self {
            key_context: S::KEY_CONTEXT,
            action: S::ACTION,
            columns: (S::COLUMNS, S::FURTHER),
            counted: S::COUNTED,
            has_glyph: S::HAS_GLYPH,
            is_read_at_start: S::IS_READ_AT_START,
            has_objects: S::HAS_OBJECTS,
            is_in_navigator: S::IS_IN_NAVIGATOR,
            names_are: S::NAMES_ARE,
            list_command: S::COMMAND,
            list: |model| S::table(model),
            list_mut: |model| S::table_mut(model),
            draw: |frame, model, area| view::table(frame, model, area, S::table(model), S::cell),
            empty: S::empty,
            is_changed_by: S::is_changed_by,
            act: S::act,
            open: S::open,
            first_tab: S::first_tab,
            name_of: S::name_of,
            id_of: S::id_of,
            named: S::named,
            of_event: S::of_event,
            amount: S::amount,
            names: S::names,
            command: S::command,
        }
    }
}
