//! A real Prometheus with its blackbox exporter and its Alertmanager, from Debian's packages, on loopback; and the small
//! servers that they look at and call.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::support::until;

/// A port that nobody listens on right now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A process that ends with the test.
pub struct Process(Child);

impl Process {
    /// Starts a program of a Debian package. Without it the test fails: a test that is left out tells nothing.
    pub fn start(program: &str, package: &str, arguments: &[String], folder: &Path) -> Self {
        let log = std::fs::File::create(folder.join(format!("{program}.log"))).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        match child {
            Ok(child) => Self(child),
            Err(error) => {
                panic!("{program} did not start ({error}): apt-get install --no-install-recommends {package}")
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The three servers, with the folder that they read.
pub struct Trio {
    pub folder: tempfile::TempDir,
    pub prometheus: u16,
    pub alertmanager: u16,
    pub blackbox: u16,
    processes: Vec<Process>,
}

impl Trio {
    /// Starts them as a user would: with a configuration of the user's own that includes the folder once.
    pub fn start(lifecycle: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [prometheus, alertmanager, blackbox] = [free_port(), free_port(), free_port()];
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "launchctl_acme.alertmanager.yml",
            "{ route: { receiver: none }, receivers: [{ name: none }] }\n",
        );
        write("launchctl_acme.blackbox.yml", "{ modules: {} }\n");
        write(
            "prometheus.yml",
            &format!(
                r#"
global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ["127.0.0.1:{alertmanager}"] }}] }}] }}
rule_files: ["launchctl_*.rules.yml"]
scrape_configs:
- job_name: launchctl_acme
  metrics_path: /probe
  file_sd_configs: [{{ files: ["launchctl_*.targets.json"], refresh_interval: 1s }}]
  relabel_configs:
  - {{ source_labels: [__address__], target_label: __param_target }}
  - {{ source_labels: [module], target_label: __param_module }}
  - {{ source_labels: [__param_target], target_label: instance }}
  - {{ target_label: __address__, replacement: "127.0.0.1:{blackbox}" }}
"#
            ),
        );
        let mut trio = Self {
            folder,
            prometheus,
            alertmanager,
            blackbox,
            processes: Vec::new(),
        };
        let mut arguments = vec![
            "--config.file=prometheus.yml".to_owned(),
            "--storage.tsdb.path=data".to_owned(),
            format!("--web.listen-address=127.0.0.1:{prometheus}"),
        ];
        arguments.extend(lifecycle.then(|| "--web.enable-lifecycle".to_owned()));
        trio.run("prometheus", "prometheus", &arguments);
        trio.run(
            "prometheus-alertmanager",
            "prometheus-alertmanager",
            &[
                "--config.file=launchctl_acme.alertmanager.yml".to_owned(),
                "--storage.path=am".to_owned(),
                format!("--web.listen-address=127.0.0.1:{alertmanager}"),
                "--cluster.listen-address=".to_owned(),
            ],
        );
        trio.run(
            "prometheus-blackbox-exporter",
            "prometheus-blackbox-exporter",
            &[
                "--config.file=launchctl_acme.blackbox.yml".to_owned(),
                format!("--web.listen-address=127.0.0.1:{blackbox}"),
            ],
        );
        for (port, path) in [
            (prometheus, "/-/ready"),
            (alertmanager, "/-/ready"),
            (blackbox, "/-/healthy"),
        ] {
            until("the servers are ready", || {
                get(port, path).starts_with("HTTP/1.0 200") || get(port, path).starts_with("HTTP/1.1 200")
            });
        }
        trio
    }

    fn run(&mut self, program: &str, package: &str, arguments: &[String]) {
        let process = Process::start(program, package, arguments, self.folder.path());
        self.processes.push(process);
    }

    /// Stops the one that was started nth.
    pub fn stop(&mut self, nth: usize) {
        drop(self.processes.remove(nth));
    }

    /// The lines of a spec that say where they are.
    pub fn account(&self) -> String {
        let Self {
            prometheus,
            alertmanager,
            blackbox,
            ..
        } = self;
        format!(
            "providers:\n  prometheus: {{ base_url: \"http://127.0.0.1:{prometheus}\", alertmanager: \"http://127.0.0.1:{alertmanager}\", blackbox: \"http://127.0.0.1:{blackbox}\", directory: \"{}\" }}\n",
            self.folder.path().display()
        )
    }

    /// Our files, by name and content.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("launchctl_"))
            .map(|name| {
                let text = std::fs::read_to_string(self.folder.path().join(&name)).unwrap();
                (name, text)
            })
            .collect();
        files.sort();
        files
    }
}

/// The whole answer to a request, or nothing when there was none.
pub fn get(port: u16, path: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return String::new();
    };
    let mut answer = String::new();
    let _ = write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
    let _ = stream.read_to_string(&mut answer);
    answer
}

/// A small HTTP server that says one thing and remembers what it was sent.
pub struct Site {
    pub address: SocketAddr,
    got: Arc<Mutex<Vec<String>>>,
    closed: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Site {
    /// Opens on a port; 0 takes any that is free.
    pub fn open(port: u16, says: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let address = listener.local_addr().unwrap();
        let (got, closed) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (keep, is_closed) = (Arc::clone(&got), Arc::clone(&closed));
        let serving = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_closed.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(request) = stream.and_then(|stream| answer(stream, says)) {
                    keep.lock().unwrap().push(request);
                }
            }
        });
        Self {
            address,
            got,
            closed,
            serving: Some(serving),
        }
    }

    pub fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

fn answer(mut stream: TcpStream, says: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(std::time::Duration::from_secs(5)))?;
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer)?;
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                return Ok(text);
            }
            continue;
        };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, length)| length.trim().parse::<usize>().ok())
            .unwrap_or(0);
        if body.len() >= length || read == 0 {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{says}",
                says.len()
            )?;
            return Ok(text);
        }
    }
}
