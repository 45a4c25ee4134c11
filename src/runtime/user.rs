//! Determines the user and groups of the payload from the container's own passwd and group files.
//!
//! These files belong to the image. They are only opened inside the root, and must be regular files
//! of at most 1 MiB. Malformed lines are skipped. Numeric ids require neither file.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, OFlags};

use super::{Error, Result};
use crate::oci::runtime::User;
use crate::sys::{self, fs};

/// The largest id. The kernel uses the two above for "no change" and "overflow".
const MAX_ID: u32 = i32::MAX as u32 - 1;
const MAX_FILE: u64 = 1 << 20;

/// The user and groups of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Supplementary groups; of a user by name, the primary one first (CVE-2022-36109).
    pub(super) groups: Vec<u32>,
    /// The home directory, if the passwd file has one.
    pub(super) home: Option<String>,
}

/// Looks up `user` in the files of `root`. `user.username` has Docker's format: `user`,
/// `user:group`, `uid`, `uid:gid`; only the engine sets it. Without it, the numbers of the spec are
/// used, and its additional groups are the only supplementary ones.
///
/// `further` are additional groups, by name or number.
pub(super) fn look_up(root: BorrowedFd<'_>, user: &User, further: &[String]) -> Result<Identity> {
    let mut identity = who(root, user)?;
    if !further.is_empty() {
        let group = database(root, "/etc/group", further.iter().any(|name| !is_number(name)))?;
        let bad = |why: &str| Error::Spec { field: "group-add".to_owned(), why: why.to_owned() };
        let found = further.iter().map(|name| resolve_group(name, &group, &bad));
        add(&mut identity.groups, found.collect::<Result<Vec<_>>>()?);
    }
    Ok(identity)
}

fn who(root: BorrowedFd<'_>, user: &User) -> Result<Identity> {
    match user.username().as_deref().filter(|name| !name.is_empty()) {
        Some(name) => {
            let (owner, of) = name.split_once(':').unwrap_or((name, ""));
            let is_named = !owner.is_empty() && !is_number(owner);
            let passwd = database(root, "/etc/passwd", is_named)?;
            // Without an explicit group, the user has the groups that list its name.
            let needs_group = if of.is_empty() { is_named } else { !is_number(of) };
            let group = database(root, "/etc/group", needs_group)?;
            let mut identity = resolve(name, &passwd, &group)?;
            add(&mut identity.groups, user.additional_gids().iter().flatten().copied());
            Ok(identity)
        }
        None => {
            let mut groups = Vec::new();
            add(&mut groups, user.additional_gids().iter().flatten().copied());
            let passwd = database(root, "/etc/passwd", false)?;
            let home = by_uid(&passwd, user.uid()).map(|entry| entry.home.to_owned());
            Ok(Identity { uid: user.uid(), gid: user.gid(), groups, home })
        }
    }
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the text of a database. Unless it is `needed`, a file that may not be read counts as
/// empty.
fn database(root: BorrowedFd<'_>, path: &str, needed: bool) -> Result<String> {
    match read_database(root, path) {
        Err(Unread::Refused(_)) if !needed => Ok(String::new()),
        Err(Unread::Refused(source) | Unread::Failed(source)) => {
            Err(Error::Step { step: format!("read {path}"), source })
        }
        Ok(text) => Ok(text),
    }
}

/// Why a database was not read.
enum Unread {
    /// The file in the image may not be read.
    Refused(sys::Error),
    Failed(sys::Error),
}

impl From<sys::Error> for Unread {
    fn from(error: sys::Error) -> Self {
        Self::Failed(error)
    }
}

/// Adds groups that are not in the list yet. The image determines their number, so the search must
/// not be linear.
fn add(groups: &mut Vec<u32>, more: impl IntoIterator<Item = u32>) {
    let mut known: HashSet<u32> = groups.iter().copied().collect();
    groups.extend(more.into_iter().filter(|group| known.insert(*group)));
}

/// Reads a database inside the root; returns an empty text if there is none.
fn read_database(root: BorrowedFd<'_>, path: &str) -> std::result::Result<String, Unread> {
    use rustix::io::Errno;
    let refused = |why: &str| {
        let why = std::io::Error::other(why.to_owned());
        Err(Unread::Refused(sys::Error::new(format!("read({path})"), why)))
    };
    // Open with `O_PATH` first, since opening a FIFO or device may have side effects.
    let place = match open_database(root, path, OFlags::PATH) {
        Ok(place) => place,
        Err(error) if error.is(Errno::NOENT) || error.is(Errno::NOTDIR) => return Ok(String::new()),
        Err(error) if error.is(Errno::LOOP) || error.is(Errno::XDEV) => {
            return refused("a link leads to another file system, or forms a loop");
        }
        Err(error) => return Err(error.into()),
    };
    let stat = fs::stat(&place)?;
    if fs::file_type(&stat) != FileType::RegularFile {
        return refused("it is not a regular file");
    }
    let file = open_database(root, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
    let again = fs::stat(&file)?;
    if (stat.st_dev, stat.st_ino) != (again.st_dev, again.st_ino) {
        return refused("it was replaced in the meantime");
    }
    let mut bytes = Vec::new();
    let read = File::from(file).take(MAX_FILE + 1).read_to_end(&mut bytes);
    sys::check(read, || format!("read({path})"))?;
    if bytes.len() as u64 > MAX_FILE {
        return refused("it is larger than 1 MiB");
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Opens a database. Symbolic links of the image are followed within the root's own file system,
/// never to a procfs or the like. A mount on the database or its folder was requested by the
/// container's creator, and is reached without a symbolic link.
fn open_database(root: BorrowedFd<'_>, path: &str, flags: OFlags) -> sys::Result<OwnedFd> {
    match fs::open_in_root_file_system(root, Path::new(path), flags) {
        Err(error) if error.is(rustix::io::Errno::XDEV) => {
            fs::open_beneath(root, Path::new(path.trim_start_matches('/')), flags)
        }
        result => result,
    }
}

struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// Parses lines `name:password:uid:gid:comment:home:shell`.
fn entries(passwd: &str) -> impl Iterator<Item = Entry<'_>> {
    passwd.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, rest @ ..] = fields.as_slice() else { return None };
        let home = rest.get(1).copied().unwrap_or_default();
        Some(Entry { name, uid: number(uid)?, gid: number(gid)?, home })
    })
}

fn by_uid(passwd: &str, uid: u32) -> Option<Entry<'_>> {
    entries(passwd).find(|entry| entry.uid == uid)
}

/// Parses lines `name:password:gid:member,member`.
fn groups(group: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    group.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, gid, rest @ ..] = fields.as_slice() else { return None };
        Some((*name, number(gid)?, rest.first().copied().unwrap_or_default()))
    })
}

/// Parses a plain decimal number in the range of ids: no sign, no blanks.
fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|id| plain && *id <= MAX_ID)
}

fn resolve(wanted: &str, passwd: &str, group: &str) -> Result<Identity> {
    // As in Docker, the default user is root, and the default group is the user's own.
    let (user, primary) = wanted.split_once(':').unwrap_or((wanted, ""));
    let user = if user.is_empty() { "0" } else { user };
    let primary = Some(primary).filter(|group| !group.is_empty());
    let bad =
        |why: &str| Error::Spec { field: "process.user".to_owned(), why: format!("{why}, not `{wanted}`") };
    // As in Docker, names are looked up first, even if they consist of digits.
    let entry = entries(passwd).find(|entry| entry.name == user);
    let (uid, name, default_gid, home) = match entry {
        Some(entry) => (entry.uid, Some(entry.name), entry.gid, Some(entry.home)),
        None if user.bytes().all(|byte| byte.is_ascii_digit()) => {
            let uid = number(user).ok_or_else(|| bad("IDs must be from 0 to 2147483646"))?;
            match by_uid(passwd, uid) {
                Some(entry) => (uid, Some(entry.name), entry.gid, Some(entry.home)),
                None => (uid, None, 0, None),
            }
        }
        None => return Err(Error::UnknownUser { what: "user", name: user.to_owned(), file: "passwd" }),
    };
    let gid = primary.map(|primary| resolve_group(primary, group, &bad)).transpose()?;
    let mut all = vec![gid.unwrap_or(default_gid)];
    // As in Docker, an explicit group is the only one.
    if let (None, Some(name)) = (gid, name) {
        let member =
            |(_, gid, members): (&str, u32, &str)| members.split(',').any(|m| m == name).then_some(gid);
        add(&mut all, groups(group).filter_map(member));
    }
    let home = home.filter(|home| !home.is_empty()).map(str::to_owned);
    Ok(Identity { uid, gid: all[0], groups: all, home })
}

fn resolve_group(wanted: &str, group: &str, bad: &dyn Fn(&str) -> Error) -> Result<u32> {
    if let Some((_, gid, _)) = groups(group).find(|(name, _, _)| *name == wanted) {
        return Ok(gid);
    }
    if wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(wanted).ok_or_else(|| bad("IDs must be from 0 to 2147483646"));
    }
    Err(Error::UnknownUser { what: "group", name: wanted.to_owned(), file: "group" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd as _;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
        web:x:1000:1001:Web:/srv/web:/bin/sh\n\
        big:x:4294967295:0::/:/bin/sh\nneg:x:-1:0::/:\n\
        short:x\n77:x:78:79::/seven:\n";
    const GROUP: &str =
        "root:x:0:root\nweb:x:1001:\ndisk:x:6:web,root\naudio:x:29:web\nhuge:x:9999999999:web\n";

    #[test]
    fn thirty_forms_of_a_user() {
        type Want = Option<(u32, u32, &'static [u32])>;
        let table: &[(&str, Want)] = &[
            ("root", Some((0, 0, &[0, 6]))),
            ("0", Some((0, 0, &[0, 6]))),
            ("web", Some((1000, 1001, &[1001, 6, 29]))),
            ("1000", Some((1000, 1001, &[1001, 6, 29]))),
            ("1000:1001", Some((1000, 1001, &[1001]))),
            ("web:disk", Some((1000, 6, &[6]))),
            ("web:web", Some((1000, 1001, &[1001]))),
            ("1234", Some((1234, 0, &[0]))),
            ("1234:5678", Some((1234, 5678, &[5678]))),
            ("1234:audio", Some((1234, 29, &[29]))),
            ("root:0", Some((0, 0, &[0]))),
            ("77", Some((78, 79, &[79]))),
            ("2147483646", Some((2_147_483_646, 0, &[0]))),
            ("2147483647", None),
            ("4294967295", None),
            ("4294967296", None),
            ("18446744073709551616", None),
            ("0:4294967295", None),
            ("-1", None),
            ("+1", None),
            (" 1", None),
            ("0x0", None),
            ("1e3", None),
            ("1000:", Some((1000, 1001, &[1001, 6, 29]))),
            (":5", Some((0, 5, &[5]))),
            (":audio", Some((0, 29, &[29]))),
            (":", Some((0, 0, &[0, 6]))),
            ("-1:", None),
            (":nogroup", None),
            ("nobody", None),
            ("web:nogroup", None),
            ("big", None),
            ("neg", None),
            ("short", None),
            ("web:huge", None),
            ("root:0:0", None),
            ("web\n", None),
        ];
        for (form, want) in table {
            let got = resolve(form, PASSWD, GROUP).ok().map(|who| (who.uid, who.gid, who.groups));
            let want = want.map(|(uid, gid, groups)| (uid, gid, groups.to_vec()));
            assert_eq!(got, want, "{form:?}");
        }
    }

    #[test]
    fn messages_say_which_file_lacks_the_name() {
        assert_eq!(
            resolve("nobody", PASSWD, GROUP).unwrap_err().to_string(),
            "unable to find user `nobody`: no matching entry in the container's passwd file"
        );
        assert_eq!(
            resolve("web:x", PASSWD, GROUP).unwrap_err().to_string(),
            "unable to find group `x`: no matching entry in the container's group file"
        );
        assert_eq!(
            resolve("root:0:0", PASSWD, GROUP).unwrap_err().to_string(),
            "unable to find group `0:0`: no matching entry in the container's group file"
        );
    }

    #[test]
    fn numbers_need_no_database() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        for name in ["passwd", "group"] {
            std::os::unix::fs::symlink(name, dir.path().join("etc").join(name)).unwrap();
        }
        let root = fs::open_dir(dir.path()).unwrap();
        let of = |form: &str, further: &[&str]| {
            let mut user = User::default();
            user.set_username(Some(form.to_owned()));
            let further: Vec<_> = further.iter().map(|&name| name.to_owned()).collect();
            let found = look_up(root.as_fd(), &user, &further);
            found.map(|who| (who.uid, who.gid, who.groups)).map_err(|error| error.to_string())
        };
        assert_eq!(of("", &[]), Ok((0, 0, vec![])), "the numbers of a spec");
        assert_eq!(of("0", &[]), Ok((0, 0, vec![0])));
        assert_eq!(of("7:8", &["9"]), Ok((7, 8, vec![8, 9])));
        for (form, further, file) in [
            ("web", &[][..], "/etc/passwd"),
            ("web:8", &[], "/etc/passwd"),
            ("7:staff", &[], "/etc/group"),
            ("7", &["staff"], "/etc/group"),
        ] {
            let error = of(form, further).unwrap_err();
            assert!(error.contains(file), "{form}: {error}");
        }
    }

    #[test]
    fn only_a_plain_file_of_a_bearable_size_inside_the_root_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("passwd");
        std::fs::write(&outside, "out:x:5:5::/:\n").unwrap();
        let etc = dir.path().join("root/etc");
        std::fs::create_dir_all(&etc).unwrap();
        let root = fs::open_dir(&dir.path().join("root")).unwrap();
        let read = || {
            database(root.as_fd(), "/etc/passwd", true).map_err(|error| crate::base::error::one_line(&error))
        };
        let file = etc.join("passwd");
        assert_eq!(read(), Ok(String::new()), "none is an empty one");

        std::os::unix::fs::symlink(&outside, &file).unwrap();
        assert_eq!(read(), Ok(String::new()), "a link out of the root leads nowhere");
        std::fs::remove_file(&file).unwrap();

        rustix::fs::mknodat(rustix::fs::CWD, &file, FileType::Fifo, 0o644.into(), 0).unwrap();
        assert!(read().is_err(), "a FIFO would block for ever");
        std::fs::remove_file(&file).unwrap();

        std::fs::File::create(&file).unwrap().set_len(10 << 30).unwrap();
        assert!(read().is_err(), "10 GiB of nothing");
        std::fs::write(&file, PASSWD).unwrap();
        assert_eq!(read(), Ok(PASSWD.to_owned()));
    }
}
