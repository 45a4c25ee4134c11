//! A container's /etc/hosts and /etc/resolv.conf: hosts(5), resolv.conf(5).
//!
//! These are pure functions of the host's files ([`HostFiles`]) and the request.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::str::FromStr;

use super::error::{Error, Result};
use super::plan::{Applied, Namespace, Plan};
use crate::base::disk;

/// The requested resolver configuration. An empty list takes the host's values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dns {
    /// Name servers.
    pub servers: Vec<IpAddr>,
    /// Search domains; a single `.` means none.
    pub search: Vec<String>,
    /// Resolver options.
    pub options: Vec<String>,
}

/// A requested line in /etc/hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraHost {
    /// The name.
    pub name: String,
    /// Its address; `None` for the host's address as seen by the container (`host-gateway`).
    pub address: Option<IpAddr>,
}

impl FromStr for ExtraHost {
    type Err = Error;

    /// Parses `name:address` or `name=address`; an IPv6 address may be in brackets.
    fn from_str(word: &str) -> Result<Self> {
        let bad = || Error::BadHost(word.to_owned());
        let (name, address) = word.split_once(['=', ':']).ok_or_else(bad)?;
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(bad());
        }
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let address = match bare {
            "host-gateway" => None,
            _ => Some(bare.parse().map_err(|_| bad())?),
        };
        Ok(Self { name: name.to_owned(), address })
    }
}

/// The contents of the host's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFiles {
    /// /etc/resolv.conf, for containers in the host's network.
    pub resolv_conf: String,
    /// resolv.conf for other networks: with the upstream servers of systemd-resolved instead of its
    /// stub, which listens on the host's loopback address.
    pub upstream: String,
    /// /etc/hosts.
    pub hosts: String,
}

const RESOLV_CONF: &str = "/etc/resolv.conf";
/// The upstream servers of systemd-resolved.
const UPSTREAM_RESOLV_CONF: &str = "/run/systemd/resolve/resolv.conf";
const STUB: &str = "127.0.0.53";
/// More than any resolver reads.
const MAX_FILE: u64 = 1 << 20;

impl HostFiles {
    /// Reads the files; a missing one is empty.
    #[must_use]
    pub fn read() -> Self {
        let resolv_conf = text(Path::new(RESOLV_CONF));
        let behind =
            if is_stub(&resolv_conf) { text(Path::new(UPSTREAM_RESOLV_CONF)) } else { String::new() };
        let upstream = if behind.is_empty() { resolv_conf.clone() } else { behind };
        Self { resolv_conf, upstream, hosts: text(Path::new("/etc/hosts")) }
    }

    /// Returns the host's resolver configuration for containers in this namespace.
    fn resolver(&self, namespace: Namespace) -> &str {
        if namespace == Namespace::Host { &self.resolv_conf } else { &self.upstream }
    }
}

fn text(path: &Path) -> String {
    disk::read(path, MAX_FILE).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Whether systemd-resolved's stub is the only name server.
fn is_stub(resolv_conf: &str) -> bool {
    let mut servers = words_of(resolv_conf, "nameserver").peekable();
    servers.peek().is_some() && servers.all(|server| server == STUB)
}

/// Returns the words after `keyword` in all its lines.
fn words_of<'a>(resolv_conf: &'a str, keyword: &'a str) -> impl Iterator<Item = &'a str> {
    resolv_conf.lines().filter(|line| !line.starts_with(['#', ';'])).flat_map(move |line| {
        let mut words = line.split_whitespace();
        let keep = words.next() == Some(keyword);
        words.filter(move |_| keep)
    })
}

const COMMON_HOSTS: &str = "127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
";

/// Returns a container's /etc/hosts.
#[must_use]
pub fn hosts(plan: &Plan, applied: &Applied, host: &HostFiles) -> String {
    let mut out = if !plan.has_namespace() { host.hosts.clone() } else { COMMON_HOSTS.to_owned() };
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    for extra in &plan.extra_hosts {
        let own = applied.endpoints.first().map_or(Ipv4Addr::LOCALHOST, |endpoint| endpoint.gateway);
        let address = extra.address.unwrap_or(IpAddr::V4(own));
        let _ = writeln!(out, "{address}\t{}", extra.name); // writing to a String cannot fail
    }
    for endpoint in applied.endpoints.iter().filter(|_| !plan.hostname.is_empty()) {
        let _ = write!(out, "{}\t", endpoint.address);
        if plan.domainname.is_empty() {
            let _ = writeln!(out, "{}", plan.hostname);
        } else {
            let _ = writeln!(out, "{0}.{1} {0}", plan.hostname, plan.domainname);
        }
    }
    out
}

/// Returns a container's /etc/resolv.conf.
///
/// Servers on the host's loopback address are left out in other namespaces, which cannot reach
/// them, and so are IPv6 servers on bridges, which carry no IPv6. If none remain, there are no
/// servers. Docker would then use public ones, which would disclose the names of a private network.
#[must_use]
pub fn resolv_conf(plan: &Plan, host: &HostFiles) -> String {
    let dns = &plan.dns;
    if dns == &Dns::default() && !plan.has_namespace() {
        return host.resolv_conf.clone();
    }
    let theirs = host.resolver(plan.namespace);
    let mut out = String::new();
    if dns.servers.is_empty() {
        for server in words_of(theirs, "nameserver") {
            if !plan.is_connected() || is_reachable(server) {
                let _ = writeln!(out, "nameserver {server}");
            }
        }
    }
    for server in &dns.servers {
        let _ = writeln!(out, "nameserver {server}");
    }
    // The host's last `search` or `domain` line applies; options accumulate.
    let search: Vec<&str> = match dns.search.as_slice() {
        [] => last_search(theirs),
        [only] if only == "." => Vec::new(),
        asked => asked.iter().map(String::as_str).collect(),
    };
    if !search.is_empty() {
        let _ = writeln!(out, "search {}", search.join(" "));
    }
    let options: Vec<&str> = match dns.options.as_slice() {
        [] => words_of(theirs, "options").collect(),
        asked => asked.iter().map(String::as_str).collect(),
    };
    if !options.is_empty() {
        let _ = writeln!(out, "options {}", options.join(" "));
    }
    out
}

/// Returns a warning if the container can reach none of this machine's name servers.
#[must_use]
pub fn resolver_warning(plan: &Plan, host: &HostFiles) -> Option<String> {
    let mut servers = words_of(host.resolver(plan.namespace), "nameserver").peekable();
    let is_cut_off = plan.is_connected()
        && plan.dns.servers.is_empty()
        && servers.peek().is_some()
        && !servers.any(is_reachable);
    is_cut_off.then(|| {
        "containers cannot reach this machine's name servers, which listen on loopback addresses or use IPv6: \
         set one with --dns"
            .to_owned()
    })
}

/// Whether a container on an IPv4 bridge can reach one of the host's servers.
fn is_reachable(server: &str) -> bool {
    server.parse::<Ipv4Addr>().is_ok_and(|address| !address.is_loopback())
}

fn last_search(resolv_conf: &str) -> Vec<&str> {
    let lines = resolv_conf.lines().rev().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut found = lines.filter(|words| matches!(words.first(), Some(&"search" | &"domain")));
    found.next().map(|words| words.into_iter().skip(1).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::disk::Unknown;
    use crate::base::{ContainerId, Endpoint, Mac, NetworkId, Paths};
    use crate::network::definition::Network;
    use crate::network::plan::{Connection, Request, plan};

    /// A container's network mode.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Mode {
        None,
        Host,
        Bridge,
    }

    fn request(mode: Mode) -> Request {
        let network = || Connection::to(Network::default_bridge(&Paths::new("/a", "/b")));
        Request {
            container: ContainerId::random().unwrap(),
            namespace: if mode == Mode::Host { Namespace::Host } else { Namespace::Own },
            connections: (mode == Mode::Bridge).then(network).into_iter().collect(),
            hostname: "web".to_owned(),
            domainname: String::new(),
            extra_hosts: Vec::new(),
            dns: Vec::new(),
            dns_search: Vec::new(),
            dns_options: Vec::new(),
        }
    }

    fn connected(plan: &Plan) -> Applied {
        let address = Ipv4Addr::new(172, 30, 0, 2);
        let endpoint = Endpoint {
            network: NetworkId::random().unwrap(),
            network_name: "bridge".to_owned(),
            container: plan.container.clone(),
            bridge: "hoist0".to_owned(),
            port: "hv1".to_owned(),
            interface: "eth0".to_owned(),
            address,
            prefix: 24,
            gateway: Ipv4Addr::new(172, 30, 0, 1),
            mac: Mac::of(address),
            unknown: Unknown::new(),
        };
        Applied { endpoints: vec![endpoint], warnings: Vec::new() }
    }

    fn host(resolv_conf: &str) -> HostFiles {
        HostFiles {
            resolv_conf: resolv_conf.to_owned(),
            upstream: resolv_conf.to_owned(),
            hosts: "127.0.0.1 localhost\n10.0.0.9 nas".to_owned(),
        }
    }

    #[test]
    fn hosts_name_the_container_and_what_was_asked_for() {
        let mut request = request(Mode::Bridge);
        request.domainname = "example.org".to_owned();
        request.extra_hosts =
            ["db:10.0.0.5", "six=[::1]", "up:host-gateway", "v6:fe80::1"].map(str::to_owned).into();
        let plan = plan(request).unwrap();
        let text = hosts(&plan, &connected(&plan), &host(""));
        assert_eq!(
            text.strip_prefix(COMMON_HOSTS).unwrap(),
            "10.0.0.5\tdb\n::1\tsix\n172.30.0.1\tup\nfe80::1\tv6\n172.30.0.2\tweb.example.org web\n"
        );
    }

    #[test]
    fn with_the_hosts_network_hosts_are_the_hosts() {
        let mut request = request(Mode::Host);
        request.extra_hosts = vec!["up:host-gateway".to_owned()];
        let plan = plan(request).unwrap();
        let text = hosts(&plan, &Applied::default(), &host(""));
        assert_eq!(text, "127.0.0.1 localhost\n10.0.0.9 nas\n127.0.0.1\tup\n");
    }

    #[test]
    fn a_bad_extra_host_or_name_server_is_refused_in_dockers_words() {
        for bad in ["", "db", "db:", ":1.2.3.4", "db:1.2.3", "d b:1.2.3.4"] {
            let error = bad.parse::<ExtraHost>().unwrap_err();
            assert_eq!(error.to_string(), format!("bad format for add-host: \"{bad}\""));
        }
        let mut request = request(Mode::Bridge);
        request.dns = vec!["dns.example.org".to_owned()];
        let error = plan(request).unwrap_err().to_string();
        assert_eq!(
            error,
            "invalid argument \"dns.example.org\" for \"--dns\" flag: dns.example.org is not an ip address"
        );
    }

    #[test]
    fn resolv_conf_takes_from_the_host_what_was_not_asked_for() {
        type Case =
            (Mode, &'static [&'static str], &'static [&'static str], &'static [&'static str], &'static str);
        let theirs = "# comment\nnameserver 127.0.0.1\nnameserver 10.0.0.53\nnameserver fd00::53\n\
                      search old\nsearch lan example.org\noptions edns0\noptions rotate\n";
        let cases: &[Case] = &[
            (Mode::Host, &[], &[], &[], theirs),
            (
                Mode::None,
                &[],
                &[],
                &[],
                "nameserver 127.0.0.1\nnameserver 10.0.0.53\nnameserver fd00::53\n\
                 search lan example.org\noptions edns0 rotate\n",
            ),
            (
                Mode::Bridge,
                &[],
                &[],
                &[],
                "nameserver 10.0.0.53\nsearch lan example.org\noptions edns0 rotate\n",
            ),
            (Mode::Bridge, &["1.1.1.1"], &["."], &["ndots:2"], "nameserver 1.1.1.1\noptions ndots:2\n"),
            (
                Mode::Bridge,
                &["127.0.0.1"],
                &["a", "b"],
                &[],
                "nameserver 127.0.0.1\nsearch a b\noptions edns0 rotate\n",
            ),
        ];
        for (mode, servers, search, options, want) in cases {
            let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
            let plan = plan(Request {
                dns: own(servers),
                dns_search: own(search),
                dns_options: own(options),
                ..request(*mode)
            })
            .unwrap();
            assert_eq!(&resolv_conf(&plan, &host(theirs)), want, "{mode:?} {servers:?}");
        }
    }

    #[test]
    fn only_the_hosts_network_has_the_hosts_own_resolver() {
        let behind = "nameserver 10.0.0.53\nsearch lan\n";
        let own = "# a stub\nnameserver 127.0.0.53\nsearch lan\n";
        let host = HostFiles { upstream: behind.to_owned(), ..host(own) };
        for (mode, asked, want) in [
            (Mode::Host, "", own),
            (Mode::Host, "rotate", "nameserver 127.0.0.53\nsearch lan\noptions rotate\n"),
            (Mode::Bridge, "", behind),
            (Mode::None, "", behind),
        ] {
            let dns_options = asked.split_whitespace().map(str::to_owned).collect();
            let plan = plan(Request { dns_options, ..request(mode) }).unwrap();
            assert_eq!(resolv_conf(&plan, &host), want, "{mode:?} {asked}");
            assert_eq!(resolver_warning(&plan, &host), None);
        }
    }

    #[test]
    fn a_container_without_a_name_server_is_warned_of() {
        let cases = [
            ("nameserver 127.0.0.1\nnameserver fd00::53", Mode::Bridge, "", true),
            ("nameserver 127.0.0.1\nnameserver 10.0.0.53", Mode::Bridge, "", false),
            ("nameserver 127.0.0.1", Mode::Bridge, "1.1.1.1", false),
            ("nameserver 127.0.0.1", Mode::Host, "", false),
            ("# none at all", Mode::Bridge, "", false),
        ];
        for (theirs, mode, asked, want) in cases {
            let dns = asked.split_whitespace().map(str::to_owned).collect();
            let plan = plan(Request { dns, ..request(mode) }).unwrap();
            assert_eq!(resolver_warning(&plan, &host(theirs)).is_some(), want, "{theirs:?} {mode:?}");
        }
    }

    #[test]
    fn the_stub_is_known_by_being_the_only_server() {
        assert!(is_stub("nameserver 127.0.0.53\noptions edns0"));
        assert!(!is_stub("nameserver 127.0.0.53\nnameserver 10.0.0.53"));
        assert!(!is_stub("# nameserver 127.0.0.53\n"));
    }
}
