//! Prometheus with its blackbox exporter and its Alertmanager: checks are files in a folder that the servers read. What
//! is declared is kept there as it is, and everything else is written from it ([`render`]); the user's own configuration
//! is never touched. [`folder`] replaces the files together, and puts the old ones back when a server refuses them.

mod folder;
mod quirks;
mod render;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::base::secret::scrub;
use crate::base::text;
use crate::model::address::Address;
use crate::model::capability::{Capabilities, UptimeRules};
use crate::model::inventory::{Desired, Inventory};
use crate::model::monitor::{Monitor, stack_of};
use crate::model::resource::Resource;
use crate::plan::{Change, Live, Warning};
use crate::provider::credential::Keeper;
use crate::provider::http::{self, Credential, Failure, Http};
use crate::provider::{
    Access, Answer, ApiRefusal, Examination, Finding, Outcome, Profile, Provider, ProviderError, Reading, Review,
    Scope, Sought, Step, UptimeFacts,
};
use crate::provider::{checks, kept_file, unsupported};
use folder::{Folder, Refused};
use render::Secrets;

const NAME: &str = "prometheus";

/// The pauses in which the servers are given time to pick up what was written.
const SETTLING: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// What is known of it without asking.
pub const PROFILE: Profile = Profile {
    capabilities: Capabilities::without_zones(
        NAME,
        "Prometheus",
        UptimeRules {
            folds_tls: false,
            keeps_windows: false,
            longest_connection: u32::MAX,
            usual_recover: None,
            usual_regions: &[],
            days_before: &[],
        },
    ),
    base_url: "http://127.0.0.1:9090",
    base_url_variable: "PROMETHEUS_BASE_URL",
    token_variable: "PROMETHEUS_TOKEN",
    token_help: "take the token that whatever stands before Prometheus asks for",
    needs_token: false,
    stand_in: false,
};

/// One of the three servers.
struct Server {
    name: &'static str,
    http: Http,
}

/// The three servers and the folder between them.
pub struct Prometheus {
    servers: [Server; 3],
    secrets: Keeper,
    directory: Option<PathBuf>,
    smarthost: String,
    seen: Mutex<Sought>,
}

/// Why something was not loaded.
enum NotLoaded {
    Refused(ApiRefusal),
    Lost(String),
}

impl Prometheus {
    /// Ready to ask; nothing is sent yet.
    pub fn new(access: Access) -> Result<Self, ProviderError> {
        let servers = &access.servers;
        let connect = |name, url, credential: Credential<'_>| -> Result<Server, ProviderError> {
            let http = Http::new(url, credential, access.timeout)?.heeding(access.stop.clone());
            Ok(Server { name, http })
        };
        let beside = |said: &Option<String>, usual: &str| http::base_url(said.as_deref().unwrap_or(usual));
        let own = match access.token.expose() {
            "" => Credential::Nothing,
            _ => Credential::Bearer(&access.token),
        };
        Ok(Self {
            servers: [
                connect("Prometheus", access.base_url.clone(), own)?,
                connect(
                    "the Alertmanager",
                    beside(&servers.alertmanager, "http://127.0.0.1:9093")?,
                    Credential::Nothing,
                )?,
                connect(
                    "the blackbox exporter",
                    beside(&servers.blackbox, "http://127.0.0.1:9115")?,
                    Credential::Nothing,
                )?,
            ],
            secrets: access.secrets,
            directory: servers.directory.clone().map(PathBuf::from),
            smarthost: servers.smarthost.clone().unwrap_or_else(|| "localhost:25".to_owned()),
            seen: Mutex::new(Sought::default()),
        })
    }

    fn folder(&self, stack: &str) -> Result<Folder, ProviderError> {
        let directory = self.directory.as_ref().ok_or_else(|| {
            ProviderError::new("bad-folder", "the spec names no folder to write checks into")
                .help("name one under `providers: prometheus: directory`")
        })?;
        Ok(Folder::new(directory, stack, &self.smarthost))
    }

    /// The name of the project under which the files are there: that of now, else an earlier one. The servers are set up
    /// to read files of that name, so it stays when the project is called otherwise.
    fn stack_of<'a>(&self, sought: &'a Sought) -> &'a str {
        let is_there = |stack: &&str| {
            let directory = self.directory.as_ref();
            directory.is_some_and(|directory| directory.join(render::kept_in(stack)).exists())
        };
        sought.stacks().find(is_there).unwrap_or(&sought.stack)
    }

    /// What the sought resources name by where it is kept. What the spec declares must be there.
    fn secrets_of(&self, sought: &Sought) -> Result<Secrets, ProviderError> {
        let all = self.secrets.fetch_all(sought)?.into_iter();
        Ok(all
            .map(|(reference, secret)| (reference, secret.expose().to_owned()))
            .collect())
    }

    async fn read_all(&self, scope: &Scope) -> Result<Reading, ProviderError> {
        let Some(sought) = &scope.uptime else {
            return Ok(Reading::default());
        };
        let secrets = self.secrets_of(sought)?;
        let stack = self.stack_of(sought);
        let folder = self.folder(stack)?;
        let whole = folder.kept()?;
        let kept = folder.as_they_are(whole.clone(), &secrets);
        self.all_ready().await?;
        sought.clone_into(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        let mut inventory = Inventory::new();
        for (address, resource) in kept {
            let said = sought.resources.get(&address).and_then(|said| said.as_monitor());
            let resource = match (resource, said) {
                (Resource::Monitor(monitor), Some(said)) => Resource::Monitor(Box::new(monitor.seen_as(said))),
                (resource, _) => resource,
            };
            inventory.insert(address, resource);
        }
        let mut warnings = Vec::new();
        let is_of_now = |resource: &Resource| resource.marker().and_then(stack_of) == Some(sought.stack.as_str());
        if stack != sought.stack && !inventory.values().any(is_of_now) {
            let words = format!(
                "the files keep the name `{}`, which the servers are set up to read, though the project has another",
                render::prefix(stack)
            );
            warnings.push(Warning::general("kept-name", words));
        }
        if !inventory.is_empty() {
            let missing = self.not_picked_up(stack, &inventory).await;
            warnings.extend(
                missing
                    .into_iter()
                    .map(|words| Warning::general("not-picked-up", words)),
            );
        }
        let monitors = inventory.keys().filter(|address| address.kind() == "monitor").count();
        Ok(Reading {
            live: Live {
                inventory,
                ..Live::default()
            },
            uptime: Some(UptimeFacts {
                provider: NAME,
                monitors,
                sought: sought.clone(),
                apart: json!(whole),
                ..UptimeFacts::default()
            }),
            warnings,
            ..Reading::default()
        })
    }

    /// All three must be there before anything is written.
    async fn all_ready(&self) -> Result<(), ProviderError> {
        for server in &self.servers {
            // The exporter has no readiness of its own.
            let path = if server.name == "the blackbox exporter" {
                "-/healthy"
            } else {
                "-/ready"
            };
            let words = match server.http.get(path).await {
                Ok(reply) if reply.status == 200 => continue,
                Ok(reply) => format!("it answered {}", reply.status),
                Err(error) => error.to_string(),
            };
            let message = format!("{} is not ready: {words}", server.name);
            return Err(ProviderError::new("no-answer", message)
                .help("nothing was changed; start it, or say where it is under `providers: prometheus`"));
        }
        Ok(())
    }

    /// What the servers' own APIs do not show though the files say it.
    async fn not_picked_up(&self, stack: &str, inventory: &Inventory) -> Vec<String> {
        let [prometheus, alertmanager, blackbox] = &self.servers;
        let get = async |server: &Server, path: &str| match server.http.get(path).await {
            Ok(reply) if reply.status == 200 => String::from_utf8_lossy(&reply.body).into_owned(),
            _ => String::new(),
        };
        let (targets, rules, receivers, modules) = tokio::join!(
            get(prometheus, "api/v1/targets?state=active"),
            get(prometheus, "api/v1/rules?type=alert"),
            get(alertmanager, "api/v2/receivers"),
            get(blackbox, "config"),
        );
        let folder = self.directory.as_deref().unwrap_or(std::path::Path::new("."));
        let file = |suffix: &str| {
            format!(
                "{}",
                folder.join(format!("{}.{suffix}", render::prefix(stack))).display()
            )
        };
        let monitors: Vec<&Monitor> = inventory
            .values()
            .filter_map(|resource| resource.as_monitor())
            .collect();
        let mut missing = Vec::new();
        let shown = shown_checks(&targets, stack);
        let awake = monitors.iter().filter(|monitor| monitor.paused != Some(true));
        if awake.into_iter().any(|monitor| !shown.contains(&monitor.key)) {
            missing.push(format!(
                "Prometheus does not look at all checks: add what {} holds to its configuration, once",
                file("include.yml")
            ));
        }
        if !monitors.is_empty() && !are_loaded(&rules, stack) {
            missing.push(format!(
                "Prometheus has not loaded the rules: add {} to its `rule_files`, once",
                file("rules.yml")
            ));
        }
        // It shows what it has with its defaults filled in and in an order of its own, so only names are looked for.
        let is_known = |module: &str| {
            modules
                .lines()
                .any(|line| line.trim().strip_suffix(':') == Some(module))
        };
        if monitors
            .iter()
            .any(|monitor| !is_known(&render::module(stack, &monitor.key)))
        {
            missing.push(format!(
                "the blackbox exporter has not loaded the modules: start it with --config.file={}",
                file("blackbox.yml")
            ));
        }
        let contacts = inventory.values().filter_map(|resource| resource.as_contact());
        let named = |key: &str| format!("\"name\":\"{}_{key}\"", render::prefix(stack));
        if contacts
            .into_iter()
            .any(|contact| !receivers.contains(&named(&contact.key)))
        {
            missing.push(format!(
                "the Alertmanager has not loaded the contacts: start it with --config.file={}",
                file("alertmanager.yml")
            ));
        }
        missing
    }

    async fn perform_once(&self, step: &Step) -> Outcome {
        let sought = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let wanted = step.body.get("resources").cloned().unwrap_or_default();
        let Ok(inventory) = serde_json::from_value::<Inventory>(wanted) else {
            return Outcome::NotSent("what is to be written is not clear".to_owned());
        };
        if step.method == "GET" {
            return self.wait(self.stack_of(&sought), &inventory).await;
        }
        // What is written may be what was there before: its references count as well.
        let mut all = sought.clone();
        for (address, resource) in &inventory {
            all.add(address.clone(), resource.clone());
        }
        let ready = self
            .secrets_of(&all)
            .and_then(|secrets| Ok((secrets, self.folder(self.stack_of(&sought))?)));
        let (secrets, folder) = match ready {
            Ok(ready) => ready,
            Err(error) => return Outcome::NotSent(error.message),
        };
        if let Err(error) = self.all_ready().await {
            return Outcome::NotSent(error.message);
        }
        let written = {
            let folder = folder.clone();
            tokio::task::spawn_blocking(move || folder.replace(&inventory, &secrets)).await
        };
        let before = match written {
            Ok(Ok(before)) => before,
            Ok(Err(Refused::Invalid(tool, said))) => return Outcome::Refused(refusal(0, tool, &said)),
            Ok(Err(Refused::Unwritten(why))) => {
                return Outcome::NotSent(format!("{why}; nothing in `{}` was changed", folder.path().display()));
            }
            Err(error) => return Outcome::Unknown(error.to_string()),
        };
        match self.load().await {
            Ok(()) => Outcome::Applied,
            Err(not_loaded) => {
                before.put_back();
                // Whoever had taken the new files takes the old ones again; one that is down reads them when it starts.
                let again = self.load().await.is_ok();
                tracing::debug!("the files that were there before are back, loaded: {again}");
                match not_loaded {
                    NotLoaded::Refused(refusal) => Outcome::Refused(refusal),
                    NotLoaded::Lost(words) => Outcome::NotSent(format!("{words}; the files are as they were before")),
                }
            }
        }
    }

    /// Asks the servers to read their files again.
    async fn load(&self) -> Result<(), NotLoaded> {
        for server in &self.servers {
            match server.http.write(&Method::POST, "-/reload", &json!({})).await {
                Ok(reply) if reply.status == 200 => {}
                Ok(reply) => {
                    let said = String::from_utf8_lossy(&reply.body[..reply.body.len().min(400)]).into_owned();
                    return Err(NotLoaded::Refused(refusal(
                        reply.status,
                        "reload",
                        &format!("{}: {said}", server.name),
                    )));
                }
                Err(Failure::NotSent(words) | Failure::Lost(words)) => {
                    return Err(NotLoaded::Lost(format!("{} did not reload: {words}", server.name)));
                }
            }
        }
        Ok(())
    }

    /// Waits until the servers show what was written, where they are set up to read it at all.
    async fn wait(&self, stack: &str, inventory: &Inventory) -> Outcome {
        let mut missing = Vec::new();
        for pause in SETTLING {
            tokio::time::sleep(pause).await;
            missing = self.not_picked_up(stack, inventory).await;
            if missing.is_empty() {
                break;
            }
        }
        for words in missing {
            tracing::warn!("{words}");
        }
        Outcome::Applied
    }
}

/// The checks of a stack that Prometheus looks at, by the labels of its targets: another project may have one of the same
/// key.
fn shown_checks(targets: &str, stack: &str) -> Vec<String> {
    let parsed: Value = serde_json::from_str(targets).unwrap_or_default();
    let active = parsed.pointer("/data/activeTargets").and_then(Value::as_array);
    let check = |target: &Value| {
        let labels = target.get("labels").filter(|labels| is_of(labels, stack))?;
        labels.get("check").and_then(Value::as_str).map(str::to_owned)
    };
    active.into_iter().flatten().filter_map(check).collect()
}

/// Whether Prometheus has the rules of a stack: a group of our name whose rules bear its mark.
fn are_loaded(rules: &str, stack: &str) -> bool {
    let parsed: Value = serde_json::from_str(rules).unwrap_or_default();
    let groups = parsed.pointer("/data/groups").and_then(Value::as_array);
    let name = render::prefix(stack);
    groups.into_iter().flatten().any(|group| {
        let rules = group.get("rules").and_then(Value::as_array);
        let is_ours = |rule: &Value| rule.get("labels").is_some_and(|labels| is_of(labels, stack));
        group.get("name").and_then(Value::as_str) == Some(name.as_str()) && rules.into_iter().flatten().any(is_ours)
    })
}

/// Whether labels say that something is ours and of this stack.
fn is_of(labels: &Value, stack: &str) -> bool {
    let says = |name: &str, value: &str| labels.get(name).and_then(Value::as_str) == Some(value);
    says("managed_by", "launchctl") && says("stack", stack)
}

fn refusal(status: u16, code: &str, message: &str) -> ApiRefusal {
    ApiRefusal {
        status,
        code: code.to_owned(),
        message: text::shorten(&scrub(&text::sanitize(message.trim())), 500),
    }
}

impl Provider for Prometheus {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Result<Reading, ProviderError>> {
        Box::pin(self.read_all(scope))
    }

    fn adapt(&self, desired: &mut Desired, _: &Reading) -> Review {
        unsupported::adapt(desired, NAME, &quirks::fit)
    }

    fn steps(&self, changes: &[Change], reading: &Reading) -> Vec<Step> {
        if changes.is_empty() {
            return Vec::new();
        }
        let inventory = kept_file::carried_out(reading, changes);
        let mut addresses: Vec<Address> = changes.iter().map(|change| change.address.clone()).collect();
        addresses.sort();
        let step = |method, summary: &str, addresses| {
            let body = json!({ "resources": inventory });
            checks::step(
                NAME,
                addresses,
                (method, "-/reload".to_owned()),
                summary.to_owned(),
                body,
            )
        };
        vec![
            step("POST", "write the files of the checks, and have them loaded", addresses),
            step("GET", "wait until the servers show them", Vec::new()),
        ]
    }

    fn perform<'a>(&'a self, step: &'a Step) -> Answer<'a, Outcome> {
        Box::pin(self.perform_once(step))
    }

    fn review(&self, changes: &[Change], _: &Reading) -> Review {
        let mut review = Review::default();
        for change in changes {
            review
                .refusals
                .extend(unsupported::refusals(change, "Prometheus", &quirks::fit));
            review.refusals.extend(unsupported::hidden(change));
        }
        review
    }

    fn blame(&self, step: &Step, _: &[Change], _: &ApiRefusal) -> Vec<Address> {
        // They are loaded together or not at all.
        step.addresses.clone()
    }

    fn advice(&self, refused: &ApiRefusal) -> Option<&'static str> {
        match (refused.status, refused.code.as_str()) {
            (403, "reload") => Some("start Prometheus with --web.enable-lifecycle; the files are as they were before"),
            (_, "reload") => Some("the files are as they were before, and so is what is loaded"),
            (_, "promtool" | "amtool") => Some("nothing was written"),
            _ => None,
        }
    }

    fn examine<'a>(&'a self, _: &'a Scope) -> Answer<'a, Vec<Examination>> {
        Box::pin(async move {
            let (finding, detail, fix) = match self.all_ready().await {
                Ok(()) => (Finding::Good, "all three servers are ready".to_owned(), None),
                Err(error) => (Finding::Bad, error.message, error.help),
            };
            vec![Examination {
                subject: "Prometheus".to_owned(),
                finding,
                detail,
                fix,
            }]
        })
    }

    fn requests(&self) -> usize {
        self.servers.iter().map(|server| server.http.sent()).sum()
    }
}
