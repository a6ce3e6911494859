//! The socket: requests taken in, carried out in the world, answered, or not, as the faults say. A connection can be cut
//! from within a request, which is what a client sees when a server dies.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use axum::serve::{IncomingStream, Listener};
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::betterstack;
use super::envelope::{Refusal, Reply};
use super::faults::{Fault, Faults, Happening, Wire};
use super::log::Log;
use super::router::{self, Asked};
use super::state;
use super::tokens::Credentials;
use super::uptimerobot;
use super::world::{Left, World};

/// The largest body that is read, in bytes: a full batch takes about 2 MB.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// What the requests and the owner of a sandbox share.
pub(super) struct Shared {
    world: Mutex<World>,
    faults: Mutex<Faults>,
    log: Mutex<Log>,
    latency: Duration,
    state_file: Option<PathBuf>,
    in_flight: AtomicUsize,
    hanging: AtomicUsize,
    stopped: watch::Sender<bool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that failed while it looked into the world must not make every later look fail too.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(world: World, faults: Vec<Fault>, latency: Duration, state_file: Option<PathBuf>) -> Self {
        Self {
            world: Mutex::new(world),
            faults: Mutex::new(Faults::new(faults)),
            log: Mutex::new(Log::default()),
            latency,
            state_file,
            in_flight: AtomicUsize::new(0),
            hanging: AtomicUsize::new(0),
            stopped: watch::Sender::new(false),
        }
    }

    pub(super) fn with_world<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        let mut world = lock(&self.world);
        let out = f(&mut world);
        if let Err(error) = self.keep(&mut world) {
            tracing::error!("the sandbox's state is not kept: {error}");
        }
        out
    }

    pub(super) fn set_faults(&self, faults: Vec<Fault>) {
        *lock(&self.faults) = Faults::new(faults);
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    pub(super) fn hanging(&self) -> usize {
        self.hanging.load(Ordering::SeqCst)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    async fn until_stopped(&self) {
        // The sender is part of `self`, so that it cannot be gone.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// Writes the state to disk when it has changed.
    fn keep(&self, world: &mut World) -> Result<(), crate::base::files::FileError> {
        if let Some(path) = self.state_file.as_ref().filter(|_| world.is_changed) {
            state::save(world, path)?;
        }
        world.is_changed = false;
        Ok(())
    }

    /// Carries a request out in the world, or lets a fault answer in its place.
    fn execute(&self, asked: &Asked, happening: &Happening) -> (Reply, Left) {
        let mut world = lock(&self.world);
        for hand in &happening.hands {
            hand(&mut world);
        }
        if asked.path.starts_with(uptimerobot::BASE) {
            let answer = |world: &mut World| world.uptimerobot.answer(asked);
            return self.execute_elsewhere(&mut world, asked, happening, answer, uptimerobot::instead);
        }
        if asked.path.starts_with(betterstack::BASE) {
            let answer = |world: &mut World| world.betterstack.answer(asked);
            return self.execute_elsewhere(&mut world, asked, happening, answer, betterstack::instead);
        }
        let left = world.budget.take(Instant::now());
        let reply = match happening.wire {
            Some(wire) if !wire.is_executed() => instead(wire),
            _ if !left.is_granted => Reply::too_many(left.reset.max(1)),
            wire => {
                let reply = router::answer(&mut world, asked).map_or_else(Reply::from, Reply::from);
                if wire == Some(Wire::ErrorAfter) {
                    instead(Wire::Error)
                } else {
                    reply
                }
            }
        };
        match self.keep(&mut world) {
            Ok(()) => (reply, left),
            // It is done, and a restart would not know of it.
            Err(error) => (
                Refusal::new(500, 10001, format!("the sandbox's state is not kept: {error}")).into(),
                left,
            ),
        }
    }
}

impl Shared {
    /// The same at a service that keeps checks, with what it answers and what a fault answers in its place.
    fn execute_elsewhere(
        &self,
        world: &mut World,
        asked: &Asked,
        happening: &Happening,
        answer: impl FnOnce(&mut World) -> Reply,
        instead: fn(Wire) -> Reply,
    ) -> (Reply, Left) {
        let reply = match happening.wire {
            Some(wire) if !wire.is_executed() => instead(wire),
            wire => {
                let reply = answer(world);
                if wire == Some(Wire::ErrorAfter) {
                    instead(Wire::Error)
                } else {
                    reply
                }
            }
        };
        world.is_changed |= asked.is_write();
        if let Err(error) = self.keep(world) {
            tracing::error!("the sandbox's state is not kept: {error}");
        }
        (reply, Left::of_another_service())
    }
}

/// What a fault answers in place of the API. Those that answer nothing are cut off before this is looked at.
fn instead(wire: Wire) -> Reply {
    match wire {
        Wire::Gateway(status) => Reply::raw(status, "text/plain; charset=UTF-8", format!("error code: {status}")),
        Wire::Html => {
            let page = "<!DOCTYPE html>\n<html><head><title>520: Web server is returning an unknown error</title></head><body></body></html>\n";
            Reply::raw(520, "text/html; charset=UTF-8", page)
        }
        Wire::Garbage => Reply::raw(200, "application/json", "\u{fffd}not JSON at all\n"),
        Wire::TooMany(wait) => Reply::too_many(wait.as_secs()),
        Wire::Forbidden => Refusal::forbidden().into(),
        _ => Refusal::new(500, 10001, "Internal server error").into(),
    }
}

/// Serves until it is stopped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    let service = router.into_make_service_with_connect_info::<Line>();
    let stopped = async move { shared.until_stopped().await };
    let served = axum::serve(Door(listener), service)
        .with_graceful_shutdown(stopped)
        .await;
    if let Err(error) = served {
        tracing::error!("the sandbox stopped: {error}");
    }
}

/// Counts a request while it lasts, however it ends: a client that goes away drops it.
struct Present<'a> {
    shared: &'a Shared,
    entry: Option<usize>,
    is_hanging: bool,
}

impl<'a> Present<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.in_flight.fetch_add(1, Ordering::SeqCst);
        Self {
            shared,
            entry: None,
            is_hanging: false,
        }
    }

    async fn hang(&mut self) {
        self.is_hanging = true;
        self.shared.hanging.fetch_add(1, Ordering::SeqCst);
        self.shared.until_stopped().await;
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            self.shared.log().end(entry, Instant::now());
        }
        if self.is_hanging {
            self.shared.hanging.fetch_sub(1, Ordering::SeqCst);
        }
        self.shared.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response<Body> {
    let begun = Instant::now();
    let mut present = Present::new(&shared);
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return respond(Reply::raw(413, "text/plain; charset=UTF-8", "error code: 413"), None);
    };
    let asked = Asked {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        credentials: credentials(&head.headers),
        body: body.to_vec(),
        is_json: head
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")),
    };
    let path = head
        .uri
        .path_and_query()
        .map_or("", axum::http::uri::PathAndQuery::as_str);
    let happening = lock(&shared.faults).next(asked.is_write());
    let (reply, left) = shared.execute(&asked, &happening);
    let wire = happening.wire;
    let is_answered = !matches!(
        wire,
        Some(Wire::DropBefore | Wire::DropAfter | Wire::HangBefore | Wire::HangAfter)
    );
    let status = is_answered.then_some(reply.status);
    present.entry = Some(shared.log().add(&asked.method, path, asked.is_write(), status, begun));
    match wire {
        Some(Wire::HangBefore | Wire::HangAfter) => present.hang().await,
        wire => {
            let slow = if let Some(Wire::Slow(time)) = wire {
                time
            } else {
                Duration::ZERO
            };
            let pause = shared.latency + slow;
            if pause > Duration::ZERO {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = shared.until_stopped() => {}
                }
            }
        }
    }
    if !is_answered {
        line.cut();
    }
    if wire == Some(Wire::Truncated) {
        return cut_off(reply, left);
    }
    respond(reply, Some(left))
}

fn credentials(headers: &HeaderMap) -> Credentials {
    let authorization = headers.get(header::AUTHORIZATION);
    Credentials {
        authorization: authorization.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        legacy_key: headers.contains_key("x-auth-key"),
    }
}

fn respond(reply: Reply, left: Option<Left>) -> Response<Body> {
    let others = reply.headers.clone();
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = axum::http::StatusCode::from_u16(reply.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    let mut insert = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    if let Some(others) = others {
        for (name, value) in others {
            insert(name, value);
        }
        return response;
    }
    insert("api-version", "2026-09-01".to_owned());
    insert(
        "cf-ray",
        format!(
            "{}-LHR",
            crate::base::digest::short(format!("{:?}", Instant::now()).as_bytes(), 16)
        ),
    );
    if let Some(left) = left {
        insert("ratelimit", format!("\"default\";r={};t={}", left.requests, left.reset));
        insert(
            "ratelimit-policy",
            format!("\"burst\";q={};w={}", left.quota, left.window),
        );
    }
    if let Some(seconds) = reply.retry_after {
        insert("retry-after", seconds.to_string());
    }
    response
}

/// Half of an answer, whose length promises all of it, and then the end of the connection.
fn cut_off(reply: Reply, left: Left) -> Response<Body> {
    let whole = reply.body.len();
    let half = reply.body[..whole / 2].to_vec();
    let mut response = respond(reply, Some(left));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(whole));
    let mut polls = 0;
    *response.body_mut() = Body::from_stream(stream::poll_fn(move |context: &mut Context<'_>| {
        polls += 1;
        match polls {
            1 => Poll::Ready(Some(Ok(half.clone()))),
            // One pause, in which the first half is flushed.
            2 => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Some(Err(broken()))),
        }
    }));
    response
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "cut off by a fault")
}

/// Takes in connections that can be cut.
struct Door(TcpListener);

/// A connection, as a request sees it: it can only end it.
#[derive(Clone, Default)]
struct Line(Arc<AtomicBool>);

impl Line {
    fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A connection whose writes fail once it is cut, which makes the server close it without another byte.
struct Wired {
    stream: TcpStream,
    line: Line,
}

impl Listener for Door {
    type Io = Wired;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Wired, Self::Addr) {
        // Its errors are passing ones (too many open files, a client gone already), as axum's own listener has it.
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Small answers go out at once. A socket that refuses this is slow and works all the same.
        let _ = stream.set_nodelay(true);
        let line = Line::default();
        (Wired { stream, line }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Line {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().line.clone()
    }
}

impl AsyncRead for Wired {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wired {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.line.0.load(Ordering::SeqCst) {
            return Poll::Ready(Err(broken()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
