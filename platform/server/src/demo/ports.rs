//! Ports for the demo: the one that was asked for, or the next free one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// How many ports after the wanted one are tried.
const TRIES: u16 = 50;

/// A loopback address with a free port: `wanted`, else the next free one; any free one for 0. `None` when
/// none of the next ports is free either. Ports `given` out before are not free.
pub(super) fn free(wanted: u16, given: &mut Vec<u16>) -> Option<SocketAddr> {
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if wanted == 0 {
        return Some(address(0));
    }
    let mut ports = wanted..wanted.saturating_add(TRIES);
    let port = ports.find(|port| !given.contains(port) && TcpListener::bind(address(*port)).is_ok())?;
    given.push(port);
    Some(address(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_leads_to_a_later_one() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let mut given = Vec::new();
        let next = free(port, &mut given).unwrap();
        assert!(next.port() > port && next.ip().is_loopback());
        let after = free(port, &mut given).unwrap();
        assert!(after.port() > next.port(), "a port is given out once");
        assert_eq!(free(0, &mut given).unwrap().port(), 0);
    }
}
