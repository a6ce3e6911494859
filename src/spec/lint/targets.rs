//! Where records point: at a host and never at an address, not at themselves, and mail and name servers not at aliases
//! (RFC 2181 §10.3).

use std::collections::BTreeMap;

use crate::base::diagnostic::Diagnostic;
use crate::model::name::DomainName;
use crate::model::record::RecordType;
use crate::spec::lower::{DeclaredRecord, DeclaredZone, Findings};

pub(super) fn check(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let aliases: BTreeMap<&DomainName, &DeclaredRecord> = zone
        .records
        .iter()
        .filter(|record| record.kind() == RecordType::Cname)
        .map(|record| (&record.owner, record))
        .collect();
    for record in &zone.records {
        let kind = record.kind();
        let Some(target) = record.record.data.target() else {
            continue;
        };
        if record.record.data.target_is_address() {
            let message = format!("{kind} records name a host, and `{target}` is an address");
            let finding = Diagnostic::error("target-is-address", message)
                .at(findings.place(&record.value))
                .label("a host name was expected")
                .help("give the address a name of its own with an A record, and name that here")
                .about(record.address.as_str());
            findings.push(finding);
        } else if matches!(kind, RecordType::Alias | RecordType::Cname) && *target == record.owner {
            let finding = Diagnostic::error("cname-to-itself", format!("{target} is an alias of itself"))
                .at(findings.place(&record.value))
                .about(record.address.as_str());
            findings.push(finding);
        } else if let (RecordType::Mx | RecordType::Ns, Some(alias)) = (kind, aliases.get(target)) {
            let message = format!("{target} is an alias, and {kind} records must not name one (RFC 2181 §10.3)");
            let finding = Diagnostic::warning("target-is-alias", message)
                .at(findings.place(&record.value))
                .related(findings.place(&alias.value), "the alias")
                .about(record.address.as_str());
            findings.push(finding);
        }
    }
}
