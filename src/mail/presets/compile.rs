//! A preset and an account's values made into records. What is not given is asked for by name, not guessed.

use std::collections::BTreeMap;

use super::{Parameter, Preset, ReturnPath, Role, Shape, Template, When};
use crate::base::text;
use crate::mail::dkim;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};

/// Amazon regions whose keys stand in a zone of their own.
const SES_REGIONAL: [&str; 10] = [
    "af-south-1",
    "ap-northeast-3",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ca-west-1",
    "eu-south-1",
    "eu-central-2",
    "il-central-1",
    "us-gov-east-1",
];

/// An account's values by key.
pub type Values = BTreeMap<String, String>;

/// A record that a preset asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetRecord {
    /// What it is for.
    pub role: Role,
    /// Where it stands.
    pub name: DomainName,
    /// What it says.
    pub data: RecordData,
}

impl PresetRecord {
    /// The record as a zone file has it: name, type, value.
    pub fn triple(&self) -> (String, RecordType, String) {
        (self.name.to_string(), self.data.kind(), self.data.to_string())
    }
}

/// What a preset comes to for one domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compiled {
    /// The records, but for those that need a missing value.
    pub records: Vec<PresetRecord>,
    /// Terms for the one SPF record of the domain.
    pub spf: Vec<String>,
    /// What has to be given still.
    pub missing: Vec<&'static Parameter>,
}

/// Why a preset cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    /// The provider writes these records itself.
    #[error("{0} writes its records itself: import them instead of declaring them")]
    NotGenerated(&'static str),
    /// It has no such direction.
    #[error("{0} does not {1} mail")]
    Direction(&'static str, &'static str),
    /// A key that the preset does not have.
    #[error("{preset} has no value `{key}`{}", hint(*nearest))]
    UnknownKey {
        /// The preset's id.
        preset: &'static str,
        /// The key as given.
        key: String,
        /// The key that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A value of the wrong form.
    #[error("`{key}` of {preset} is {what}: {reason}")]
    BadValue {
        /// The preset's id.
        preset: &'static str,
        /// The key.
        key: &'static str,
        /// What the value is.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A record that the values do not make.
    #[error("{preset}: the record at `{name}` cannot be made: {reason}")]
    Record {
        /// The preset's id.
        preset: &'static str,
        /// The name as far as it is known.
        name: String,
        /// Why.
        reason: String,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default()
}

/// The records to receive through it.
pub fn receive(preset: &'static Preset, domain: &DomainName, values: &Values) -> Result<Compiled, PresetError> {
    if !preset.is_generated {
        return Err(PresetError::NotGenerated(preset.name));
    }
    if preset.receive.is_empty() {
        return Err(PresetError::Direction(preset.name, "receive"));
    }
    Work::new(preset, domain, values)?.compile(preset.receive, &[])
}

/// The records to send through it, and the terms for the domain's SPF record.
pub fn send(preset: &'static Preset, domain: &DomainName, values: &Values) -> Result<Compiled, PresetError> {
    if !preset.is_generated {
        return Err(PresetError::NotGenerated(preset.name));
    }
    if !preset.sends() {
        return Err(PresetError::Direction(preset.name, "send"));
    }
    Work::new(preset, domain, values)?.compile(preset.send, preset.spf)
}

/// The domain in MAIL FROM of what it sends; `None` when that is the provider's own, or not known yet.
pub fn return_path(preset: &'static Preset, domain: &DomainName, values: &Values) -> Option<DomainName> {
    match preset.return_path {
        ReturnPath::FromDomain => Some(domain.clone()),
        ReturnPath::Theirs => None,
        ReturnPath::Subdomain(label) => {
            let work = Work::new(preset, domain, values).ok()?;
            let label = work.fill(label).ok()?;
            DomainName::parse(&format!("{label}.{domain}")).ok()
        }
    }
}

struct Work<'a> {
    preset: &'static Preset,
    domain: &'a DomainName,
    values: BTreeMap<&'static str, String>,
}

impl<'a> Work<'a> {
    fn new(preset: &'static Preset, domain: &'a DomainName, given: &Values) -> Result<Self, PresetError> {
        let mut values = BTreeMap::new();
        for (key, value) in given {
            let parameter = preset.parameter(key).ok_or_else(|| PresetError::UnknownKey {
                preset: preset.id,
                key: text::shorten(&text::sanitize(key), 60),
                nearest: text::nearest(key, preset.parameters.iter().map(|parameter| parameter.key)),
            })?;
            let value = value.trim();
            fits(parameter.shape, value).map_err(|reason| PresetError::BadValue {
                preset: preset.id,
                key: parameter.key,
                what: parameter.what,
                reason,
            })?;
            values.insert(parameter.key, value.to_owned());
        }
        for parameter in preset.parameters {
            // Only a domain without dashes is told from its dashed form.
            let unclear = parameter.default == Some("{dashed}") && domain.as_str().contains('-');
            if let (Some(default), false) = (parameter.default, unclear) {
                let default = default.replace("{dashed}", &dashed(domain));
                values.entry(parameter.key).or_insert(default);
            }
        }
        Ok(Self { preset, domain, values })
    }

    fn compile(&self, templates: &[Template], spf: &[&'static str]) -> Result<Compiled, PresetError> {
        let mut out = Compiled::default();
        for template in templates.iter().filter(|template| self.is_wanted(template.when)) {
            match self.record(template)? {
                Ok(record) => out.records.push(record),
                Err(missing) => self.ask(&mut out, missing),
            }
        }
        for term in spf {
            match self.fill(term) {
                Ok(term) => out.spf.push(term),
                Err(missing) => self.ask(&mut out, missing),
            }
        }
        Ok(out)
    }

    fn ask(&self, out: &mut Compiled, key: &str) {
        if let Some(parameter) = self.preset.parameter(key)
            && !out.missing.contains(&parameter)
        {
            out.missing.push(parameter);
        }
    }

    fn is_wanted(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Given(key) => self.values.contains_key(key),
            When::NotGiven(key) => !self.values.contains_key(key),
            When::Is(key, word) => self.values.get(key).is_some_and(|value| value == word),
        }
    }

    /// The record, or the key of a value that is missing for it.
    fn record(&self, template: &Template) -> Result<Result<PresetRecord, &'static str>, PresetError> {
        let (name, value) = match (self.fill(template.name), self.value(template)) {
            (Ok(name), Ok(value)) => (name, value),
            (Err(missing), _) | (_, Err(missing)) => return Ok(Err(missing)),
        };
        let refused = |reason: String| PresetError::Record {
            preset: self.preset.id,
            name: name.clone(),
            reason,
        };
        let owner = match name.as_str() {
            "@" => self.domain.clone(),
            name => {
                DomainName::parse(&format!("{name}.{}", self.domain)).map_err(|error| refused(error.to_string()))?
            }
        };
        let data = RecordData::parse(template.kind, &value, self.domain).map_err(|error| refused(error.to_string()))?;
        Ok(Ok(PresetRecord {
            role: template.role,
            name: owner,
            data,
        }))
    }

    /// The data: a key that is given as a whole record takes the place of the template.
    fn value(&self, template: &Template) -> Result<String, &'static str> {
        if template.value.contains("{key}")
            && let Some(key) = self.values.get("key").filter(|key| is_whole_record(key))
        {
            return Ok(key.clone());
        }
        self.fill(template.value)
    }

    /// The template with its values; the key of the first one that is missing otherwise.
    fn fill(&self, template: &'static str) -> Result<String, &'static str> {
        let mut out = String::with_capacity(template.len() + 40);
        let mut rest = template;
        while let Some((head, tail)) = rest.split_once('{') {
            let (key, tail) = tail.split_once('}').unwrap_or((tail, ""));
            out.push_str(head);
            let given = self.values.get(key).map(String::as_str);
            match derived(
                key,
                self.domain,
                given.or_else(|| self.values.get("region").map(String::as_str)),
            ) {
                Some(value) => out.push_str(&value),
                None => out.push_str(given.ok_or_else(|| missing(key))?),
            }
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// Which value has to be given so that this one is known.
fn missing(key: &'static str) -> &'static str {
    match key {
        "ses_dkim" | "mailgun_mx" => "region",
        key => key,
    }
}

/// Values that follow from others: the domain, and what depends on the region.
pub(super) fn derived(key: &str, domain: &DomainName, region: Option<&str>) -> Option<String> {
    match key {
        "domain" => Some(domain.to_string()),
        "dashed" => Some(dashed(domain)),
        "ses_dkim" => region.map(|region| {
            if SES_REGIONAL.contains(&region) {
                format!("dkim.{region}.amazonses.com")
            } else {
                "dkim.amazonses.com".to_owned()
            }
        }),
        "mailgun_mx" => region.map(|region| {
            let zone = if region == "eu" {
                "eu.mailgun.org"
            } else {
                "mailgun.org"
            };
            zone.to_owned()
        }),
        _ => None,
    }
}

fn dashed(domain: &DomainName) -> String {
    domain.as_str().replace('.', "-")
}

/// Whether a key is given as the provider shows the record, tags and all.
fn is_whole_record(key: &str) -> bool {
    key.contains("p=")
}

/// What is wrong with a value of that shape.
fn fits(shape: Shape, value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err("it is empty".to_owned());
    }
    if value.len() > 4096 || value.chars().any(char::is_control) {
        return Err("it is too long, or has control characters in it".to_owned());
    }
    match shape {
        Shape::Token if value.contains(char::is_whitespace) => Err("it has a space in it".to_owned()),
        Shape::Text | Shape::Token => Ok(()),
        Shape::Label => DomainName::parse(value).map(|_| ()).map_err(|error| error.to_string()),
        Shape::Selector(start, end) => {
            DomainName::parse(value).map_err(|error| error.to_string())?;
            if value.starts_with(start) && value.ends_with(end) {
                Ok(())
            } else {
                Err(format!("`{value}` does not have the form `{start}…{end}`"))
            }
        }
        Shape::Host => match DomainName::parse(value) {
            Ok(name) if name.parent().is_some() => Ok(()),
            Ok(_) => Err(format!("`{value}` is a single label")),
            Err(error) => Err(error.to_string()),
        },
        Shape::Choice(words) if words.contains(&value) => Ok(()),
        Shape::Choice(words) => Err(format!(
            "`{}` is not one of {}",
            text::shorten(value, 60),
            text::list(words)
        )),
        Shape::Key => key_fits(value),
    }
}

fn key_fits(value: &str) -> Result<(), String> {
    let whole = if is_whole_record(value) || value.contains("-----") {
        value.to_owned()
    } else {
        format!("p={value}")
    };
    let record = dkim::parse(&whole);
    let wrong = record
        .issues
        .iter()
        .find(|issue| matches!(issue.kind, dkim::Kind::Malformed | dkim::Kind::PrivateKey));
    wrong.map_or(Ok(()), |issue| Err(issue.message.clone()))
}
