//! Renders [`Node`]s with data.

use serde_json::Value as Json;

use super::functions;
use super::value::{Type, Value};
use super::{Branch, Error, Methods, Node, Operand, Pipeline, Start, print};

type Result<T> = std::result::Result<T, Error>;

/// How a list of nodes ended.
#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct Renderer<'a> {
    out: String,
    variables: Vec<(String, Value)>,
    methods: Methods<'a>,
    /// A missing map key is an error.
    is_strict: bool,
}

/// Renders a template.
pub(super) fn nodes(nodes: &[Node], data: &Value, is_strict: bool, methods: Methods<'_>) -> Result<String> {
    let root = ("$".to_owned(), data.clone());
    let mut renderer = Renderer { out: String::new(), variables: vec![root], methods, is_strict };
    renderer.nodes(nodes, data)?;
    Ok(renderer.out)
}

/// Returns the template's text, with each action replaced by the title of its last field.
pub(super) fn header(nodes: &[Node], title: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    for node in nodes {
        match node {
            Node::Text(text) => out += text,
            Node::Action(pipeline) if pipeline.variables.is_empty() => {
                if let Some(field) = pipeline.commands.iter().find_map(|command| shown_field(command)) {
                    out += &title(field);
                }
            }
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
                out += &header(&branch.body, title)
            }
            Node::Action(_) | Node::Break | Node::Continue => {}
        }
    }
    out
}

/// Returns the field that a command shows; for `.Label "x"`, the label.
fn shown_field(command: &[Operand]) -> Option<&str> {
    command.iter().enumerate().find_map(|(at, operand)| match operand {
        Operand::Chain(_, fields) => match (fields.last().map(String::as_str), command.get(at + 1)) {
            (Some("Label"), Some(Operand::Literal(Json::String(name)))) => Some(name.as_str()),
            (field, _) => field,
        },
        _ => None,
    })
}

impl Renderer<'_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow> {
        for node in nodes {
            let flow = match node {
                Node::Text(text) => {
                    self.out += text;
                    Flow::Next
                }
                Node::Action(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    self.declare(pipeline, std::slice::from_ref(&value));
                    if pipeline.variables.is_empty() {
                        self.out += &print::value(&value);
                    }
                    Flow::Next
                }
                Node::If(branch) => self.scoped(|this| this.branch(branch, dot, false))?,
                Node::With(branch) => self.scoped(|this| this.branch(branch, dot, true))?,
                Node::Range(branch) => self.scoped(|this| this.range(branch, dot))?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Runs `work` in a scope of its own for variables.
    fn scoped<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let depth = self.variables.len();
        let result = work(self);
        self.variables.truncate(depth);
        result
    }

    fn branch(&mut self, branch: &Branch, dot: &Value, moves_dot: bool) -> Result<Flow> {
        let value = self.pipeline(&branch.pipeline, dot)?;
        self.declare(&branch.pipeline, std::slice::from_ref(&value));
        match (value.is_true(), moves_dot) {
            (true, true) => self.nodes(&branch.body, &value),
            (true, false) => self.nodes(&branch.body, dot),
            (false, _) => self.nodes(&branch.otherwise, dot),
        }
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<Flow> {
        let value = self.pipeline(&branch.pipeline, dot)?;
        let item = |data: &Json| Value::new(Some(data), value.of_items());
        let pairs: Vec<(Value, Value)> = match &value.data {
            Json::Array(items) => {
                items.iter().enumerate().map(|(at, data)| (at.into(), item(data))).collect()
            }
            Json::Object(fields) if !matches!(value.kind, Type::Struct(_)) => {
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(b.0));
                sorted.into_iter().map(|(name, data)| (name.as_str().into(), item(data))).collect()
            }
            Json::Null => Vec::new(),
            _ => {
                let what = format!("range can't iterate over {}", print::value(&value));
                return Err(self.fault(&branch.pipeline, "range", what));
            }
        };
        if pairs.is_empty() {
            return self.nodes(&branch.otherwise, dot);
        }
        for (key, item) in pairs {
            let flow = self.scoped(|this| {
                match branch.pipeline.variables.len() {
                    0 => {}
                    1 => this.declare(&branch.pipeline, std::slice::from_ref(&item)),
                    _ => this.declare(&branch.pipeline, &[key, item.clone()]),
                }
                this.nodes(&branch.body, &item)
            })?;
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    fn declare(&mut self, pipeline: &Pipeline, values: &[Value]) {
        for (name, value) in pipeline.variables.iter().zip(values) {
            let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
            match known {
                Some((_, slot)) if pipeline.assigns => slot.clone_from(value),
                _ => self.variables.push((name.clone(), value.clone())),
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value> {
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(pipeline, command, piped, dot)?);
        }
        Ok(piped.unwrap_or(Value::NONE))
    }

    fn command(
        &mut self,
        pipeline: &Pipeline,
        command: &[Operand],
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value> {
        let Some((first, rest)) = command.split_first() else { return Ok(Value::NONE) };
        match first {
            Operand::Function(name) if name == "and" || name == "or" => {
                let mut last = Value::NONE;
                for operand in rest {
                    last = self.operand(pipeline, operand, dot)?;
                    if last.is_true() == (name == "or") {
                        return Ok(last);
                    }
                }
                Ok(piped.unwrap_or(last))
            }
            Operand::Function(name) => {
                let args = self.arguments(pipeline, rest, piped, dot)?;
                functions::call(name, &args).map_err(|why| self.fault(pipeline, name, why))
            }
            Operand::Chain(Start::Dot, fields)
                if fields.len() == 1 && (!rest.is_empty() || piped.is_some()) =>
            {
                let args = self.arguments(pipeline, rest, piped, dot)?;
                let args: Vec<_> = args.into_iter().map(|arg| arg.data).collect();
                (self.methods)(&fields[0], &args).map(Value::from).ok_or_else(|| {
                    self.fault(
                        pipeline,
                        first,
                        format!("{} has arguments but cannot be invoked as function", fields[0]),
                    )
                })
            }
            operand if rest.is_empty() && piped.is_none() => self.operand(pipeline, operand, dot),
            operand => Err(self.fault(pipeline, operand, "can't give argument to non-function".to_owned())),
        }
    }

    fn arguments(
        &mut self,
        pipeline: &Pipeline,
        operands: &[Operand],
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Vec<Value>> {
        let mut args = Vec::with_capacity(operands.len() + 1);
        for operand in operands {
            args.push(self.operand(pipeline, operand, dot)?);
        }
        args.extend(piped);
        Ok(args)
    }

    fn operand(&mut self, pipeline: &Pipeline, operand: &Operand, dot: &Value) -> Result<Value> {
        let (start, fields) = match operand {
            Operand::Literal(value) => return Ok(value.clone().into()),
            Operand::Nil => return Ok(Value::NONE),
            Operand::Function(name) => {
                return functions::call(name, &[]).map_err(|why| self.fault(pipeline, name, why));
            }
            Operand::Chain(start, fields) => (start, fields),
        };
        let found = match start {
            Start::Dot => self.walk(dot.clone(), fields),
            Start::Variable(name) => {
                let variable = self.variables.iter().rev().find(|(known, _)| known == name);
                self.walk(variable.map_or(Value::NONE, |(_, value)| value.clone()), fields)
            }
            Start::Group(inner) => {
                let value = self.pipeline(inner, dot)?;
                self.walk(value, fields)
            }
        };
        found.map_err(|why| self.fault(pipeline, operand, why))
    }

    /// Follows `fields` from `value`.
    fn walk(&self, value: Value, fields: &[String]) -> std::result::Result<Value, String> {
        fields.iter().try_fold(value, |value, field| value.field(field, self.is_strict))
    }

    fn fault(&self, pipeline: &Pipeline, at: impl std::fmt::Display, what: String) -> Error {
        Error::Render { line: pipeline.line, at: at.to_string(), what }
    }
}
