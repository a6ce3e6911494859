//! Level 2: mail authentication as pure logic. Records are parsed with places, evaluated and judged over any source of
//! DNS answers ([`dns::Dns`]); nothing here talks to a network, reads a clock or knows a provider or a spec.

pub mod bimi;
pub mod dkim;
pub mod dmarc;
pub mod dns;
pub mod findings;
pub mod issue;
pub mod mta_sts;
pub mod presets;
pub mod spf;
pub mod tags;
pub mod tls_rpt;
