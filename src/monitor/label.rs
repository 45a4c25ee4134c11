//! The SELinux labels of a container: of its processes and of its files.
//!
//! The file `lxc_contexts` of the policy (package container-selinux) defines them. Each container
//! has its own level, which separates containers, and `--security-opt label=` changes the labels by
//! Docker's rules.

use crate::base::ContainerId;
use crate::oci::Digest;

/// The number of categories in the policy.
const CATEGORIES: u32 = 1024;

/// The labels of a container's processes and files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) process: String,
    pub(super) files: String,
}

/// A line of `lxc_contexts` is missing or not a label.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has no `{0}` label")]
pub(super) struct NoLabel(&'static str);

/// `user:role:type:level`
#[derive(Clone)]
struct Label<'a> {
    user: &'a str,
    role: &'a str,
    kind: &'a str,
    level: Option<String>,
}

/// Returns the labels of the container `id` from the text of `lxc_contexts` and the values of
/// `--security-opt label=`.
pub(super) fn labels(contexts: &str, words: &[String], id: &ContainerId) -> Result<Labels, NoLabel> {
    let mut process = label(contexts, "process").ok_or(NoLabel("process"))?;
    let mut files = label(contexts, "file").ok_or(NoLabel("file"))?;
    // Skip a policy without levels.
    if process.level.is_some() {
        process.level = Some(level_of(id));
        files.level = process.level.clone();
    }
    for (part, value) in words.iter().filter_map(|word| word.split_once(':')) {
        match part {
            "user" => (process.user, files.user) = (value, value),
            "role" => process.role = value,
            "type" => process.kind = value,
            "level" => {
                process.level = Some(value.to_owned());
                files.level = process.level.clone();
            }
            "filetype" => files.kind = value,
            _ => {} // the command line rejects others
        }
    }
    Ok(Labels { process: process.to_string(), files: files.to_string() })
}

/// Returns the label for `key`. Lines are `key = "label"` or comments.
fn label<'a>(contexts: &'a str, key: &str) -> Option<Label<'a>> {
    let mut lines = contexts.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines.find(|(name, _)| name.trim() == key)?;
    let mut parts = value.trim().trim_matches('"').splitn(4, ':');
    let (user, role, kind) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Label { user, role, kind, level: parts.next().map(str::to_owned) })
}

impl std::fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.user, self.role, self.kind)?;
        self.level.iter().try_for_each(|level| write!(f, ":{level}"))
    }
}

/// Returns two categories derived from the id: the same at every start, and almost never those of
/// another container.
fn level_of(id: &ContainerId) -> String {
    let digest = Digest::of(id.as_str().as_bytes());
    let number = u32::from_str_radix(&digest.hex()[..8], 16).unwrap_or(0);
    let first = number % CATEGORIES;
    let second = (first + 1 + number / CATEGORIES % (CATEGORIES - 1)) % CATEGORIES;
    format!("s0:c{},c{}", first.min(second), first.max(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXTS: &str = "\
# of the package container-selinux
process = \"system_u:system_r:container_t:s0\"
content = \"system_u:object_r:virt_var_lib_t:s0\"
file = \"system_u:object_r:container_file_t:s0\"
";

    fn id(digit: &str) -> ContainerId {
        digit.repeat(64).parse().unwrap()
    }

    fn of(contexts: &str, words: &[&str]) -> Result<(String, String), NoLabel> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        labels(contexts, &words, &id("a")).map(|labels| (labels.process, labels.files))
    }

    #[test]
    fn words_change_the_parts_of_the_policys_labels_as_docker_does() {
        let level = level_of(&id("a"));
        let table: &[(&[&str], &str, &str)] = &[
            (&[], "system_u:system_r:container_t:LEVEL", "system_u:object_r:container_file_t:LEVEL"),
            (&["type:x_t"], "system_u:system_r:x_t:LEVEL", "system_u:object_r:container_file_t:LEVEL"),
            (&["filetype:y_t"], "system_u:system_r:container_t:LEVEL", "system_u:object_r:y_t:LEVEL"),
            (&["user:u", "role:r"], "u:r:container_t:LEVEL", "u:object_r:container_file_t:LEVEL"),
            (
                &["level:s0:c1,c2", "level:s0:c3,c4"],
                "system_u:system_r:container_t:s0:c3,c4",
                "system_u:object_r:container_file_t:s0:c3,c4",
            ),
        ];
        for (words, process, files) in table {
            let want = (process.replace("LEVEL", &level), files.replace("LEVEL", &level));
            assert_eq!(of(CONTEXTS, words), Ok(want), "{words:?}");
        }
    }

    #[test]
    fn a_policy_without_levels_has_none_and_one_without_labels_is_refused() {
        let bare = "process=a:b:c\nfile = d:e:f\n";
        assert_eq!(of(bare, &[]), Ok(("a:b:c".to_owned(), "d:e:f".to_owned())));
        assert_eq!(of("process = a:b:c:s0\n", &[]), Err(NoLabel("file")));
        assert_eq!(of("process = a:b\nfile = d:e:f\n", &[]), Err(NoLabel("process")));
    }

    #[test]
    fn a_level_is_two_different_categories_in_order() {
        for digit in ["0", "1", "7", "a", "f"] {
            let level = level_of(&id(digit));
            let (first, second) = level.strip_prefix("s0:c").unwrap().split_once(",c").unwrap();
            let (first, second): (u32, u32) = (first.parse().unwrap(), second.parse().unwrap());
            assert!(first < second && second < CATEGORIES, "{level}");
            assert_eq!(level, level_of(&id(digit)));
        }
        assert_ne!(level_of(&id("0")), level_of(&id("1")));
    }
}
