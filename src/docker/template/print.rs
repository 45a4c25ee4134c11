//! Values as Go's `fmt` prints them: `%v` and the other verbs.

use serde_json::Value as Json;

/// What `{{.}}` prints.
pub(super) fn value(value: &Json) -> String {
    match value {
        Json::Null => "<no value>".to_owned(),
        other => inner(other),
    }
}

fn inner(value: &Json) -> String {
    match value {
        Json::Null => "<nil>".to_owned(),
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::Array(items) => format!("[{}]", items.iter().map(inner).collect::<Vec<_>>().join(" ")),
        Json::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            let shown: Vec<_> =
                sorted.iter().map(|(name, value)| format!("{name}:{}", inner(value))).collect();
            format!("map[{}]", shown.join(" "))
        }
    }
}

/// `fmt.Sprint`: a space between two operands when neither is a string.
pub(super) fn sprint(values: &[Json]) -> String {
    let mut out = String::new();
    for (at, value) in values.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| values.get(at));
        if before.is_some_and(|before| !before.is_string() && !value.is_string()) {
            out.push(' ');
        }
        out += &inner(value);
    }
    out
}

/// `fmt.Sprintln`: spaces between all, and a newline.
pub(super) fn sprintln(values: &[Json]) -> String {
    values.iter().map(inner).collect::<Vec<_>>().join(" ") + "\n"
}

/// One directive of `printf`: `%[flags][width][.precision]verb`.
#[derive(Default)]
struct Directive {
    left: bool,
    zeros: bool,
    plus: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
}

/// `fmt.Sprintf`.
///
/// # Errors
///
/// For a verb that is not one of `%s %v %d %q %x %X %o %b %c %t %e %f %g %T`-less.
pub(super) fn sprintf(format: &str, values: &[Json]) -> Result<String, String> {
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
                // More than a screen full of padding is a mistake, not a wish.
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
    fn apply(&self, verb: char, value: &Json) -> Result<String, String> {
        let cut = |text: String| match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text,
        };
        let shown = match verb {
            's' => cut(inner(value)),
            'v' => inner(value),
            'q' => Json::from(cut(inner(value))).to_string(),
            't' if value.is_boolean() => inner(value),
            'd' | 'o' | 'b' | 'c' => match value.as_i64() {
                Some(number) => self.integer(verb, number),
                None => wrong(verb, value),
            },
            'x' | 'X' => match (value.as_i64(), value.as_str()) {
                (Some(number), _) => self.integer(verb, number),
                (None, Some(text)) => crate::base::id::hex(text.as_bytes()),
                (None, None) => wrong(verb, value),
            },
            'f' | 'F' | 'e' | 'g' => match value.as_f64() {
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

/// Go's way to show an operand that does not fit the verb.
fn wrong(verb: char, value: &Json) -> String {
    let kind = match value {
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
