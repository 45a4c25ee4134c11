//! Changes an image's configuration by Dockerfile instructions such as `CMD ["sh"]`.
//!
//! <https://docs.docker.com/reference/dockerfile/>

use serde_json::{Map, Value, json};

use super::error::{Error, Result};

/// Applies `changes`, lines of Dockerfile instructions, to the `config` part of a configuration.
///
/// # Errors
///
/// [`Error::Invalid`], which names the instruction.
pub fn apply(config: &mut Map<String, Value>, changes: &[String]) -> Result<()> {
    for line in changes.iter().flat_map(|change| change.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (word, rest) = (word.to_ascii_uppercase(), rest.trim());
        instruction(config, &word, rest).map_err(|why| Error::Invalid(format!("`{line}`: {why}")))?;
    }
    Ok(())
}

type Done<T = ()> = std::result::Result<T, String>;

fn instruction(config: &mut Map<String, Value>, word: &str, rest: &str) -> Done {
    if rest.is_empty() && !matches!(word, "CMD" | "ENTRYPOINT") {
        return Err(format!("{word} requires at least one argument"));
    }
    match word {
        "CMD" => set(config, "Cmd", json!(command(rest))),
        "ENTRYPOINT" => set(config, "Entrypoint", json!(command(rest))),
        "ENV" => {
            let env = strings(config, "Env");
            for (name, value) in pairs(rest, &env)? {
                let env = list(config, "Env")?;
                let prefix = format!("{name}=");
                env.retain(|entry| !entry.as_str().is_some_and(|entry| entry.starts_with(&prefix)));
                env.push(json!(format!("{prefix}{value}")));
            }
        }
        "LABEL" => {
            for (name, value) in pairs(rest, &strings(config, "Env"))? {
                object(config, "Labels")?.insert(name, json!(value));
            }
        }
        "EXPOSE" => {
            for port in words(rest, &strings(config, "Env"))? {
                for port in ports(&port)? {
                    object(config, "ExposedPorts")?.insert(port, json!({}));
                }
            }
        }
        "VOLUME" => {
            let volumes = match json_words(rest) {
                Some(volumes) => volumes,
                None => words(rest, &strings(config, "Env"))?,
            };
            for volume in volumes {
                if volume.trim().is_empty() {
                    return Err("VOLUME specified can not be an empty string".to_owned());
                }
                object(config, "Volumes")?.insert(volume, json!({}));
            }
        }
        "USER" => set(config, "User", json!(one(rest, config, word)?)),
        "STOPSIGNAL" => set(config, "StopSignal", json!(one(rest, config, word)?)),
        "WORKDIR" => {
            let wanted = one(rest, config, word)?;
            let before = config.get("WorkingDir").and_then(Value::as_str).filter(|dir| !dir.is_empty());
            let joined = std::path::Path::new(before.unwrap_or("/")).join(wanted);
            set(config, "WorkingDir", json!(clean(&joined)));
        }
        "ONBUILD" => {
            let first = rest.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            if matches!(first.as_str(), "ONBUILD" | "FROM" | "MAINTAINER") {
                return Err(format!("{first} isn't allowed as an ONBUILD trigger"));
            }
            list(config, "OnBuild")?.push(json!(rest));
        }
        _ => return Err(format!("{word} is not a valid change command")),
    }
    Ok(())
}

fn set(config: &mut Map<String, Value>, key: &str, value: Value) {
    config.insert(key.to_owned(), value);
}

fn list<'a>(config: &'a mut Map<String, Value>, key: &str) -> Done<&'a mut Vec<Value>> {
    let value = config.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = json!([]);
    }
    value.as_array_mut().ok_or_else(|| format!("{key} of the image is not a list"))
}

fn object<'a>(config: &'a mut Map<String, Value>, key: &str) -> Done<&'a mut Map<String, Value>> {
    let value = config.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = json!({});
    }
    value.as_object_mut().ok_or_else(|| format!("{key} of the image is not an object"))
}

fn strings(config: &Map<String, Value>, key: &str) -> Vec<String> {
    let list = config.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `["a", "b"]` is the exec form; anything else is run by a shell.
fn command(rest: &str) -> Vec<String> {
    json_words(rest).unwrap_or_else(|| vec!["/bin/sh".to_owned(), "-c".to_owned(), rest.to_owned()])
}

fn json_words(rest: &str) -> Option<Vec<String>> {
    serde_json::from_str(rest).ok()
}

fn one(rest: &str, config: &Map<String, Value>, word: &str) -> Done<String> {
    let mut words = words(rest, &strings(config, "Env"))?;
    match (words.pop(), words.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(format!("{word} requires exactly one argument")),
    }
}

/// Parses `a=b "c d"=e`, or the old form `a b c` with a single pair.
fn pairs(rest: &str, env: &[String]) -> Done<Vec<(String, String)>> {
    let first = rest.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let (name, value) = rest.split_once(char::is_whitespace).ok_or("expected NAME=VALUE")?;
        return Ok(vec![(name.to_owned(), words(value, env)?.join(" "))]);
    }
    let pair = |word: String| match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{word}` is not of the form NAME=VALUE")),
    };
    words(rest, env)?.into_iter().map(pair).collect()
}

/// Splits text like a shell, with quotes, backslashes, `$NAME` and `${NAME}`.
fn words(text: &str, env: &[String]) -> Done<Vec<String>> {
    let (mut words, mut word, mut in_word) = (Vec::new(), String::new(), false);
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, None) if c.is_whitespace() => {
                if in_word {
                    words.push(std::mem::take(&mut word));
                }
                in_word = false;
                continue;
            }
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => match chars.next() {
                Some(next) if quote.is_none() || matches!(next, '"' | '\\' | '$') => word.push(next),
                Some(next) => word.extend(['\\', next]),
                None => word.push('\\'),
            },
            ('$', None | Some('"')) => word.push_str(&variable(&mut chars, env)?),
            (c, _) => word.push(c),
        }
        in_word = true;
    }
    if quote.is_some() {
        return Err("unterminated quote".to_owned());
    }
    if in_word {
        words.push(word);
    }
    Ok(words)
}

fn variable(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, env: &[String]) -> Done<String> {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let braced = chars.next_if_eq(&'{').is_some();
    let name: String = std::iter::from_fn(|| chars.next_if(is_name)).collect();
    if braced && chars.next() != Some('}') {
        return Err("only $NAME and ${NAME} are supported".to_owned());
    }
    if name.is_empty() {
        return Ok("$".to_owned());
    }
    let value = env.iter().find_map(|entry| entry.strip_prefix(&name)?.strip_prefix('='));
    Ok(value.unwrap_or_default().to_owned())
}

/// Parses `80`, `80/udp` and `8000-8002`.
fn ports(text: &str) -> Done<Vec<String>> {
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let port = |text: &str| text.parse::<u16>().ok().filter(|&port| port > 0);
    match (port(first), port(last)) {
        (Some(first), Some(last)) if first <= last && matches!(&*protocol, "tcp" | "udp" | "sctp") => {
            Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
        }
        _ => Err(format!("invalid containerPort: {text}")),
    }
}

fn clean(path: &std::path::Path) -> String {
    use std::path::Component;
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(lines: &[&str]) -> Result<Value> {
        let mut config = Map::new();
        let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
        apply(&mut config, &lines).map(|()| Value::Object(config))
    }

    #[test]
    fn every_instruction_lands_where_docker_puts_it() {
        for (lines, wanted) in [
            (vec![r#"CMD ["sh", "-l"]"#], json!({"Cmd": ["sh", "-l"]})),
            (vec!["cmd echo $HOME"], json!({"Cmd": ["/bin/sh", "-c", "echo $HOME"]})),
            (vec![r#"ENTRYPOINT ["/init"]"#], json!({"Entrypoint": ["/init"]})),
            (
                vec!["ENV A=1 B='x y'", "ENV A=2", "ENV C $A/${B}"],
                json!({"Env": ["B=x y", "A=2", "C=2/x y"]}),
            ),
            (vec![r#"LABEL a="b c" d=e"#], json!({"Labels": {"a": "b c", "d": "e"}})),
            (
                vec!["EXPOSE 80 53/udp 8000-8001"],
                json!({"ExposedPorts": {"80/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}}}),
            ),
            (vec!["USER 1000:10"], json!({"User": "1000:10"})),
            (vec!["VOLUME /a /b"], json!({"Volumes": {"/a": {}, "/b": {}}})),
            (vec![r#"VOLUME ["/a b"]"#], json!({"Volumes": {"/a b": {}}})),
            (vec!["WORKDIR /srv", "WORKDIR web/../data"], json!({"WorkingDir": "/srv/data"})),
            (vec!["ONBUILD RUN make"], json!({"OnBuild": ["RUN make"]})),
            (vec!["STOPSIGNAL SIGINT", "", "# note"], json!({"StopSignal": "SIGINT"})),
        ] {
            assert_eq!(changed(&lines).unwrap(), wanted, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_change_is_refused_by_name() {
        for (line, why) in [
            ("RUN make", "`RUN make`: RUN is not a valid change command"),
            ("ENV", "`ENV`: ENV requires at least one argument"),
            ("EXPOSE 0", "`EXPOSE 0`: invalid containerPort: 0"),
            ("USER a b", "`USER a b`: USER requires exactly one argument"),
            ("LABEL a='b", "`LABEL a='b`: unterminated quote"),
            ("ONBUILD FROM x", "`ONBUILD FROM x`: FROM isn't allowed as an ONBUILD trigger"),
        ] {
            assert_eq!(changed(&[line]).unwrap_err().to_string(), why);
        }
    }
}
