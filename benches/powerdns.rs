//! The same road on a real PowerDNS with a database of its own, started here on loopback. Left out, and said so, where it is
//! not installed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use launchctl::base::text;
use launchctl::ops::plan::Narrow;
use launchctl::ops::{self, Session, Setting};

use super::{ZONE, finished, setting, words, write_spec};

const KEY: &str = "key-of-a-benchmark";
const SCHEMA: &str = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

/// A server that ends with the benchmark.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
    api: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A row of the table; `None` where there is no such server.
pub(crate) async fn row(records: usize) -> Option<Result<String, String>> {
    let programs = ["pdns_server", "pdnsutil", "sqlite3"].map(program);
    let [Some(server), Some(util), Some(sqlite)] = programs else {
        return None;
    };
    Some(walk(records, start(&server, &util, &sqlite)).await)
}

async fn walk(records: usize, server: Result<Server, String>) -> Result<String, String> {
    let server = server?;
    let api = format!("http://{}", server.api);
    let mut setting = setting(server.folder.path());
    setting.environment = Arc::new(move |name: &str| match name {
        "POWERDNS_API_URL" => Some(api.clone()),
        "POWERDNS_API_KEY" => Some(KEY.to_owned()),
        _ => None,
    });
    write_spec(&setting, "powerdns", records, "192.0.2")?;
    let create = apply(&setting).await?;
    let plan = plan_nothing(&setting).await?;
    write_spec(&setting, "powerdns", records, "203.0.113")?;
    let change = apply(&setting).await?;
    Ok(format!(
        "| PowerDNS | {} | 0 ms | {:.3} | {} | {:.3} | – | {:.3} | {} |",
        text::grouped(records),
        create.0.as_secs_f64(),
        create.1,
        plan.as_secs_f64(),
        change.0.as_secs_f64(),
        change.1,
    ))
}

/// How long, and how many writes.
async fn apply(setting: &Setting) -> Result<(Duration, usize), String> {
    let begun = Instant::now();
    let session = Session::open(setting).await.map_err(|problem| words(&problem))?;
    let ready = ops::apply::prepare(&session, &Narrow::default()).await;
    let ready = ready.map_err(|problem| words(&problem))?;
    let writes = ready.planned.steps.len();
    let outcome = ops::apply::carry_out(&session, ready, &|_| ()).await;
    finished(outcome)?;
    Ok((begun.elapsed(), writes))
}

async fn plan_nothing(setting: &Setting) -> Result<Duration, String> {
    let begun = Instant::now();
    let session = Session::open(setting).await.map_err(|problem| words(&problem))?;
    let planned = ops::plan::plan(&session, &Narrow::default()).await;
    match planned.map_err(|problem| words(&problem))?.plan.changes.len() {
        0 => Ok(begun.elapsed()),
        left => Err(format!("{left} left to change after an apply")),
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin"]);
    folders
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener
        .map(|address| address.port())
        .map_err(|error| error.to_string())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn start(server: &Path, util: &Path, sqlite: &Path) -> Result<Server, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let at = folder.path().display();
    let (port, api) = (free_port()?, free_port()?);
    let config = format!(
        "launch=gsqlite3\ngsqlite3-database={at}/zones.sqlite3\nlocal-address=127.0.0.1\nlocal-port={port}\n\
         socket-dir={at}\napi=yes\napi-key={KEY}\nwebserver=yes\nwebserver-address=127.0.0.1\nwebserver-port={api}\n\
         daemon=no\nguardian=no\ndisable-syslog=yes\nsecurity-poll-suffix=\nloglevel=0\n"
    );
    std::fs::write(folder.path().join("pdns.conf"), config).map_err(|error| error.to_string())?;
    run(Command::new(sqlite)
        .arg(format!("{at}/zones.sqlite3"))
        .arg(format!(".read {SCHEMA}")))?;
    let config_dir = format!("--config-dir={at}");
    run(Command::new(util).args([&config_dir, "create-zone", ZONE, "ns1.test"]))?;
    run(Command::new(util).args([&config_dir, "set-meta", ZONE, "SOA-EDIT-API", "DEFAULT"]))?;
    let child = Command::new(server)
        .arg(&config_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let api = SocketAddr::from((Ipv4Addr::LOCALHOST, api));
    let server = Server { child, folder, api };
    let begun = Instant::now();
    while TcpStream::connect(api).is_err() {
        if begun.elapsed() > Duration::from_secs(20) {
            return Err("PowerDNS does not listen".to_owned());
        }
        std::thread::yield_now();
    }
    Ok(server)
}
