//! Networks against the real kernel.
//!
//! Needs root, or a user namespace in which the caller is root. Every test has a network
//! namespace of its own as its host (a thread may leave the others'), and further ones for
//! containers and for the world outside; nothing of the machine's own network is touched.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Command, Output};

use hoist::base::{ContainerId, Paths};
use hoist::network::{self, Applied, Endpoint, Mode, Place, Plan, Request};
use hoist::sys::netlink::inside;
use nix::sched::{CloneFlags, unshare};
use tempfile::TempDir;

/// A network namespace: it lives as long as this value.
struct Space(OwnedFd);

impl Space {
    fn new() -> Self {
        let made = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            OwnedFd::from(File::open("/proc/thread-self/ns/net").unwrap())
        });
        Self(made.join().unwrap())
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn run(&self, command: &str) -> Output {
        inside(self.fd(), || sh(command)).unwrap()
    }

    fn ok(&self, command: &str) -> String {
        expect_ok(command, self.run(command))
    }

    /// Whether one of three packets comes back.
    fn reaches(&self, address: impl ToString) -> bool {
        let command = format!("busybox ping -c 3 -i 0.05 -W 1 {}", address.to_string());
        self.run(&command).status.success()
    }
}

fn sh(command: &str) -> Output {
    Command::new("sh").args(["-c", command]).output().unwrap()
}

fn expect_ok(command: &str, output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The calling test's host: a namespace of its own, with an engine in it.
struct Host {
    folder: TempDir,
    world: Option<Space>,
}

impl Host {
    fn new() -> Self {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        expect_ok("ip link set lo up", sh("ip link set lo up"));
        Self { folder: tempfile::tempdir().unwrap(), world: None }
    }

    /// A host with an uplink: 198.51.100.1 here, 198.51.100.2 in the world, which knows no
    /// way to containers.
    fn with_world() -> Self {
        let mut host = Self::new();
        let world = Space::new();
        host.ok("ip link add up0 type veth peer name world0");
        host.ok("ip address add 198.51.100.1/24 dev up0");
        host.ok("ip link set up0 up");
        let fd = world.fd();
        let pid = std::process::id();
        let path = format!("/proc/{pid}/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&fd));
        host.ok(&format!("ip link set world0 netns {path}"));
        world.ok("ip link set lo up; ip address add 198.51.100.2/24 dev world0; ip link set world0 up");
        host.ok("ip route add default via 198.51.100.2");
        host.world = Some(world);
        host
    }

    fn world(&self) -> &Space {
        self.world.as_ref().unwrap()
    }

    fn ok(&self, command: &str) -> String {
        expect_ok(command, sh(command))
    }

    fn paths(&self, engine: &str) -> Paths {
        let base = self.folder.path().join(engine);
        Paths::new(base.join("root"), base.join("run"))
    }

    fn place(&self, engine: &str) -> Place {
        Place::new(&self.paths(engine)).with_machine_lock(&self.folder.path().join("machine.lock"))
    }

    /// Connects a new container of the engine called `a`.
    fn start(&self) -> Guest {
        self.start_in("a")
    }

    fn start_in(&self, engine: &str) -> Guest {
        let space = Space::new();
        let plan = bridge_plan();
        let applied = network::apply(&plan, Some(space.fd()), &self.place(engine)).unwrap();
        Guest { space, applied }
    }
}

struct Guest {
    space: Space,
    applied: Applied,
}

impl Guest {
    fn endpoint(&self) -> &Endpoint {
        self.applied.endpoint.as_ref().unwrap()
    }

    fn address(&self) -> Ipv4Addr {
        self.endpoint().address
    }
}

fn bridge_plan() -> Plan {
    network::plan(Request {
        container: ContainerId::random().unwrap(),
        mode: Mode::Bridge,
        hostname: "web".to_owned(),
        domainname: String::new(),
        extra_hosts: Vec::new(),
        dns: Vec::new(),
        dns_search: Vec::new(),
        dns_options: Vec::new(),
    })
    .unwrap()
}

fn assert_none(errors: &[network::Error]) {
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn two_containers_reach_the_host_each_other_and_the_world() {
    let host = Host::with_world();
    let (one, two) = (host.start(), host.start());
    assert_eq!(one.address(), Ipv4Addr::new(172, 30, 0, 2));
    assert_eq!(two.address(), Ipv4Addr::new(172, 30, 0, 3));
    assert!(one.space.reaches(one.endpoint().gateway));
    assert!(one.space.reaches(two.address()));
    assert!(two.space.reaches(one.address()));
    // The world has no route back: only a translated source gets an answer.
    assert!(one.space.reaches("198.51.100.2"));
    let said = one.space.ok("ip -o address; ip route; ip link show eth0");
    assert!(said.contains("172.30.0.2/24 brd 172.30.0.255"), "{said}");
    assert!(said.contains("default via 172.30.0.1 dev eth0"), "{said}");
    assert!(said.contains("02:42:ac:1e:00:02") && said.contains("mtu 1500"), "{said}");
    assert!(!said.contains("fe80:"), "no IPv6 on eth0: {said}");
    assert!(said.contains("::1/128"), "but on lo: {said}");
}

#[test]
fn an_address_is_free_again_after_removal_and_removal_may_be_repeated() {
    let host = Host::new();
    let place = host.place("a");
    let one = host.start();
    let two = host.start();
    assert_none(&network::remove(&one.applied, &place));
    assert_none(&network::remove(&one.applied, &place));
    let three = host.start();
    assert_eq!(three.address(), one.address());
    assert_none(&network::remove(&one.applied, &place));
    assert!(three.space.reaches(two.address()), "an old removal does not hit who came after");
    let json = serde_json::to_string(&three.applied).unwrap();
    assert_eq!(serde_json::from_str::<Applied>(&json).unwrap(), three.applied);
}
