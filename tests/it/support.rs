//! What the tests of the whole road share: a folder with a spec, a stand-in beside it, and the real binary run as a
//! user would run it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use launchctl::ops::Session;
use launchctl::ops::apply::{self, Outcome};
use launchctl::ops::plan::Narrow;
use launchctl::sandbox::{Fault, Options, Plan, SANDBOX_TOKEN, Sandbox, World};
use serde_json::Value;

/// A token that must never be seen anywhere.
pub const CANARY: &str = "canary-9f3e77c1a5b2";

/// A folder, a stand-in, and what is needed to run the binary between them.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub sandbox: Option<Sandbox>,
    pub token: String,
    /// More of the environment.
    pub environment: BTreeMap<String, String>,
    runtime: tokio::runtime::Runtime,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It must have ended so.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }

    /// Both streams.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

impl Place {
    /// A place with one empty zone, `acme.example`.
    pub fn new(plan: Plan) -> Self {
        let mut world = World::new();
        world.add_zone("acme.example", plan);
        Self::with_world(world)
    }

    /// A place around a world.
    pub fn with_world(world: World) -> Self {
        Self::with_options(Options {
            world: Some(world),
            ..Options::default()
        })
    }

    /// A place around a stand-in that is set up so.
    pub fn with_options(options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            sandbox: Some(sandbox),
            token: SANDBOX_TOKEN.to_owned(),
            environment: BTreeMap::new(),
            runtime,
        }
    }

    pub fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().unwrap()
    }

    pub fn world<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        self.sandbox().with_world(f)
    }

    pub fn faults(&self, faults: &[&str]) {
        let faults = faults.iter().map(|fault| fault.parse::<Fault>().unwrap()).collect();
        self.sandbox().set_faults(faults);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// A spec for the one zone, with these lines under `records:`.
    pub fn spec(&self, records: &str) {
        self.spec_with("", records);
    }

    /// The same with more lines for the zone.
    pub fn spec_with(&self, zone: &str, records: &str) {
        self.write("launch.yaml", &spec_text(zone, records));
    }

    /// What a command here is told, for tests that go through the library.
    pub fn setting(&self) -> launchctl::ops::Setting {
        let url = self.sandbox.as_ref().map_or_else(String::new, Sandbox::url);
        let token = self.token.clone();
        launchctl::ops::Setting {
            spec: self.path("launch.yaml"),
            vars: std::collections::BTreeMap::new(),
            sandbox: false,
            timeout: Duration::from_secs(20),
            environment: std::sync::Arc::new(move |name: &str| match name {
                "CLOUDFLARE_BASE_URL" => Some(url.clone()),
                "CLOUDFLARE_API_TOKEN" => Some(token.clone()),
                _ => None,
            }),
            clock: launchctl::base::clock::Clock::System,
            stop: launchctl::provider::Stop::new(),
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_launchctl"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env(
                "CLOUDFLARE_BASE_URL",
                self.sandbox.as_ref().map_or_else(String::new, Sandbox::url),
            )
            .env("CLOUDFLARE_API_TOKEN", &self.token)
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Plans and applies in this process, with something happening between reading and writing.
    pub fn apply_with(&self, between: impl FnOnce(&mut World)) -> Outcome {
        self.runtime.block_on(async {
            let session = Session::open(&self.setting()).await.unwrap();
            let ready = apply::prepare(&session, &Narrow::default()).await.unwrap();
            self.world(between);
            apply::carry_out(&session, ready, &|_| {}).await.unwrap()
        })
    }

    /// The records of the zone as text, ids and times aside, sorted: two zones that read the same are the same.
    pub fn state(&self) -> Vec<String> {
        self.world(|world| state_of(world, "acme.example"))
    }

    /// All that lies in the folder, the history included.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(self.folder.path(), &mut files);
        files
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            self.runtime.block_on(sandbox.stop());
        }
    }
}

pub fn spec_text(zone: &str, records: &str) -> String {
    let indented: String = records
        .lines()
        .map(|line| format!("      {}\n", line.trim_start()))
        .collect();
    format!(
        "version: 1\nproject: Acme\nzones:\n  acme.example:\n    provider: cloudflare\n{zone}    records:\n{indented}"
    )
}

/// What of a record is its own and not the provider's book-keeping.
pub fn state_of(world: &World, zone: &str) -> Vec<String> {
    let mut all: Vec<String> = world
        .records(zone)
        .into_iter()
        .map(|mut record| {
            let map = record.as_object_mut().unwrap();
            for key in [
                "id",
                "created_on",
                "modified_on",
                "comment_modified_on",
                "tags_modified_on",
            ] {
                map.remove(key);
            }
            if let Some(Value::Array(tags)) = map.get_mut("tags") {
                tags.sort_by_key(ToString::to_string);
            }
            // An absent setting is sometimes false and sometimes not there.
            if let Some(Value::Object(settings)) = map.get_mut("settings") {
                settings.retain(|_, value| *value != Value::Bool(false));
            }
            sorted(&record).to_string()
        })
        .collect();
    all.sort();
    all
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: std::collections::BTreeMap<_, _> =
                map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            serde_json::to_value(sorted).unwrap()
        }
        Value::Array(all) => Value::Array(all.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
}

/// Waits until something is so; a test that waits for ever says nothing.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Place {
    /// Somebody else changes the world right before the provider handles the nth write.
    pub fn foreign_hand_before_write(&self, write: usize, hand: impl Fn(&mut World) + Send + Sync + 'static) {
        self.sandbox().set_faults(vec![Fault::foreign(write, hand)]);
    }
}
