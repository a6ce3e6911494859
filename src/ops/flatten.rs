//! `mail flatten`: the includes that the spec wants flattened are read from DNS, and what they stand for is written into
//! the lock file beside the spec, or only compared with it. What DNS does not answer stays as it was.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::base::diagnostic::Severity;
use crate::base::files;
use crate::mail::dns::QueryName;
use crate::mail::spf::flatten::{Drift, Flat, NotFlat, flatten};
use crate::mail::spf::lock::{Lock, Locked};
use crate::ops::mail::resolver;
use crate::ops::problem::Problem;
use crate::ops::session::{Setting, read_source, read_spf_lock, spf_lock_path, understand};
use crate::verify::resolver::ResolverAddress;

/// How the lock file is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// Whom to ask; the system's resolvers otherwise.
    pub resolver: Option<ResolverAddress>,
    /// Whether it is only compared, and never written.
    pub compares: bool,
}

/// What became of it.
#[derive(Debug)]
pub struct Flattened {
    /// The lock file, for people.
    pub path: String,
    /// Who was asked, for people.
    pub resolver: String,
    /// When.
    pub at: Timestamp,
    /// The includes in order.
    pub includes: Vec<Include>,
    /// Includes in the file that the spec does not flatten any more.
    pub left_over: Vec<QueryName>,
    /// Whether the file was only compared.
    pub compared: bool,
    /// Whether the file was written: not when nothing in it would be another.
    pub written: bool,
}

/// One include.
#[derive(Debug)]
pub struct Include {
    /// The domain that would be included.
    pub name: QueryName,
    /// The day on which what the file had was taken, when it had it.
    pub taken: Option<Date>,
    /// What it stands for now, or why that is not to be had.
    pub now: Result<Flat, NotFlat>,
    /// What has changed since; against nothing when the file did not have it.
    pub drift: Drift,
}

/// In one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The file did not have it.
    New,
    /// As the file has it.
    Same,
    /// Other addresses.
    Changed,
    /// DNS did not answer.
    Unknown,
    /// It cannot be flattened.
    Refused,
}

impl Status {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
        }
    }
}

impl Include {
    /// What became of it.
    pub fn status(&self) -> Status {
        match (&self.now, self.taken) {
            (Err(NotFlat::Unknown(_)), _) => Status::Unknown,
            (Err(NotFlat::Refused(_)), _) => Status::Refused,
            (Ok(_), None) => Status::New,
            (Ok(_), Some(_)) if self.drift.is_none() => Status::Same,
            (Ok(_), Some(_)) => Status::Changed,
        }
    }
}

impl Flattened {
    /// How many includes there are of a status.
    pub fn count(&self, status: Status) -> usize {
        self.includes.iter().filter(|one| one.status() == status).count()
    }
}

/// Reads the includes and writes the lock file, or compares.
pub async fn run(setting: &Setting, wish: Wish) -> Result<Flattened, Problem> {
    let names = wanted(setting)?;
    let path = spf_lock_path(&setting.spec);
    // A file that cannot be read may hold what somebody needs: a newer version's, both sides of a merge.
    let before = read_spf_lock(&setting.spec).content.map_err(|why| {
        let message = format!("`{}` cannot be read: {why}", path.display());
        Problem::new("spf-lock", message).help(format!(
            "settle a merge, take it from version control, or delete it and let `{}` write it anew",
            setting.command("mail flatten")
        ))
    })?;
    let resolver = resolver(setting, wish.resolver)?;
    let answers = join_all(names.iter().map(|name| flatten(&resolver, name))).await;
    let includes: Vec<Include> = names
        .iter()
        .zip(answers)
        .map(|(name, now)| include(name, now, before.includes.get(name)))
        .collect();
    let left_over = before.includes.keys().filter(|name| !names.contains(*name));
    let mut flattened = Flattened {
        path: path.display().to_string(),
        resolver: resolver.name().to_owned(),
        at: setting.clock.now(),
        left_over: left_over.cloned().collect(),
        includes,
        compared: wish.compares,
        written: false,
    };
    let after = next(&flattened, &before, setting.clock.today());
    if !wish.compares && after != before {
        files::write_atomic(&path, after.build().as_bytes())?;
        flattened.written = true;
    }
    Ok(flattened)
}

/// The includes that the spec wants flattened. Nothing else may be wrong with it than the file that is about to be
/// written.
fn wanted(setting: &Setting) -> Result<BTreeSet<QueryName>, Problem> {
    let loaded = understand(setting, &read_source(&setting.spec)?);
    let is_else = |severity: Severity, code: &str| severity == Severity::Error && code != "spf-lock";
    if loaded.diagnostics.iter().any(|one| is_else(one.severity, one.code)) {
        return Err(Problem::Spec(loaded.diagnostics));
    }
    if loaded.flatten.is_empty() {
        let mut help =
            "name what the record includes under `email` of a zone: spf: { flatten: [_spf.example.com] }".to_owned();
        if spf_lock_path(&setting.spec).exists() {
            let path = spf_lock_path(&setting.spec).display().to_string();
            help.push_str(&format!("; `{path}` is of no use any more, and can be deleted"));
        }
        return Err(Problem::new("nothing-to-flatten", "the spec flattens no include").help(help));
    }
    Ok(loaded.flatten)
}

fn include(name: &QueryName, now: Result<Flat, NotFlat>, before: Option<&Locked>) -> Include {
    let known = before.map_or(&[][..], |locked| &locked.flat.networks);
    let drift = now
        .as_ref()
        .map(|flat| Drift::between(known, &flat.networks))
        .unwrap_or_default();
    Include {
        name: name.clone(),
        taken: before.map(|locked| locked.taken),
        now,
        drift,
    }
}

/// The file as it is to be: what is sure is taken, and what is not stays as it was.
fn next(flattened: &Flattened, before: &Lock, today: Date) -> Lock {
    let mut includes = BTreeMap::new();
    for include in &flattened.includes {
        let locked = match &include.now {
            Ok(flat) => Some(Locked {
                taken: today,
                flat: flat.clone(),
            }),
            Err(_) => before.includes.get(&include.name).cloned(),
        };
        includes.extend(locked.map(|locked| (include.name.clone(), locked)));
    }
    Lock { includes }
}
