//! Zones of servers that people run themselves, written down as specs that plan to nothing.

use super::{Desk, ZONE};
use crate::servers::Server;

const RECORDS: [&str; 5] = [
    "{ type: A, name: \"@\", value: 192.0.2.1 }",
    "{ type: A, name: lb, values: [192.0.2.2, 192.0.2.3], ttl: 5m }",
    "{ type: MX, name: \"@\", value: 10 mx.host.example }",
    "{ type: TXT, name: \"@\", value: 'v=spf1 mx \"q\" -all' }",
    "{ type: SRV, name: _sip._tcp, value: 10 5 5060 sip.host.example }",
];

#[test]
fn a_zone_of_a_server_comes_out_as_a_spec_that_plans_to_nothing() {
    let (pdns, bind) = (Server::powerdns(ZONE, "native"), Server::bind(ZONE));
    for (desk, name) in [
        (Desk::powerdns(pdns.api.unwrap()), "powerdns"),
        (Desk::updates(bind.dns), "rfc2136"),
    ] {
        desk.spec(&RECORDS);
        desk.run(&["apply", "--yes"]).expect(0);
        let imported = desk.run(&["import", ZONE, "--provider", name]).expect(0);
        assert!(
            imported
                .out
                .contains("name: lb, values: [192.0.2.2, 192.0.2.3], ttl: 5m }"),
            "{}",
            imported.out
        );
        std::fs::write(desk.folder.path().join("imported.yaml"), &imported.out).unwrap();
        desk.run(&["--spec", "imported.yaml", "plan", "--detailed-exitcode"])
            .expect(0);

        // Where a server tells which zones it has, nobody has to name them.
        let all = desk.run(&["import", "--provider", name]);
        if name == "powerdns" {
            let all = all.expect(0);
            assert!(all.out.contains("\n  own.test:\n"), "{}", all.out);
        } else {
            let refused = all.expect(1);
            assert!(refused.err.contains("name the zones that are meant"), "{}", refused.err);
        }
    }
}
