//! The functions that a template can call: Go's own and Docker's.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::print;
use super::value::Value;

type Result<T> = std::result::Result<T, String>;

/// A function's name, its minimum and maximum number of arguments, and its implementation.
type Row = (&'static str, usize, usize, fn(&[Value]) -> Result<Value>);

/// The renderer evaluates `and` and `or`, which stop at the first operand that decides.
const TABLE: &[Row] = &[
    ("and", 1, MANY, |_| Err("and is lazy".to_owned())),
    ("or", 1, MANY, |_| Err("or is lazy".to_owned())),
    ("not", 1, 1, |args| Ok((!args[0].is_true()).into())),
    ("len", 1, 1, |args| len(&args[0])),
    ("index", 1, MANY, index),
    ("slice", 1, 3, slice),
    ("print", 0, MANY, |args| Ok(print::sprint(args).into())),
    ("println", 0, MANY, |args| Ok(print::sprintln(args).into())),
    ("printf", 1, MANY, |args| Ok(print::sprintf(text(&args[0])?, &args[1..])?.into())),
    ("eq", 2, MANY, |args| {
        for other in &args[1..] {
            if equals(&args[0], other)? {
                return Ok(true.into());
            }
        }
        Ok(false.into())
    }),
    ("ne", 2, 2, |args| Ok((!equals(&args[0], &args[1])?).into())),
    ("lt", 2, 2, |args| Ok((compare(&args[0], &args[1])?.is_lt()).into())),
    ("le", 2, 2, |args| Ok((compare(&args[0], &args[1])?.is_le()).into())),
    ("gt", 2, 2, |args| Ok((compare(&args[0], &args[1])?.is_gt()).into())),
    ("ge", 2, 2, |args| Ok((compare(&args[0], &args[1])?.is_ge()).into())),
    ("json", 1, 1, |args| Ok(args[0].data.to_string().into())),
    ("lower", 1, 1, |args| Ok(text(&args[0])?.to_lowercase().into())),
    ("upper", 1, 1, |args| Ok(text(&args[0])?.to_uppercase().into())),
    ("title", 1, 1, |args| Ok(title(text(&args[0])?).into())),
    ("split", 2, 2, |args| {
        Ok(text(&args[0])?.split(text(&args[1])?).map(Json::from).collect::<Json>().into())
    }),
    ("join", 2, 2, join),
    ("trim", 1, 1, |args| Ok(text(&args[0])?.trim().into())),
    ("trimSpace", 1, 1, |args| Ok(text(&args[0])?.trim().into())),
    ("trimPrefix", 2, 2, |args| {
        let (prefix, whole) = (text(&args[0])?, text(&args[1])?);
        Ok(whole.strip_prefix(prefix).unwrap_or(whole).into())
    }),
    ("trimSuffix", 2, 2, |args| {
        let (suffix, whole) = (text(&args[0])?, text(&args[1])?);
        Ok(whole.strip_suffix(suffix).unwrap_or(whole).into())
    }),
    ("pad", 3, 3, |args| {
        let (whole, before, after) = (text(&args[0])?, count(&args[1])?, count(&args[2])?);
        let padded = format!("{}{whole}{}", " ".repeat(before.min(1000)), " ".repeat(after.min(1000)));
        Ok(if whole.is_empty() { whole.into() } else { padded.into() })
    }),
    ("truncate", 2, 2, |args| Ok(text(&args[0])?.chars().take(count(&args[1])?).collect::<String>().into())),
];

const MANY: usize = usize::MAX;

/// Functions of Go that hoist does not support, for the error message.
const REFUSED: &[&str] = &["call", "html", "js", "urlquery"];

pub(super) fn is_known(name: &str) -> bool {
    TABLE.iter().any(|row| row.0 == name)
}

pub(super) fn is_refused(name: &str) -> bool {
    REFUSED.contains(&name)
}

/// Calls the function `name`.
///
/// # Errors
///
/// It does not accept these arguments.
pub(super) fn call(name: &str, args: &[Value]) -> Result<Value> {
    let Some((_, least, most, work)) = TABLE.iter().find(|row| row.0 == name) else {
        return Err(format!("function {name:?} not defined"));
    };
    if args.len() < *least || args.len() > *most {
        let want = if args.len() < *least { format!("at least {least}") } else { format!("at most {most}") };
        return Err(format!("wrong number of args for {name}: want {want} got {}", args.len()));
    }
    work(args).map_err(|why| format!("error calling {name}: {why}"))
}

fn text(value: &Value) -> Result<&str> {
    let data = &value.data;
    data.as_str().ok_or_else(|| format!("wrong type for value; expected string; got {data}"))
}

fn count(value: &Value) -> Result<usize> {
    let number = value.data.as_u64().and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| format!("wrong type for value; expected int; got {}", value.data))
}

fn len(value: &Value) -> Result<Value> {
    match &value.data {
        Json::String(text) => Ok(text.len().into()),
        Json::Array(items) => Ok(items.len().into()),
        Json::Object(fields) => Ok(fields.len().into()),
        Json::Null => Ok(0.into()),
        other => Err(format!("len of type {other}")),
    }
}

fn index(args: &[Value]) -> Result<Value> {
    args[1..].iter().try_fold(args[0].clone(), |value, key| value.at(&key.data))
}

fn slice(args: &[Value]) -> Result<Value> {
    let length = match &args[0].data {
        Json::String(text) => text.len(),
        Json::Array(items) => items.len(),
        other => return Err(format!("cannot slice {other}")),
    };
    let from = args.get(1).map_or(Ok(0), count)?;
    let to = args.get(2).map_or(Ok(length), count)?;
    let out_of_range = || format!("index out of range: {from}:{to}");
    match &args[0].data {
        Json::String(text) => text.get(from..to).map(Value::from).ok_or_else(out_of_range),
        Json::Array(items) => {
            let part = items.get(from..to).map(Json::from).ok_or_else(out_of_range)?;
            Ok(Value { data: part, kind: args[0].kind })
        }
        _ => Err(out_of_range()),
    }
}

fn join(args: &[Value]) -> Result<Value> {
    let separator = text(&args[1])?;
    match &args[0].data {
        Json::Array(items) => {
            let word = |item: &Json| text(&Value::from(item.clone())).map(str::to_owned);
            Ok(items.iter().map(word).collect::<Result<Vec<_>>>()?.join(separator).into())
        }
        Json::Null => Ok("".into()),
        other => Err(format!("wrong type for value; expected []string; got {other}")),
    }
}

/// Capitalizes each word.
fn title(text: &str) -> String {
    let mut starts = true;
    let upper_first = |c: char| {
        let shown: String = if starts { c.to_uppercase().collect() } else { c.to_string() };
        starts = !c.is_alphanumeric() && c != '_' && c != '\'';
        shown
    };
    text.chars().map(upper_first).collect()
}

fn equals(a: &Value, b: &Value) -> Result<bool> {
    match (&a.data, &b.data) {
        (Json::Null, _) | (_, Json::Null) | (Json::Bool(_), Json::Bool(_)) => Ok(a.data == b.data),
        _ => Ok(compare(a, b)?.is_eq()),
    }
}

fn compare(a: &Value, b: &Value) -> Result<Ordering> {
    match (&a.data, &b.data) {
        (Json::String(a), Json::String(b)) => Ok(a.cmp(b)),
        (Json::Number(x), Json::Number(y)) => match (x.as_i64(), y.as_i64()) {
            (Some(x), Some(y)) => Ok(x.cmp(&y)),
            _ => x.as_f64().partial_cmp(&y.as_f64()).ok_or_else(|| "not a number".to_owned()),
        },
        _ => Err("incompatible types for comparison".to_owned()),
    }
}
