//! Networks an operator names: `10.0.0.0/8`, or one address.

use std::net::IpAddr;

use ipnet::IpNet;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// As many as there are in the text, with spaces or commas between them.
    pub fn parse(text: &str) -> Result<Networks, String> {
        let named = text.split([' ', ',']).filter(|name| !name.is_empty());
        named.map(network).collect::<Result<_, _>>().map(Networks)
    }

    pub fn add(&mut self, others: Networks) {
        self.0.extend(others.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is it in one of them? An IPv4 address in IPv6 clothes, as dual-stack sockets show it, is what it was.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn network(name: &str) -> Result<IpNet, String> {
    let address = name.parse().map(IpAddr::into);
    address
        .or_else(|_| name.parse())
        .map_err(|_| format!("\"{name}\" is neither a network like \"10.0.0.0/8\" nor an address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_single_addresses_are_named_in_one_text() {
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
    fn a_name_or_a_bad_network_is_refused() {
        for text in ["nginx", "10.0.0.0/33", "10.0.0.0/8;11.0.0.0/8", "*"] {
            assert!(Networks::parse(text).is_err(), "{text}");
        }
    }
}
