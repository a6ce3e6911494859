//! DNS records: their types, their data, and the one canonical form of each. The text form is a zone file's
//! (RFC 1035 §5 and each type's own RFC), with two liberties: hosts are absolute with or without the final dot, and TXT
//! is the value itself. Knows no zone policy, no provider and no TTL.

mod data;
mod encoding;
mod error;
mod fields;
mod host;
mod kind;
mod location;
mod service;
pub mod txt;
mod wire;

pub use data::{Caa, Cert, CertificateAssociation, Dnskey, Ds, Mx, Naptr, RecordData, Soa, Srv, Sshfp, Uri};
pub use error::DataError;
pub use host::Target;
pub use kind::RecordType;
pub use location::Location;
pub use service::{ServiceBinding, ServiceParams};
pub use wire::WireError;

#[cfg(test)]
mod tests;
