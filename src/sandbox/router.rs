//! Which path is what, who may ask it, and what answers it. The order of refusals is the gateway's: the form of the
//! credential, the route, the method, the credential itself, the zone, the permission.

use serde_json::{Map, Value};

use super::edge;
use super::envelope::{Answer, Refusal};
use super::query::Query;
use super::records;
use super::tokens::{Credentials, Permission, TokenKind, Tokens};
use super::world::{ACCOUNT, World};
use super::zones;

/// What every path begins with.
pub(super) const BASE: &str = "/client/v4";

/// A request, read whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) credentials: Credentials,
    pub(super) body: Vec<u8>,
    /// Whether the body is said to be JSON.
    pub(super) is_json: bool,
}

impl Asked {
    /// Whether it asks for a change. A dry run of a ruleset does not.
    pub(super) fn is_write(&self) -> bool {
        let is_dry = self.path.contains("/rulesets") && Query::parse(&self.query).get("dry_run") == Some("true");
        self.changes_something() && !is_dry
    }

    /// Whether its method is one of those that change something.
    pub(super) fn changes_something(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// The body as any JSON.
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body).map_err(|_| Refusal::body())
    }

    /// The body as a JSON object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Refusal> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(fields)) => Ok(fields),
            _ => Err(Refusal::body()),
        }
    }
}

/// A path that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'a> {
    VerifyUser,
    VerifyAccount(&'a str),
    Zones,
    Zone(&'a str),
    ActivationCheck(&'a str),
    Records(&'a str),
    Batch(&'a str),
    Export(&'a str),
    Usage(&'a str),
    Record(&'a str, &'a str),
    /// Everything that is neither a zone nor a record.
    Edge(edge::Route<'a>),
}

impl<'a> Route<'a> {
    fn find(segments: &[&'a str]) -> Option<Self> {
        Some(match segments {
            ["user", "tokens", "verify"] => Self::VerifyUser,
            ["accounts", account, "tokens", "verify"] => Self::VerifyAccount(account),
            ["zones"] => Self::Zones,
            ["zones", zone] => Self::Zone(zone),
            ["zones", zone, "activation_check"] => Self::ActivationCheck(zone),
            ["zones", zone, "dns_records"] => Self::Records(zone),
            ["zones", zone, "dns_records", "batch"] => Self::Batch(zone),
            ["zones", zone, "dns_records", "export"] => Self::Export(zone),
            ["zones", zone, "dns_records", "usage"] => Self::Usage(zone),
            // Known to the API and not to the stand-in.
            ["zones", _, "dns_records", "import" | "scan"] => return None,
            ["zones", zone, "dns_records", record] => Self::Record(zone, record),
            _ => return edge::Route::find(segments).map(Self::Edge),
        })
    }

    fn zone(self) -> Option<&'a str> {
        match self {
            Self::VerifyUser | Self::VerifyAccount(_) | Self::Zones => None,
            Self::Zone(zone)
            | Self::ActivationCheck(zone)
            | Self::Records(zone)
            | Self::Batch(zone)
            | Self::Export(zone)
            | Self::Usage(zone)
            | Self::Record(zone, _) => Some(zone),
            Self::Edge(route) => route.zone(),
        }
    }

    /// The account, where the path names one and no token is verified.
    fn account(self) -> Option<&'a str> {
        match self {
            Self::Edge(route) => route.account(),
            _ => None,
        }
    }

    /// The permissions of which any one is enough for this method; none when the path has no such method.
    fn permissions(self, method: &str) -> Option<&'static [Permission]> {
        use Permission::{
            DnsRead, DnsWrite, SslRead, SslWrite, ZoneRead, ZoneSettingsRead, ZoneSettingsWrite, ZoneWrite,
        };
        Some(match (self, method) {
            (Self::Edge(route), method) => return route.permissions(method),
            (Self::VerifyUser | Self::VerifyAccount(_), "GET") => &[],
            (Self::Zones, "GET") => &[ZoneRead, ZoneWrite],
            (Self::Zones, "POST") => &[ZoneWrite, DnsWrite],
            (Self::Zone(_), "GET") => &[
                ZoneRead,
                ZoneWrite,
                DnsRead,
                DnsWrite,
                ZoneSettingsRead,
                ZoneSettingsWrite,
                SslRead,
                SslWrite,
            ],
            (Self::Zone(_), "PATCH" | "DELETE") | (Self::ActivationCheck(_), "PUT") => &[ZoneWrite],
            (Self::Records(_) | Self::Record(..) | Self::Export(_) | Self::Usage(_), "GET") => &[DnsRead, DnsWrite],
            (Self::Records(_) | Self::Batch(_), "POST") | (Self::Record(..), "PUT" | "PATCH" | "DELETE") => &[DnsWrite],
            _ => return None,
        })
    }
}

/// Whether a text has the form of an identifier.
pub(super) fn is_identifier(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

pub(super) fn not_routed(path: &str) -> Refusal {
    let words = format!("Could not route to {path}, perhaps your object identifier is invalid?");
    Refusal::new(404, 7003, words)
}

/// Answers a request.
pub(super) fn answer(world: &mut World, asked: &Asked) -> Result<Answer, Refusal> {
    world.turn += 1;
    let presented = Tokens::presented(&asked.credentials)?;
    let no_route = || Refusal::gateway(404, 7000, "No route for that URI");
    let path = asked.path.strip_prefix(BASE).ok_or_else(no_route)?;
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let route = Route::find(&segments).ok_or_else(no_route)?;
    let method = asked.method.as_str();
    let permissions = route.permissions(method).ok_or_else(|| {
        let words = format!("{method} method not allowed for the api_token authentication scheme");
        Refusal::gateway(405, 10000, words)
    })?;
    match route {
        Route::VerifyUser => return world.tokens.verify(presented, TokenKind::User),
        Route::VerifyAccount(account) if account == ACCOUNT => {
            return world.tokens.verify(presented, TokenKind::Account);
        }
        Route::VerifyAccount(_) => return Err(not_routed(path)),
        _ => {}
    }
    if route.account().is_some_and(|account| account != ACCOUNT) {
        return Err(not_routed(path));
    }
    let token = world.tokens.working(presented)?;
    let zone = match route.zone() {
        None => None,
        Some(id) => {
            let found = world.zones.iter().position(|zone| zone.id == id);
            Some(found.filter(|_| is_identifier(id)).ok_or_else(|| not_routed(path))?)
        }
    };
    token.may(permissions)?;
    if zone.is_some_and(|at| !token.covers(&world.zones[at].name)) {
        return Err(Refusal::forbidden());
    }
    if let Route::Record(_, record) = route
        && !is_identifier(record)
    {
        return Err(not_routed(path));
    }
    dispatch(world, asked, route, zone)
}

fn dispatch(world: &mut World, asked: &Asked, route: Route<'_>, zone: Option<usize>) -> Result<Answer, Refusal> {
    let query = Query::parse(&asked.query);
    if let Route::Edge(route) = route {
        return edge::answer(world, asked, &query, route, zone);
    }
    let Some(at) = zone else {
        return if asked.method == "GET" {
            let token = world.tokens.working(Tokens::presented(&asked.credentials)?)?;
            zones::list(world, &query, token)
        } else {
            zones::create(world, &asked.object()?)
        };
    };
    match (route, asked.method.as_str()) {
        (Route::Zone(_), "PATCH") => zones::patch(world, at, &asked.object()?),
        (Route::Zone(_), "DELETE") => Ok(zones::delete(world, at)),
        (Route::ActivationCheck(_), _) => zones::check_activation(world, at),
        (Route::Records(_), "GET") => records::list(world, at, &query),
        (Route::Records(_), _) => records::create(world, at, &asked.object()?),
        (Route::Batch(_), _) => records::batch(world, at, &asked.object()?),
        (Route::Export(_), _) => Ok(records::export(&world.zones[at])),
        (Route::Usage(_), _) => Ok(records::usage(&world.zones[at])),
        (Route::Record(_, id), "GET") => records::get(world, at, id),
        (Route::Record(_, id), "PUT") => records::put(world, at, id, &asked.object()?),
        (Route::Record(_, id), "PATCH") => records::patch(world, at, id, &asked.object()?),
        (Route::Record(_, id), _) => records::delete(world, at, id),
        _ => Ok(zones::get(world, at)),
    }
}
