//! What a check asks and what it expects.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::check::Lowering;
use crate::model::contact::Guarded;
use crate::model::monitor::{Check, Dns, Heartbeat, Http, Keyword, NameServer, SentText, Status};
use crate::model::name::DomainName;
use crate::model::record::{RecordData, RecordType};
use crate::spec::raw_uptime::{self as raw, SentValue};
use crate::spec::shape::{At, Text};

/// The keys of which a check has one.
const TARGETS: [&str; 6] = ["url", "tls", "tcp", "ping", "dns", "heartbeat"];

impl Lowering<'_, '_> {
    pub(super) fn target(&mut self, entry: &raw::Check) -> Option<(Check, Range<usize>)> {
        let written: Vec<&Range<usize>> = TARGETS.iter().filter_map(|key| entry.keys.get(key)).collect();
        if written.len() != 1 {
            let at = written.get(1).copied().unwrap_or(&entry.at).clone();
            let words = "a check has one of `url`, `tls`, `tcp`, `ping`, `dns` and `heartbeat`";
            self.error("one-target", &at, words);
            return None;
        }
        if let Some(url) = &entry.url {
            return Some((Check::Http(self.http(entry, url)), url.range.clone()));
        }
        if let Some(tls) = &entry.tls {
            let (host, port) = self.host_and_port(tls, Some(443))?;
            let url = match port {
                443 => format!("https://{host}/"),
                port => format!("https://{host}:{port}/"),
            };
            // Whatever it answers: what is asked of it is a certificate.
            let status = Status::set((2..=5).map(Status::Class));
            let http = Http {
                url,
                method: "GET".to_owned(),
                status,
                keyword: None,
                follow_redirects: Some(false),
                headers: None,
                body: None,
            };
            return Some((Check::Http(http), tls.range.clone()));
        }
        if let Some(tcp) = &entry.tcp {
            let (host, port) = self.host_and_port(tcp, None)?;
            return Some((Check::Tcp { host, port }, tcp.range.clone()));
        }
        if let Some(dns) = &entry.dns {
            return Some((Check::Dns(self.dns(entry, dns)?), dns.range.clone()));
        }
        if let Some(heartbeat) = &entry.heartbeat {
            let grace = entry.grace.as_ref().map(|grace| grace.value.0);
            return Some((Check::Heartbeat(Heartbeat { grace }), heartbeat.range.clone()));
        }
        let ping = entry.ping.as_ref()?;
        let host = self.host(ping, &ping.value)?;
        Some((Check::Ping { host }, ping.range.clone()))
    }

    fn dns(&mut self, entry: &raw::Check, written: &Text) -> Option<Dns> {
        let domain = match DomainName::parse(&written.value) {
            Ok(name) if !name.is_wildcard() => name,
            Ok(_) => {
                self.error("bad-host", &written.range, "a check asks for one name, not a wildcard");
                return None;
            }
            Err(error) => {
                self.error("bad-host", &written.range, error.to_string());
                return None;
            }
        };
        let record = entry.record.as_ref().map_or(RecordType::A, |record| record.value);
        let server = entry.server.as_ref().map(|server| self.host_and_port(server, Some(53)));
        let answers = entry.answers.as_ref().map(|all| {
            let read = all.0.iter().filter_map(|text| self.answer(record, text, &domain));
            read.collect::<BTreeSet<String>>()
        });
        if entry.answers.as_ref().is_some_and(|all| all.0.is_empty()) {
            let at = entry.keys.get("answers").unwrap_or(&entry.at).clone();
            self.error("no-answers", &at, "nothing is named that may be answered");
        }
        let server = match server {
            Some(None) => return None,
            Some(Some((host, port))) => Some(NameServer { host, port }),
            None => None,
        };
        Some(Dns {
            domain: domain.to_string(),
            record,
            answers,
            server,
        })
    }

    /// Data in the form in which it is compared.
    fn answer(&mut self, record: RecordType, text: &Text, domain: &DomainName) -> Option<String> {
        match RecordData::parse(record, &text.value, domain) {
            Ok(data) => Some(data.to_string()),
            Err(error) => {
                self.error("bad-record-data", &text.range, error.to_string());
                None
            }
        }
    }

    fn http(&mut self, entry: &raw::Check, written: &At<url::Url>) -> Http {
        let mut url = written.value.clone();
        url.set_fragment(None);
        let method = entry
            .method
            .as_ref()
            .map_or_else(|| "GET".to_owned(), |method| method.value.to_ascii_uppercase());
        if !["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method.as_str()) {
            let range = entry
                .method
                .as_ref()
                .map_or(&written.range, |method| &method.range)
                .clone();
            self.error(
                "bad-method",
                &range,
                "this is no method to check with: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS",
            );
        }
        let expect = entry.expect.as_ref();
        let statuses = expect.and_then(|expect| expect.status.as_ref());
        let status = match statuses {
            Some(all) => Status::set(all.0.iter().map(|status| status.value)),
            None => Status::set([Status::Class(2)]),
        };
        Http {
            url: url.to_string(),
            status,
            keyword: expect.and_then(|expect| self.keyword(expect)),
            follow_redirects: Some(entry.follow_redirects.as_ref().is_none_or(|follow| follow.value)),
            headers: self.headers(entry),
            body: self.body(entry, &method),
            method,
        }
    }

    fn body(&mut self, entry: &raw::Check, method: &str) -> Option<SentText> {
        let body = entry.body.as_ref()?;
        if matches!(method, "GET" | "HEAD" | "OPTIONS") {
            let at = entry.keys.get("body").unwrap_or(&entry.at).clone();
            self.error(
                "bad-body",
                &at,
                format!("a {method} carries no body: name a `method` such as POST"),
            );
        }
        Some(match body {
            SentValue::Plain(text) => SentText::Plain(text.value.clone()),
            SentValue::Kept(reference) => SentText::Guarded(Guarded::Kept(reference.value.clone())),
        })
    }

    fn keyword(&mut self, expect: &raw::Expect) -> Option<Keyword> {
        let (text, absent) = match (&expect.contains, &expect.lacks) {
            (Some(_), Some(lacks)) => {
                self.error(
                    "one-keyword",
                    &lacks.range,
                    "`contains` and `lacks` exclude each other: make two checks",
                );
                return None;
            }
            (Some(text), None) => (text, false),
            (None, Some(text)) => (text, true),
            (None, None) => return None,
        };
        if text.value.is_empty() {
            self.error("empty-keyword", &text.range, "an empty text is in every answer");
            return None;
        }
        Some(Keyword {
            text: text.value.clone(),
            absent,
            ignore_case: expect.ignore_case.as_ref().map(|ignore| ignore.value),
        })
    }

    fn headers(&mut self, entry: &raw::Check) -> Option<BTreeMap<String, SentText>> {
        let table = entry.headers.as_ref()?;
        let mut all = BTreeMap::new();
        for (name, value) in &table.0 {
            let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            if name.value.is_empty() || !name.value.chars().all(is_token) {
                self.error(
                    "bad-header",
                    &name.range,
                    "this cannot be the name of a header (RFC 9110 §5.1)",
                );
                continue;
            }
            let text = match value {
                SentValue::Plain(text) if text.value.chars().any(char::is_control) => {
                    self.error(
                        "bad-header",
                        &text.range,
                        "a header's value holds no control characters",
                    );
                    continue;
                }
                SentValue::Plain(text) => SentText::Plain(text.value.clone()),
                SentValue::Kept(reference) => SentText::Guarded(Guarded::Kept(reference.value.clone())),
            };
            if all.insert(name.value.to_ascii_lowercase(), text).is_some() {
                self.error("duplicate-header", &name.range, "this header is given twice");
            }
        }
        Some(all)
    }

    fn host(&mut self, text: &Text, host: &str) -> Option<String> {
        if host.parse::<std::net::IpAddr>().is_ok() {
            return Some(host.to_owned());
        }
        match DomainName::parse(host) {
            Ok(name) if !name.is_wildcard() => Some(name.to_string()),
            Ok(_) => {
                self.error("bad-host", &text.range, "a check asks one host, not a wildcard");
                None
            }
            Err(error) => {
                self.error("bad-host", &text.range, error.to_string());
                None
            }
        }
    }

    fn host_and_port(&mut self, text: &Text, usual: Option<u16>) -> Option<(String, u16)> {
        let value = text.value.as_str();
        let (host, port) = match value.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            _ => (value, None),
        };
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let port = match (port, usual) {
            (None, Some(usual)) => Some(usual),
            (None, None) => None,
            (Some(port), _) => port.parse().ok().filter(|port| *port > 0),
        };
        let Some(port) = port else {
            self.error("bad-port", &text.range, "write HOST:PORT with a port from 1 to 65535");
            return None;
        };
        Some((self.host(text, host)?, port))
    }
}
