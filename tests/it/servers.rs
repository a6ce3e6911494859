//! Real DNS servers on loopback, started by the tests that need them and stopped with them: free ports, everything they
//! write in a folder of their own, no service manager. A server that is not installed fails the test, with the command
//! that installs it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::support::until;

/// A key for TSIG or the API that must never be seen anywhere.
pub const KEY: &str = "Y2FuYXJ5LTlmM2U3N2MxYTViMi1jYW5hcnktOWYzZTc3YzE=";
/// The name of the TSIG key.
pub const KEY_NAME: &str = "exam-key";

/// A server that runs.
pub struct Server {
    child: Child,
    start: Box<dyn Fn() -> Command + Send>,
    pub folder: tempfile::TempDir,
    /// Where it answers, over UDP and TCP.
    pub dns: SocketAddr,
    /// Where its API is, when it has one.
    pub api: Option<SocketAddr>,
    /// The algorithm of its TSIG keys.
    pub algorithm: &'static str,
}

fn program(name: &str, packages: &str) -> PathBuf {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/usr/local/sbin"]);
    let found = folders
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed, and this test talks to it: apt-get install -y {packages}"))
}

/// A port that is free for UDP and TCP.
fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = tcp.local_addr().unwrap().port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn zone_file(zone: &str) -> String {
    format!("$TTL 3600\n@ IN SOA ns1.{zone}. hostmaster.{zone}. 1 10800 3600 604800 60\n@ IN NS ns1.test.\n")
}

impl Server {
    fn begin(
        folder: tempfile::TempDir,
        dns: SocketAddr,
        api: Option<SocketAddr>,
        start: Box<dyn Fn() -> Command + Send>,
    ) -> Self {
        let child = Self::spawn(&start, folder.path());
        let mut server = Self {
            child,
            start,
            folder,
            dns,
            api,
            algorithm: "hmac-sha256",
        };
        server.wait();
        server
    }

    fn spawn(start: &(dyn Fn() -> Command + Send), folder: &Path) -> Child {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("server.log"))
            .unwrap();
        start()
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    fn wait(&mut self) {
        let doors: Vec<SocketAddr> = self.api.into_iter().chain([self.dns]).collect();
        until("the server listens", || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended with {status}\n{}", self.log());
            }
            doors.iter().all(|door| TcpStream::connect(door).is_ok())
        });
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// Stops it as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again where it was.
    pub fn restart(&mut self) {
        self.kill();
        self.child = Self::spawn(&self.start, self.folder.path());
        self.wait();
    }

    /// PowerDNS with an empty zone in a database of its own.
    pub fn powerdns(zone: &str, kind: &str) -> Self {
        Self::powerdns_with(zone, kind, "")
    }

    /// The same with these lines in its configuration.
    pub fn powerdns_with(zone: &str, kind: &str, lines: &str) -> Self {
        const PACKAGES: &str = "pdns-server pdns-backend-sqlite3 sqlite3";
        let server = program("pdns_server", PACKAGES);
        let util = program("pdnsutil", PACKAGES);
        let sqlite = program("sqlite3", PACKAGES);
        let folder = tempfile::tempdir().unwrap();
        let (dns, api) = (local(free_port()), local(free_port()));
        let at = folder.path().display().to_string();
        let config = format!(
            "launch=gsqlite3\ngsqlite3-database={at}/zones.sqlite3\ngsqlite3-dnssec=yes\nlocal-address=127.0.0.1\nlocal-port={}\n\
             socket-dir={at}\napi=yes\napi-key={KEY}\nwebserver=yes\nwebserver-address=127.0.0.1\nwebserver-port={}\n\
             daemon=no\nguardian=no\ndisable-syslog=yes\nsecurity-poll-suffix=\n{lines}",
            dns.port(),
            api.port()
        );
        std::fs::write(folder.path().join("pdns.conf"), config).unwrap();
        let schema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";
        run(Command::new(sqlite)
            .arg(format!("{at}/zones.sqlite3"))
            .arg(format!(".read {schema}")));
        let config_dir = format!("--config-dir={at}");
        let pdnsutil = |arguments: &[&str]| run(Command::new(&util).arg(&config_dir).args(arguments));
        pdnsutil(&["create-zone", zone, &format!("ns1.{zone}")]);
        pdnsutil(&["set-kind", zone, kind]);
        pdnsutil(&["set-meta", zone, "SOA-EDIT-API", "DEFAULT"]);
        Self::begin(
            folder,
            dns,
            Some(api),
            Box::new(move || {
                let mut command = Command::new(&server);
                command.arg(&config_dir);
                command
            }),
        )
    }

    /// BIND with an almost empty zone that the key may transfer and update.
    pub fn bind(zone: &str) -> Self {
        Self::bind_with(zone, "")
    }

    /// The same with these lines in its zone file. The key `reader` may transfer and not update, `nobody` neither.
    pub fn bind_with(zone: &str, lines: &str) -> Self {
        let server = program("named", "bind9");
        let folder = tempfile::tempdir().unwrap();
        let dns = local(free_port());
        let at = folder.path().display().to_string();
        let config = format!(
            "options {{ directory \"{at}\"; pid-file none; lock-file none; session-keyfile none; recursion no;\n\
             listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; dnssec-validation no; notify no;\n\
             allow-transfer {{ key {KEY_NAME}; key reader; }}; }};\ncontrols {{ }};\n\
             key {KEY_NAME} {{ algorithm hmac-sha256; secret \"{KEY}\"; }};\n\
             key reader {{ algorithm hmac-sha256; secret \"{KEY}\"; }};\n\
             key nobody {{ algorithm hmac-sha256; secret \"{KEY}\"; }};\n\
             zone {zone} {{ type primary; file \"{zone}.zone\"; allow-update {{ key {KEY_NAME}; }}; }};\n",
            port = dns.port()
        );
        std::fs::write(folder.path().join("named.conf"), config).unwrap();
        std::fs::write(folder.path().join(format!("{zone}.zone")), zone_file(zone) + lines).unwrap();
        Self::begin(
            folder,
            dns,
            None,
            Box::new(move || {
                let mut command = Command::new(&server);
                command.args(["-g", "-c"]).arg(format!("{at}/named.conf"));
                command
            }),
        )
    }

    /// Knot with an almost empty zone that the key may transfer and update.
    pub fn knot(zone: &str) -> Self {
        Self::knot_with(zone, "")
    }

    /// The same with these lines in its zone file. The key `reader` may transfer and not update, `nobody` neither.
    pub fn knot_with(zone: &str, lines: &str) -> Self {
        let server = program("knotd", "knot");
        let folder = tempfile::tempdir().unwrap();
        let dns = local(free_port());
        let at = folder.path().display().to_string();
        let config = format!(
            "server:\n    rundir: {at}\n    listen: 127.0.0.1@{port}\n    udp-workers: 1\n    tcp-workers: 1\n\
             log:\n  - target: stderr\n    any: info\n\
             database:\n    storage: {at}/db\n\
             key:\n  - id: {KEY_NAME}\n    algorithm: hmac-sha512\n    secret: {KEY}\n\
             \x20 - id: reader\n    algorithm: hmac-sha512\n    secret: {KEY}\n\
             \x20 - id: nobody\n    algorithm: hmac-sha512\n    secret: {KEY}\n\
             acl:\n  - id: exam\n    key: {KEY_NAME}\n    action: [update, transfer]\n\
             \x20 - id: look\n    key: reader\n    action: transfer\n\
             zone:\n  - domain: {zone}\n    file: {at}/{zone}.zone\n    acl: [exam, look]\n",
            port = dns.port()
        );
        std::fs::create_dir(folder.path().join("db")).unwrap();
        std::fs::write(folder.path().join("knot.conf"), config).unwrap();
        std::fs::write(folder.path().join(format!("{zone}.zone")), zone_file(zone) + lines).unwrap();
        let mut server = Self::begin(
            folder,
            dns,
            None,
            Box::new(move || {
                let mut command = Command::new(&server);
                command.arg("-c").arg(format!("{at}/knot.conf"));
                command
            }),
        );
        server.algorithm = "hmac-sha512";
        server
    }
}

impl Drop for Server {
    #[allow(clippy::print_stdout, reason = "the test runner shows it beside the failure")]
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            println!("── the server's log\n{}", self.log());
        }
    }
}
