//! DNS records: their types, their data, and the one canonical form of each.
