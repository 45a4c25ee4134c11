//! Prints values like Go's `fmt`: `%v` and the other verbs.

use serde_json::Value as Json;

use super::value::{Field, Type, Value};

/// Returns what `{{.}}` prints.
pub(super) fn value(value: &Value) -> String {
    match (value.kind, &value.data) {
        (Type::Any, Json::Null) => "<no value>".to_owned(),
        _ => inner(value),
    }
}

fn inner(value: &Value) -> String {
    let item = |data: &Json| inner(&Value::new(Some(data), value.of_items()));
    match (value.kind, &value.data) {
        (Type::List(_), Json::Null) => "[]".to_owned(),
        (Type::Map(_) | Type::Keyed(_), Json::Null) => "map[]".to_owned(),
        (_, Json::Null) => "<nil>".to_owned(),
        (Type::Time, Json::String(text)) => time(text),
        (_, Json::String(text)) => text.clone(),
        (_, Json::Bool(_) | Json::Number(_)) => value.data.to_string(),
        (_, Json::Array(items)) => format!("[{}]", items.iter().map(item).collect::<Vec<_>>().join(" ")),
        (Type::Struct(fields), data) => {
            let own = |field: &Field| inner(&Value::new(data.get(field.key), field.kind));
            let shown: Vec<_> = fields.iter().map(own).collect();
            format!("{{{}}}", shown.join(" "))
        }
        (_, Json::Object(fields)) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            let shown: Vec<_> =
                sorted.iter().map(|(name, value)| format!("{name}:{}", item(value))).collect();
            format!("map[{}]", shown.join(" "))
        }
    }
}

/// Formats a time like Go's `Time.String`: `2026-11-29 12:36:14.4337 +0000 UTC`.
fn time(text: &str) -> String {
    let Ok(moment) = text.parse::<jiff::Timestamp>() else { return text.to_owned() };
    moment.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string()
}

/// Implements `fmt.Sprint`: a space between operands when neither is a string.
pub(super) fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    for (at, value) in values.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| values.get(at));
        if before.is_some_and(|before| !before.data.is_string() && !value.data.is_string()) {
            out.push(' ');
        }
        out += &inner(value);
    }
    out
}

/// Implements `fmt.Sprintln`: spaces between all operands, and a newline.
pub(super) fn sprintln(values: &[Value]) -> String {
    values.iter().map(inner).collect::<Vec<_>>().join(" ") + "\n"
}

/// A directive of `printf`: `%[flags][width][.precision]verb`.
#[derive(Default)]
struct Directive {
    left: bool,
    zeros: bool,
    plus: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
}

/// Implements `fmt.Sprintf`.
///
/// # Errors
///
/// A verb other than `%s %v %d %q %x %X %o %b %c %t %e %f %F %g`.
pub(super) fn sprintf(format: &str, values: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = format.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = Directive::default();
        while let Some(flag) = rest.next_if(|c| "-0+# ".contains(*c)) {
            match flag {
                '-' => directive.left = true,
                '0' => directive.zeros = true,
                '+' => directive.plus = true,
                '#' => directive.sharp = true,
                _ => {}
            }
        }
        let mut number = |first: &mut Option<usize>| {
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                let digit = usize::try_from(digit.to_digit(10).unwrap_or(0)).unwrap_or(0);
                // Wider padding is a mistake.
                *first = Some((first.unwrap_or(0) * 10 + digit).min(10_000));
            }
        };
        let mut width = None;
        number(&mut width);
        directive.width = width.unwrap_or(0);
        if rest.next_if_eq(&'.').is_some() {
            let mut precision = Some(0);
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                let digit = usize::try_from(digit.to_digit(10).unwrap_or(0)).unwrap_or(0);
                precision = Some((precision.unwrap_or(0) * 10 + digit).min(10_000));
            }
            directive.precision = precision;
        }
        let Some(verb) = rest.next() else {
            out += "%!(NOVERB)";
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        match values.next() {
            Some(value) => out += &directive.apply(verb, value)?,
            None => out += &format!("%!{verb}(MISSING)"),
        }
    }
    Ok(out)
}

impl Directive {
    fn apply(&self, verb: char, value: &Value) -> Result<String, String> {
        let cut = |text: String| match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text,
        };
        let shown = match verb {
            's' => cut(inner(value)),
            'v' => inner(value),
            'q' => Json::from(cut(inner(value))).to_string(),
            't' if value.data.is_boolean() => inner(value),
            'd' | 'o' | 'b' | 'c' => match value.data.as_i64() {
                Some(number) => self.integer(verb, number),
                None => wrong(verb, value),
            },
            'x' | 'X' => match (value.data.as_i64(), value.data.as_str()) {
                (Some(number), _) => self.integer(verb, number),
                (None, Some(text)) => crate::base::id::hex(text.as_bytes()),
                (None, None) => wrong(verb, value),
            },
            'f' | 'F' | 'e' | 'g' => match value.data.as_f64() {
                Some(number) => self.float(verb, number),
                None => wrong(verb, value),
            },
            't' => wrong(verb, value),
            other => return Err(format!("printf verb %{other} is not supported")),
        };
        Ok(self.pad(shown))
    }

    fn integer(&self, verb: char, number: i64) -> String {
        let magnitude = number.unsigned_abs();
        let (prefix, digits) = match verb {
            'x' => ("0x", format!("{magnitude:x}")),
            'X' => ("0X", format!("{magnitude:X}")),
            'o' => ("0", format!("{magnitude:o}")),
            'b' => ("0b", format!("{magnitude:b}")),
            'c' => {
                return u32::try_from(number)
                    .ok()
                    .and_then(char::from_u32)
                    .map(String::from)
                    .unwrap_or_default();
            }
            _ => ("", magnitude.to_string()),
        };
        let sign = if number < 0 {
            "-"
        } else if self.plus {
            "+"
        } else {
            ""
        };
        format!("{sign}{}{digits}", if self.sharp { prefix } else { "" })
    }

    fn float(&self, verb: char, number: f64) -> String {
        match (verb, self.precision) {
            ('e', precision) => format!("{number:.*e}", precision.unwrap_or(6)),
            ('g', None) => number.to_string(),
            (_, precision) => format!("{number:.*}", precision.unwrap_or(6)),
        }
    }

    fn pad(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        match (self.left, self.zeros) {
            _ if missing == 0 => text,
            (true, _) => text + &" ".repeat(missing),
            (false, true) => match text.strip_prefix('-') {
                Some(digits) => format!("-{}{digits}", "0".repeat(missing)),
                None => "0".repeat(missing) + &text,
            },
            (false, false) => " ".repeat(missing) + &text,
        }
    }
}

/// Formats an operand of the wrong type as Go does.
fn wrong(verb: char, value: &Value) -> String {
    let kind = match &value.data {
        Json::String(_) => "string",
        Json::Number(number) if number.is_f64() => "float64",
        Json::Number(_) => "int",
        Json::Bool(_) => "bool",
        Json::Array(_) => "[]interface {}",
        Json::Object(_) => "map[string]interface {}",
        Json::Null => return format!("%!{verb}(<nil>)"),
    };
    format!("%!{verb}({kind}={})", inner(value))
}
