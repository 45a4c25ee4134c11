//! Manages links, addresses and routes of a network: rtnetlink(7).

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::{Emitable, NetlinkSerializable, Parseable};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;

use super::error::{Result, Step};
use super::subnet::Subnet;
use crate::base::{Endpoint, Mac};
use crate::sys::netlink::{CREATE, EXCLUSIVE, Message, Protocol, Socket, inside};

/// The index of `lo` in every network namespace.
const LOOPBACK: u32 = 1;
const ETHERNET_MTU: u32 = 1500;

/// The links in a network namespace.
#[derive(Debug)]
pub(super) struct Links {
    socket: Socket,
}

/// An existing link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) is_up: bool,
}

impl Links {
    /// Opens the links of the calling thread's namespace.
    pub(super) fn open() -> Result<Self> {
        let socket = Socket::open(Protocol::Route).step(|| "open a netlink socket for links")?;
        Ok(Self { socket })
    }

    /// Returns the link `name`, if it exists.
    pub(super) fn find(&mut self, name: &str) -> Result<Option<Link>> {
        let mut link = LinkMessage::default();
        link.attributes.push(LinkAttribute::IfName(name.to_owned()));
        let call = format!("RTM_GETLINK({name:?})");
        let message = message(RouteNetlinkMessage::GetLink(link), 0, call).tolerate(&[Errno::NODEV]);
        let reply = self.socket.get(&message).step(|| format!("look up the link {name}"))?;
        Ok(reply.and_then(|reply| {
            // Parses only the header, as attributes of newer kernels might not parse.
            let header = netlink_packet_route::link::LinkHeader::parse(&reply.payload).ok()?;
            Some(Link { index: header.index, is_up: header.flags.contains(LinkFlags::Up) })
        }))
    }

    /// Creates a bridge, brings it up with `subnet`'s gateway address, and returns its index.
    pub(super) fn add_bridge(&mut self, name: &str, subnet: Subnet, mtu: u32) -> Result<u32> {
        let mut link = LinkMessage::default();
        link.attributes = vec![
            LinkAttribute::IfName(name.to_owned()),
            // A fixed address: otherwise it would change with the ports, and break neighbour
            // tables.
            LinkAttribute::Address(Mac::of(subnet.gateway()).0.to_vec()),
            LinkAttribute::Mtu(mtu),
            LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]),
        ];
        let call = format!("RTM_NEWLINK({name:?}, bridge)");
        let step = || format!("create the bridge {name}");
        let made = message(RouteNetlinkMessage::NewLink(link), CREATE | EXCLUSIVE, call);
        self.socket.request(&[made]).step(step)?;
        self.find(name)?.map(|bridge| bridge.index).ok_or(Errno::NODEV).map_err(|errno| {
            super::Error::System {
                step: step(),
                source: crate::sys::Error::new(format!("RTM_GETLINK({name:?})"), errno),
            }
        })
    }

    /// Brings a bridge up and gives it `subnet`'s gateway address, if it is not so already.
    pub(super) fn raise_bridge(&mut self, name: &str, index: u32, subnet: Subnet) -> Result<()> {
        let gateway = subnet.gateway();
        let messages = [address(index, gateway, subnet).tolerate(&[Errno::EXIST]), up(index, name)];
        self.socket.request(&messages).step(|| format!("assign {gateway} to {name}"))
    }

    /// Creates a veth pair: `endpoint.port`, up and attached to the bridge, in this namespace, and
    /// the container's end in `netns`.
    pub(super) fn add_port(
        &mut self,
        endpoint: &Endpoint,
        bridge: u32,
        mtu: u32,
        netns: BorrowedFd<'_>,
    ) -> Result<()> {
        let mut peer = LinkMessage::default();
        peer.attributes = vec![
            LinkAttribute::IfName(endpoint.interface.clone()),
            LinkAttribute::Address(endpoint.mac.0.to_vec()),
            LinkAttribute::Mtu(mtu),
            LinkAttribute::NetNsFd(netns.as_raw_fd()),
        ];
        let mut port = LinkMessage::default();
        port.header.flags = LinkFlags::Up;
        port.header.change_mask = LinkFlags::Up;
        port.attributes = vec![
            LinkAttribute::IfName(endpoint.port.clone()),
            LinkAttribute::Mtu(mtu),
            LinkAttribute::Controller(bridge),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
            ]),
        ];
        let call = format!("RTM_NEWLINK({:?}, veth, {:?})", endpoint.port, endpoint.interface);
        let made = message(RouteNetlinkMessage::NewLink(port), CREATE | EXCLUSIVE, call);
        self.socket.request(&[made]).step(|| format!("connect the container to {}", endpoint.bridge))
    }

    /// Attaches those links that still exist to `bridge`.
    pub(super) fn adopt_ports<'a>(
        &mut self,
        bridge: u32,
        ports: impl Iterator<Item = &'a str>,
    ) -> Result<()> {
        for port in ports {
            let mut link = LinkMessage::default();
            link.attributes = vec![LinkAttribute::IfName(port.to_owned()), LinkAttribute::Controller(bridge)];
            let call = format!("RTM_SETLINK({port:?}, master {bridge})");
            let set = message(RouteNetlinkMessage::SetLink(link), 0, call).tolerate(&[Errno::NODEV]);
            self.socket.request(&[set]).step(|| format!("reconnect {port} to its bridge"))?;
        }
        Ok(())
    }

    /// Deletes a link, if it exists.
    pub(super) fn delete(&mut self, name: &str) -> Result<()> {
        let mut link = LinkMessage::default();
        link.attributes.push(LinkAttribute::IfName(name.to_owned()));
        let call = format!("RTM_DELLINK({name:?})");
        let gone = message(RouteNetlinkMessage::DelLink(link), 0, call).tolerate(&[Errno::NODEV]);
        self.socket.request(&[gone]).step(|| format!("remove the link {name}"))
    }

    /// Returns the names of all links.
    pub(super) fn names(&mut self) -> Result<Vec<String>> {
        Ok(self.all()?.into_iter().filter_map(name_of).collect())
    }

    /// Returns the names of all bridges.
    pub(super) fn bridges(&mut self) -> Result<Vec<String>> {
        let is_bridge = |attribute: &LinkAttribute| match attribute {
            LinkAttribute::LinkInfo(info) => info.contains(&LinkInfo::Kind(InfoKind::Bridge)),
            _ => false,
        };
        let all = self.all()?.into_iter();
        Ok(all.filter(|link| link.attributes.iter().any(is_bridge)).filter_map(name_of).collect())
    }

    fn all(&mut self) -> Result<Vec<LinkMessage>> {
        let all = message(RouteNetlinkMessage::GetLink(LinkMessage::default()), 0, "RTM_GETLINK".to_owned());
        let replies = self.socket.dump(&all).step(|| "list the links")?;
        Ok(replies.iter().filter_map(|reply| LinkMessage::parse(reply.payload.as_slice()).ok()).collect())
    }

    /// Returns the subnets in use on this machine: the destinations of its routes and the subnets
    /// of its links, without those of the link `except`.
    pub(super) fn taken(&mut self, except: Option<u32>) -> Result<Vec<Subnet>> {
        let mut taken = Vec::new();
        for route in self.routes()? {
            let mut to = None;
            let mut through = None;
            for attribute in &route.attributes {
                match attribute {
                    RouteAttribute::Destination(RouteAddress::Inet(address)) => to = Some(*address),
                    RouteAttribute::Oif(index) => through = Some(*index),
                    _ => {}
                }
            }
            let is_foreign = except.is_none() || through != except;
            if let (Some(to), true) = (to, is_foreign) {
                taken.push(Subnet::of(to, route.header.destination_prefix_length));
            }
        }
        // A link that is down has no routes yet.
        let mut all = AddressMessage::default();
        all.header.family = AddressFamily::Inet;
        let all = message(RouteNetlinkMessage::GetAddress(all), 0, "RTM_GETADDR".to_owned());
        for reply in self.socket.dump(&all).step(|| "list the addresses")? {
            let Ok(address) = AddressMessage::parse(reply.payload.as_slice()) else { continue };
            let own = address.attributes.iter().find_map(|attribute| match attribute {
                AddressAttribute::Address(IpAddr::V4(own)) => Some(*own),
                _ => None,
            });
            if let (Some(own), true) = (own, Some(address.header.index) != except) {
                taken.push(Subnet::of(own, address.header.prefix_len));
            }
        }
        Ok(taken)
    }

    /// Returns the MTU for containers: that of the link with the default route, within 576 to 1500.
    /// With a larger one, packets could disappear silently, which would look like a dead network.
    pub(super) fn uplink_mtu(&mut self) -> Result<u32> {
        let mtu = self.uplink_attribute(|attribute| match attribute {
            LinkAttribute::Mtu(mtu) => Some(mtu),
            _ => None,
        })?;
        Ok(mtu.unwrap_or(ETHERNET_MTU).clamp(576, ETHERNET_MTU))
    }

    /// Returns the name of the link with the default route.
    pub(super) fn uplink(&mut self) -> Result<Option<String>> {
        self.uplink_attribute(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name),
            _ => None,
        })
    }

    fn uplink_attribute<T>(&mut self, pick: impl Fn(LinkAttribute) -> Option<T>) -> Result<Option<T>> {
        let uplink = self.routes()?.into_iter().find_map(|route| {
            let is_default = route.header.destination_prefix_length == 0;
            route.attributes.into_iter().filter(|_| is_default).find_map(|attribute| match attribute {
                RouteAttribute::Oif(index) => Some(index),
                _ => None,
            })
        });
        let Some(index) = uplink else { return Ok(None) };
        let mut link = LinkMessage::default();
        link.header.index = index;
        let get = message(RouteNetlinkMessage::GetLink(link), 0, format!("RTM_GETLINK({index})"));
        let reply = self.socket.get(&get).step(|| "read the link of the default route")?;
        let link = reply.and_then(|reply| LinkMessage::parse(reply.payload.as_slice()).ok());
        Ok(link.into_iter().flat_map(|link| link.attributes).find_map(pick))
    }

    fn routes(&mut self) -> Result<Vec<RouteMessage>> {
        let mut all = RouteMessage::default();
        all.header.address_family = AddressFamily::Inet;
        let all = message(RouteNetlinkMessage::GetRoute(all), 0, "RTM_GETROUTE".to_owned());
        let replies = self.socket.dump(&all).step(|| "list the routes")?;
        let routes = replies.iter().filter_map(|reply| RouteMessage::parse(reply.payload.as_slice()).ok());
        Ok(routes.collect())
    }
}

/// A container's end of its network.
#[derive(Debug)]
pub(super) struct Inside {
    links: Links,
}

impl Inside {
    /// Disables IPv6 for future links in `netns`, and opens a socket there.
    pub(super) fn enter(netns: BorrowedFd<'_>) -> Result<Self> {
        inside(netns, || {
            // Applies to future links. `lo` keeps ::1, as programs expect it.
            without_ipv6("default")?;
            Ok(Self { links: Links::open()? })
        })
        .step(|| "enter the container's network namespace")?
    }

    /// Brings up only `lo`.
    pub(super) fn raise_loopback(&mut self) -> Result<()> {
        self.links
            .socket
            .request(&[up(LOOPBACK, "lo")])
            .step(|| "bring up the loopback interface in the container")
    }

    /// Brings up `lo` and the container's link with its address, and sets the default route through
    /// `gateway`.
    pub(super) fn raise(&mut self, endpoint: &Endpoint, gateway: Option<Ipv4Addr>) -> Result<()> {
        let step = || format!("assign {} to the container", endpoint.address);
        let index = self.links.find(&endpoint.interface)?.map_or(0, |link| link.index);
        let subnet = Subnet::of(endpoint.address, endpoint.prefix);
        let mut messages = vec![
            up(LOOPBACK, "lo"),
            up(index, &endpoint.interface),
            address(index, endpoint.address, subnet),
        ];
        messages.extend(gateway.map(|gateway| default_route(index, gateway)));
        self.links.socket.request(&messages).step(step)
    }
}

fn name_of(link: LinkMessage) -> Option<String> {
    link.attributes.into_iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name),
        _ => None,
    })
}

/// Disables IPv6 and router advertisements for a link in this namespace, or for future links
/// (`default`).
///
/// Does nothing if the kernel has no IPv6. If these files may not be written (in an outer
/// container), the bridge rules still drop all IPv6 from ports.
pub(super) fn without_ipv6(link: &str) -> Result<()> {
    use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem};
    for (name, value) in [("accept_ra", "0"), ("disable_ipv6", "1")] {
        let path = format!("/proc/sys/net/ipv6/conf/{link}/{name}");
        match fs::write(&path, value) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), NotFound | PermissionDenied | ReadOnlyFilesystem) => {}
            Err(error) => {
                let call = format!("write({path:?}, {value:?})");
                return Err(crate::sys::Error::new(call, error)).step(|| format!("disable IPv6 on {link}"));
            }
        }
    }
    Ok(())
}

fn up(index: u32, name: &str) -> Message {
    let mut link = LinkMessage::default();
    link.header.index = index;
    link.header.flags = LinkFlags::Up;
    link.header.change_mask = LinkFlags::Up;
    message(RouteNetlinkMessage::SetLink(link), 0, format!("RTM_SETLINK({name:?}, up)"))
}

fn address(index: u32, own: Ipv4Addr, subnet: Subnet) -> Message {
    let mut address = AddressMessage::default();
    address.header.family = AddressFamily::Inet;
    address.header.prefix_len = subnet.length();
    address.header.index = index;
    address.attributes = vec![
        AddressAttribute::Local(IpAddr::V4(own)),
        AddressAttribute::Address(IpAddr::V4(own)),
        AddressAttribute::Broadcast(subnet.broadcast()),
    ];
    let call = format!("RTM_NEWADDR({own}/{})", subnet.length());
    message(RouteNetlinkMessage::NewAddress(address), CREATE | EXCLUSIVE, call)
}

fn default_route(index: u32, gateway: Ipv4Addr) -> Message {
    let mut route = RouteMessage::default();
    route.header = RouteHeader {
        address_family: AddressFamily::Inet,
        table: RouteHeader::RT_TABLE_MAIN,
        protocol: RouteProtocol::Boot,
        scope: RouteScope::Universe,
        kind: RouteType::Unicast,
        ..RouteHeader::default()
    };
    route.attributes = vec![RouteAttribute::Gateway(RouteAddress::Inet(gateway)), RouteAttribute::Oif(index)];
    let call = format!("RTM_NEWROUTE(default via {gateway})");
    message(RouteNetlinkMessage::NewRoute(route), CREATE | EXCLUSIVE, call)
}

fn message(body: RouteNetlinkMessage, flags: u16, call: String) -> Message {
    let mut payload = vec![0; Emitable::buffer_len(&body)];
    Emitable::emit(&body, &mut payload);
    Message::new(NetlinkSerializable::message_type(&body), flags, payload, call)
}
