//! An embedded stand-in for Cloudflare's v4 API on loopback: strict where the real one is, and able to go wrong in all
//! the ways in which a network and a server can. It uses `base` and `model` and never `provider`: what goes over the
//! wire is written twice on purpose, so that one mistake cannot cancel itself.

pub mod betterstack;
mod certificates;
mod dnssec;
mod edge;
mod envelope;
mod faults;
mod lists;
mod log;
mod page_rules;
mod plan;
mod query;
mod records;
mod router;
mod rulesets;
mod server;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod tokens;
pub mod uptimerobot;
mod world;
mod zones;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use faults::{Fault, FaultError};
pub use log::Entry;
pub use plan::Plan;
pub use tokens::{Permission, TokenKind, TokenOptions, TokenStatus};
pub use world::World;

use server::Shared;

/// A user's token that is always there and may do everything. It is no secret: it opens nothing but the sandbox.
pub const SANDBOX_TOKEN: &str = "launchctl-sandbox";

/// How long a stop waits for answers that are on their way.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a sandbox is started.
#[derive(Debug, Default)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// How long each answer takes. [`Sandbox::serial_depth`] is exact only when this is longer than it takes a client to
    /// send requests at once.
    pub latency: Duration,
    /// The world to begin with, unless there is a state file.
    pub world: Option<World>,
    /// Where the state is kept: read at the start when it is there, replaced after each change.
    pub state_file: Option<PathBuf>,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The port.
    #[error("could not listen on 127.0.0.1:{port}: {cause}")]
    Port {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The state file.
    #[error("{0}")]
    State(String),
}

/// A stand-in that is running. It ends when it is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    serving: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts one.
    pub async fn start(options: Options) -> Result<Self, SandboxError> {
        let kept = match &options.state_file {
            Some(path) => state::load(path).map_err(|error| SandboxError::State(error.to_string()))?,
            None => None,
        };
        let world = kept.or(options.world).unwrap_or_default();
        let refused = |cause| SandboxError::Port {
            port: options.port,
            cause,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .await
            .map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let shared = Arc::new(Shared::new(world, options.faults, options.latency, options.state_file));
        let serving = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self {
            shared,
            address,
            serving: Some(serving),
        })
    }

    /// The base address of the API, such as `http://127.0.0.1:8787/client/v4`.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, router::BASE)
    }

    /// The base address of the API of the provider that specs call so.
    pub fn url_of(&self, provider: &str) -> String {
        match provider {
            betterstack::NAME => format!("http://{}{}", self.address, betterstack::BASE),
            uptimerobot::NAME => format!("http://{}{}", self.address, uptimerobot::BASE),
            _ => self.url(),
        }
    }

    /// Looks into the world, or changes it, between two requests.
    pub fn with_world<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        self.shared.with_world(f)
    }

    /// Replaces the faults; requests and writes are counted from here.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.set_faults(faults);
    }

    /// The requests since the start or the last [`Sandbox::clear_log`]. One that is to be executed is here only once it
    /// has been.
    pub fn log(&self) -> Vec<Entry> {
        self.shared.log().entries().to_vec()
    }

    /// Forgets them.
    pub fn clear_log(&self) {
        self.shared.log().clear();
    }

    /// The longest chain of requests in the log of which each had to wait for the one before: how many round trips it
    /// all took.
    pub fn serial_depth(&self) -> usize {
        self.shared.log().serial_depth(Instant::now())
    }

    /// How many requests hang because of a fault.
    pub fn hanging(&self) -> usize {
        self.shared.hanging()
    }

    /// How many requests came and are not answered yet, the hanging ones included.
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight()
    }

    /// Stops: nothing new is taken, what hangs is cut off.
    pub async fn stop(mut self) {
        self.shared.stop();
        if let Some(mut serving) = self.serving.take()
            && tokio::time::timeout(FAREWELL, &mut serving).await.is_err()
        {
            serving.abort();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
