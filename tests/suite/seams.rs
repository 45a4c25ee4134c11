//! Conditions that this machine does not have: a full disk, `/run` on a tmpfs, a reboot.
//!
//! Mounts are made in a separate mount namespace (`unshare -m`), so that none can remain on the
//! machine.

use std::fs;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

use crate::support::{self, HOIST, Home, Said};
use rustix::event::{PollFd, PollFlags};

/// Stops everything the engine started, wherever a script ends.
const RESET: &str = "trap 'code=$?; $hoist system reset -f >/dev/null 2>&1; exit $code' EXIT";

/// Runs a shell script in its own mount namespace, with `$hoist` set.
fn in_own_mounts(home: &Home, script: &str) -> Said {
    let hoist = format!(
        "{HOIST} --root {} --run-root {}",
        home.path("mnt/root").display(),
        home.path("mnt-run").display()
    );
    let output = Command::new("unshare")
        .args(["-m", "sh", "-euc", &format!("{RESET}\n{script}")])
        .env("hoist", hoist)
        .env("dir", home.path("."))
        .env("HOIST_CONFIG", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    output.into()
}

#[test]
fn a_full_disk_fails_an_import_cleanly_and_the_next_one_works() {
    let home = Home::new();
    support::busybox_tar(&home.path("small.tar"));
    // 24 MB of incompressible data on a disk of 16 MB.
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(24 << 20)
    .collect();
    let mut big = tar::Builder::new(fs::File::create(home.path("big.tar")).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(noise.len() as u64);
    big.append_data(&mut header, "noise", noise.as_slice()).unwrap();
    big.into_inner().unwrap();

    let said = in_own_mounts(
        &home,
        r#"
        cd "$dir"; mkdir -p mnt
        truncate -s 16M disk.img; mkfs.ext4 -q disk.img; mount -o loop disk.img mnt
        if $hoist import big.tar big 2>error; then echo "the import of a too large image succeeded"; fi
        cat error
        echo "images: $($hoist images -q | wc -l)"
        $hoist import small.tar small >/dev/null
        echo "images: $($hoist images -q | wc -l)"
        $hoist run --rm --network none small /bin/echo alive
        $hoist system reset -f >/dev/null
        umount mnt
        "#,
    );
    let out = said.ok();
    assert!(out.contains("No space left on device"), "{out}");
    assert!(out.contains("hint: free some disk space"), "{out}");
    assert!(out.ends_with("images: 0\nimages: 1\nalive"), "{out}");
}

#[test]
fn a_run_folder_on_a_tmpfs_holds_a_running_container() {
    let home = Home::new();
    support::busybox_tar(&home.path("small.tar"));
    let said = in_own_mounts(
        &home,
        r#"
        cd "$dir"; mkdir -p mnt mnt-run
        mount -t tmpfs -o mode=700 none mnt-run
        $hoist import small.tar small >/dev/null
        $hoist run -d --name web --network none small /bin/sleep 1000 >/dev/null
        $hoist exec web /bin/echo inside
        $hoist ps --format '{{.Names}} {{.State}}'
        $hoist rm -f web
        $hoist system reset -f >/dev/null
        umount mnt-run
        "#,
    );
    assert_eq!(said.ok(), "inside\nweb running\nweb");
}

#[test]
fn a_run_of_another_boot_is_void() {
    let home = Home::with_busybox();
    let id = home.hoist(["run", "-d", "--name", "web", "--network", "none", "busybox", "sleep", "1000"]).ok();
    let path = home.run_root().join("containers").join(&id).join("run.json");
    let text = fs::read_to_string(&path).unwrap();
    let run: serde_json::Value = serde_json::from_str(&text).unwrap();
    // As after a power failure: the processes are gone, the file is still there.
    for process in [&run["monitor"]["pid"], &run["init"]["pid"]] {
        let pid = i32::try_from(process.as_i64().unwrap()).unwrap();
        let pidfd = hoist::internals::sys::process::open(pid).unwrap();
        hoist::internals::sys::process::signal(pidfd.as_fd(), libc::SIGKILL).unwrap();
        // An exiting monitor may still hold the lock.
        rustix::event::poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None).unwrap();
    }
    let boot = run["boot_id"].as_str().unwrap();
    fs::write(&path, text.replace(boot, "11111111-2222-3333-4444-555555555555")).unwrap();

    let state = home.hoist(["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "web"]).ok();
    assert_eq!(state, "exited 255");
    home.hoist(["start", "web"]).ok();
    let state = home.hoist(["inspect", "--format", "{{.State.Status}}", "web"]).ok();
    assert_eq!(state, "running");
}

/// A fake systemd that only answers. Both starts ask about the unit before either creates it.
const SYSTEMCTL: &str = r#"#!/bin/sh
touch "$dir/asked.$PPID"
while [ "$(ls "$dir" | grep -c '^asked')" -lt 2 ]; do sleep 0.01; done
[ -e "$dir/unit" ] && echo LoadState=loaded || echo LoadState=not-found
echo ActiveState=inactive
"#;
const SYSTEMD_RUN: &str = r#"#!/bin/sh
if mkdir "$dir/unit"; then echo "$@" >>"$dir/made"; exit; fi
echo "Failed to start transient service unit: Unit was already loaded or has a fragment file." >&2
exit 1
"#;

#[test]
fn two_first_starts_at_once_ask_for_one_shutdown_unit() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    support::busybox_tar(&home.path("small.tar"));
    fs::create_dir(home.path("programs")).unwrap();
    for (name, text) in [("systemctl", SYSTEMCTL), ("systemd-run", SYSTEMD_RUN)] {
        let path = home.path("programs").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let said = in_own_mounts(
        &home,
        r#"
        mount -t tmpfs none /run; mkdir -p /run/systemd/system
        export PATH="$dir/programs:$PATH"
        cd "$dir"; mkdir -p mnt mnt-run
        $hoist import small.tar small >/dev/null
        for name in one two; do $hoist create --name $name --network none small sleep 1000 >/dev/null; done
        $hoist start one & one=$!
        $hoist start two & two=$!
        wait $one; wait $two
        cat made
        $hoist system reset -f >/dev/null
        "#,
    );
    assert!(!said.err.contains("shutdown of this machine"), "{}", said.err);
    let out = said.ok();
    assert_eq!(out.matches("--unit=").count(), 1, "{out}");
    assert!(out.contains(&format!("RequiresMountsFor=\"{}\"", home.path("mnt/root").display())), "{out}");
}

/// Creates a container `web` whose run folder has room for 1 MB, and `fill`, which uses it up.
const WITH_A_SMALL_RUN_FOLDER: &str = r#"
    cd "$dir"; mkdir -p mnt mnt-run
    mount -t tmpfs -o size=1m,mode=700 none mnt-run
    $hoist import small.tar small >/dev/null
    $hoist run -d --name web --network none --restart always small \
        sh -c 'trap "" TERM; echo up; while :; do sleep 1000; done' >/dev/null
    until $hoist logs web | grep -q up; do sleep 0.01; done
    fill() { head -c 2m /dev/zero >mnt-run/ballast 2>/dev/null || true; }
"#;

#[test]
fn a_stop_of_a_paused_container_is_done_on_a_full_run_folder_too() {
    let home = Home::new();
    support::busybox_tar(&home.path("small.tar"));
    let script = r#"
        $hoist pause web
        fill
        $hoist stop -t 0 web
        $hoist inspect -f '{{.State.Status}} {{.State.ExitCode}}' web
        rm mnt-run/ballast
        $hoist system reset -f >/dev/null
        umount mnt-run
    "#;
    let said = in_own_mounts(&home, &[WITH_A_SMALL_RUN_FOLDER, script].concat());
    assert!(said.err.contains("No space left on device"), "what could not be written is told: {}", said.err);
    assert_eq!(said.ok(), "web\nweb\nexited 137");
}

#[test]
fn a_pause_that_cannot_be_recorded_changes_nothing() {
    let home = Home::new();
    support::busybox_tar(&home.path("small.tar"));
    let script = r#"
        fill
        $hoist pause web || echo refused
        rm mnt-run/ballast
        timeout 20 $hoist exec web echo runs
        $hoist pause web
        fill
        $hoist unpause web || echo refused
        rm mnt-run/ballast
        $hoist unpause web
        timeout 20 $hoist exec web echo runs
        $hoist system reset -f >/dev/null
        umount mnt-run
    "#;
    let said = in_own_mounts(&home, &[WITH_A_SMALL_RUN_FOLDER, script].concat());
    assert_eq!(said.ok(), "refused\nruns\nweb\nrefused\nweb\nruns");
}
