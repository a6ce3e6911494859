//! The tests that need the whole: the real binary against stand-ins and real servers, and the rules of the house. One
//! binary, so that everything is linked once.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(unreachable_pub, reason = "one binary: nothing here is anybody else's")]

mod answers;
mod architecture;
mod crash;
mod edge;
mod exam;
mod examples;
mod flatten;
mod guards;
mod import;
mod limits;
mod mail;
mod own_servers;
mod refusals;
mod road;
mod servers;
mod specs;
mod support;
mod uptime;
mod views;
mod zone_server;
