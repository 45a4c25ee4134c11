//! Go templates for `--format`.
//!
//! Supports a subset of <https://pkg.go.dev/text/template>: text, `{{…}}` with trim markers and
//! comments, fields, variables, literals, pipelines, `if`, `range`, `with`, and the functions of
//! [`functions`]. Anything else is an error that names it. A template is parsed once and rendered
//! for each row.

mod functions;
mod parse;
mod print;
mod render;
mod value;

use serde_json::Value as Json;

use crate::base::{ErrorKind, Explain};
use value::Value;
pub use value::{Field, Type};

/// Why a template cannot be parsed or rendered, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Invalid syntax, or a part of the language that is not supported.
    #[error("template parsing error: template: :{line}: {what}")]
    Parse {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The data has no such field, or a function rejects its arguments.
    #[error("template: :{line}: executing \"\" at <{at}>: {what}")]
    Render {
        /// The line, counted from 1.
        line: usize,
        /// The part that failed, as written.
        at: String,
        /// The reason.
        what: String,
    },
}

impl Explain for Error {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Calls a method of the data, as in `.Name arg…`. Returns `None` if there is no such method.
pub type Methods<'a> = &'a dyn Fn(&str, &[Json]) -> Option<Json>;

/// Data without methods.
pub const NO_METHODS: Methods<'static> = &|_, _| None;

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    nodes: Vec<Node>,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    ///
    /// [`Error::Parse`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self { nodes: parse::template(text)? })
    }

    /// Renders the template for a row of a list, which has every field.
    ///
    /// # Errors
    ///
    /// [`Error::Render`].
    pub fn render(&self, data: &Json, methods: Methods<'_>) -> Result<String, Error> {
        render::nodes(&self.nodes, &data.clone().into(), true, methods)
    }

    /// Renders the template for an object, like Docker's `inspect`: first by the fields of its Go
    /// type; if that fails, by the keys of its JSON, all of which must exist.
    ///
    /// # Errors
    ///
    /// [`Error::Render`] of the second attempt.
    pub fn inspect(&self, data: &Json, kind: Type) -> Result<String, Error> {
        let typed = render::nodes(&self.nodes, &Value::new(Some(data), kind), false, NO_METHODS);
        typed.or_else(|_| self.render(data, NO_METHODS))
    }

    /// Returns the header of a `table` template: its text, with each field replaced by its title.
    pub fn header(&self, title: impl Fn(&str) -> String) -> String {
        render::header(&self.nodes, &title)
    }
}

/// A node of a parsed template.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Text(String),
    Action(Pipeline),
    If(Branch),
    Range(Branch),
    With(Branch),
    Break,
    Continue,
}

/// `if`, `range` or `with`: its body, and what follows `else`.
#[derive(Debug, Clone, PartialEq)]
struct Branch {
    pipeline: Pipeline,
    body: Vec<Node>,
    otherwise: Vec<Node>,
}

/// `[$x :=] command | command …`
#[derive(Debug, Clone, PartialEq)]
struct Pipeline {
    line: usize,
    variables: Vec<String>,
    /// `=` instead of `:=`.
    assigns: bool,
    commands: Vec<Vec<Operand>>,
}

/// An operand of a command.
#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Literal(Json),
    Nil,
    Function(String),
    /// A start and the fields after it: `.A.B`, `$x.A`, `(…).A`.
    Chain(Start, Vec<String>),
}

#[derive(Debug, Clone, PartialEq)]
enum Start {
    Dot,
    Variable(String),
    Group(Box<Pipeline>),
}

impl std::fmt::Display for Operand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Literal(value) => write!(f, "{value}"),
            Self::Nil => f.write_str("nil"),
            Self::Function(name) => f.write_str(name),
            Self::Chain(Start::Dot, fields) if fields.is_empty() => f.write_str("."),
            Self::Chain(start, fields) => {
                match start {
                    Start::Dot => {}
                    Start::Variable(name) => f.write_str(name)?,
                    Start::Group(_) => f.write_str("(…)")?,
                }
                fields.iter().try_for_each(|field| write!(f, ".{field}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DATA: Type = Type::Struct(&[
        Field { name: "Name", key: "Name", kind: Type::Text },
        Field { name: "Id", key: "Id", kind: Type::Text },
        Field { name: "Count", key: "Count", kind: Type::Int },
        Field { name: "Ratio", key: "Ratio", kind: Type::Any },
        Field { name: "Up", key: "Up", kind: Type::Bool },
        Field { name: "Nothing", key: "Nothing", kind: Type::Any },
        Field { name: "Config", key: "Config", kind: Type::Struct(CONFIG) },
        Field { name: "Mounts", key: "Mounts", kind: Type::List(&Type::Struct(MOUNT)) },
        Field { name: "Empty", key: "Empty", kind: Type::List(&Type::Text) },
    ]);
    const CONFIG: &[Field] = &[
        Field { name: "Env", key: "Env", kind: Type::List(&Type::Text) },
        Field { name: "Labels", key: "Labels", kind: Type::Map(&Type::Text) },
        Field { name: "Image", key: "Image", kind: Type::Text },
    ];
    const MOUNT: &[Field] = &[
        Field { name: "Source", key: "Source", kind: Type::Text },
        Field { name: "RW", key: "RW", kind: Type::Bool },
    ];

    fn render(template: &str) -> String {
        let data = json!({
            "Name": "/web", "Id": "abcdef", "Count": 3, "Ratio": 1.5, "Up": true, "Nothing": null,
            "Config": {"Env": ["A=1", "B=2"], "Labels": {"b": "2", "a.b": "1"}, "Image": "debian"},
            "Mounts": [{"Source": "/a", "RW": true}, {"Source": "/b", "RW": false}],
            "Empty": [],
        });
        let render = |it: Template| it.inspect(&data, DATA);
        match Template::parse(template).and_then(render) {
            Ok(text) => text,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn templates_render_as_gos() {
        for (template, text) in [
            ("plain", "plain"),
            ("{{.Name}}", "/web"),
            ("{{ .Config.Image }}!", "debian!"),
            ("{{.Config.Env}}", "[A=1 B=2]"),
            ("{{.Config.Labels}}", "map[a.b:1 b:2]"),
            ("{{.Config.Labels.none}}", "<no value>"),
            ("{{index .Config.Labels \"a.b\"}}", "1"),
            ("{{index .Config.Labels \"none\"}}|", "|"),
            ("{{index .Config.Env 1}}", "B=2"),
            ("{{json .Config.Env}}", r#"["A=1","B=2"]"#),
            ("{{.Mounts | json}}", r#"[{"Source":"/a","RW":true},{"Source":"/b","RW":false}]"#),
            ("{{upper .Config.Image}} {{.Config.Image | title}}", "DEBIAN Debian"),
            ("{{join .Config.Env \",\"}}", "A=1,B=2"),
            ("{{split \"a,b\" \",\"}}", "[a b]"),
            ("{{range .Mounts}}{{.Source}};{{end}}", "/a;/b;"),
            ("{{range $i, $m := .Mounts}}{{$i}}={{$m.Source}} {{end}}", "0=/a 1=/b "),
            ("{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}} {{end}}", "a.b:1 b:2 "),
            ("{{range .Empty}}x{{else}}none{{end}}", "none"),
            ("{{range .Mounts}}{{if .RW}}{{continue}}{{end}}{{.Source}}{{break}}{{end}}", "/b"),
            ("{{if .Up}}up{{else}}down{{end}}", "up"),
            ("{{if eq .Count 4}}4{{else if eq .Count 2 3}}2 or 3{{end}}", "2 or 3"),
            ("{{if and .Up (gt .Count 2) (not .Nothing)}}yes{{end}}", "yes"),
            ("{{with .Config}}{{.Image}} {{$.Id}}{{end}}", "debian abcdef"),
            ("{{$x := .Count}}{{$x = 5}}{{$x}}", "5"),
            ("{{len .Mounts}} {{len .Name}}", "2 4"),
            (
                "{{printf \"%s|%5d|%-4s|%.2f|%q|%v|%x|%%\" .Id .Count \"a\" .Ratio \"b\" .Up 255}}",
                "abcdef|    3|a   |1.50|\"b\"|true|ff|%",
            ),
            ("{{println .Count `raw`}}", "3 raw\n"),
            ("{{print 1 2 \"a\" \"b\" 3}}", "1 2ab3"),
            ("a {{- .Count -}} b", "a3b"),
            ("a{{/* not shown */}}b{{- /* nor this */ -}} c", "abc"),
            ("{{pad \"a\" 1 2}}|{{truncate .Config.Image 3}}", " a  |deb"),
            ("{{slice .Config.Image 1 3}}", "eb"),
            ("{{(index .Mounts 0).Source}}", "/a"),
            ("{{.Nothing}}", "<no value>"),
            ("{{\"a\\tb\"}}", "a\tb"),
            ("{{or .Nothing \"else\"}} {{trimPrefix \"/\" .Name}}", "else web"),
        ] {
            assert_eq!(render(template), text, "{template}");
        }
    }

    #[test]
    fn every_refusal_names_what_it_refuses() {
        let faults: Vec<_> = [
            "{{.Name",
            "{{nosuch .Name}}",
            "{{define \"x\"}}{{end}}",
            "{{block \"x\" .}}{{end}}",
            "{{template \"x\"}}",
            "{{if .Up}}",
            "{{end}}",
            "{{else}}",
            "{{range}}x{{end}}",
            "{{$y}}",
            "{{.Name | }}",
            "{{(.Name}}",
            "{{\"open}}",
            "{{}}",
            "{{.Nope}}",
            "{{.Name.Nope}}",
            "{{index .Mounts 7}}",
            "{{len 3}}",
            "{{eq .Name 3}}",
            "{{.Name 3}}",
            "{{join .Name}}",
            "line\n{{.Nope}}",
            "{{range .Count}}{{end}}",
            "{{html .Name}}",
        ]
        .iter()
        .map(|template| format!("{template:?}\n  {}", render(template)))
        .collect();
        insta::assert_snapshot!(faults.join("\n"), @r#"
        "{{.Name"
          template parsing error: template: :1: unclosed action
        "{{nosuch .Name}}"
          template parsing error: template: :1: function "nosuch" not defined
        "{{define \"x\"}}{{end}}"
          template parsing error: template: :1: {{define}} is not supported
        "{{block \"x\" .}}{{end}}"
          template parsing error: template: :1: {{block}} is not supported
        "{{template \"x\"}}"
          template parsing error: template: :1: {{template}} is not supported
        "{{if .Up}}"
          template parsing error: template: :1: unexpected EOF: {{if}} has no {{end}}
        "{{end}}"
          template parsing error: template: :1: unexpected {{end}}
        "{{else}}"
          template parsing error: template: :1: unexpected {{else}}
        "{{range}}x{{end}}"
          template parsing error: template: :1: missing value for range
        "{{$y}}"
          template parsing error: template: :1: undefined variable "$y"
        "{{.Name | }}"
          template parsing error: template: :1: missing value for command
        "{{(.Name}}"
          template parsing error: template: :1: unclosed left paren
        "{{\"open}}"
          template parsing error: template: :1: unterminated quoted string
        "{{}}"
          template parsing error: template: :1: missing value for command
        "{{.Nope}}"
          template: :1: executing "" at <.Nope>: map has no entry for key "Nope"
        "{{.Name.Nope}}"
          template: :1: executing "" at <.Name.Nope>: can't evaluate field Nope in /web
        "{{index .Mounts 7}}"
          template: :1: executing "" at <index>: error calling index: index out of range: 7
        "{{len 3}}"
          template: :1: executing "" at <len>: error calling len: len of type 3
        "{{eq .Name 3}}"
          template: :1: executing "" at <eq>: error calling eq: incompatible types for comparison
        "{{.Name 3}}"
          template: :1: executing "" at <.Name>: Name has arguments but cannot be invoked as function
        "{{join .Name}}"
          template: :1: executing "" at <join>: wrong number of args for join: want at least 2 got 1
        "line\n{{.Nope}}"
          template: :2: executing "" at <.Nope>: map has no entry for key "Nope"
        "{{range .Count}}{{end}}"
          template: :1: executing "" at <range>: range can't iterate over 3
        "{{html .Name}}"
          template parsing error: template: :1: function "html" is not supported
        "#);
    }

    #[test]
    fn the_header_of_a_table_is_the_template_with_titles() {
        let template =
            Template::parse("{{.ID}}\t{{json .Names}}\t{{.Label \"a.b\"}}: {{upper .State}}").unwrap();
        assert_eq!(template.header(|field| format!("<{field}>")), "<ID>\t<Names>\t<a.b>: <State>");
    }
}
