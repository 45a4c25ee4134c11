//! Malicious layers, layers written by other tools, and layers that depend on each other. Needs
//! root, or root in a user namespace (`unshare -Urm`), where devices and foreign owners are left
//! out.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::in_user_namespace;
use hoist::internals::base::Paths;
use hoist::internals::base::progress::Reporter;
use hoist::internals::image::{Commit, Error, Layer, Lease, Limits, Store};
use hoist::internals::layer::LayerSource;
use hoist::internals::oci::{Digest, ImageId};
use hoist::internals::snapshot::{self, Layout};
use hoist::internals::sys::probe::Probe;
use hoist::internals::sys::{self, xattr};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// A store in a temporary folder, next to a canary file that must never change.
struct Place {
    dir: tempfile::TempDir,
    store: Store,
    lease: Lease,
}

impl Place {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::create_dir(dir.path().join("canary")).unwrap();
        fs::write(dir.path().join("canary/file"), "untouched").unwrap();
        fs::set_permissions(dir.path().join("canary"), fs::Permissions::from_mode(0o751)).unwrap();
        let paths = Paths::new(dir.path().join("root"), dir.path().join("run"));
        let store = Store::new(paths, in_user_namespace()).with_limits(limits);
        let lease = store.lease().unwrap();
        Self { dir, store, lease }
    }

    fn canary(&self) -> PathBuf {
        self.dir.path().join("canary")
    }

    fn unpack(&self, tar: &[u8]) -> Result<Layer, Error> {
        let source = LayerSource { reader: Box::new(tar), diff_id: None, size: None, name: "test" };
        self.store.unpack(&self.lease, source, &Reporter::silent())
    }

    fn diff(&self, layer: &Layer) -> PathBuf {
        self.store.layer_dir(&layer.diff_id).unwrap().join("diff")
    }

    fn commit(&self, layers: &[&Layer]) -> Result<ImageId, Error> {
        let ids: Vec<_> = layers.iter().map(|layer| format!("\"{}\"", layer.diff_id)).collect();
        let config = format!("{{\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[{}]}}}}", ids.join(","));
        self.store.commit(&self.lease, &Commit { config: config.as_bytes(), ..Commit::default() })
    }

    fn assert_untouched(&self, attack: &str) {
        let canary = self.canary();
        let names: Vec<_> = fs::read_dir(&canary).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["file"], "{attack}");
        assert_eq!(fs::read_to_string(canary.join("file")).unwrap(), "untouched", "{attack}");
        let meta = fs::metadata(canary.join("file")).unwrap();
        assert_eq!((meta.nlink(), meta.mode() & 0o7777), (1, 0o644), "{attack}");
        assert_eq!(fs::metadata(&canary).unwrap().mode() & 0o7777, 0o751, "{attack}");
        let mut beside: Vec<_> =
            fs::read_dir(self.dir.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        beside.sort();
        assert_eq!(beside, ["canary", "root"], "{attack}");
    }
}

/// Writes archives that no regular tool would.
#[derive(Clone, Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn raw(mut self, name: &[u8], kind: u8, link: &[u8], mode: &str, data: &[u8], size: Option<u64>) -> Self {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name);
        header[100..107].copy_from_slice(mode.as_bytes());
        header[108..115].copy_from_slice(b"0000000");
        header[116..123].copy_from_slice(b"0000000");
        let size = format!("{:011o}", size.unwrap_or(data.len() as u64));
        header[124..135].copy_from_slice(&size.as_bytes()[..11]);
        header[136..147].copy_from_slice(b"00003641100");
        header[156] = kind;
        header[157..157 + link.len()].copy_from_slice(link);
        header[257..265].copy_from_slice(b"ustar\x0000");
        self.push(&mut header, data);
        self
    }

    /// Fills in the checksum.
    fn push(&mut self, header: &mut [u8; 512], data: &[u8]) {
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.0.extend_from_slice(header);
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    fn file(self, name: &str, data: &str) -> Self {
        self.raw(name.as_bytes(), b'0', b"", "0000644", data.as_bytes(), None)
    }

    fn folder(self, name: &str, mode: &str) -> Self {
        self.raw(name.as_bytes(), b'5', b"", mode, b"", None)
    }

    fn symlink(self, name: &str, target: &str) -> Self {
        self.raw(name.as_bytes(), b'2', target.as_bytes(), "0000777", b"", None)
    }

    fn hard_link(self, name: &str, target: &str) -> Self {
        self.raw(name.as_bytes(), b'1', target.as_bytes(), "0000644", b"", None)
    }

    /// Adds a PAX header with these records, for the next entry (`x`) or all (`g`).
    fn pax(self, kind: u8, records: &[(&str, &str)]) -> Self {
        let mut data = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let len = (rest..).find(|len| len.to_string().len() + rest == *len).unwrap();
            data.extend_from_slice(format!("{len} {key}={value}\n").as_bytes());
        }
        self.raw(b"pax", kind, b"", "0000644", &data, None)
    }

    fn device(mut self, name: &str, major: u32, minor: u32) -> Self {
        let at = self.0.len();
        self = self.raw(name.as_bytes(), b'3', b"", "0000666", b"", None);
        let mut header: [u8; 512] = self.0[at..].try_into().unwrap();
        header[329..336].copy_from_slice(format!("{major:07o}").as_bytes());
        header[337..344].copy_from_slice(format!("{minor:07o}").as_bytes());
        self.0.truncate(at);
        self.push(&mut header, b"");
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn tar() -> Tar {
    Tar::default()
}

/// The expected result of an attack.
enum Outcome {
    /// The layer is rejected, with a message that contains this text.
    Refused(&'static str),
    /// The layer is unpacked, and the entry is inside at this path.
    Inside(&'static str),
    /// The layer is unpacked without anything at this path.
    Without(&'static str),
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn attacks(canary: &Path) -> Vec<(&'static str, Vec<u8>, Outcome)> {
    use Outcome::{Inside, Refused, Without};
    let there = canary.to_str().unwrap();
    let up = format!("../../../../../../../../../../..{there}");
    let long = "n".repeat(5000);
    let wide = format!("{}/file", "w".repeat(256));
    vec![
        ("absolute name", tar().file("/etc/passwd", "x").end(), Inside("etc/passwd")),
        ("absolute name of the canary", tar().file(&format!("{there}/file"), "x").end(), Inside("var/tmp")),
        ("parent", tar().file("../canary/file", "x").end(), Refused("leads out of the layer")),
        ("parent behind a folder", tar().file("a/../../canary/file", "x").end(), Refused("leads out")),
        ("parent that stays inside", tar().file("a/../b", "x").end(), Inside("b")),
        (
            "file through an absolute link",
            tar().symlink("link", there).file("link/file", "x").end(),
            Refused("`link` is not a folder"),
        ),
        (
            "file through a relative link",
            tar().symlink("link", &up).file("link/file", "x").end(),
            Refused("`link` is not a folder"),
        ),
        (
            "file through a link that has a place inside",
            tar().folder("real", "0000755").symlink("link", "/real").file("link/file", "x").end(),
            Inside("real/file"),
        ),
        (
            "file over a link",
            tar().symlink("file", &format!("{there}/file")).file("file", "x").end(),
            Inside("file"),
        ),
        (
            "file over a hard link to a link",
            tar().symlink("l", &format!("{there}/file")).hard_link("h", "l").file("h", "x").end(),
            Inside("h"),
        ),
        ("hard link out", tar().hard_link("x", "../../canary/file").end(), Refused("leads out")),
        (
            "hard link out by an absolute name",
            tar().hard_link("x", &format!("{there}/file")).end(),
            Without("x"),
        ),
        ("hard link through a link", tar().symlink("l", there).hard_link("x", "l/file").end(), Without("x")),
        (
            "hard link to a folder",
            tar().folder("d", "0000755").hard_link("x", "d").end(),
            Refused("not a file"),
        ),
        ("hard link to itself", tar().hard_link("x", "x").end(), Refused("")),
        ("hard link to the root", tar().hard_link("x", "/").end(), Refused("layer's root")),
        (
            "folder turned into a link",
            tar().folder("d", "0000755").file("d/a", "a").symlink("d", there).file("d/file", "x").end(),
            Refused("`d` is not a folder"),
        ),
        (
            "links in a row",
            tar().symlink("a", "b").symlink("b", there).file("a/file", "x").end(),
            Refused("`a` is not a folder"),
        ),
        (
            "links in a ring",
            tar().symlink("a", "b").symlink("b", "a").file("a/file", "x").end(),
            Refused("cannot unpack `a/file`"),
        ),
        (
            "permissions through a link (CVE-2026-33056)",
            tar().symlink("d", there).folder("d", "0000777").end(),
            Inside("d"),
        ),
        (
            "magic link",
            tar().symlink("p", "/proc/self/root").file("p/canary", "x").end(),
            Refused("`p` is not a folder"),
        ),
        ("whiteout of .", tar().file(".wh..", "").end(), Refused("whiteout without a name")),
        ("whiteout of ..", tar().file("a/.wh...", "").end(), Refused("whiteout without a name")),
        ("whiteout of nothing", tar().file(".wh.", "").end(), Refused("whiteout without a name")),
        ("file in an opaque mark", tar().file(".wh..wh..opq/x", "x").end(), Refused("inside a whiteout")),
        ("file in a whiteout", tar().file("a/.wh.b/x", "x").end(), Refused("inside a whiteout")),
        (
            "whiteout through a link",
            tar().symlink("l", there).file("l/.wh.file", "").end(),
            Refused("`l` is not a folder"),
        ),
        (
            "opaque mark through a link",
            tar().symlink("l", there).file("l/.wh..wh..opq", "").end(),
            Refused("`l` is not a folder"),
        ),
        ("notes of aufs", tar().file(".wh..wh.aufs", "x").end(), Without(".wh..wh.aufs")),
        (
            "PAX size hides an entry",
            tar()
                .pax(b'x', &[("size", "1024")])
                .raw(b"big", b'0', b"", "0000644", &tar().file("hidden", "x").0, Some(0))
                .end(),
            Without("hidden"),
        ),
        (
            "a link with data hides an entry",
            tar().raw(b"l", b'1', b"x", "0000644", b"", Some(512)).file("shown", "x").end(),
            Inside("shown"),
        ),
        (
            "the same PAX key twice",
            tar().pax(b'x', &[("path", "a"), ("path", "b")]).file("c", "x").end(),
            Refused("two values"),
        ),
        ("a global PAX path", tar().pax(b'g', &[("path", "a")]).file("c", "x").end(), Refused("global PAX")),
        (
            "a PAX path out",
            tar().pax(b'x', &[("path", "../canary/file")]).file("c", "x").end(),
            Refused("leads"),
        ),
        ("two PAX headers", tar().pax(b'x', &[]).pax(b'x', &[]).file("c", "x").end(), Refused("same entry")),
        (
            "a zero byte in a path",
            tar().pax(b'x', &[("path", "a\0b")]).file("c", "x").end(),
            Refused("zero byte"),
        ),
        (
            "a long name out",
            tar().raw(b"L", b'L', b"", "0000644", b"../canary/file\0", None).file("c", "x").end(),
            Refused("leads out"),
        ),
        (
            "a name of 1 TiB",
            tar().raw(b"L", b'L', b"", "0000644", b"", Some(1 << 33)).file("c", "x").end(),
            Refused("too long"),
        ),
        (
            "attributes of 4 GiB",
            tar().raw(b"x", b'x', b"", "0000644", b"", Some(1 << 32)).file("c", "x").end(),
            Refused("too long"),
        ),
        (
            "a path of 5000 bytes",
            tar().pax(b'x', &[("path", &long)]).file("c", "x").end(),
            Refused("longer than"),
        ),
        (
            "a name of 256 bytes",
            tar().pax(b'x', &[("path", &wide)]).file("c", "x").end(),
            Refused("255 bytes"),
        ),
        (
            "overlay's redirect (attribute)",
            tar().pax(b'x', &[("SCHILY.xattr.trusted.overlay.redirect", there)]).folder("d", "0000755").end(),
            Inside("d"),
        ),
        (
            "a sparse file of 8 EiB",
            tar()
                .pax(b'x', &[("GNU.sparse.size", "9223372036854775807"), ("GNU.sparse.map", "0,1")])
                .file("s", "x")
                .end(),
            Refused("too large"),
        ),
        (
            "a sparse file beyond itself",
            tar().pax(b'x', &[("GNU.sparse.size", "1"), ("GNU.sparse.map", "5,1")]).file("s", "x").end(),
            Refused("exceed"),
        ),
        (
            "an impossible size",
            tar().pax(b'x', &[("size", "18446744073709551615")]).file("s", "x").end(),
            Refused("too large"),
        ),
        ("a negative size", tar().pax(b'x', &[("size", "-1")]).file("s", "x").end(), Refused("invalid")),
        (
            "an owner that means nobody",
            tar().pax(b'x', &[("uid", "4294967295")]).file("s", "x").end(),
            Refused("owner's id"),
        ),
        ("an unknown kind", tar().raw(b"m", b'M', b"", "0000644", b"", None).end(), Refused("unknown type")),
        ("a file as a folder", tar().file("f", "x").file("f/g", "x").end(), Refused("`f` is not a folder")),
        ("the root as a link", tar().symlink("./", there).end(), Refused("root is not a folder")),
        ("a header with a wrong sum", [&[7; 512][..], &tar().end()].concat(), Refused("invalid")),
        (
            "zeros between entries",
            [&tar().file("a", "x").0[..], &[0; 512], &tar().file("b", "x").end()].concat(),
            Refused("between two entries"),
        ),
        ("a torn end", tar().file("a", &"x".repeat(600)).0[..600].to_vec(), Refused("middle of an entry")),
        (
            "a name without an entry",
            tar().pax(b'x', &[("path", "a")]).end(),
            Refused("between an entry's name"),
        ),
        ("damaged xz", b"\xfd7zXZ\0......".to_vec(), Refused("XZ stream header")),
    ]
}

#[test]
fn no_layer_reaches_out_of_its_folder() {
    let canary = Place::new().canary();
    let count = attacks(&canary).len();
    for number in 0..count {
        let place = Place::new();
        let (attack, bytes, outcome) = attacks(&place.canary()).swap_remove(number);
        let result = place.unpack(&bytes);
        place.assert_untouched(attack);
        match outcome {
            Outcome::Refused(words) => {
                let error = result.map(|_| ()).expect_err(attack);
                let text = hoist::internals::base::error::chain(&error).join(" / ");
                assert!(text.contains(words), "{attack}: {text}");
                let ingest = fs::read_dir(place.store.paths().ingest()).unwrap();
                assert_eq!(ingest.count(), 1, "{attack}: only the leases stay");
                assert!(!place.store.paths().layers().join("0").exists(), "{attack}");
            }
            Outcome::Inside(path) => {
                let diff = place.diff(&result.expect(attack));
                let meta = fs::symlink_metadata(diff.join(path)).expect(attack);
                assert!(!meta.is_symlink(), "{attack}");
                let found = sys::fs::open_place(&diff.join(path)).unwrap();
                assert_eq!(xattr::list_place(&found).unwrap(), [""; 0], "{attack}");
            }
            Outcome::Without(path) => {
                let diff = place.diff(&result.expect(attack));
                assert!(fs::symlink_metadata(diff.join(path)).is_err(), "{attack}");
            }
        }
    }
}

#[test]
fn a_bomb_is_stopped_at_the_limits() {
    let big = tar().file("zeros", &"\0".repeat(4 << 20)).end();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&big).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(big.as_slice(), 3).unwrap();
    let many = (0..100).fold(tar(), |tar, number| tar.file(&format!("f{number}"), "")).end();
    let small = Limits { layer: 1 << 20, entries: 50, ..Limits::default() };
    let large = "the layer is too large: the limit is 1MiB";
    for (what, bytes, why) in [
        ("gzip", &gzip, large),
        ("zstd", &zstd, large),
        ("plain", &big, large),
        ("entries", &many, "too many entries: the limit is 50"),
    ] {
        let place = Place::with(small);
        let error = place.unpack(bytes).unwrap_err();
        let text = hoist::internals::base::error::chain(&error).join(" / ");
        assert!(text.contains(why), "{what}: {text}");
        assert!(!place.store.paths().layers().join("0").exists());
    }
}

#[test]
fn a_layer_that_is_many_times_more_than_what_came_is_refused() {
    let zeros = "\0".repeat(4 << 20);
    let bomb = tar().file("zeros", &zeros).end();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&bomb).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(bomb.as_slice(), 3).unwrap();
    let low = Limits { ratio: 10, free: 1 << 20, ..Limits::default() };
    for (what, bytes) in [("gzip", &gzip), ("zstd", &zstd)] {
        let place = Place::with(low);
        let error = place.unpack(bytes).unwrap_err();
        let text = hoist::internals::base::error::chain(&error).join(" / ");
        assert!(text.contains("the layer unpacks to more than 10 times its size ("), "{what}: {text}");
        // A layer that unpacks to no more than this may be compressed at any ratio.
        for allowed in [Limits { free: 8 << 20, ..low }, Limits { ratio: 1 << 20, ..low }] {
            Place::with(allowed).unpack(bytes).unwrap();
        }
    }
    Place::with(low).unpack(&bomb).unwrap();
}

#[test]
fn special_files_are_made_as_they_are_or_recorded() {
    let place = Place::new();
    let bytes = tar()
        .device("null", 1, 3)
        .raw(b"pipe", b'6', b"", "0000640", b"", None)
        .raw(b"su", b'0', b"", "0004755", b"x", None)
        .raw(b"nobody", b'0', b"", "0000600", b"", None)
        .end();
    let layer = place.unpack(&bytes).unwrap();
    let diff = place.diff(&layer);
    let mode = |name: &str| fs::symlink_metadata(diff.join(name)).unwrap().mode();
    assert_eq!(mode("pipe"), 0o010_640);
    assert_eq!(mode("su"), 0o104_755);
    if in_user_namespace() {
        assert!(!diff.join("null").exists());
        assert_eq!(
            layer.notes,
            ["1 device nodes are left out, as they cannot be created in a user namespace"]
        );
    } else {
        assert_eq!(mode("null"), 0o020_666);
        assert_eq!(layer.notes, [""; 0]);
    }
}

#[test]
fn foreign_owners_are_kept_or_recorded_once() {
    let place = Place::new();
    let bytes = tar()
        .pax(b'x', &[("uid", "1000"), ("gid", "1001")])
        .file("a", "x")
        .pax(b'x', &[("uid", "70000")])
        .folder("b", "0000700")
        .end();
    let layer = place.unpack(&bytes).unwrap();
    let owner = |name: &str| {
        let meta = fs::metadata(place.diff(&layer).join(name)).unwrap();
        (meta.uid(), meta.gid())
    };
    match Probe::now().unwrap().maps_uid(70_000) {
        true => assert_eq!((owner("a"), owner("b")), ((1000, 1001), (70_000, 0))),
        false => assert_eq!((owner("a"), layer.notes.len()), ((0, 0), 1)),
    }
}

/// A tree with everything that archives can contain, created by a shell.
const TREE: &str = r#"mkdir -p tree/dir/sub tree/empty tree/ro && cd tree
    echo text > dir/file && printf 'x%.0s' $(seq 1000) > dir/sub/large && ln dir/file dir/hard
    ln -s ../dir/file dir/sub/soft && ln -s /nowhere dangling && mkfifo fifo
    long=$(printf 'long%.0s' $(seq 40)) && mkdir -p $long/$long && echo deep > $long/$long/$long
    ln -s $long/$long/$long tolong && ln $long/$long/$long dir/$long
    truncate -s 3M sparse && printf begin | dd of=sparse conv=notrunc status=none
    printf end | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none
    : > nothing && echo umlaut > "$(printf 'na\303\257ve')" && echo latin > "$(printf 'na\357ve')"
    chmod 4755 dir/file && chmod 1777 empty && touch -d '1969-12-31 23:59:58.25 UTC' nothing
    touch -d '2040-01-01 00:00:00.123456789 UTC' dir/sub && chmod 555 ro"#;

fn shell(place: &Place, script: &str) -> String {
    let mut command = Command::new("/bin/sh");
    let output = command.args(["-euc", script]).current_dir(place.dir.path()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_gnu_tar_writes_is_unpacked_as_it_would() {
    for options in [
        "--format=gnu",
        "--format=gnu -S",
        "--format=oldgnu -S",
        "--format=posix --xattrs",
        "--format=posix -S --sparse-version=0.0",
        "--format=posix -S --sparse-version=0.1",
        "--format=posix -S --sparse-version=1.0",
    ] {
        let place = Place::new();
        shell(&place, TREE);
        if options.contains("xattrs") {
            let file = fs::File::open(place.dir.path().join("tree/dir/file")).unwrap();
            xattr::set(&file, OsStr::new("user.note"), b"hello").unwrap();
        }
        shell(&place, &format!("tar -C tree --numeric-owner {options} -cf tree.tar ."));
        let layer = place.unpack(&fs::read(place.dir.path().join("tree.tar")).unwrap()).unwrap();
        assert_eq!(layer.notes, [""; 0], "{options}");
        let diff = place.diff(&layer);
        let check = format!("tar --compare {} -C {} -f tree.tar", options.replace("-S", ""), diff.display());
        assert_eq!(shell(&place, &check), "", "{options}");
        let blocks = fs::metadata(diff.join("sparse")).unwrap().blocks();
        assert!(!options.contains("-S") || blocks < 100, "{options}: {blocks} blocks");
        // The format determines whether times are exact to the nanosecond.
        if options.contains("posix") {
            let time = |tree: &Path| {
                let meta = fs::metadata(tree.join("dir/sub")).unwrap();
                let nothing = fs::metadata(tree.join("nothing")).unwrap();
                (meta.mtime(), meta.mtime_nsec(), nothing.mtime(), nothing.mtime_nsec())
            };
            assert_eq!(time(&diff), time(&place.dir.path().join("tree")), "{options}");
        }
    }
}

#[test]
fn what_python_writes_is_unpacked_as_gnu_tar_would() {
    let place = Place::new();
    shell(&place, TREE);
    for format in ["USTAR", "GNU", "PAX"] {
        // ustar allows no names over 100 bytes in one part, and no times before 1970.
        let skip = if format == "USTAR" { "['long', 'nothing']" } else { "[]" };
        shell(
            &place,
            &format!(
                "python3 - <<'END'\nimport tarfile, os\nkeep = lambda m: None if any(s in m.name + m.linkname for s in {skip}) else m\nwith tarfile.open('py.tar', 'w', format=tarfile.{format}_FORMAT, errors='surrogateescape') as t: t.add('tree', '.', filter=keep)\nEND"
            ),
        );
        let layer = place.unpack(&fs::read(place.dir.path().join("py.tar")).unwrap()).unwrap();
        let check = format!("tar --compare -C {} -f py.tar", place.diff(&layer).display());
        assert_eq!(shell(&place, &check), "", "{format}");
    }
}

fn mounted(place: &Place, image: &ImageId) -> PathBuf {
    let layers = place.store.layers_of(image).unwrap();
    let lower = layers.iter().map(|layer| place.store.paths().layers().join(layer)).collect();
    let upper = Some((place.dir.path().join("upper"), place.dir.path().join("work")));
    let tree =
        snapshot::mount(&Layout { lower, upper, ..Layout::default() }, &Probe::now().unwrap()).unwrap();
    // Only this process can use the path, while the descriptor is open.
    let path = format!("/proc/self/fd/{}", std::os::fd::IntoRawFd::into_raw_fd(tree));
    PathBuf::from(path)
}

#[test]
fn a_folder_that_a_layer_only_implies_looks_as_below() {
    let place = Place::new();
    let base = place
        .unpack(
            &tar().folder("srv", "0000700").folder("srv/secret", "0001777").folder("plain", "0000755").end(),
        )
        .unwrap();
    let top = place.unpack(&tar().file("srv/secret/new", "x").file("plain/new", "x").end()).unwrap();
    let image = place.commit(&[&base, &top]).unwrap();
    assert_eq!(place.store.layers_of(&image).unwrap().len(), 3, "two layers and the fix");
    let root = mounted(&place, &image);
    let mode = |path: &str| fs::metadata(root.join(path)).unwrap().mode() & 0o7777;
    assert_eq!((mode("srv"), mode("srv/secret"), mode("plain")), (0o700, 0o1777, 0o755));
    assert!(root.join("srv/secret/new").exists());

    // There is nothing to fix.
    let plain = place.unpack(&tar().file("plain/other", "x").end()).unwrap();
    let image = place.commit(&[&base, &plain]).unwrap();
    assert_eq!(place.store.layers_of(&image).unwrap().len(), 2);
    // Entries hidden by a whiteout or an opaque marker are not looked up.
    let hidden = place.unpack(&tar().file(".wh.srv", "").end()).unwrap();
    let image = place.commit(&[&base, &hidden, &top]).unwrap();
    assert_eq!(place.store.layers_of(&image).unwrap().len(), 3);
}

#[test]
fn a_hard_link_to_a_file_of_a_layer_below_is_one_file() {
    let place = Place::new();
    let base = place.unpack(&tar().folder("a", "0000755").file("a/file", "shared").end()).unwrap();
    let top = place.unpack(&tar().hard_link("b/link", "a/file").hard_link("c", "b/link").end()).unwrap();
    let image = place.commit(&[&base, &top]).unwrap();
    let root = mounted(&place, &image);
    let inode = |path: &str| fs::metadata(root.join(path)).unwrap().ino();
    assert_eq!(fs::read_to_string(root.join("b/link")).unwrap(), "shared");
    assert_eq!((inode("a/file"), inode("c")), (inode("b/link"), inode("b/link")));
    let error = place.commit(&[&top]).unwrap_err();
    assert!(error.to_string().contains("is a hard link to `a/file`, which is in no layer"), "{error}");
}

#[test]
fn whiteouts_hide_what_is_below_and_not_what_is_beside() {
    let place = Place::new();
    let base = place
        .unpack(&tar().file("d/old", "1").file("d2/old", "1").file("d3/old", "1").file("f", "1").end())
        .unwrap();
    let top = place
        .unpack(
            &tar()
                .file(".wh.f", "")
                .folder("d", "0000755")
                .file("d/.wh..wh..opq", "")
                .file("d/new", "2")
                .file(".wh.d2", "")
                .folder("d2", "0000755")
                .file("d2/new", "2")
                .file("d3/new", "2")
                .file(".wh.d3", "")
                .end(),
        )
        .unwrap();
    let root = mounted(&place, &place.commit(&[&base, &top]).unwrap());
    let names = |folder: &str| {
        let names =
            fs::read_dir(root.join(folder)).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        (names("d"), names("d2"), names("d3")),
        (vec!["new".into()], vec!["new".into()], vec!["new".into()])
    );
    assert!(!root.join("f").exists());
}

#[test]
fn two_at_a_time_share_the_work() {
    let place = Place::new();
    let bytes =
        (0..200).fold(tar(), |tar, number| tar.file(&format!("d{}/f{number}", number % 7), "x")).end();
    let diff_id = Digest::of(&bytes);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let reader = Box::new(bytes.as_slice());
                let source = LayerSource { reader, diff_id: Some(&diff_id), size: None, name: "test" };
                place.store.unpack(&place.lease, source, &Reporter::silent()).unwrap();
            });
        }
    });
    let layers: Vec<_> = fs::read_dir(place.store.paths().layers()).unwrap().collect();
    assert_eq!(layers.len(), 2, "by-diff and one layer");
}

/// A damaged archive: some bytes changed, with or without corrected checksums of headers.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    (changes, any::<bool>(), 0..40_usize).prop_map(|(changes, mend, attack)| {
        let mut bytes = attacks(Path::new("/var/tmp/canary")).swap_remove(attack).1;
        for (place, value) in changes {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        for header in bytes.chunks_exact_mut(512).filter(|header| mend && header[257..262] == *b"ustar") {
            header[148..156].copy_from_slice(b"        ");
            let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
            header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        }
        bytes
    })
}

#[test]
fn a_damaged_archive_neither_panics_nor_reaches_out() {
    let place = Place::new();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) };
    TestRunner::new(config)
        .run(&damaged(), |bytes| {
            let _ = place.unpack(&bytes); // rejected or not, only its effect outside matters
            Ok(())
        })
        .unwrap();
    place.assert_untouched("damage");
}

#[test]
fn what_aufs_kept_beside_its_files_is_linked_to_and_left_out() {
    let place = Place::new();
    let tar = Tar::default()
        .folder(".wh..wh.plnk", "0000755")
        .file(".wh..wh.plnk/77.88", "linked")
        .file(".wh..wh.aufs", "")
        .folder("d", "0000755")
        .raw(b"d/a", b'1', b".wh..wh.plnk/77.88", "0000644", b"", None)
        .raw(b"d/b", b'1', b"/.wh..wh.plnk/77.88", "0000644", b"", None);
    let layer = place.unpack(&tar.0).unwrap();
    let diff = place.diff(&layer);
    let names: Vec<_> = fs::read_dir(&diff).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["d"]);
    assert_eq!(fs::read_to_string(diff.join("d/a")).unwrap(), "linked");
    let inode = |path: &str| fs::metadata(diff.join(path)).unwrap().ino();
    assert_eq!(inode("d/a"), inode("d/b"));
}

#[test]
fn zeros_stay_holes_also_in_the_copy_that_a_hard_link_needs() {
    let place = Place::new();
    let mut zeros = vec![0; 8 << 20];
    zeros.push(1);
    let lower = Tar::default().raw(b"big", b'0', b"", "0000644", &zeros, None);
    let lower = place.unpack(&lower.0).unwrap();
    let upper = Tar::default().raw(b"link", b'1', b"big", "0000644", b"", None);
    let upper = place.unpack(&upper.0).unwrap();
    let image = place.commit(&[&lower, &upper]).unwrap();
    let layers = place.store.layers_of(&image).unwrap();
    assert_eq!(layers.len(), 3);
    let fix = place.store.paths().layers().join(&layers[0]);
    for file in [place.diff(&lower).join("big"), fix.join("big"), fix.join("link")] {
        let meta = fs::metadata(&file).unwrap();
        assert_eq!(meta.len(), zeros.len() as u64);
        assert!(meta.blocks() * 512 < 2 << 20, "{}: {} blocks", file.display(), meta.blocks());
        assert_eq!(fs::read(&file).unwrap(), zeros);
    }
}
