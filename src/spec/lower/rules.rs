//! Redirects and rules: each compiled through the provider's own doors, each named, in the order of the file.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{DeclaredRule, DeclaredZone, Findings, edge, matching};
use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::model::capability::{CompiledRedirect, Edge};
use crate::model::matching::UrlGlob;
use crate::model::rule::{Destination, HeaderChange, Lifetime, Place, Rule, RuleAction, RuleKind, slug};
use crate::spec::basic::Table;
use crate::spec::raw;
use crate::spec::raw_edge::{CacheRule, ConfigRule, FirewallRule, HeaderRule, Match, RateLimit, Redirect};
use crate::spec::shape::{At, Text, one_of};

/// Where a redirect starts, and where that is written.
type Start = (UrlGlob, Range<usize>);

/// Which requests a rule is about: compiled, and as it was said.
struct Requests {
    expression: String,
    from: Option<Start>,
    leads_to: Option<String>,
    matching: Option<matching::Match>,
}

/// What is the same in every kind of rule.
struct Head<'r> {
    kind: RuleKind,
    rank: usize,
    name: Option<&'r Text>,
    reference: Option<&'r Text>,
    enabled: Option<&'r At<bool>>,
    at: &'r Range<usize>,
}

/// Lowers all rules of a zone.
pub(super) fn zone(raw: &raw::Zone, edge: &'static Edge, zone: &mut DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let mut lower = Lower { edge, zone, findings };
    for (rank, rule) in raw.redirects.iter().flatten().enumerate() {
        lower.redirect(rank, rule);
    }
    for (rank, rule) in raw.cache.iter().flatten().enumerate() {
        lower.cache(rank, rule);
    }
    for (kind, rules) in [
        (RuleKind::Header, &raw.headers),
        (RuleKind::RequestHeader, &raw.request_headers),
    ] {
        for (rank, rule) in rules.iter().flatten().enumerate() {
            lower.headers(kind, rank, rule);
        }
    }
    for (rank, rule) in raw.rate_limits.iter().flatten().enumerate() {
        lower.rate_limit(rank, rule);
    }
    for (rank, rule) in raw.firewall.iter().flatten().enumerate() {
        lower.firewall(rank, rule);
    }
    for (rank, rule) in raw.config_rules.iter().flatten().enumerate() {
        lower.config(rank, rule);
    }
}

struct Lower<'a, 'z, 'f> {
    edge: &'static Edge,
    zone: &'a mut DeclaredZone<'z>,
    findings: &'a mut Findings<'f>,
}

impl Lower<'_, '_, '_> {
    /// Takes a rule up, unless its name stands in the way.
    fn push(&mut self, head: &Head<'_>, requests: Requests, action: RuleAction, to: &Range<usize>) {
        let Requests {
            expression,
            from,
            leads_to,
            matching,
        } = requests;
        let Some(name) = head.name else { return };
        let (key, reference) = match head.reference {
            // What it bears tells it from others, so that its name is free.
            Some(text) => (self.edge.mark)(head.kind, &text.value),
            None => (slug(&name.value), None),
        };
        if let Some(text) = head.reference.filter(|text| !is_reference(&text.value)) {
            let words = "what a rule bears is a text of 1 to 255 characters, as the provider shows it";
            self.findings.error("bad-ref", &text.range, words.to_owned());
            return;
        }
        if key.is_empty() || name.value.chars().any(char::is_control) {
            let words = "a name holds a letter or a digit at least, in one line";
            self.findings.error("bad-name", &name.range, words.to_owned());
            return;
        }
        let same = |known: &&DeclaredRule| known.rule.kind == head.kind && known.rule.key == key;
        if let Some(first) = self.zone.rules.iter().find(same) {
            let finding = Diagnostic::error(
                "duplicate-rule",
                format!("there is already a {} called so", head.kind.noun()),
            )
            .at(self.findings.place(&name.range))
            .label("the second time")
            .related(self.findings.place(&first.name), "the first time");
            self.findings.push(finding);
            return;
        }
        let length = expression.chars().count();
        if length > self.edge.longest_expression {
            let most = text::grouped(self.edge.longest_expression);
            let words = format!(
                "its expression has {} characters; {most} are taken",
                text::grouped(length)
            );
            self.findings.error("expression-too-long", head.at, words);
            return;
        }
        let canonical = (self.edge.canonical)(&expression);
        self.zone.rules.push(DeclaredRule {
            rule: Rule {
                zone: self.zone.name.clone(),
                kind: head.kind,
                key,
                name: name.value.clone(),
                reference,
                writing: (canonical != expression).then_some(expression),
                expression: canonical,
                enabled: head.enabled.is_none_or(|enabled| enabled.value),
                action,
                place: Some(Place::Declared(head.rank)),
            },
            name: name.range.clone(),
            from,
            leads_to,
            matching,
            to: to.clone(),
        });
    }

    /// Exactly one of two keys.
    fn one_of_two(
        &mut self,
        keys: &BTreeMap<&'static str, Range<usize>>,
        at: &Range<usize>,
        [first, second]: [&str; 2],
    ) -> bool {
        match (keys.get(first), keys.get(second)) {
            (Some(one), Some(other)) => {
                let finding = Diagnostic::error(
                    "exclude-each-other",
                    format!("`{first}` and `{second}` exclude each other"),
                )
                .at(self.findings.place(other))
                .related(self.findings.place(one), "the other one");
                self.findings.push(finding);
                false
            }
            (None, None) => {
                let finding = Diagnostic::error("missing-key", format!("the key `{first}` is missing"))
                    .at(self.findings.place(at))
                    .label(format!("`{first}`, or `{second}`, belongs here"));
                self.findings.push(finding);
                false
            }
            _ => true,
        }
    }

    fn matching(&mut self, raw: Option<&Match>) -> Option<Requests> {
        let lowered = matching::lower(raw?, self.zone, self.findings)?;
        Some(self.compiled_match(lowered))
    }

    fn compiled_match(&self, matching: matching::Match) -> Requests {
        Requests {
            expression: (self.edge.matching)(&matching),
            from: None,
            leads_to: None,
            matching: Some(matching),
        }
    }

    fn redirect(&mut self, rank: usize, raw: &Redirect) {
        let from_is_said = self.one_of_two(&raw.keys, &raw.at, ["from", "expression"]);
        let to_is_said = self.one_of_two(&raw.keys, &raw.at, ["to", "to_expression"]);
        if let Some(to) = &raw.to
            && !["https://", "http://", "${"]
                .iter()
                .any(|start| to.value.starts_with(start))
        {
            let finding = Diagnostic::error("bad-target", "a redirect leads to a whole URL")
                .at(self.findings.place(&to.range))
                .label("write https://HOST/PATH");
            self.findings.push(finding);
            return;
        }
        let Some(status) = &raw.status else { return };
        if !from_is_said || !to_is_said {
            return;
        }
        let keep_query = raw.keep_query.as_ref().is_some_and(|keep| keep.value);
        let Some((compiled, from)) = self.compiled(raw, keep_query) else {
            return;
        };
        let head = Head {
            kind: RuleKind::Redirect,
            rank,
            name: raw.name.as_ref(),
            reference: raw.reference.as_ref(),
            enabled: raw.enabled.as_ref(),
            at: &raw.at,
        };
        let action = RuleAction::Redirect {
            to: compiled.to,
            status: status.value.0,
            keep_query: compiled.keep_query,
        };
        let to = raw.to.as_ref().or(raw.to_expression.as_ref());
        let to = to.map_or(&raw.at, |to| &to.range);
        let requests = Requests {
            expression: compiled.expression,
            leads_to: raw.to.as_ref().filter(|_| from.is_some()).map(|to| to.value.clone()),
            from,
            matching: None,
        };
        self.push(&head, requests, action, to);
    }

    fn compiled(&mut self, raw: &Redirect, keep_query: bool) -> Option<(CompiledRedirect, Option<Start>)> {
        let by_expression = match &raw.to_expression {
            Some(text) => Some(Destination::Expression(matching::expression(text, self.findings)?)),
            None => None,
        };
        if let Some(from) = &raw.from {
            let glob = self.glob(from)?;
            let to = raw.to.as_ref().map_or("", |to| to.value.as_str());
            let mut compiled = match (self.edge.redirect)(&glob, to, keep_query) {
                Ok(compiled) => compiled,
                Err(why) => {
                    let at = raw.to.as_ref().unwrap_or(from);
                    self.findings.error("bad-redirect", &at.range, why);
                    return None;
                }
            };
            if let Some(destination) = by_expression {
                compiled.to = destination;
            }
            return Some((compiled, Some((glob, from.range.clone()))));
        }
        let expression = matching::expression(raw.expression.as_ref()?, self.findings)?;
        let to = match (by_expression, &raw.to) {
            (Some(destination), _) => destination,
            (None, Some(to)) if to.value.contains("${") => {
                let words = "captures stand for the stars of `from`: with an `expression`, write `to_expression`";
                self.findings.error("bad-redirect", &to.range, words.to_owned());
                return None;
            }
            (None, to) => Destination::Url(to.as_ref()?.value.clone()),
        };
        let compiled = CompiledRedirect {
            expression,
            to,
            keep_query,
        };
        Some((compiled, None))
    }

    fn glob(&mut self, from: &Text) -> Option<UrlGlob> {
        let mut glob = match UrlGlob::parse(&from.value) {
            Ok(glob) => glob,
            Err(why) => {
                self.findings.error("bad-url", &from.range, why);
                return None;
            }
        };
        glob.host = matching::host(from, &glob.host, self.zone, self.findings)?;
        Some(glob)
    }

    fn cache(&mut self, rank: usize, raw: &CacheRule) {
        let yes = |flag: &Option<At<bool>>| flag.as_ref().is_some_and(|flag| flag.value);
        let Some(meant) = self.matching(raw.matching.as_ref()) else {
            return;
        };
        let bypass = yes(&raw.bypass);
        let usual = yes(&raw.respect_origin).then_some(Lifetime::RespectOrigin);
        let mut lifetime = |said: &Option<At<Lifetime>>, wrong: Lifetime, words: &str| {
            if let Some(said) = said.as_ref().filter(|said| said.value == wrong) {
                self.findings.error("wrong-value", &said.range, words.to_owned());
            }
            said.as_ref().map(|said| said.value).or(usual)
        };
        let edge = lifetime(
            &raw.edge_ttl,
            Lifetime::Bypass,
            "`bypass` is for `browser_ttl`: what the edge shall never keep has `bypass: true` in the rule",
        );
        let browser = lifetime(
            &raw.browser_ttl,
            Lifetime::OriginOrNot,
            "`origin_or_not` is for `edge_ttl`: a browser has a duration, respect_origin or bypass",
        );
        if bypass && (edge.is_some() || browser.is_some()) {
            let words = "what is never cached has no lifetime: `bypass` excludes the others";
            self.findings.error(
                "exclude-each-other",
                raw.keys.get("bypass").unwrap_or(&raw.at),
                words.to_owned(),
            );
            return;
        }
        let says = ["bypass", "edge_ttl", "browser_ttl", "respect_origin"];
        if !says.iter().any(|key| raw.keys.contains_key(key)) {
            let words = "it does nothing: say `edge_ttl`, `browser_ttl`, `respect_origin` or `bypass`";
            self.findings.error("empty-rule", &raw.at, words.to_owned());
            return;
        }
        let head = Head {
            kind: RuleKind::Cache,
            rank,
            name: raw.name.as_ref(),
            reference: raw.reference.as_ref(),
            enabled: raw.enabled.as_ref(),
            at: &raw.at,
        };
        let action = RuleAction::Cache {
            eligible: Some(!bypass),
            edge,
            browser,
        };
        self.push(&head, meant, action, &raw.at);
    }

    fn headers(&mut self, kind: RuleKind, rank: usize, raw: &HeaderRule) {
        let meant = match (&raw.matching, raw.keys.contains_key("match")) {
            (Some(matching), _) => self.matching(Some(matching)),
            (None, false) => Some(self.compiled_match(matching::Match::default())),
            (None, true) => None,
        };
        let mut changes: BTreeMap<String, HeaderChange> = BTreeMap::new();
        let mut places: BTreeMap<String, Range<usize>> = BTreeMap::new();
        let mut said: Vec<(&Text, HeaderChange)> = Vec::new();
        let none = Table(Vec::new());
        let table = |table: &Option<Table<Text>>| table.clone().unwrap_or(none.clone()).0;
        let (set, computed, add) = (table(&raw.set), table(&raw.set_expression), table(&raw.add));
        said.extend(
            set.iter()
                .map(|(name, value)| (name, HeaderChange::Set(value.value.clone()))),
        );
        said.extend(
            computed
                .iter()
                .map(|(name, value)| (name, HeaderChange::SetExpression(value.value.clone()))),
        );
        said.extend(
            add.iter()
                .map(|(name, value)| (name, HeaderChange::Add(value.value.clone()))),
        );
        said.extend(raw.remove.iter().flatten().map(|name| (name, HeaderChange::Remove)));
        for (name, change) in said {
            if let Some(why) = header_objection(&name.value, &change) {
                self.findings.error("bad-header", &name.range, why);
                continue;
            }
            // Header names know no case (RFC 9110 §5.1).
            if let Some(first) = places.insert(name.value.to_ascii_lowercase(), name.range.clone()) {
                let shown = text::sanitize(&name.value);
                let finding = Diagnostic::error("header-twice", format!("the header `{shown}` is spoken of twice"))
                    .at(self.findings.place(&name.range))
                    .related(self.findings.place(&first), "the first time");
                self.findings.push(finding);
                continue;
            }
            changes.insert(name.value.clone(), change);
        }
        if changes.is_empty() {
            if places.is_empty()
                && !["set", "set_expression", "add", "remove"]
                    .iter()
                    .any(|key| raw.keys.contains_key(key))
            {
                let words = "it does nothing: say `set`, `add` or `remove`";
                self.findings.error("empty-rule", &raw.at, words.to_owned());
            }
            return;
        }
        let Some(meant) = meant else { return };
        let head = Head {
            kind,
            rank,
            name: raw.name.as_ref(),
            reference: raw.reference.as_ref(),
            enabled: raw.enabled.as_ref(),
            at: &raw.at,
        };
        self.push(&head, meant, RuleAction::Headers { changes }, &raw.at);
    }

    /// A word of the provider's, one of those that can stand here.
    fn verdict(&mut self, said: Option<&Text>, known: &[&str]) -> Option<String> {
        let Some(text) = said else {
            return Some("block".to_owned());
        };
        if known.contains(&text.value.as_str()) {
            return Some(text.value.clone());
        }
        let shown = text::shorten(&text::sanitize(&text.value), 60);
        let label = match text::nearest(&text.value, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected {}", one_of(known)),
        };
        let finding = Diagnostic::error(
            "wrong-value",
            format!("`{shown}` is nothing that can be done with a request"),
        )
        .at(self.findings.place(&text.range))
        .label(label);
        self.findings.push(finding);
        None
    }

    fn rate_limit(&mut self, rank: usize, raw: &RateLimit) {
        let meant = self.matching(raw.matching.as_ref());
        let verdict = self.verdict(raw.action.as_ref(), self.edge.limit_verdicts);
        let (Some(requests), Some(per), Some(block_for)) = (&raw.requests, &raw.per, &raw.block_for) else {
            return;
        };
        let (Some(meant), Some(verdict)) = (meant, verdict) else {
            return;
        };
        let mut by: Vec<String> = match &raw.by {
            Some(by) if !by.is_empty() => by.iter().map(|what| what.value.clone()).collect(),
            _ => self.edge.limit_by.iter().map(|what| (*what).to_owned()).collect(),
        };
        by.sort();
        by.dedup();
        let head = Head {
            kind: RuleKind::RateLimit,
            rank,
            name: raw.name.as_ref(),
            reference: raw.reference.as_ref(),
            enabled: raw.enabled.as_ref(),
            at: &raw.at,
        };
        let action = RuleAction::Limit {
            verdict,
            by,
            requests: requests.value,
            period: per.value.0,
            block_for: block_for.value.0,
        };
        self.push(&head, meant, action, &per.range);
    }

    fn firewall(&mut self, rank: usize, raw: &FirewallRule) {
        let meant = self.matching(raw.matching.as_ref());
        let Some(action) = &raw.action else { return };
        let verdict = self.verdict(Some(action), self.edge.verdicts);
        let (Some(meant), Some(verdict)) = (meant, verdict) else {
            return;
        };
        let head = Head {
            kind: RuleKind::Firewall,
            rank,
            name: raw.name.as_ref(),
            reference: raw.reference.as_ref(),
            enabled: raw.enabled.as_ref(),
            at: &raw.at,
        };
        self.push(&head, meant, RuleAction::Filter { verdict }, &action.range);
    }

    fn config(&mut self, rank: usize, raw: &ConfigRule) {
        let meant = self.matching(raw.matching.as_ref());
        let Some(set) = &raw.set else { return };
        let mut settings = BTreeMap::new();
        let mut is_right = true;
        for (id, value) in &set.0 {
            let Some(form) = edge::form(self.edge.configuration, id, self.zone, self.findings) else {
                is_right = false;
                continue;
            };
            match form.values.canonical(&value.value) {
                Ok(canonical) => {
                    settings.insert(form.id.to_owned(), canonical);
                }
                Err(why) => {
                    is_right = false;
                    self.findings
                        .error("bad-setting", &value.range, format!("`{}`: {why}", form.id));
                }
            }
        }
        if set.0.is_empty() {
            self.findings.error("empty-rule", &raw.at, "it sets nothing".to_owned());
        }
        let Some(meant) = meant.filter(|_| is_right && !settings.is_empty()) else {
            return;
        };
        let head = Head {
            kind: RuleKind::Config,
            rank,
            name: raw.name.as_ref(),
            reference: raw.reference.as_ref(),
            enabled: raw.enabled.as_ref(),
            at: &raw.at,
        };
        self.push(&head, meant, RuleAction::Configure { settings }, &raw.at);
    }
}

/// Whether a rule can bear this.
fn is_reference(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control)
}

/// What is wrong with a header's name or value (RFC 9110 §5.1, §5.5).
fn header_objection(name: &str, change: &HeaderChange) -> Option<String> {
    let is_token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Some(format!(
            "`{}` cannot be the name of a header",
            text::shorten(&text::sanitize(name), 60)
        ));
    }
    match change {
        HeaderChange::Set(value) | HeaderChange::SetExpression(value) | HeaderChange::Add(value) => {
            if value.trim().is_empty() {
                Some("a header without a value is written under `remove`".to_owned())
            } else if value.chars().any(char::is_control) {
                Some("the value of a header is one line".to_owned())
            } else {
                None
            }
        }
        HeaderChange::Remove => None,
    }
}
