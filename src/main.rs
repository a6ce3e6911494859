//! launchctl
fn main() {}
