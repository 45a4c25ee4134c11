//! Networks on the real kernel.
//!
//! Needs root, or a user namespace in which the caller is root. Every test has its own network
//! namespace as the host (a thread can leave its namespace), and further ones for containers and
//! for the outside world. The machine's own network is not touched.

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Command, Output};

use hoist::internals::base::{ContainerId, Endpoint, Paths};
use hoist::internals::network::{self, Applied, Connection, Namespace, Network, NetworkPaths, Plan, Request};
use hoist::internals::sys::netlink::inside;
use nix::sched::{CloneFlags, unshare};
use tempfile::TempDir;

/// A network namespace that exists as long as this value.
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

    /// Whether at least one of three packets is answered.
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

/// The host of a test: a network namespace with an engine.
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

    /// Creates a host with an uplink: 198.51.100.1 here, and 198.51.100.2 in the outside world,
    /// which has no route to containers.
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

    fn place(&self, engine: &str) -> NetworkPaths {
        NetworkPaths::new(&self.paths(engine))
            .with_machine_lock(&self.folder.path().join("machine.lock"))
            .with_system_bus(&self.folder.path().join("bus"))
    }

    /// Connects a new container of the engine `a`.
    fn start(&self) -> Guest {
        self.start_in("a")
    }

    fn start_in(&self, engine: &str) -> Guest {
        let space = Space::new();
        let place = self.place(engine);
        let plan = plan([network::default_network(&place).unwrap()]);
        let applied = network::apply(&plan, Some(space.fd()), &place).unwrap();
        Guest { space, applied }
    }
}

struct Guest {
    space: Space,
    applied: Applied,
}

impl Guest {
    fn endpoint(&self) -> &Endpoint {
        &self.applied.endpoints[0]
    }

    fn address(&self) -> Ipv4Addr {
        self.endpoint().address
    }
}

/// Returns the plan for a new container on these networks.
fn plan(networks: impl IntoIterator<Item = Network>) -> Plan {
    network::plan(Request {
        container: ContainerId::random().unwrap(),
        namespace: Namespace::Own,
        connections: networks.into_iter().map(Connection::to).collect(),
        hostname: "web".to_owned(),
        domainname: String::new(),
        extra_hosts: Vec::new(),
        dns: vec!["192.0.2.53".to_owned()], // does not depend on the machine
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
    // The outside world has no route back, so only a translated source gets a reply.
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
    assert_none(&network::remove(&one.applied.endpoints, &place));
    assert_none(&network::remove(&one.applied.endpoints, &place));
    let three = host.start();
    assert_eq!(three.address(), one.address());
    assert_none(&network::remove(&one.applied.endpoints, &place));
    assert!(three.space.reaches(two.address()), "an old removal does not hit who came after");
    let json = serde_json::to_string(three.endpoint()).unwrap();
    assert_eq!(&serde_json::from_str::<Endpoint>(&json).unwrap(), three.endpoint());
}

const WORLD: &str = "198.51.100.2";

/// Docker's part of a ruleset, as created by its daemon.
const DOCKER: &str = "iptables-nft -P FORWARD DROP
iptables-nft -N DOCKER-USER
iptables-nft -A DOCKER-USER -j RETURN
iptables-nft -I FORWARD -j DOCKER-USER
iptables-nft -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables-nft -A FORWARD -i docker0 ! -o docker0 -j ACCEPT";

#[test]
fn docker_user_gets_our_accept_before_its_return_and_reset_takes_it_away() {
    let host = Host::with_world();
    host.ok(DOCKER);
    host.ok("iptables-nft -I DOCKER-USER -s 203.0.113.0/24 -j DROP");
    let before = host.ok("iptables-nft -S");
    let one = host.start();
    let two = host.start();
    assert!(one.space.reaches(WORLD), "{:?}", one.applied.warnings);
    assert!(two.space.reaches(WORLD));
    let bridge = &one.endpoint().bridge;
    // iptables can still parse its table.
    let rules = host.ok("iptables-nft -S DOCKER-USER");
    let lines: Vec<&str> = rules.lines().collect();
    assert_eq!(lines.len(), 5, "once for two containers: {rules}");
    assert_eq!(lines[1], "-A DOCKER-USER -s 203.0.113.0/24 -j DROP", "the user's own comes first");
    for (line, way) in [(lines[2], "-i"), (lines[3], "-o")] {
        assert!(line.starts_with(&format!("-A DOCKER-USER {way} {bridge} ")), "{rules}");
        assert!(line.contains("hoist") && line.ends_with("-j ACCEPT"), "{rules}");
    }
    assert_eq!(lines[4], "-A DOCKER-USER -j RETURN");
    assert!(!one.applied.warnings.iter().any(|text| text.contains("FORWARD")), "{:?}", one.applied.warnings);
    assert_none(&network::reset(&host.place("a")));
    assert_eq!(host.ok("iptables-nft -S"), before);
}

#[test]
fn a_policy_that_drops_is_named_with_the_line_that_mends_it() {
    let host = Host::with_world();
    host.ok("iptables-nft -P FORWARD DROP");
    let one = host.start();
    let bridge = &one.endpoint().bridge;
    let warnings = one.applied.warnings.join("\n");
    let line =
        format!("iptables -I FORWARD -i {bridge} -j ACCEPT && iptables -I FORWARD -o {bridge} -j ACCEPT");
    assert!(warnings.contains(&line), "{warnings}");
    assert!(!one.space.reaches(WORLD));
    host.ok(&line.replace("iptables", "iptables-nft"));
    assert!(one.space.reaches(WORLD));
    let two = host.start();
    assert_eq!(two.applied.warnings, [] as [String; 0], "the mended table is understood");
}

#[test]
fn the_old_iptables_is_read_too() {
    let host = Host::with_world();
    host.ok("iptables-legacy -P FORWARD DROP");
    let one = host.start();
    let bridge = &one.endpoint().bridge;
    let warnings = one.applied.warnings.join("\n");
    let line = format!(
        "iptables-legacy -I FORWARD -i {bridge} -j ACCEPT && iptables-legacy -I FORWARD -o {bridge} -j ACCEPT"
    );
    assert!(warnings.contains(&line), "{warnings}");
    assert!(!one.space.reaches(WORLD));
    host.ok(&line);
    assert!(one.space.reaches(WORLD));
    assert_eq!(host.start().applied.warnings, [] as [String; 0]);
}

#[test]
fn a_rule_of_nft_that_drops_is_named() {
    let host = Host::with_world();
    host.ok("nft add table inet fw; nft 'add chain inet fw passing { type filter hook forward priority 5; }'
        nft add rule inet fw passing ct state established,related accept
        nft add rule inet fw passing iifname lo accept
        nft add rule inet fw passing counter reject with icmpx admin-prohibited");
    let one = host.start();
    let warnings = one.applied.warnings.join("\n");
    let (_, mend) = warnings.rsplit_once("to allow them: ").unwrap();
    assert!(warnings.contains("of chain passing of table inet fw drops"), "{warnings}");
    assert!(!one.space.reaches(WORLD));
    host.ok(mend);
    assert!(one.space.reaches(WORLD));
    assert_eq!(host.start().applied.warnings, [] as [String; 0]);
}

/// The forwarding rules that firewalld 1.3 writes, with its default zone only.
const FIREWALLD: &str = "nft -f - <<'END'
table inet firewalld {
    chain filter_FWD_public_allow { }
    chain filter_FWD_public { jump filter_FWD_public_allow; reject with icmpx admin-prohibited; }
    chain filter_FWD_trusted_allow { }
    chain filter_FWD_trusted { jump filter_FWD_trusted_allow; accept; }
    chain filter_FORWARD_ZONES { goto filter_FWD_public; }
    chain filter_FORWARD {
        type filter hook forward priority filter + 10; policy accept;
        ct state { established, related } accept
        ct status dnat accept
        iifname lo accept
        ct state invalid drop
        ip6 daddr { ::/96, 2002::/24 } reject with icmpv6 addr-unreachable
        jump filter_FORWARD_ZONES
        reject with icmpx admin-prohibited
    }
}
END";

#[test]
fn without_firewallds_answer_its_line_is_named_and_its_zone_is_understood() {
    let host = Host::with_world();
    host.ok(FIREWALLD);
    let one = host.start();
    let bridge = &one.endpoint().bridge;
    let warnings = one.applied.warnings.join("\n");
    assert!(warnings.contains("of chain filter_FWD_public of table inet firewalld drops"), "{warnings}");
    assert!(
        warnings.contains(&format!("firewall-cmd --zone=trusted --add-interface={bridge}")),
        "{warnings}"
    );
    assert!(!one.space.reaches(WORLD));
    // firewalld does this in response to the request.
    host.ok(&format!(
        "nft 'insert rule inet firewalld filter_FORWARD_ZONES iifname {bridge} goto filter_FWD_trusted
         insert rule inet firewalld filter_FWD_trusted_allow oifname {bridge} accept'"
    ));
    assert!(one.space.reaches(WORLD));
    assert_eq!(host.start().applied.warnings, [] as [String; 0]);
}

#[test]
fn a_flushed_ruleset_comes_back_for_all_who_are_there() {
    let host = Host::with_world();
    let one = host.start();
    let whole = rules(&host);
    host.ok("nft flush ruleset");
    assert!(!one.space.reaches(WORLD), "nothing translates");
    let two = host.start();
    assert!(one.space.reaches(WORLD) && two.space.reaches(WORLD));
    assert!(one.space.reaches(two.address()));
    let again = rules(&host);
    let is_old = |line: &str| again.contains(line.trim().trim_matches(['{', '}', ',']));
    assert!(whole.lines().filter(|line| !line.contains("elements")).all(is_old), "{whole}{again}");
    host.ok(&format!("nft flush chain inet {}-net forward", host.paths("a").engine_name()));
    let _three = host.start();
    assert!(rules(&host).contains("ct status dnat accept"), "a flushed chain is noticed");
}

/// Creates another network's definition file.
fn make_network(host: &Host, name: &str, pool: Option<&str>) -> Network {
    let pools: Vec<_> = pool
        .into_iter()
        .map(|subnet| {
            let (first, _) = subnet.rsplit_once('.').unwrap();
            serde_json::json!({ "subnet": subnet, "gateway": format!("{first}.1") })
        })
        .collect();
    let id = hoist::internals::base::NetworkId::random().unwrap();
    let file = serde_json::json!({
        "version": 2, "id": id, "name": name, "created": "2026-01-01T00:00:00Z", "driver": "bridge",
        "pools": pools, "options": { "com.docker.network.container_iface_prefix": "lan" }, "labels": {},
    });
    let folder = host.paths("a").networks();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{id}.json")), file.to_string()).unwrap();
    serde_json::from_value(file).unwrap()
}

#[test]
fn several_networks_are_elements_of_the_same_rules_and_do_not_reach_each_other() {
    let host = Host::with_world();
    let place = host.place("a");
    let default = network::default_network(&place).unwrap();
    let (front, back) =
        (make_network(&host, "front", None), make_network(&host, "back", Some("10.77.0.0/24")));
    let connect = |networks: &[&Network]| {
        let space = Space::new();
        let plan = plan(networks.iter().map(|network| (*network).clone()));
        let applied = network::apply(&plan, Some(space.fd()), &place).unwrap();
        Guest { space, applied }
    };
    let alone = connect(&[&default]);
    let count = |text: &str| rules(&host).matches(text).count();
    let chains = || {
        let rules = rules(&host);
        let is_rule = |line: &&str| !line.contains("elements") && line.contains("comment");
        rules.lines().filter(is_rule).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = chains();
    assert_eq!(before.len(), 9, "{before:?}");
    let shown = |set: &str| {
        let table = format!("{}-net", host.paths("a").engine_name());
        host.ok(&format!("nft list set inet {table} {set}"))
    };
    let bridge = &alone.endpoint().bridge;
    assert!(shown("bridges").contains(&format!("elements = {{ \"{bridge}\" }}")), "{}", shown("bridges"));
    let (one, two, between) = (connect(&[&front]), connect(&[&back]), connect(&[&back, &front]));
    assert_eq!(chains(), before, "no rule comes with a network or a container");
    assert_eq!(two.address(), Ipv4Addr::new(10, 77, 0, 2));
    assert_eq!(count("10.77.0.0/24"), 3, "{}", rules(&host));
    let names: Vec<_> = between.applied.endpoints.iter().map(|it| it.interface.as_str()).collect();
    assert_eq!(names, ["lan0", "lan1"]);
    assert!(between.space.ok("ip route").contains("default via 10.77.0.1 dev lan0"));
    // Each reaches the outside and is reachable, but only a member of both networks connects them.
    for guest in [&alone, &one, &two, &between] {
        assert!(guest.space.reaches(WORLD));
    }
    assert!(between.space.reaches(one.address()) && between.space.reaches(two.address()));
    for (from, to) in [(&alone, &one), (&one, &two), (&two, &one), (&one, &alone)] {
        assert!(!from.space.reaches(to.address()), "{} {}", from.address(), to.address());
    }
    // Flushed rules are restored for all networks, by any of them.
    host.ok("nft flush ruleset");
    let _later = connect(&[&front]);
    assert!(two.space.reaches(WORLD) && between.space.reaches(one.address()));
    assert!(!one.space.reaches(two.address()));
    // A rule that the user added to our table stays.
    let table = format!("inet {}-net", host.paths("a").engine_name());
    host.ok(&format!("nft insert rule {table} forward counter comment mine; nft flush chain {table} raw"));
    network::repair(&place, network::Look::Again).unwrap();
    assert_eq!(count("comment \"mine\""), 1);
    assert_eq!(chains().len(), 10);
    let listed = network::list(&place).unwrap().0;
    let names: Vec<_> = listed.iter().map(|network| (network.name.as_str(), network.members.len())).collect();
    assert_eq!(names, [("back", 2), ("bridge", 1), ("front", 3), ("host", 0), ("none", 0)]);
    assert_none(&network::reset(&place));
    assert_eq!(host.ok("nft list ruleset"), "");
    let left = host.ok("ip -o link");
    assert!(!left.contains("br-") && !left.contains("hoist") && !left.contains("hv"), "{left}");
}

#[test]
fn a_network_of_a_driver_that_is_not_known_is_shown_and_refused() {
    let host = Host::new();
    let place = host.place("a");
    let mut network = make_network(&host, "far", None);
    let path = host.paths("a").networks().join(format!("{}.json", network.id));
    let mut file: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    file["driver"] = "overlay".into();
    std::fs::write(&path, file.to_string()).unwrap();
    let listed = network::list(&place).unwrap().0;
    let shown = listed.iter().find(|network| network.name == "far").unwrap();
    assert_eq!(shown.driver.to_string(), "overlay");
    network.driver = shown.driver.clone();
    let error = network::apply(&plan([network]), Some(Space::new().fd()), &place).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the network `far` has the driver overlay, which this version of hoist does not support"
    );
}

#[test]
fn a_subnet_that_was_asked_for_is_not_replaced_by_another() {
    let host = Host::new();
    host.ok("ip link add br9 type bridge; ip address add 10.77.0.1/16 dev br9; ip link set br9 up");
    let network = make_network(&host, "back", Some("10.77.0.0/24"));
    let error = network::apply(&plan([network]), Some(Space::new().fd()), &host.place("a")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the subnet 10.77.0.0/24 of `back` overlaps 10.77.0.0/16, which this machine uses"
    );
}

#[test]
fn the_tables_of_an_older_hoist_judge_its_own_ports_and_go_with_the_last_of_them() {
    let host = Host::with_world();
    let (old, id) = (host.paths("a").engine_name(), host.paths("a").engine_id());
    // The rules that a monitor of the older hoist writes, and rewrites whenever they are missing.
    let put_back = || {
        host.ok(&format!(
            "nft -f - <<'END'
table inet {old} {{ }}
table bridge {old} {{
    set guests {{ type ifname . ether_addr . ipv4_addr; }}
    chain raw {{
        type filter hook prerouting priority -300;
        iifname \"hp{id}*\" ether type ip iifname . ether saddr . ip saddr @guests accept
        iifname \"hp{id}*\" counter drop
    }}
}}
END"
        ))
    };
    let tables = || host.ok("nft list tables").lines().count();
    put_back();
    host.ok(&format!("ip link add hp{id}0abc type veth peer name old0"));
    let one = host.start();
    assert_eq!(tables(), 4, "a container of an older hoist is there");
    let two = host.start();
    assert!(one.space.reaches(WORLD) && two.space.reaches(WORLD) && two.space.reaches(one.address()));
    host.ok(&format!("ip link delete hp{id}0abc"));
    let three = host.start();
    assert_eq!(tables(), 2);
    assert!(three.space.reaches(WORLD));
}

#[test]
fn elements_that_somebody_took_away_come_back() {
    let host = Host::with_world();
    let place = host.place("a");
    let (one, two) = (host.start(), host.start());
    let table = format!("{}-net", host.paths("a").engine_name());
    let changes = network::Changes::listen(&place).unwrap();
    for set in
        ["inet bridges", "inet subnets", "inet translated", "inet homes", "inet inside", "bridge guests"]
    {
        let (family, set) = set.split_once(' ').unwrap();
        host.ok(&format!("nft flush set {family} {table} {set}"));
    }
    assert!(changes.take(), "monitors hear of it");
    assert!(!one.space.reaches(WORLD));
    for _ in 0..2 {
        assert!(matches!(network::repair(&place, network::Look::IfChanged), Ok(network::Repair::Done(_))));
        assert!(one.space.reaches(WORLD) && two.space.reaches(one.address()));
    }
    assert!(!changes.take(), "a repair is no news that wants another one");
    host.ok("nft add table inet ban; nft 'add set inet ban banned { type ipv4_addr; }'");
    host.ok("nft add element inet ban banned '{ 192.0.2.1, 192.0.2.2 }'");
    assert!(changes.take(), "a new table may be in the way");
    host.ok("nft delete element inet ban banned '{ 192.0.2.1 }'");
    assert!(!changes.take(), "what others block is not");
}

#[test]
fn a_network_whose_state_cannot_be_read_keeps_its_containers_connected() {
    let host = Host::with_world();
    let place = host.place("a");
    let back = make_network(&host, "back", None);
    let space = Space::new();
    network::apply(&plan([back.clone()]), Some(space.fd()), &place).unwrap();
    let state = host.paths("a").network_runs().join(back.id.as_str()).join("state.json");
    let whole = std::fs::read(&state).unwrap();
    std::fs::write(&state, "{").unwrap();
    let one = host.start();
    let Ok(network::Repair::Done(warnings)) = network::repair(&place, network::Look::Again) else {
        panic!("one bad file costs only itself")
    };
    assert!(!warnings.is_empty(), "and is told");
    assert!(one.space.reaches(WORLD) && space.reaches(WORLD));
    std::fs::write(&state, whole).unwrap();
}

#[test]
fn what_a_network_is_asked_to_be_and_cannot_is_refused() {
    let host = Host::new();
    let place = host.place("a");
    let refused = |network: Network| {
        network::apply(&plan([network]), Some(Space::new().fd()), &place).unwrap_err().to_string()
    };
    host.ok("ip link add br9 type bridge");
    let mut theirs = make_network(&host, "theirs", None);
    theirs.options.insert("com.docker.network.bridge.name".to_owned(), "br9".to_owned());
    assert_eq!(refused(theirs), "the link br9 cannot be the bridge of `theirs`: it already exists");
    let mut last = make_network(&host, "last", Some("10.77.0.0/24"));
    last.pools[0].gateway = Ipv4Addr::new(10, 77, 0, 254);
    assert_eq!(
        refused(last),
        "the gateway 10.77.0.254 of `last` is not supported: it must be the subnet's first address"
    );
    assert_none(&network::reset(&place));
    host.ok("ip link show br9");
}

#[test]
fn guests_who_left_are_taken_off_the_list_when_they_are_many() {
    let host = Host::new();
    let stays = host.start();
    let guests = || rules(&host).matches(" . 02:42:").count();
    for _ in 0..64 {
        assert_none(&network::remove(&host.start().applied.endpoints, &host.place("a")));
    }
    assert_eq!(guests(), 65);
    let next = host.start();
    assert_eq!(guests(), 2);
    assert!(stays.space.reaches(next.address()));
}

/// Returns our tables without packet counters.
fn rules(host: &Host) -> String {
    host.ok("nft --stateless list ruleset")
}

#[test]
fn two_engines_share_a_machine_and_reset_removes_only_ones_own() {
    let host = Host::with_world();
    let (a, b) = (host.start_in("a"), host.start_in("b"));
    assert_ne!(a.endpoint().bridge, b.endpoint().bridge);
    assert_eq!(a.address(), Ipv4Addr::new(172, 30, 0, 2));
    assert_eq!(b.address(), Ipv4Addr::new(172, 30, 1, 2));
    assert!(a.space.reaches(WORLD) && b.space.reaches(WORLD));
    assert!(!a.space.reaches(b.address()), "networks do not reach each other");
    assert_none(&network::reset(&host.place("a")));
    assert!(b.space.reaches(WORLD));
    let left = host.ok("nft list tables; ip -o link");
    assert!(!left.contains(&host.paths("a").engine_id()), "{left}");
    assert_none(&network::reset(&host.place("b")));
    assert_eq!(host.ok("nft list ruleset"), "");
    let left = host.ok("ip -o link");
    assert!(!left.contains("hoist") && !left.contains("hv"), "{left}");
    assert_none(&network::reset(&host.place("b")));
}

#[test]
fn eight_threads_of_two_engines_start_at_once() {
    let host = Host::new();
    let space = OwnedFd::from(File::open("/proc/thread-self/ns/net").unwrap());
    let places = [host.place("a"), host.place("b")];
    let mut addresses = std::thread::scope(|scope| {
        let starts = (0..8).map(|n| {
            let (place, space) = (&places[n % 2], &space);
            scope.spawn(move || {
                let guest = Space::new();
                inside(space.as_fd(), || {
                    let plan = plan([network::default_network(place).unwrap()]);
                    network::apply(&plan, Some(guest.fd()), place)
                })
                .unwrap()
                .unwrap()
            })
        });
        let starts: Vec<_> = starts.collect();
        starts.into_iter().map(|start| start.join().unwrap().endpoints[0].address).collect::<Vec<_>>()
    });
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 8, "{addresses:?}");
}

#[test]
fn a_subnet_that_somebody_uses_is_left_to_them() {
    let host = Host::new();
    host.ok("ip link add br9 type bridge; ip address add 172.30.0.1/16 dev br9; ip link set br9 up");
    let one = host.start();
    assert_eq!(one.endpoint().gateway, Ipv4Addr::new(172, 29, 0, 1));
    // The chosen subnet is kept while it is free, even after a reboot.
    assert_none(&network::reset(&host.place("a")));
    host.ok("ip link delete br9");
    assert_eq!(host.start().endpoint().gateway, Ipv4Addr::new(172, 29, 0, 1));
    assert_none(&network::reset(&host.place("a")));
    host.ok("ip link add br9 type bridge; ip address add 172.29.0.0/25 dev br9"); // down: no route
    assert_eq!(host.start().endpoint().gateway, Ipv4Addr::new(172, 30, 0, 1));
}

#[test]
fn a_bridge_that_somebody_deleted_comes_back_with_its_containers() {
    let host = Host::with_world();
    let one = host.start();
    host.ok(&format!("ip link delete {}", one.endpoint().bridge));
    assert!(!one.space.reaches(WORLD));
    let two = host.start();
    assert_eq!(two.address(), Ipv4Addr::new(172, 30, 0, 3));
    assert!(one.space.reaches(WORLD) && one.space.reaches(two.address()));
}

#[test]
fn leases_of_dead_runs_are_given_out_again_when_none_is_left() {
    let host = Host::new();
    let place = host.place("a");
    // All but one of 253 addresses are leased to containers whose namespaces are already gone.
    let live = host.start();
    let state = host.paths("a").network_runs().join(live.endpoint().network.as_str()).join("state.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    for last in 3..255 {
        let id = ContainerId::random().unwrap();
        json["leases"][format!("172.30.0.{last}")] =
            serde_json::json!({ "container": id, "port": format!("hvdead{last}") });
    }
    std::fs::write(&state, json.to_string()).unwrap();
    let next = host.start();
    assert_eq!(next.address(), Ipv4Addr::new(172, 30, 0, 3));
    assert!(next.space.reaches(live.address()));
    let (all, unread) = network::list(&place).unwrap();
    assert!(unread.is_empty(), "{unread:?}");
    let members: Vec<_> = all[0].members.iter().map(|member| member.address).collect();
    assert_eq!(members, [live.address(), next.address()]);
}

#[test]
fn nobody_speaks_in_anothers_name() {
    let host = Host::with_world();
    let (honest, liar) = (host.start(), host.start());
    let gateway = honest.endpoint().gateway;
    assert!(honest.space.reaches(liar.address()));
    // Uses another container's address as source. The reply would go to the real owner, so check
    // the rule.
    liar.space.ok(&format!("ip address add {}/32 dev eth0", honest.address()));
    let dropped = || host.ok("nft list chain bridge $(nft list tables | grep bridge | cut -d' ' -f3) raw");
    liar.space.run(&format!("busybox ping -c 1 -W 1 -I {} {gateway}", honest.address()));
    assert!(!dropped().contains("counter packets 0 bytes 0 drop"), "by address: {}", dropped());
    // ARP packets in the gateway's name have no effect.
    let before = honest.space.ok("ip neighbour show");
    liar.space.run(&format!("ip address add {gateway}/32 dev eth0"));
    liar.space.run(&format!("busybox arping -c 2 -w 1 -U -I eth0 -s {gateway} {}", honest.address()));
    let mac = |text: &str| text.split_whitespace().nth(4).unwrap_or_default().to_owned();
    let after = honest.space.ok(&format!("ip neighbour show {gateway}"));
    assert!(!after.contains(&liar.endpoint().mac.to_string()), "{before} {after} {}", mac(&after));
    // Uses another hardware address.
    liar.space.ok("ip address flush dev eth0; ip link set eth0 address 02:00:00:00:00:99");
    liar.space.ok(&format!("ip address add {}/24 dev eth0", liar.address()));
    assert!(!liar.space.reaches(gateway), "by hardware address");
    // IPv6: no advertisements, no neighbours, nothing.
    liar.space
        .ok("echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip -6 address add fd00::2/64 dev eth0 nodad");
    honest
        .space
        .ok("echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip -6 address add fd00::3/64 dev eth0 nodad");
    assert!(!liar.space.run("busybox ping -6 -c 1 -W 1 fd00::3").status.success());
}

#[test]
fn a_neighbour_of_the_host_does_not_reach_into_the_bridge() {
    let host = Host::with_world();
    let one = host.start();
    host.world().ok("ip route add 172.30.0.0/24 via 198.51.100.1");
    assert!(!host.world().reaches(one.address()));
    assert!(one.space.reaches(WORLD), "answers come through all the same");
    // The same if another table accepts what the first rule would drop.
    host.ok(&format!("nft flush chain inet {}-net raw", host.paths("a").engine_name()));
    assert!(!host.world().reaches(one.address()), "the second guard stands in forward");
}

#[test]
fn forwarding_is_turned_on_once_and_off_by_reset() {
    let host = Host::new();
    host.ok("echo 0 >/proc/sys/net/ipv4/ip_forward");
    let one = host.start();
    assert_eq!(host.ok("cat /proc/sys/net/ipv4/ip_forward"), "1\n");
    assert!(one.applied.warnings.iter().any(|text| text.contains("enabled net.ipv4.ip_forward")));
    assert_eq!(host.start().applied.warnings, [] as [String; 0]);
    assert_none(&network::reset(&host.place("a")));
    assert_eq!(host.ok("cat /proc/sys/net/ipv4/ip_forward"), "0\n");
}

#[test]
fn without_a_network_there_is_lo_and_with_the_hosts_there_is_nothing_to_do() {
    let host = Host::new();
    let mut plan = plan([]);
    let space = Space::new();
    let applied = network::apply(&plan, Some(space.fd()), &host.place("a")).unwrap();
    assert_eq!(applied, Applied::default());
    assert!(space.reaches("127.0.0.1"));
    plan.namespace = Namespace::Host;
    let applied = network::apply(&plan, None, &host.place("a")).unwrap();
    assert_none(&network::remove(&applied.endpoints, &host.place("a")));
    assert_eq!(host.ok("ip -o link | wc -l"), host.ok("ip -o link | grep -cE 'lo:|ifb'"));
}

#[test]
fn a_failed_start_leaves_no_link_and_no_lease() {
    let host = Host::new();
    let space = Space::new();
    space.ok("ip link add eth0 type veth peer name other0"); // the name is taken
    let plan = plan([network::default_network(&host.place("a")).unwrap()]);
    let error = network::apply(&plan, Some(space.fd()), &host.place("a")).unwrap_err();
    assert!(error.to_string().starts_with("cannot connect the container to hoist0"), "{error}");
    let links = host.ok("ip -o link");
    assert!(!links.contains("hv"), "{links}");
    assert_eq!(network::list(&host.place("a")).unwrap().0[0].members, []);
}
