//! Parses text into [`Node`]s: a lexer for actions, then recursive descent.

use serde_json::Value as Json;

use super::functions;
use super::{Branch, Error, Node, Operand, Pipeline, Start};

type Result<T> = std::result::Result<T, Error>;

/// A token of an action.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A word such as `if`, `json` or `true`.
    Word(String),
    /// `.A`, one step of a chain; the flag says whether white space precedes it.
    Field(String, bool),
    Dot,
    Variable(String),
    Literal(Json),
    Open,
    Close,
    Pipe,
    Comma,
    Declare,
    Assign,
}

/// A piece of the template's text.
enum Piece {
    Text(String),
    Action { line: usize, tokens: Vec<Token> },
}

/// Parses a template.
pub(super) fn template(text: &str) -> Result<Vec<Node>> {
    let mut parser = Parser { pieces: pieces(text)?.into_iter(), line: 1, scopes: vec!["$".to_owned()] };
    let (nodes, end) = parser.nodes()?;
    match end {
        End::Text => Ok(nodes),
        End::Close => Err(fault(parser.line, "unexpected {{end}}")),
        End::Else(_) => Err(fault(parser.line, "unexpected {{else}}")),
    }
}

fn fault(line: usize, what: impl Into<String>) -> Error {
    Error::Parse { line, what: what.into() }
}

/// Splits the text at its actions and applies trim markers.
fn pieces(text: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let (mut rest, mut line, mut trims) = (text, 1, false);
    while let Some(start) = rest.find("{{") {
        let (before, action) = rest.split_at(start);
        line += before.matches('\n').count();
        let body = &action[2..];
        let trims_before = body.starts_with('-') && body[1..].starts_with(char::is_whitespace);
        push_text(&mut pieces, before, trims, trims_before);
        let body = if trims_before { &body[1..] } else { body };
        let (tokens, after) = if body.trim_start().starts_with("/*") {
            let comment = body.trim_start();
            let end = comment.find("*/").ok_or_else(|| fault(line, "unclosed comment"))?;
            (None, &comment[end + 2..])
        } else {
            let (tokens, after) = tokens(body, line)?;
            (Some(tokens), after)
        };
        let tail = after.trim_start();
        (rest, trims) = match (tail.strip_prefix("-}}"), tail.strip_prefix("}}")) {
            (Some(rest), _) => (rest, true),
            (None, Some(rest)) => (rest, false),
            (None, None) => return Err(fault(line, "comment ends before closing delimiter")),
        };
        let consumed = action.len() - rest.len();
        if let Some(tokens) = tokens {
            pieces.push(Piece::Action { line, tokens });
        }
        line += action[..consumed].matches('\n').count();
    }
    push_text(&mut pieces, rest, trims, false);
    Ok(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, text: &str, trim_start: bool, trim_end: bool) {
    let text = if trim_start { text.trim_start() } else { text };
    let text = if trim_end { text.trim_end() } else { text };
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// Tokenizes an action up to its closing delimiter, which stays in the rest.
fn tokens(text: &str, line: usize) -> Result<(Vec<Token>, &str)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut spaced = true;
    loop {
        let trimmed = rest.trim_start();
        spaced |= trimmed.len() < rest.len();
        rest = trimmed;
        let Some(first) = rest.chars().next() else { return Err(fault(line, "unclosed action")) };
        if rest.starts_with("}}") || (spaced && rest.starts_with("-}}")) {
            return Ok((tokens, rest));
        }
        let (token, length) = match first {
            '.' => match word_length(&rest[1..]) {
                0 if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest, line)?,
                0 => (Token::Dot, 1),
                n => (Token::Field(rest[1..=n].to_owned(), spaced), n + 1),
            },
            '$' => {
                let n = word_length(&rest[1..]);
                (Token::Variable(rest[..=n].to_owned()), n + 1)
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '|' => (Token::Pipe, 1),
            ',' => (Token::Comma, 1),
            ':' if rest.starts_with(":=") => (Token::Declare, 2),
            '=' => (Token::Assign, 1),
            '"' => quoted(rest, line)?,
            '`' => {
                let end = rest[1..].find('`').ok_or_else(|| fault(line, "unterminated raw quoted string"))?;
                (Token::Literal(Json::from(&rest[1..=end])), end + 2)
            }
            '0'..='9' | '-' | '+' => number(rest, line)?,
            _ => match word_length(rest) {
                0 => return Err(fault(line, format!("unexpected {first:?} in command"))),
                n => (Token::Word(rest[..n].to_owned()), n),
            },
        };
        tokens.push(token);
        rest = &rest[length..];
        spaced = false;
    }
}

/// Returns the length in bytes of the identifier at the start of `text`; 0 if there is none.
fn word_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

fn number(text: &str, line: usize) -> Result<(Token, usize)> {
    let end = text[1..]
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_')
        .map_or(text.len(), |at| at + 1);
    let word = &text[..end];
    let integer = match word.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    };
    let value = integer.map(Json::from).or_else(|| word.parse::<f64>().ok().map(Json::from));
    let value = value.ok_or_else(|| fault(line, format!("bad number syntax: {word:?}")))?;
    Ok((Token::Literal(value), end))
}

/// Parses a double-quoted string with Go's escapes.
fn quoted(text: &str, line: usize) -> Result<(Token, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((Token::Literal(Json::from(value)), at + 1)),
            '\n' => break,
            '\\' => value.push(match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, 't')) => '\t',
                Some((_, 'r')) => '\r',
                Some((_, c @ ('\\' | '"' | '\''))) => c,
                Some((at, 'u' | 'x')) => {
                    let digits = if text[at..].starts_with('u') { 4 } else { 2 };
                    let hex = text.get(at + 1..at + 1 + digits);
                    let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
                    chars.by_ref().take(digits).for_each(drop);
                    code.ok_or_else(|| fault(line, "bad escape in string"))?
                }
                _ => return Err(fault(line, "bad escape in string")),
            }),
            c => value.push(c),
        }
    }
    Err(fault(line, "unterminated quoted string"))
}

/// What ended a list of nodes.
enum End {
    Text,
    Close,
    /// With the tokens after `else`.
    Else(Vec<Token>),
}

struct Parser<I> {
    pieces: I,
    line: usize,
    /// Variables in scope, outermost first.
    scopes: Vec<String>,
}

impl<I: Iterator<Item = Piece>> Parser<I> {
    fn nodes(&mut self) -> Result<(Vec<Node>, End)> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let (line, mut tokens) = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action { line, tokens } => (line, tokens),
            };
            self.line = line;
            let keyword = match tokens.first() {
                Some(Token::Word(word)) => word.clone(),
                _ => String::new(),
            };
            let node = match keyword.as_str() {
                "end" => return Ok((nodes, End::Close)),
                "else" => return Ok((nodes, End::Else(tokens.split_off(1)))),
                "break" => Node::Break,
                "continue" => Node::Continue,
                "if" => Node::If(self.branch("if", tokens.split_off(1))?),
                "range" => Node::Range(self.branch("range", tokens.split_off(1))?),
                "with" => Node::With(self.branch("with", tokens.split_off(1))?),
                "define" | "block" | "template" => {
                    return Err(fault(line, format!("{{{{{keyword}}}}} is not supported")));
                }
                _ => Node::Action(self.whole_pipeline(&tokens, "command")?),
            };
            nodes.push(node);
        }
        Ok((nodes, End::Text))
    }

    fn branch(&mut self, keyword: &str, tokens: Vec<Token>) -> Result<Branch> {
        let depth = self.scopes.len();
        let pipeline = self.whole_pipeline(&tokens, keyword)?;
        let (body, end) = self.nodes()?;
        let otherwise = match end {
            End::Text => {
                return Err(fault(
                    self.line,
                    format!("unexpected EOF: {{{{{keyword}}}}} has no {{{{end}}}}"),
                ));
            }
            End::Close => Vec::new(),
            End::Else(mut rest) => match rest.first() {
                None => match self.nodes()? {
                    (nodes, End::Close) => nodes,
                    _ => return Err(fault(self.line, "{{else}} has no {{end}}")),
                },
                Some(Token::Word(word)) if word == "if" && keyword == "if" => {
                    vec![Node::If(self.branch("if", rest.split_off(1))?)]
                }
                Some(Token::Word(word)) if word == "with" && keyword == "with" => {
                    vec![Node::With(self.branch("with", rest.split_off(1))?)]
                }
                Some(_) => return Err(fault(self.line, "unexpected words after {{else")),
            },
        };
        self.scopes.truncate(depth);
        Ok(Branch { pipeline, body, otherwise })
    }

    fn whole_pipeline(&mut self, tokens: &[Token], context: &str) -> Result<Pipeline> {
        let mut rest = tokens;
        let pipeline = self.pipeline(&mut rest, context)?;
        match rest.first() {
            None => Ok(pipeline),
            Some(_) => Err(fault(self.line, format!("unexpected right paren in {context}"))),
        }
    }

    /// Parses up to the end of the action or a closing parenthesis, which stays in the rest.
    fn pipeline(&mut self, rest: &mut &[Token], context: &str) -> Result<Pipeline> {
        let mut variables = Vec::new();
        let mut assigns = false;
        let declared = match rest {
            [Token::Variable(a), sign @ (Token::Declare | Token::Assign), ..] => {
                Some((vec![a.clone()], sign, 2))
            }
            [
                Token::Variable(a),
                Token::Comma,
                Token::Variable(b),
                sign @ (Token::Declare | Token::Assign),
                ..,
            ] => Some((vec![a.clone(), b.clone()], sign, 4)),
            _ => None,
        };
        if let Some((names, sign, length)) = declared {
            (variables, assigns) = (names, *sign == Token::Assign);
            *rest = &rest[length..];
        }
        let mut commands = vec![self.command(rest, context)?];
        while let [Token::Pipe, tail @ ..] = rest {
            *rest = tail;
            commands.push(self.command(rest, context)?);
        }
        for name in &variables {
            if !assigns {
                self.scopes.push(name.clone());
            } else if !self.scopes.contains(name) {
                return Err(fault(self.line, format!("undefined variable {name:?}")));
            }
        }
        Ok(Pipeline { line: self.line, variables, assigns, commands })
    }

    fn command(&mut self, rest: &mut &[Token], context: &str) -> Result<Vec<Operand>> {
        let mut operands = Vec::new();
        loop {
            match rest.first() {
                None | Some(Token::Pipe | Token::Close) => break,
                Some(_) => operands.push(self.operand(rest)?),
            }
        }
        if operands.is_empty() {
            return Err(fault(self.line, format!("missing value for {context}")));
        }
        Ok(operands)
    }

    fn operand(&mut self, rest: &mut &[Token]) -> Result<Operand> {
        let Some((first, tail)) = rest.split_first() else {
            return Err(fault(self.line, "missing value for command"));
        };
        *rest = tail;
        let start = match first {
            Token::Literal(value) => return Ok(Operand::Literal(value.clone())),
            Token::Word(word) => return self.word(word),
            Token::Field(name, _) => return Ok(Operand::Chain(Start::Dot, chain(vec![name.clone()], rest))),
            Token::Dot => return Ok(Operand::Chain(Start::Dot, Vec::new())),
            Token::Variable(name) if self.scopes.contains(name) => Start::Variable(name.clone()),
            Token::Variable(name) => return Err(fault(self.line, format!("undefined variable {name:?}"))),
            Token::Open => {
                let inner = self.pipeline(rest, "parenthesized pipeline")?;
                let [Token::Close, tail @ ..] = rest else {
                    return Err(fault(self.line, "unclosed left paren"));
                };
                *rest = tail;
                Start::Group(Box::new(inner))
            }
            other => return Err(fault(self.line, format!("unexpected {other:?} in operand"))),
        };
        Ok(Operand::Chain(start, chain(Vec::new(), rest)))
    }

    fn word(&self, word: &str) -> Result<Operand> {
        match word {
            "true" => Ok(Operand::Literal(Json::Bool(true))),
            "false" => Ok(Operand::Literal(Json::Bool(false))),
            "nil" => Ok(Operand::Nil),
            _ if functions::is_known(word) => Ok(Operand::Function(word.to_owned())),
            _ if functions::is_refused(word) => {
                Err(fault(self.line, format!("function {word:?} is not supported")))
            }
            _ => Err(fault(self.line, format!("function {word:?} not defined"))),
        }
    }
}

/// Takes the fields that follow without white space.
fn chain(mut fields: Vec<String>, rest: &mut &[Token]) -> Vec<String> {
    while let [Token::Field(name, false), tail @ ..] = rest {
        fields.push(name.clone());
        *rest = tail;
    }
    fields
}
