//! The stand-in as a client sees it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod edge;
mod gateway;
mod wire;

use serde_json::Value;
pub(in crate::sandbox) use wire::client;

use super::envelope::Reply;
use super::router::{self, Asked};
use super::tokens::Credentials;
use super::{Plan, SANDBOX_TOKEN, World};

/// A world and the credential with which it is asked.
pub(in crate::sandbox) struct Desk {
    pub(in crate::sandbox) world: World,
    pub(in crate::sandbox) authorization: Option<String>,
}

impl Desk {
    /// With one zone, `acme.example`.
    pub(in crate::sandbox) fn new(plan: Plan) -> Self {
        let mut world = World::new();
        world.add_zone("acme.example", plan);
        Self {
            world,
            authorization: Some(format!("Bearer {SANDBOX_TOKEN}")),
        }
    }

    pub(in crate::sandbox) fn raw(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let asked = Asked {
            method: method.to_owned(),
            path: format!("/client/v4/{path}"),
            query: query.to_owned(),
            credentials: Credentials {
                authorization: self.authorization.clone(),
                legacy_key: false,
            },
            body: body.as_bytes().to_vec(),
            is_json: true,
        };
        router::answer(&mut self.world, &asked).map_or_else(Reply::from, Reply::from)
    }

    /// The status and the envelope.
    pub(in crate::sandbox) fn ask(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let reply = self.raw(method, path, &body);
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    pub(in crate::sandbox) fn get(&mut self, path: &str) -> Value {
        let (status, envelope) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {envelope}");
        envelope
    }

    /// The status and the code of a refusal.
    pub(in crate::sandbox) fn refused(&mut self, method: &str, path: &str, body: &Value) -> (u16, u64) {
        let (status, envelope) = self.ask(method, path, body);
        assert_eq!(envelope["success"], false, "{method} {path} {body}: {envelope}");
        (status, envelope["errors"][0]["code"].as_u64().unwrap())
    }

    /// The path of the records of `acme.example`.
    pub(in crate::sandbox) fn records(&self) -> String {
        format!("zones/{}/dns_records", self.world.zone_id("acme.example").unwrap())
    }
}
