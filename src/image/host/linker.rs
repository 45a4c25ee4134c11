//! Reads the cache of the dynamic linker.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Parses /etc/ld.so.cache into pairs of library name and path.
///
/// The format is glibc's own: a header of 48 bytes, entries of 24 bytes (flags, name, path,
/// version, processor features), then the strings.
#[must_use]
pub fn cache(bytes: &[u8]) -> Vec<(PathBuf, PathBuf)> {
    const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
    // A cache in an older format may precede it.
    let Some(start) = bytes.windows(MAGIC.len()).position(|window| window == MAGIC) else {
        return Vec::new();
    };
    let bytes = &bytes[start..];
    let word = |at: usize| {
        let bytes = bytes.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?) as usize)
    };
    let text = |at: usize| {
        let rest = bytes.get(at..)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        Some(PathBuf::from(OsString::from_vec(rest[..end].to_vec())))
    };
    let count = word(20).unwrap_or(0);
    (0..count.min(1 << 16))
        .filter_map(|index| {
            let at = 48 + index * 24;
            // Skip variants for specific processors: the image may run on another one.
            let is_plain = bytes.get(at + 16..at + 24)?.iter().all(|&byte| byte == 0);
            if is_plain { Some((text(word(at + 4)?)?, text(word(at + 8)?)?)) } else { None }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache_of(entries: &[(u32, u32, u64)], strings: &[u8]) -> Vec<u8> {
        let mut bytes = b"glibc-ld.so.cache1.1".to_vec();
        bytes.extend_from_slice(&u32::try_from(entries.len()).unwrap().to_ne_bytes());
        bytes.resize(48, 0);
        for (name, path, features) in entries {
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&name.to_ne_bytes());
            bytes.extend_from_slice(&path.to_ne_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&features.to_ne_bytes());
        }
        bytes.extend_from_slice(strings);
        bytes
    }

    #[test]
    fn the_cache_names_folders_and_what_leads_nowhere_is_left_out() {
        let at = 48 + 4 * 24;
        let entries = [(at, at + 5, 0), (at, at + 5, 1), (at, 1 << 30, 0), (u32::MAX, at, 0)];
        let bytes = cache_of(&entries, b"libc\0/lib/libc\0no end");
        let want = [(PathBuf::from("libc"), PathBuf::from("/lib/libc"))];
        assert_eq!(cache(&bytes), want);
        assert_eq!(cache(&[b"ld.so-1.7.0 and older entries", bytes.as_slice()].concat()), want);
        for length in 0..bytes.len() {
            assert!(cache(&bytes[..length]).len() <= 1, "{length}");
        }
        assert_eq!(cache(b"not a cache"), []);
    }
}
