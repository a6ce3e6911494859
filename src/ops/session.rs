//! What every verb begins with: the spec loaded, the history found beside it, the providers ready to be asked. With
//! `--sandbox` the providers are stand-ins inside the process, and the history is theirs alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::clock::Clock;
use crate::base::diagnostic::{Diagnostics, Source};
use crate::base::files;
use crate::history::local::{self, LocalStore};
use crate::history::{Run, RunId, Store as _, chain};
use crate::mail::spf::lock::{self, Lock, LockFile};
use crate::model::address::Address;
use crate::model::inventory::{ProviderAccount, ServerSettings, Unmanaged, ZonePolicy};
use crate::model::monitor::stack_of;
use crate::model::name::DomainName;
use crate::model::resource::Resource;
use crate::model::scope::ScopeName;
use crate::ops::problem::Problem;
use crate::ops::{history, rollback};
use crate::provider::credential::Keeper;
use crate::provider::{self, Provider, ProviderError, Reading, Scope, Sought, Stop};
use crate::sandbox::{Options, Plan as SandboxPlan, SANDBOX_TOKEN, Sandbox};
use crate::spec::{self, Inputs, Loaded, Spec};

/// The spec's file when nobody names another.
pub const DEFAULT_SPEC: &str = "launch.yaml";

/// Looks up environment variables.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a command was told.
#[derive(Clone)]
pub struct Setting {
    /// The spec's file.
    pub spec: PathBuf,
    /// `--var` values.
    pub vars: BTreeMap<String, String>,
    /// Whether stand-ins take the providers' place.
    pub sandbox: bool,
    /// How long one request may take.
    pub timeout: Duration,
    /// The environment.
    pub environment: Environment,
    /// Where the time comes from.
    pub clock: Clock,
    /// A wish to stop.
    pub stop: Stop,
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting")
            .field("spec", &self.spec)
            .field("sandbox", &self.sandbox)
            .finish_non_exhaustive()
    }
}

/// A spec with its history and its providers.
pub struct Session {
    /// What was loaded.
    pub spec: Spec,
    /// What is worth knowing about it: warnings, no errors.
    pub diagnostics: Diagnostics,
    /// The spec's file name, as the history knows it.
    pub spec_name: String,
    /// The history.
    pub store: LocalStore,
    /// The providers by name.
    pub providers: BTreeMap<String, Box<dyn Provider>>,
    /// What the command was told.
    pub setting: Setting,
    /// The stand-in, when it is one.
    pub sandbox: Option<Sandbox>,
    /// Providers that are not asked at their public address, and where they are.
    elsewhere: BTreeMap<String, String>,
    /// What a reader of a plan has to know about how this session came about.
    pub caveat: Option<String>,
}

/// What is read and changed together: zones with their providers, and checks with theirs.
#[derive(Debug, Clone, Default)]
pub struct Extent {
    /// The zones.
    pub zones: BTreeMap<DomainName, String>,
    /// The checks: the provider, and what is looked for there.
    pub uptime: Option<(String, Sought)>,
    /// Whether a rule that somebody made may be the one that the spec declares under its name. A way back concerns what
    /// was there and nothing else.
    pub by_name: bool,
}

/// Reads a spec's file.
pub fn read_source(path: &Path) -> Result<Arc<Source>, Problem> {
    match files::read_text(path, spec::MAX_BYTES) {
        Ok(text) => Ok(Arc::new(Source {
            path: path.display().to_string(),
            text,
        })),
        Err(error) if error.is_not_found() => Err(Problem::new("no-spec", format!("there is no `{}`", path.display()))
            .help("name the file with --spec FILE, or write one: the README shows a first one")),
        Err(error) => Err(error.into()),
    }
}

/// The folder beside a spec in which its history is kept.
pub fn history_folder(spec: &Path) -> PathBuf {
    match spec.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.join(local::FOLDER),
        _ => PathBuf::from(local::FOLDER),
    }
}

/// Loads a spec; errors in it are a problem.
pub fn load(setting: &Setting) -> Result<(Spec, Diagnostics), Problem> {
    load_source(setting, &read_source(&setting.spec)?)
}

/// The same for a text that is not in the file yet.
pub(crate) fn load_text(setting: &Setting, path: &str, text: String) -> Result<(Spec, Diagnostics), Problem> {
    let source = Source {
        path: path.to_owned(),
        text,
    };
    load_source(setting, &Arc::new(source))
}

fn load_source(setting: &Setting, source: &Arc<Source>) -> Result<(Spec, Diagnostics), Problem> {
    let loaded = understand(setting, source);
    match loaded.spec {
        Some(spec) if !loaded.diagnostics.has_errors() => Ok((spec, loaded.diagnostics)),
        _ => Err(Problem::Spec(loaded.diagnostics)),
    }
}

/// What becomes of a spec's text with what the command was told: the same for every verb, so that `validate` judges what
/// `apply` would read.
pub(crate) fn understand(setting: &Setting, source: &Arc<Source>) -> Loaded {
    let environment = |name: &str| (setting.environment)(name);
    let files = |name: &str| named_file(&setting.spec, name);
    spec::load(
        source,
        &Inputs {
            vars: &setting.vars,
            env: &environment,
            files: &files,
            providers: &provider::capabilities(),
            today: setting.clock.today(),
            spf_lock: &read_spf_lock(&setting.spec),
        },
    )
}

/// The lock file of flattened includes beside a spec: `launch.spf.lock` for `launch.yaml`.
pub(crate) fn spf_lock_path(spec: &Path) -> PathBuf {
    spec.with_extension("spf.lock")
}

/// What is in it. Whether it has to be there is for the spec to say.
pub(crate) fn read_spf_lock(spec: &Path) -> LockFile {
    let path = spf_lock_path(spec);
    let content = match files::read_text(&path, lock::MAX_BYTES) {
        Ok(text) => Lock::parse(&text),
        Err(error) if error.is_not_found() => Ok(Lock::default()),
        Err(error) => Err(error.to_string()),
    };
    LockFile {
        path: path.display().to_string(),
        content,
    }
}

/// A file that a spec names, from the folder of the spec on.
fn named_file(spec: &Path, name: &str) -> Result<Arc<Source>, String> {
    let path = spec
        .parent()
        .map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
    let text = files::read_text(&path, spec::MAX_FILE_BYTES).map_err(|error| error.to_string())?;
    Ok(Arc::new(Source {
        path: path.display().to_string(),
        text,
    }))
}

impl Setting {
    /// A command to type next, with whatever this one was told of where to look.
    pub fn command(&self, words: &str) -> String {
        let mut command = "launchctl".to_owned();
        if self.sandbox {
            command.push_str(" --sandbox");
        }
        let spec = self.spec.display().to_string();
        if spec != DEFAULT_SPEC {
            command.push_str(&format!(" --spec {}", quoted_for_a_shell(&spec)));
        }
        format!("{command} {words}")
    }
}

fn quoted_for_a_shell(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-' | '_');
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

impl Session {
    /// Loads the spec and gets everything ready; nothing is asked of a provider yet.
    pub async fn open(setting: &Setting) -> Result<Self, Problem> {
        let (spec, diagnostics) = load(setting)?;
        Self::with(setting, spec, diagnostics).await
    }

    /// The same for a way back from `run`, or from the last one: it must be open at three in the morning, when the spec
    /// is broken or gone, or no longer names the zone. What is missing is taken from the run.
    pub async fn open_to_undo(setting: &Setting, run: Option<&RunId>) -> Result<Self, Problem> {
        let (mut spec, diagnostics, caveat) = match load(setting) {
            Ok((spec, diagnostics)) => (spec, diagnostics, None),
            Err(Problem::Spec(_)) => (
                Spec::nothing(&setting.spec.display().to_string()),
                Diagnostics::new(),
                Some("has errors"),
            ),
            Err(Problem::Other { code, .. }) if code == "no-spec" => (
                Spec::nothing(&setting.spec.display().to_string()),
                Diagnostics::new(),
                Some("is not there"),
            ),
            Err(other) => return Err(other),
        };
        let runs = history::runs(setting)?;
        let run = rollback::choose(&runs, run)?;
        let touched = chain::work(&runs, run.id()).zones;
        let earlier = runs.iter().filter(|one| one.id() <= run.id());
        for (scope, saved) in earlier.clone().flat_map(|one| &one.record.zones) {
            let Some(zone) = scope.zone().filter(|_| touched.contains_key(scope)) else {
                continue;
            };
            if !spec.desired.zones.contains_key(zone) {
                let policy = ZonePolicy {
                    provider: saved.provider.clone(),
                    unmanaged: Unmanaged::Keep,
                    protect: saved.protect.clone(),
                    create: false,
                    accept: BTreeSet::new(),
                };
                spec.desired.zones.insert(zone.clone(), policy);
            }
        }
        // Providers that this run has nothing to do with may not even be reachable.
        spec.desired
            .zones
            .retain(|zone, _| touched.contains_key(&ScopeName::Zone(zone.clone())));
        spec.desired.uptime = spec
            .desired
            .uptime
            .or_else(|| rollback::uptime_of(earlier))
            .filter(|_| touched.contains_key(&ScopeName::Uptime));
        let mut session = Self::with(setting, spec, diagnostics).await?;
        session.caveat = caveat.map(|why| {
            format!(
                "the spec {} {why}: what is protected, and how the provider is reached, is taken from the run",
                setting.spec.display()
            )
        });
        Ok(session)
    }

    /// The same for a spec that is there already, with a provider that it need not name.
    pub(super) async fn asking(
        setting: &Setting,
        spec: Spec,
        diagnostics: Diagnostics,
        provider: &str,
    ) -> Result<Self, Problem> {
        let mut session = Self::with(setting, spec, diagnostics).await?;
        if !session.providers.contains_key(provider) {
            let connected = connect_one(provider, &session.spec, setting, session.sandbox.as_ref())?;
            session.providers.insert(provider.to_owned(), connected);
        }
        Ok(session)
    }

    /// The same for a spec that is there already.
    pub(super) async fn with(setting: &Setting, spec: Spec, diagnostics: Diagnostics) -> Result<Self, Problem> {
        let mut folder = history_folder(&setting.spec);
        let mut sandbox = None;
        if setting.sandbox {
            folder = local::make_sandbox_folder(&folder)?;
            let embedded = start_sandbox(&folder, &spec).await?;
            sandbox = Some(embedded);
        }
        let providers = connect(&spec, setting, sandbox.as_ref())?;
        Ok(Self {
            elsewhere: elsewhere(&spec, setting, sandbox.is_some()),
            caveat: None,
            spec_name: files::name_of(&setting.spec),
            store: LocalStore::new(&folder, setting.clock),
            spec,
            diagnostics,
            providers,
            setting: setting.clone(),
            sandbox,
        })
    }

    /// A session that only ever looks at the zones: no credential is asked for that is only for the checks.
    pub fn of_zones(setting: &Setting) -> Result<Self, Problem> {
        let (mut spec, diagnostics) = load(setting)?;
        spec.desired.uptime = None;
        let providers = connect(&spec, setting, None)?;
        Ok(Self {
            elsewhere: elsewhere(&spec, setting, false),
            caveat: None,
            spec_name: files::name_of(&setting.spec),
            store: LocalStore::new(&history_folder(&setting.spec), setting.clock),
            spec,
            diagnostics,
            providers,
            setting: setting.clone(),
            sandbox: None,
        })
    }

    /// A session on a stand-in that somebody else has set up, with its history in `folder`, and with the checks or
    /// without.
    pub fn on(setting: &Setting, folder: &Path, sandbox: &Sandbox, with_checks: bool) -> Result<Self, Problem> {
        let (mut spec, diagnostics) = load(setting)?;
        if !with_checks {
            spec.desired.leave_out_checks();
        }
        let providers = connect(&spec, setting, Some(sandbox))?;
        Ok(Self {
            elsewhere: elsewhere(&spec, setting, true),
            caveat: None,
            spec_name: files::name_of(&setting.spec),
            store: LocalStore::new(folder, setting.clock),
            spec,
            diagnostics,
            providers,
            setting: setting.clone(),
            sandbox: None,
        })
    }

    /// The runs of this spec, oldest first.
    pub fn runs(&self) -> Result<Vec<Run>, Problem> {
        Ok(self.store.runs(&self.spec_name)?)
    }

    /// Everything in an extent, read at once from all its providers: what the spec speaks of, what `runs` have left, and
    /// what is asked for beside that.
    pub async fn read<'a>(
        &self,
        extent: &Extent,
        runs: &[Run],
        beside: impl IntoIterator<Item = &'a Address>,
    ) -> Result<Reading, Problem> {
        let known = chain::known_ids(runs);
        let mut spoken = chain::left(runs);
        spoken.extend(self.spec.desired.inventory.keys().cloned());
        spoken.extend(beside.into_iter().cloned());
        let mut traces = chain::rules_left(runs);
        traces.retain(|address, _| spoken.contains(address));
        let mut scopes: BTreeMap<&str, Scope> = BTreeMap::new();
        for (zone, provider) in &extent.zones {
            let scope = scopes.entry(provider.as_str()).or_default();
            scope.zones.push(zone.clone());
            if let Some(id) = known.get(&ScopeName::Zone(zone.clone())) {
                scope.known_ids.insert(zone.clone(), id.clone());
            }
            let of_zone = |address: &&Address| address.scope() == zone.as_str();
            scope.spoken.extend(spoken.iter().filter(of_zone).cloned());
            let its = traces.iter().filter(|(address, _)| of_zone(address));
            let its = its.map(|(address, left)| (address.clone(), left.clone()));
            scope.known.left.extend(its);
            if extent.by_name {
                let declared = self.spec.desired.inventory.keys().filter(of_zone);
                scope.known.declared.extend(declared.cloned());
            }
            if self.spec.desired.zones.get(zone).is_some_and(|policy| policy.create) {
                scope.may_be_missing.insert(zone.clone());
            }
        }
        if let Some((provider, sought)) = &extent.uptime {
            scopes.entry(provider.as_str()).or_default().uptime = Some(sought.clone());
        }
        let reads = scopes.iter().map(|(name, scope)| async move {
            match self.providers.get(*name) {
                Some(provider) => provider.read(scope).await.map_err(Problem::from).map(|mut reading| {
                    for facts in reading.zones.values_mut() {
                        facts.elsewhere = self.elsewhere.get(*name).cloned();
                    }
                    if let Some(facts) = &mut reading.uptime {
                        facts.elsewhere = self.elsewhere.get(*name).cloned();
                    }
                    reading
                }),
                None => Err(Problem::new(
                    "unknown-provider",
                    format!("the spec has no provider called `{name}` any more"),
                )),
            }
        });
        let mut whole = Reading::default();
        tracing::info!("reading {}", crate::base::text::count(extent.zones.len(), "zone"));
        for reading in futures_util::future::join_all(reads).await {
            whole.absorb(reading?);
        }
        tracing::info!(
            "read {}",
            crate::base::text::count(whole.live.inventory.len(), "resource")
        );
        Ok(whole)
    }

    /// Everything that the spec speaks of.
    pub fn extent(&self, runs: &[Run]) -> Extent {
        let desired = &self.spec.desired;
        let zones = desired.zones.iter();
        let uptime = desired.uptime.as_ref();
        Extent {
            zones: zones
                .map(|(zone, policy)| (zone.clone(), policy.provider.clone()))
                .collect(),
            uptime: uptime.map(|policy| (policy.provider.clone(), self.sought(runs))),
            by_name: true,
        }
    }

    /// What is looked for among checks and contacts: what earlier runs left, and over it what the spec declares.
    pub fn sought(&self, runs: &[Run]) -> Sought {
        let desired = &self.spec.desired;
        let mut sought = Sought {
            stack: desired
                .uptime
                .as_ref()
                .map_or_else(String::new, |policy| policy.stack.clone()),
            ever: chain::ever(runs),
            ..Sought::default()
        };
        let is_its = |address: &Address| address.scope_name() == Some(ScopeName::Uptime);
        let changes = runs.iter().flat_map(|run| &run.record.changes);
        let sides = changes.flat_map(|change| change.before.iter().chain(&change.after));
        let stacks = sides.filter_map(Resource::marker).filter_map(stack_of);
        sought.earlier_stacks = stacks.map(str::to_owned).collect();
        for run in chain::open(runs) {
            sought.unsure.extend(run.account().unknown.into_iter().filter(is_its));
        }
        for (address, resource) in chain::last_forms(runs)
            .into_iter()
            .filter(|(address, _)| is_its(address))
        {
            sought.add(address, resource);
        }
        for (address, resource) in desired.inventory.iter().filter(|(address, _)| is_its(address)) {
            sought.add(address.clone(), resource.clone());
            sought.declared.insert(address.clone());
        }
        sought
    }

    /// How many requests were made so far, by all providers together.
    pub fn requests(&self) -> usize {
        self.providers.values().map(|provider| provider.requests()).sum()
    }
}

async fn start_sandbox(folder: &Path, spec: &Spec) -> Result<Sandbox, Problem> {
    let options = Options {
        state_file: Some(folder.join("cloudflare.json")),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await?;
    let zones = spec.desired.zones.iter().filter(|(_, policy)| !policy.create);
    for (zone, _) in zones {
        sandbox.with_world(|world| {
            if !world.has_zone(zone.as_str()) {
                world.add_zone(zone.as_str(), SandboxPlan::Free);
            }
        });
    }
    Ok(sandbox)
}

/// Where the providers are asked, when that is not their public API: what is shown beside everything read there, so that
/// a launch into a stand-in is not taken for a launch.
pub(super) fn elsewhere(spec: &Spec, setting: &Setting, is_stand_in: bool) -> BTreeMap<String, String> {
    let names = spec.desired.zones.values().map(|policy| policy.provider.clone());
    let names = names.chain(spec.desired.uptime.iter().map(|policy| policy.provider.clone()));
    let place = |name: &String| {
        if is_stand_in {
            return Some("in the sandbox".to_owned());
        }
        let profile = provider::profile(name)?;
        let environment = |name: &str| (setting.environment)(name);
        let base = provider::base_of(profile, spec.providers.get(name), &environment).ok()?;
        (base.as_str().trim_end_matches('/') != profile.base_url).then(|| format!("at {}", base.authority()))
    };
    names
        .filter_map(|name| place(&name).map(|place| (name, place)))
        .collect()
}

/// The providers that the spec's zones and checks name. On a stand-in, its address and its token take the place of the
/// real ones:
/// a real credential is not even looked for.
fn connect(
    spec: &Spec,
    setting: &Setting,
    stand_in: Option<&Sandbox>,
) -> Result<BTreeMap<String, Box<dyn Provider>>, Problem> {
    let mut providers = BTreeMap::new();
    let of_zones = spec.desired.zones.values().map(|policy| &policy.provider);
    let of_uptime = spec.desired.uptime.iter().map(|policy| &policy.provider);
    for name in of_zones.chain(of_uptime) {
        if providers.contains_key(name) {
            continue;
        }
        let provider = connect_one(name, spec, setting, stand_in)?;
        providers.insert(name.clone(), provider);
    }
    Ok(providers)
}

/// One provider, ready to be asked.
pub fn connect_one(
    name: &str,
    spec: &Spec,
    setting: &Setting,
    stand_in: Option<&Sandbox>,
) -> Result<Box<dyn Provider>, Problem> {
    let unknown = || Problem::new("unknown-provider", format!("there is no provider called `{name}`"));
    let profile = provider::profile(name).ok_or_else(unknown)?;
    if stand_in.is_some() && !profile.stand_in {
        return Err(Problem::new(
            "no-stand-in",
            format!("the sandbox has no stand-in for {}", profile.capabilities.title),
        )
        .help("leave out --sandbox and use a test server of your own"));
    }
    let access = match stand_in {
        Some(sandbox) => provider::Access {
            token: crate::base::secret::Secret::new(SANDBOX_TOKEN),
            account: None,
            base_url: provider::http::base_url(&sandbox.url_of(name))?,
            timeout: setting.timeout,
            stop: setting.stop.clone(),
            servers: ServerSettings::default(),
            secrets: Keeper::stand_in(),
        },
        None => {
            let account = spec.providers.get(name);
            let secrets = Keeper::new(Arc::clone(&setting.environment));
            provider::access(profile, account, secrets, setting.timeout, &setting.stop)
                .map_err(|error| placed(error, account))?
        }
    };
    Ok(provider::connect(name, access)?)
}

/// Where the spec says where the credential is kept, for whoever has to mend that.
fn placed(error: ProviderError, account: Option<&ProviderAccount>) -> ProviderError {
    let place = account
        .filter(|account| account.token.is_some())
        .and_then(|account| account.place.as_ref());
    match place {
        Some(place) if error.code == "no-credential" => ProviderError {
            message: format!(
                "{} ({}:{}:{})",
                error.message,
                place.source.path,
                place.line(),
                place.column()
            ),
            ..error
        },
        _ => error,
    }
}
