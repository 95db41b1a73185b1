//! Networks that an operator lists: `10.0.0.0/8`, or a single address.

use std::net::IpAddr;

use ipnet::IpNet;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Parses a list separated by spaces or commas.
    pub fn parse(text: &str) -> Result<Networks, String> {
        let names = text.split([' ', ',']).filter(|name| !name.is_empty());
        names
            .map(parse_network)
            .collect::<Result<_, _>>()
            .map(Networks)
    }

    pub fn add(&mut self, others: Networks) {
        self.0.extend(others.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the networks contains the address. An IPv4-mapped IPv6 address, as dual-stack sockets report it,
    /// counts as its IPv4 address.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn parse_network(name: &str) -> Result<IpNet, String> {
    let address = name.parse().map(IpAddr::into);
    address
        .or_else(|_| name.parse())
        .map_err(|_| format!("\"{name}\" is neither a network like \"10.0.0.0/8\" nor an address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_networks_and_single_addresses() {
        let networks = Networks::parse("10.0.0.0/8, 192.0.2.7 2001:db8::/32,").unwrap();
        for (address, is_in) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(
                networks.contain(address.parse().unwrap()),
                is_in,
                "{address}"
            );
        }
        assert!(Networks::parse("").unwrap().is_empty());
    }

    #[test]
    fn a_host_name_or_an_invalid_network_is_refused() {
        for text in ["nginx", "10.0.0.0/33", "10.0.0.0/8;11.0.0.0/8", "*"] {
            assert!(Networks::parse(text).is_err(), "{text}");
        }
    }
}
