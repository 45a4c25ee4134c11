//! `--format` of the lists: `table`, `table TEMPLATE`, `json`, `TEMPLATE`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::template::{Error, Template};
use crate::base::text;

/// A column of a list: the field's name in templates, and its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name, such as `Names`.
    pub field: &'static str,
    /// The title, such as `NAMES`.
    pub title: &'static str,
}

/// A row of a list: the fields that a template can name, and the labels for `.Label`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// The fields by name, as `--format json` prints them.
    pub fields: Map<String, Json>,
    /// The labels, for `.Label "name"`.
    pub labels: BTreeMap<String, String>,
}

impl Row {
    /// Creates a row with these fields.
    pub fn new<'a>(fields: impl IntoIterator<Item = (&'a str, Json)>) -> Self {
        let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        // Docker's JSON comes from a Go map, which is sorted.
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        Self { fields: fields.into_iter().collect(), labels: BTreeMap::new() }
    }

    /// Returns the row with values that are safe in a table on a terminal: without tabs, newlines
    /// and control characters.
    fn in_table(&self) -> Self {
        let cell = |value: &Json| match value {
            Json::String(said) => text::cell(said).into(),
            other => other.clone(),
        };
        let fields = self.fields.iter().map(|(name, value)| (name.clone(), cell(value)));
        let labels = self.labels.iter().map(|(name, value)| (name.clone(), text::cell(value).into_owned()));
        Self { fields: fields.collect(), labels: labels.collect() }
    }

    fn render(&self, template: &Template) -> Result<String, Error> {
        let label = |method: &str, args: &[Json]| match (method, args) {
            ("Label", [Json::String(name)]) => {
                Some(self.labels.get(name).map_or_else(|| "".into(), |value| value.as_str().into()))
            }
            _ => None,
        };
        template.render(&Json::Object(self.fields.clone()), &label)
    }
}

/// The output format of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// A table with the default columns.
    Table,
    /// A table with the columns of a template.
    TableOf(Template),
    /// A JSON object per row.
    Json,
    /// A line per row.
    Lines(Template),
}

impl Format {
    /// Parses the argument of `--format`. An empty one means `table`.
    ///
    /// # Errors
    ///
    /// The template is invalid.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "" | "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            _ => match text.strip_prefix("table ") {
                // A shell passes `\t` as two characters.
                Some(columns) => Ok(Self::TableOf(Template::parse(&unescape(columns.trim()))?)),
                None => Ok(Self::Lines(Template::parse(&unescape(text))?)),
            },
        }
    }

    /// Formats `rows`. `columns` are those of the default table, `titles` those of all fields.
    ///
    /// # Errors
    ///
    /// A template names a field that rows do not have.
    pub fn show(&self, columns: &[Column], titles: &[Column], rows: &[Row]) -> Result<String, Error> {
        let lines = |template: &Template, rows: &[Row]| -> Result<String, Error> {
            rows.iter().map(|row| Ok(row.render(template)? + "\n")).collect()
        };
        let in_table = || -> Vec<Row> { rows.iter().map(Row::in_table).collect() };
        match self {
            Self::Table => Ok(plain_table(columns, &in_table())),
            Self::TableOf(template) => {
                let title = |field: &str| title(titles, field);
                Ok(super::table::align(&format!(
                    "{}\n{}",
                    template.header(title),
                    lines(template, &in_table())?
                )))
            }
            Self::Json => {
                let json = |row: &Row| Json::Object(row.fields.clone()).to_string();
                Ok(rows.iter().map(|row| text::json(&json(row)).into_owned() + "\n").collect())
            }
            Self::Lines(template) => lines(template, rows),
        }
    }

    /// Returns whether the format uses `field`, so that the field must be computed.
    #[must_use]
    pub fn names(&self, field: &str) -> bool {
        let found = std::cell::Cell::new(false);
        let look = |name: &str| {
            found.set(found.get() || name == field);
            String::new()
        };
        match self {
            Self::Table => {}
            Self::Json => found.set(true),
            Self::TableOf(template) | Self::Lines(template) => drop(template.header(look)),
        }
        found.get()
    }
}

fn plain_table(columns: &[Column], rows: &[Row]) -> String {
    let mut table = columns.iter().map(|column| column.title).collect::<Vec<_>>().join("\t") + "\n";
    for row in rows {
        let cells = columns.iter().map(|column| match row.fields.get(column.field) {
            Some(Json::String(cell)) => cell.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        });
        table += &(cells.collect::<Vec<_>>().join("\t") + "\n");
    }
    super::table::align(&table)
}

fn title(titles: &[Column], field: &str) -> String {
    match titles.iter().find(|column| column.field == field) {
        Some(column) => column.title.to_owned(),
        // Docker uses the last part of `.Label "com.example.tier"`.
        None => field.rsplit('.').next().unwrap_or(field).to_uppercase().replace(['-', '_'], " "),
    }
}

fn unescape(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] =
        &[Column { field: "ID", title: "CONTAINER ID" }, Column { field: "Names", title: "NAMES" }];

    fn show(format: &str) -> String {
        let mut row = Row::new([("Names", "web".into()), ("ID", "abcdefabcdef".into())]);
        row.labels.insert("a.tier".to_owned(), "front".to_owned());
        let format = Format::parse(format).and_then(|format| format.show(COLUMNS, COLUMNS, &[row]));
        format.unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn what_others_wrote_breaks_no_table_and_reaches_scripts_as_it_is() {
        for name in text::HOSTILE {
            let mut row = Row::new([("Names", (*name).into()), ("ID", "abc".into())]);
            row.labels.insert("l".to_owned(), (*name).to_owned());
            let show = |form: &str| {
                let format = Format::parse(form).unwrap();
                format.show(COLUMNS, COLUMNS, std::slice::from_ref(&row)).unwrap()
            };
            for form in ["", "table {{.ID}}\t{{.Names}}\t{{.Label `l`}}", "json"] {
                let shown = show(form);
                assert_eq!(shown.lines().count(), if form == "json" { 1 } else { 2 }, "{shown:?}");
                assert!(
                    !shown.trim_end().replace('\n', "").chars().any(text::is_harmful),
                    "{form}: {shown:?}"
                );
            }
            assert_eq!(show("{{.Names}}"), format!("{name}\n"));
        }
    }

    #[test]
    fn every_form_of_format_shows_rows() {
        let forms = [
            "",
            "json",
            "{{.Names}}",
            r"table {{.Names}}\t{{.ID}}",
            "table {{.Label \"a.tier\"}}",
            "{{.No}}",
        ];
        let shown: Vec<_> = forms.iter().map(|form| format!("{form}:\n{}", show(form))).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        :
        CONTAINER ID   NAMES
        abcdefabcdef   web

        json:
        {"ID":"abcdefabcdef","Names":"web"}

        {{.Names}}:
        web

        table {{.Names}}\t{{.ID}}:
        NAMES     CONTAINER ID
        web       abcdefabcdef

        table {{.Label "a.tier"}}:
        TIER
        front

        {{.No}}:
        template: :1: executing "" at <.No>: map has no entry for key "No"
        "#);
    }
}
