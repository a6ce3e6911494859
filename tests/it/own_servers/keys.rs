//! Keys that a server does not take: each is told apart, and nothing is begun.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Desk, ZONE};
use crate::servers::{KEY, KEY_NAME, Server};

/// Keys that a server does not take, and what is said of each. `other` is an algorithm that its keys do not have.
fn refused_keys(server: &Server, other: &str, without_rights: [&'static str; 3]) {
    let own = server.algorithm;
    for (key, words) in [
        (
            format!("{own}:unknown-key:{KEY}"),
            ["does not know the key", "(BADKEY)", "compare the key's name"],
        ),
        (
            format!("{other}:{KEY_NAME}:{KEY}"),
            ["does not know the key", "(BADKEY)", "algorithm"],
        ),
        (
            format!("{own}:{KEY_NAME}:d3Jvbmctc2VjcmV0LXdyb25n"),
            ["signature wrong", "(BADSIG)", "secret is another one"],
        ),
        (format!("{own}:nobody:{KEY}"), without_rights),
    ] {
        let desk = Desk::with_key(server.dns, &key);
        desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
        let ran = desk.run(&["apply", "--yes"]).expect(1);
        for words in words {
            assert!(ran.err.contains(words), "{key}: {words}\n{}", ran.err);
        }
        assert!(
            !desk.folder.path().join(".launchctl/runs").exists(),
            "nothing was begun"
        );
    }
    // One that may read and not write: the plan stands, the apply is refused, and that is on record.
    let desk = Desk::with_key(server.dns, &format!("{own}:reader:{KEY}"));
    desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
    desk.run(&["plan"]).expect(0);
    let ran = desk.run(&["apply", "--yes", "--json"]).expect(1).json();
    assert_eq!(ran["status"], "failed");
    assert_eq!(ran["failed"][0]["address"], "own.test/dns/A/a");
    let code = without_rights[1].trim_matches(['(', ')']);
    assert_eq!(ran["failed"][0]["code"], code);
    desk.run(&["plan", "--detailed-exitcode"]).expect(2);
}

#[test]
fn a_key_that_the_server_does_not_take_is_told_apart_from_one_without_rights() {
    let rights = ["does not allow it", "(REFUSED)", "allow-transfer"];
    refused_keys(&Server::bind(ZONE), "hmac-sha512", rights);
    // Knot says of a key without rights what it says of an unknown one.
    let rights = ["does not know the key", "(BADKEY)", "acl"];
    refused_keys(&Server::knot(ZONE), "hmac-sha256", rights);
    let ran = Desk::with_key(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)), "nonsense");
    ran.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
    assert!(ran.run(&["plan"]).expect(1).err.contains("dig -y"));
}

#[test]
fn an_api_key_that_is_not_accepted_says_so() {
    let server = Server::powerdns(ZONE, "native");
    let mut desk = Desk::powerdns(server.api.unwrap());
    desk.spec(&["{ type: A, name: a, value: 192.0.2.1 }"]);
    desk.environment
        .insert("POWERDNS_API_KEY".into(), "wrong-key-of-length".into());
    let ran = desk.run(&["plan"]).expect(1);
    assert!(
        ran.err.contains("the API key is not accepted") && ran.err.contains("pdns.conf"),
        "{}",
        ran.err
    );
    let ran = desk.run(&["doctor"]).expect(1);
    assert!(ran.all().contains("PowerDNS API key"), "{}", ran.all());
}
