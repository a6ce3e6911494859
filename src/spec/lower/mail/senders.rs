//! Who receives and who sends: MX, the one SPF record of all senders, return paths, DKIM keys, and what is asked of an
//! account that was not given.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use super::Work;
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::mail::dns::QueryName;
use crate::mail::findings::facts::{self, ExpectedKey, Purpose, Selector};
use crate::mail::presets::{self, Compiled, Preset, PresetError, Role, Values};
use crate::mail::spf::Qualifier;
use crate::mail::spf::build::Builder;
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::spec::raw_mail::{DkimKey, Exchanger, Mail, Receive, Sender};
use crate::spec::shape::Text;

/// Preferred when nobody says.
const PRIORITY: u16 = 10;

impl Work<'_, '_, '_> {
    pub(super) fn receive(&mut self, mail: &Mail) {
        let sends = mail.send.as_ref().is_none_or(|send| !send.0.is_empty());
        let Some(receive) = &mail.receive else {
            // Whoever leaves it out keeps the MX records elsewhere, or has none.
            let receives = self
                .zone
                .records
                .iter()
                .any(|one| one.kind() == RecordType::Mx && one.owner == self.domain);
            self.declared.purpose = Purpose::Mail { sends, receives };
            return;
        };
        let receives = !matches!(receive, Receive::None(_));
        self.declared.purpose = Purpose::Mail { sends, receives };
        match receive {
            Receive::None(word) => self.null_mx(word),
            Receive::Hosts(hosts) => hosts.iter().for_each(|host| self.exchanger(host)),
            Receive::Preset(sender) => {
                let Some(preset) = self.preset(sender, false) else {
                    return;
                };
                let mut values = Values::new();
                for other in mail
                    .send
                    .iter()
                    .flat_map(|send| &send.0)
                    .filter(|other| other.preset() == Some(preset))
                {
                    values.extend(values_of(other));
                }
                values.extend(values_of(sender));
                let compiled = presets::receive(preset, &self.domain, &values);
                if let Some(compiled) = self.compiled(preset, sender, compiled) {
                    self.publish(preset, sender, &compiled);
                }
            }
        }
    }

    fn exchanger(&mut self, raw: &Exchanger) {
        let Some(host) = &raw.host else { return };
        let priority = raw.priority.as_ref().map_or(PRIORITY, |priority| priority.value);
        let domain = self.domain.clone();
        let head = format!("{priority} ");
        match RecordData::parse(RecordType::Mx, &format!("{head}{}", host.value), &domain) {
            Ok(data) => {
                self.declared.exchangers.extend(data.target().map(QueryName::from));
                self.add(&domain, data, host);
            }
            Err(error) => {
                let span = error.span();
                let span = span.start.saturating_sub(head.len())..span.end.saturating_sub(head.len());
                let finding = Diagnostic::error("bad-value", text::sanitize(&error.to_string()).into_owned());
                self.say(finding, &host.part(&span));
            }
        }
    }

    pub(super) fn send(&mut self, mail: &Mail) {
        let all = mail.spf.as_ref().and_then(|spf| spf.all.as_ref());
        let nobody = mail.send.as_ref().is_some_and(|send| send.0.is_empty()) && mail.spf.is_none();
        let all = all.map_or(if nobody { Qualifier::Fail } else { Qualifier::SoftFail }, |all| {
            all.value
        });
        let mut spf = Builder::new(all);
        let mut used = Vec::new();
        for sender in mail.send.iter().flat_map(|send| &send.0) {
            if sender.via.as_ref().is_some_and(|via| via.value == "own") {
                self.own_sender(sender, mail, all, &mut spf);
            } else if let Some(preset) = self.preset(sender, true) {
                self.preset_sender(preset, sender, mail, &mut spf, &mut used);
            }
        }
        if let Some(raw) = &mail.spf {
            for (head, terms) in [
                ("include:", &raw.include),
                ("ip4:", &raw.ip4),
                ("ip6:", &raw.ip6),
                ("", &raw.terms),
            ] {
                terms
                    .iter()
                    .flatten()
                    .for_each(|value| self.term(head, value, &mut spf));
            }
        }
        for key in mail.dkim.iter().flatten() {
            let taken = key
                .selector
                .as_ref()
                .is_some_and(|selector| used.contains(&selector.value));
            if !taken {
                self.dkim_key(key, "the spec");
            }
        }
        if mail.send.is_some() || mail.spf.is_some() {
            let domain = self.domain.clone();
            let place = self.key(mail, &["spf", "send"]);
            let layout = self.laid_out(mail.spf.as_ref(), &spf);
            self.add_txt(&domain, layout.record, &place);
            for (label, part) in layout.parts {
                if let Some(owner) = self.below(&label, &place.range) {
                    self.add_txt(&owner, part, &place);
                }
            }
        }
    }

    /// The preset that is named, when it can do what is asked of it.
    fn preset(&mut self, sender: &Sender, sends: bool) -> Option<&'static Preset> {
        let via = sender.via.as_ref()?;
        let foreign: Vec<&Range<usize>> = ["name", "addresses", "terms"]
            .iter()
            .filter_map(|key| sender.keys.get(*key))
            .collect();
        if let Some(preset) = sender.preset() {
            for range in foreign {
                let finding = Diagnostic::error("not-of-a-preset", format!("{} says this itself", preset.name))
                    .help("`name`, `addresses` and `terms` are for `via: own`; more SPF terms go under `spf`");
                self.say(finding, range);
            }
            return Some(preset);
        }
        let shown = text::shorten(&text::sanitize(&via.value), 60);
        let mut finding = Diagnostic::error(
            "unknown-mail-preset",
            format!("there is no mail preset called `{shown}`"),
        );
        finding = match presets::nearest(&via.value) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.help(format!("known are {}", names(sends).join(", "))),
        };
        if sends {
            finding = finding.help("a sender of your own is written { via: own, name: …, addresses: […] }");
        }
        self.say(finding, &via.range);
        None
    }

    fn preset_sender(
        &mut self,
        preset: &'static Preset,
        sender: &Sender,
        mail: &Mail,
        spf: &mut Builder,
        used: &mut Vec<String>,
    ) {
        let mut values = Values::new();
        if let Some(Receive::Preset(other)) = mail.receive.as_ref().filter(|_| preset.receives())
            && other.preset() == Some(preset)
        {
            values.extend(values_of(other));
        }
        values.extend(values_of(sender));
        if sender.dkim.is_empty() {
            key_from_the_list(preset, mail, &mut values, used);
        }
        let compiled = presets::send(preset, &self.domain, &values);
        let Some(compiled) = self.compiled(preset, sender, compiled) else {
            return;
        };
        for term in &compiled.spf {
            // Presets are tested: their terms can be read.
            let _ = spf.term(term);
        }
        self.publish(preset, sender, &compiled);
        for key in sender.dkim.iter().skip(1) {
            self.dkim_key(key, preset.name);
        }
        let signing = compiled.records.iter().filter(|record| record.role == Role::Dkim);
        let signing = signing.filter_map(|record| signing_domain(&record.name)).collect();
        let mail_from = presets::return_path(preset, &self.domain, &values);
        self.declared.senders.push(facts::Sender {
            name: preset.name.to_owned(),
            mail_from: mail_from.map(QueryName::from),
            signing,
            addresses: Vec::new(),
        });
    }

    /// What a preset came to; what is missing is asked for by name, what is wrong is said where it stands.
    fn compiled(
        &mut self,
        preset: &'static Preset,
        sender: &Sender,
        compiled: Result<Compiled, PresetError>,
    ) -> Option<Compiled> {
        match compiled {
            Ok(compiled) if compiled.missing.is_empty() => Some(compiled),
            // What could not be read has been said, and is not missing.
            Ok(compiled) if compiled.missing.iter().any(|one| is_written(sender, one.key)) => Some(compiled),
            Ok(compiled) => {
                let count = text::count(compiled.missing.len(), "value");
                let mut finding = Diagnostic::error(
                    "missing-mail-value",
                    format!("{} needs {count} that only your account knows", preset.name),
                );
                for parameter in &compiled.missing {
                    // A key is written with its selector, whichever of them is missing.
                    let key = match parameter.key {
                        key @ ("selector" | "key") => {
                            let selector = preset.usual_selector().unwrap_or("…");
                            format!("`{key}` of dkim: {{ selector: {selector}, key: … }}")
                        }
                        key => format!("{key}: …"),
                    };
                    finding = finding.help(format!("{key} is {}", parameter.what));
                }
                if sender.keys.is_empty() {
                    finding = finding.help(format!("values stand beside the preset: {{ via: {}, … }}", preset.id));
                }
                self.say(finding, &sender.at);
                None
            }
            Err(error) => {
                let range = blamed(sender, &error);
                self.say(
                    Diagnostic::error("mail-preset", text::sanitize(&error.to_string()).into_owned()),
                    &range,
                );
                None
            }
        }
    }

    /// The records of a preset, each where the preset is named.
    fn publish(&mut self, preset: &'static Preset, sender: &Sender, compiled: &Compiled) {
        let Some(via) = sender.via.clone() else { return };
        for record in &compiled.records {
            match (record.role, record.data.kind()) {
                (Role::Receive, RecordType::Mx) => {
                    self.declared
                        .exchangers
                        .extend(record.data.target().map(QueryName::from));
                }
                (Role::Dkim, _) => self.expect_key(&record.name, &record.data, preset.name),
                _ => {}
            }
            self.add(&record.name, record.data.clone(), &via);
        }
    }

    fn own_sender(&mut self, sender: &Sender, mail: &Mail, all: Qualifier, main: &mut Builder) {
        for (key, value) in &sender.values {
            let finding = Diagnostic::error(
                "not-of-a-preset",
                format!("`{key}` is a value of a preset, and this is a sender of your own"),
            );
            self.say(finding, &value.range);
        }
        let name = sender
            .name
            .as_ref()
            .map_or("a sender of your own", |name| name.value.as_str());
        let path = sender.return_path.as_ref();
        let path = path.and_then(|label| self.below(&label.value, &label.range).map(|name| (label.clone(), name)));
        let mut apart = Builder::new(all);
        let spf = if path.is_some() { &mut apart } else { main };
        let mut addresses = Vec::new();
        for address in &sender.addresses {
            let ip = address.value.split('/').next().and_then(|ip| ip.parse::<IpAddr>().ok());
            addresses.extend(ip);
            self.term(
                if ip.is_some_and(|ip| ip.is_ipv6()) {
                    "ip6:"
                } else {
                    "ip4:"
                },
                address,
                spf,
            );
        }
        for term in &sender.terms {
            self.term("", term, spf);
        }
        if let Some((label, name)) = &path {
            self.add_txt(name, apart.build(), label);
        }
        for key in &sender.dkim {
            self.dkim_key(key, name);
        }
        let signs = !sender.dkim.is_empty() || mail.dkim.as_ref().is_some_and(|keys| !keys.is_empty());
        let mail_from = path.map_or_else(|| self.domain.clone(), |(_, name)| name);
        self.declared.senders.push(facts::Sender {
            name: name.to_owned(),
            mail_from: Some(mail_from.into()),
            signing: signs.then(|| QueryName::from(&self.domain)).into_iter().collect(),
            addresses,
        });
    }

    fn term(&mut self, head: &str, value: &Text, spf: &mut Builder) {
        let Err(errors) = spf.term(&format!("{head}{}", value.value)) else {
            return;
        };
        for error in errors {
            let span = error.span.start.saturating_sub(head.len())..error.span.end.saturating_sub(head.len());
            let mut finding = Diagnostic::error("spf-syntax", error.message);
            finding.help.extend(error.help);
            self.say(finding, &value.part(&span));
        }
    }

    fn dkim_key(&mut self, raw: &DkimKey, owner: &str) {
        let Some(selector) = &raw.selector else { return };
        let Some(name) = self.below(&format!("{}._domainkey", selector.value), &selector.range) else {
            return;
        };
        let domain = self.domain.clone();
        let (data, place) = match (&raw.key, &raw.cname) {
            (Some(key), None) => (RecordData::Txt(key.value.0.clone().into_bytes()), key.range.clone()),
            (None, Some(target)) => match RecordData::parse(RecordType::Cname, &target.value, &domain) {
                Ok(data) => (data, target.range.clone()),
                Err(error) => {
                    let finding = Diagnostic::error("bad-value", text::sanitize(&error.to_string()).into_owned());
                    return self.say(finding, &target.part(&error.span()));
                }
            },
            (Some(_), Some(target)) => {
                let finding = Diagnostic::error(
                    "key-and-cname",
                    "a selector has a key, or a CNAME to whoever keeps it: not both",
                );
                return self.say(finding, &target.range);
            }
            (None, None) if raw.keys.contains_key("key") || raw.keys.contains_key("cname") => return,
            (None, None) => {
                let finding =
                    Diagnostic::error("missing-key", "the key `key` is missing").label("`key` or `cname` belongs here");
                return self.say(finding, &raw.at);
            }
        };
        self.expect_key(&name, &data, owner);
        self.add(&name, data, &crate::spec::shape::At::made(String::new(), place));
    }

    /// Remembers what is to be found at a selector.
    fn expect_key(&mut self, name: &DomainName, data: &RecordData, owner: &str) {
        let Some((selector, domain)) = name.as_str().split_once("._domainkey.") else {
            return;
        };
        let expected = match data {
            RecordData::Cname(target) => ExpectedKey::Alias(target.into()),
            data => data.txt().map_or(ExpectedKey::Any, |value| {
                ExpectedKey::Record(String::from_utf8_lossy(value).into_owned())
            }),
        };
        let Ok(domain) = QueryName::parse(domain) else { return };
        self.declared.selectors.push(Selector {
            selector: selector.to_owned(),
            domain,
            owner: owner.to_owned(),
            expected,
            is_active: true,
        });
    }
}

/// A preset that publishes a key finds it under `dkim` too, by its selector.
fn key_from_the_list(preset: &Preset, mail: &Mail, values: &mut Values, used: &mut Vec<String>) {
    if preset.parameter("key").is_none() || values.contains_key("key") {
        return;
    }
    let default = preset.parameter("selector").and_then(|parameter| parameter.default);
    let Some(selector) = values
        .get("selector")
        .map(String::as_str)
        .or(default)
        .map(str::to_owned)
    else {
        return;
    };
    let mut all = mail.dkim.iter().flatten();
    let key = all.find(|key| key.selector.as_ref().is_some_and(|one| one.value == selector));
    if let Some(key) = key.and_then(|key| key.key.as_ref()) {
        values.insert("key".to_owned(), key.value.0.clone());
        used.push(selector);
    }
}

fn names(sends: bool) -> Vec<&'static str> {
    let can = |preset: &&Preset| if sends { preset.sends() } else { preset.receives() };
    presets::all()
        .filter(|preset| can(preset))
        .map(|preset| preset.id)
        .collect()
}

/// The domain that a key signs for.
fn signing_domain(name: &DomainName) -> Option<QueryName> {
    let (_, domain) = name.as_str().split_once("._domainkey.")?;
    QueryName::parse(domain).ok()
}

/// What the account gives, by the preset's keys.
fn values_of(sender: &Sender) -> BTreeMap<String, String> {
    let mut values: Values = sender
        .values
        .iter()
        .map(|(key, text)| ((*key).to_owned(), text.value.clone()))
        .collect();
    if let Some(label) = &sender.return_path {
        values.insert("return_path".to_owned(), label.value.clone());
    }
    if let Some(key) = sender.dkim.first() {
        // A preset that has one selector and no other is not asked for it.
        let only = sender.preset().filter(|preset| preset.parameter("selector").is_none());
        let only = only.and_then(Preset::usual_selector);
        let selector = key
            .selector
            .as_ref()
            .filter(|selector| Some(selector.value.as_str()) != only);
        values.extend(selector.map(|selector| ("selector".to_owned(), selector.value.clone())));
        values.extend(key.key.as_ref().map(|key| ("key".to_owned(), key.value.0.clone())));
    }
    values
}

/// Whether a value is written, though it could not be read.
fn is_written(sender: &Sender, key: &str) -> bool {
    match key {
        "selector" | "key" => sender.dkim.first().is_some_and(|dkim| dkim.keys.contains_key(key)),
        key => sender.keys.contains_key(key),
    }
}

/// Where the value stands that a preset does not take.
fn blamed(sender: &Sender, error: &PresetError) -> Range<usize> {
    let key = match error {
        PresetError::UnknownKey { key, .. } => key.as_str(),
        PresetError::BadValue { key, .. } => key,
        _ => "via",
    };
    let given = sender
        .values
        .iter()
        .find(|(name, _)| *name == key)
        .map(|(_, value)| &value.range);
    let dkim = || sender.dkim.first().and_then(|dkim| dkim.keys.get(key));
    let via = sender.via.as_ref().map(|via| &via.range);
    given
        .or_else(dkim)
        .or_else(|| sender.keys.get(key))
        .or(via)
        .unwrap_or(&sender.at)
        .clone()
}
