//! Signals by name and number: signal(7).

/// The numbered signals of x86 and ARM Linux, by number minus one.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];
/// Other names of the same.
const ALIASES: [(&str, i32); 3] = [("IOT", 6), ("CLD", 17), ("POLL", 29)];
/// What glibc leaves to programs of the real-time signals.
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

/// The number of a signal as users write it: `SIGTERM`, `term`, `15`, `RTMIN+3`.
#[must_use]
pub fn parse(word: &str) -> Option<i32> {
    let upper = word.trim().to_ascii_uppercase();
    if let Ok(number) = upper.parse::<i32>() {
        return (1..=RTMAX).contains(&number).then_some(number);
    }
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(at) = NAMES.iter().position(|&name| name == bare) {
        return i32::try_from(at + 1).ok();
    }
    if let Some((_, number)) = ALIASES.iter().find(|(name, _)| *name == bare) {
        return Some(*number);
    }
    let number = match (bare.strip_prefix("RTMIN"), bare.strip_prefix("RTMAX")) {
        (Some(""), _) => RTMIN,
        (_, Some("")) => RTMAX,
        (Some(plus), _) => RTMIN + plus.strip_prefix('+')?.parse::<i32>().ok()?,
        (_, Some(minus)) => RTMAX - minus.strip_prefix('-')?.parse::<i32>().ok()?,
        (None, None) => return None,
    };
    (RTMIN..=RTMAX).contains(&number).then_some(number)
}

/// `SIGTERM` for 15; `SIGRTMIN+3` for 37.
#[must_use]
pub fn name(number: i32) -> String {
    let plain = usize::try_from(number - 1).ok().and_then(|at| NAMES.get(at));
    match plain {
        Some(name) => format!("SIG{name}"),
        None if number == RTMIN => "SIGRTMIN".to_owned(),
        None => format!("SIGRTMIN+{}", number - RTMIN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_read_as_dockers() {
        for (word, number) in [
            ("SIGTERM", 15),
            ("term", 15),
            ("15", 15),
            ("SIGKILL", 9),
            ("sigrtmin+3", 37),
            ("RTMAX", 64),
            ("RTMAX-1", 63),
            ("IOT", 6),
        ] {
            assert_eq!(parse(word), Some(number), "{word}");
        }
        for bad in ["", "0", "65", "-1", "SIG", "NOPE", "RTMIN+31", "RTMIN3"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_name_reads_back_as_its_number() {
        for number in (1..=31).chain(RTMIN..=RTMAX) {
            assert_eq!(parse(&name(number)), Some(number));
        }
    }
}
