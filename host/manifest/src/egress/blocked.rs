//! `block_networks` of the runtime configuration: networks that no component may reach, even with a grant.
//!
//! The check uses the address of the connection, after the host name is resolved.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks in `"private"`: all addresses that are not globally routable by IANA's special-purpose address registries.
const PRIVATE_V4: [(Ipv4Addr, u8); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::new(255, 255, 255, 255), 32),
];

/// IANA allocates global IPv6 addresses from 2000::/3 only; [`PRIVATE_V6`] lists the exceptions within.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const PRIVATE_V6: [(Ipv6Addr, u8); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// The NAT64 prefix (RFC 6052): gateways translate such an address to the IPv4 address in its last 32 bits.
const TRANSLATED_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockedNetworks {
    networks: Vec<IpNet>,
    private: bool,
}

impl BlockedNetworks {
    /// Adds a network (`10.0.0.0/8`) or `private`.
    pub fn block(&mut self, entry: &str) -> Result<(), String> {
        if entry == "private" {
            self.private = true;
            return Ok(());
        }
        let network = entry.parse::<IpNet>();
        self.networks.push(network.map_err(|_| {
            format!("{entry:?} is neither a network like \"10.0.0.0/8\" nor \"private\"")
        })?);
        Ok(())
    }

    pub fn is_blocked(&self, address: IpAddr) -> bool {
        let blocked = (self.private && is_private_itself(address))
            || self.networks.iter().any(|n| n.contains(&address));
        // An IPv6 address with an embedded IPv4 address reaches the same machine as that address.
        blocked || embedded_v4(address).is_some_and(|v4| self.is_blocked(IpAddr::V4(v4)))
    }
}

/// Whether the address, or the IPv4 address embedded in it, is not globally routable.
pub(super) fn is_private(address: IpAddr) -> bool {
    is_private_itself(address)
        || embedded_v4(address).is_some_and(|v4| is_private_itself(IpAddr::V4(v4)))
}

/// Like [`is_private`], without looking at an embedded IPv4 address.
fn is_private_itself(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => PRIVATE_V4
            .iter()
            .any(|(net, bits)| contains_v4(*net, *bits, v4)),
        IpAddr::V6(v6) if embedded_v4(address).is_some() => v6.is_loopback() || v6.is_unspecified(),
        IpAddr::V6(v6) => {
            let (global, bits) = GLOBAL_V6;
            !contains_v6(global, bits, v6)
                || PRIVATE_V6
                    .iter()
                    .any(|(net, bits)| contains_v6(*net, *bits, v6))
        }
    }
}

fn embedded_v4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let (translated, bits) = TRANSLATED_V6;
    if contains_v6(translated, bits, v6) {
        let [.., a, b, c, d] = v6.octets();
        return Some(Ipv4Addr::new(a, b, c, d));
    }
    v6.to_ipv4()
}

fn contains_v4(network: Ipv4Addr, bits: u8, address: Ipv4Addr) -> bool {
    (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(bits)
}

fn contains_v6(network: Ipv6Addr, bits: u8, address: Ipv6Addr) -> bool {
    (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocking(entries: &[&str]) -> BlockedNetworks {
        let mut blocked = BlockedNetworks::default();
        for entry in entries {
            blocked.block(entry).unwrap();
        }
        blocked
    }

    fn assert_blocked(blocked: &BlockedNetworks, expected: bool, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(
                blocked.is_blocked(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn listed_networks_are_blocked() {
        let blocked = blocking(&["123.123.0.0/16", "2001:db8::/96", "9.9.9.9/32"]);
        assert_blocked(
            &blocked,
            true,
            &[
                "123.123.1.2",
                "9.9.9.9",
                "2001:db8::1000",
                "::ffff:123.123.1.2",
            ],
        );
        assert_blocked(
            &blocked,
            false,
            &["123.100.0.1", "9.9.9.8", "2002::1000", "127.0.0.1"],
        );
    }

    #[test]
    fn private_means_all_addresses_that_are_not_globally_routable() {
        let blocked = blocking(&["private"]);
        let private = [
            "0.0.0.0",
            "10.10.10.10",
            "100.64.1.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.0.0.1",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::f00d",
            "ff02::1",
            "2001:db8::1",
            "::ffff:10.1.1.1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
        ];
        assert_blocked(&blocked, true, &private);
        assert_blocked(
            &blocked,
            false,
            &[
                "123.123.123.123",
                "172.32.0.1",
                "100.128.0.1",
                "2600::beef",
                "::ffff:8.8.8.8",
                "64:ff9b::8.8.8.8",
            ],
        );
        assert_blocked(&BlockedNetworks::default(), false, &private);
    }

    #[test]
    fn an_invalid_network_is_refused() {
        for entry in ["", "10.0.0.1", "Private", "10.0.0.0/33", "example.com"] {
            assert!(BlockedNetworks::default().block(entry).is_err(), "{entry}");
        }
    }
}
