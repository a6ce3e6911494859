//! Mail providers as data: what has to stand in DNS to receive and to send through each, and how they are known again
//! from what stands there. Values change without notice, so every one can be overridden, each preset says when it was
//! checked, and what an include costs is never stored: it is measured.

mod compile;
mod mailboxes;
mod recognise;
mod senders;
#[cfg(test)]
pub(crate) mod tests;

pub use compile::{Compiled, PresetError, PresetRecord, Values, receive, return_path, send};
pub use recognise::{Recognised, provider_of, recognise};

use crate::base::text;
use crate::model::record::RecordType;

/// How sure the values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// From the provider's own documents or templates.
    High,
    /// Several independent zones or guides agree.
    Medium,
    /// Sources disagree: what the provider's console shows is right.
    Low,
}

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// To get mail.
    Receive,
    /// To carry bounces, and with them SPF.
    ReturnPath,
    /// To sign.
    Dkim,
    /// To show the provider whose domain it is.
    Verification,
}

/// Whose domain stands in MAIL FROM, which is what SPF is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReturnPath {
    /// The domain itself.
    FromDomain,
    /// A subdomain; the template gives its name.
    Subdomain(&'static str),
    /// The provider's own: SPF can never align.
    Theirs,
}

/// When a record is part of the preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum When {
    /// Always.
    Always,
    /// When this value is given.
    Given(&'static str),
    /// When this value is not given.
    NotGiven(&'static str),
    /// When this value is that word.
    Is(&'static str, &'static str),
}

/// A record with `{value}` in its name and its data. `{domain}` is the domain, `{dashed}` the domain with dashes for
/// its dots, `{ses_dkim}` Amazon's zone for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Template {
    /// What it is for.
    pub role: Role,
    /// When it is wanted.
    pub when: When,
    /// Relative to the domain; `@` is the domain itself.
    pub name: &'static str,
    /// Its type.
    pub kind: RecordType,
    /// Its data as a zone file writes it.
    pub value: &'static str,
}

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One or more labels.
    Label,
    /// A selector that begins and ends so: what tells this provider's from others.
    Selector(&'static str, &'static str),
    /// A host.
    Host,
    /// A DKIM key: the base64 text, or the whole record as the provider shows it.
    Key,
    /// A word without spaces.
    Token,
    /// A text as the provider shows it.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// A value that only the account knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// The key in the spec.
    pub key: &'static str,
    /// What it is and where it is found, in a few words.
    pub what: &'static str,
    /// What it must look like.
    pub shape: Shape,
    /// What is taken when it is not given.
    pub default: Option<&'static str>,
    /// Whether the preset works without it.
    pub is_optional: bool,
}

/// One provider.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// The name in the spec.
    pub id: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// The day its values were last compared with their sources.
    pub checked_on: &'static str,
    /// How sure they are.
    pub confidence: Confidence,
    /// Whether records are made from it; otherwise the provider writes them itself, and they are only known again.
    pub is_generated: bool,
    /// What the account has to give.
    pub parameters: &'static [Parameter],
    /// To receive.
    pub receive: &'static [Template],
    /// SPF terms at the domain itself.
    pub spf: &'static [&'static str],
    /// SPF terms that add nothing to what the provider sends in the domain's name, and are often found all the same.
    pub idle_spf: &'static [&'static str],
    /// To send, but for SPF at the domain itself.
    pub send: &'static [Template],
    /// Whose domain stands in MAIL FROM.
    pub return_path: ReturnPath,
    /// Names at or below which only this provider's hosts stand: MX targets, SPF includes, CNAME targets.
    pub hosts: &'static [&'static str],
}

impl Preset {
    /// Whether it can receive.
    pub fn receives(&self) -> bool {
        !self.receive.is_empty() || !self.is_generated
    }

    /// Whether it can send.
    pub fn sends(&self) -> bool {
        !self.send.is_empty() || !self.spf.is_empty()
    }

    /// The selector of its key: the usual one, or the only one that it has.
    pub fn usual_selector(&self) -> Option<&'static str> {
        if let Some(parameter) = self.parameter("selector") {
            return parameter.default;
        }
        let key = self
            .send
            .iter()
            .find(|template| template.role == Role::Dkim && template.value.contains("{key}"))?;
        let (selector, _) = key.name.split_once("._domainkey")?;
        (!selector.contains('{')).then_some(selector)
    }

    /// The parameter of that key.
    pub fn parameter(&self, key: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.key == key)
    }
}

/// All presets, by id.
pub fn all() -> impl Iterator<Item = &'static Preset> {
    mailboxes::PRESETS.iter().chain(senders::PRESETS)
}

/// The preset of that id.
pub fn find(id: &str) -> Option<&'static Preset> {
    all().find(|preset| preset.id == id)
}

/// The id that was probably meant.
pub fn nearest(id: &str) -> Option<&'static str> {
    text::nearest(id, all().map(|preset| preset.id))
}

const fn template(role: Role, name: &'static str, kind: RecordType, value: &'static str) -> Template {
    Template {
        role,
        when: When::Always,
        name,
        kind,
        value,
    }
}

impl Template {
    const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }
}

const fn mx(value: &'static str) -> Template {
    template(Role::Receive, "@", RecordType::Mx, value)
}

const fn dkim_cname(name: &'static str, value: &'static str) -> Template {
    template(Role::Dkim, name, RecordType::Cname, value)
}

const fn dkim_txt(name: &'static str, value: &'static str) -> Template {
    template(Role::Dkim, name, RecordType::Txt, value)
}

const fn bounce(name: &'static str, kind: RecordType, value: &'static str) -> Template {
    template(Role::ReturnPath, name, kind, value)
}

const fn proof(value: &'static str) -> Template {
    template(Role::Verification, "@", RecordType::Txt, value)
}

const fn parameter(key: &'static str, shape: Shape, what: &'static str) -> Parameter {
    Parameter {
        key,
        what,
        shape,
        default: None,
        is_optional: false,
    }
}

impl Parameter {
    const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    const fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }
}

/// The day of the facts that all tables were written from.
const CHECKED: &str = "2026-11-22";

/// What presets have in common, to be written over.
const BASE: Preset = Preset {
    id: "",
    name: "",
    checked_on: CHECKED,
    confidence: Confidence::High,
    is_generated: true,
    parameters: &[],
    receive: &[],
    spf: &[],
    idle_spf: &[],
    send: &[],
    return_path: ReturnPath::FromDomain,
    hosts: &[],
};
