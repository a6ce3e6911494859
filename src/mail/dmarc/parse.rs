//! Policy records read (RFC 9989 §4.7, §4.8).

use super::uri::{ReportUri, UriProblem};
use super::{Alignment, Kind, Policy, PublicSuffix, Record};
use crate::base::text;
use crate::mail::issue::Issue;
use crate::mail::tags::{Names, Tag, TagList, split_list};

/// How many report addresses are read; old reporters may stop at two.
const MOST_ADDRESSES: usize = 64;

/// Whether a TXT value is a policy record: `v` stands first and says exactly `DMARC1` (RFC 9989 §4.7).
pub fn is_dmarc(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    // The first pair alone decides: what follows it may be anything.
    let first = text.split(';').next().unwrap_or_default();
    TagList::parse(first, Names::AnyCase)
        .first()
        .is_some_and(|tag| tag.is("v") && tag.value == "DMARC1")
}

/// Whether a TXT value is no policy record and was meant to be one: the version is not first, or in another case.
pub fn looks_like_dmarc(value: &[u8]) -> bool {
    if is_dmarc(value) {
        return false;
    }
    let lower = String::from_utf8_lossy(value).to_ascii_lowercase();
    let packed: String = lower.chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
    packed.contains("v=dmarc")
        || packed.starts_with("p=none")
        || packed.starts_with("p=reject")
        || packed.starts_with("p=quarantine")
}

/// Reads the value of a TXT record; `None` when it is no policy record.
pub fn parse_value(value: &[u8]) -> Option<Record> {
    is_dmarc(value).then(|| parse(&String::from_utf8_lossy(value)))
}

/// Reads a policy record. Everything that is wrong is an issue; wrong values become their defaults (RFC 9989 §4.8).
pub fn parse(text: &str) -> Record {
    let mut record = Record {
        text: text.to_owned(),
        policy: None,
        subdomains: None,
        nonexistent: None,
        is_testing: false,
        public_suffix: PublicSuffix::Unsaid,
        dkim: Alignment::Relaxed,
        spf: Alignment::Relaxed,
        failure_options: Vec::new(),
        aggregate: Vec::new(),
        failure: Vec::new(),
        percent: None,
        has_bad_policy: false,
        issues: Vec::new(),
    };
    let list = TagList::parse(text, Names::AnyCase);
    for error in &list.errors {
        record.syntax(error.span.clone(), error.message.clone(), None);
    }
    record.version(&list);
    record.policies(&list);
    record.modes(&list);
    record.failure_options(&list);
    record.aggregate = record.addresses(&list, "rua");
    record.failure = record.addresses(&list, "ruf");
    record.removed(&list);
    record.unknown(&list);
    record.issues.sort_by_key(|issue| issue.span.start);
    record
}

const KNOWN: [&str; 14] = [
    "v", "p", "sp", "np", "t", "psd", "adkim", "aspf", "fo", "rua", "ruf", "pct", "rf", "ri",
];

impl Record {
    fn syntax(&mut self, span: std::ops::Range<usize>, message: impl Into<String>, help: Option<String>) {
        let mut issue = Issue::error(Kind::Syntax, span, message);
        issue.help = help;
        self.issues.push(issue);
    }

    fn version(&mut self, list: &TagList) {
        let first = list.first().filter(|tag| tag.is("v") && tag.value == "DMARC1");
        if first.is_some() {
            return;
        }
        let (span, message) = match list.get("v") {
            Some(tag) if tag.value != "DMARC1" => (
                tag.value_span.clone(),
                "the version is exactly `DMARC1`: receivers ignore the whole record (RFC 9989 §4.7)",
            ),
            Some(tag) => (
                tag.span.clone(),
                "`v` must be the first tag: receivers ignore the whole record (RFC 9989 §4.7)",
            ),
            None => (
                0..self.text.len(),
                "`v=DMARC1` is missing: receivers ignore the whole record (RFC 9989 §4.7)",
            ),
        };
        self.syntax(span, message, Some("begin the record with v=DMARC1;".to_owned()));
    }

    fn policies(&mut self, list: &TagList) {
        self.policy = self.request(list, "p");
        self.subdomains = self.request(list, "sp");
        self.nonexistent = self.request(list, "np");
        match list.get("p") {
            None => {
                let message = "`p` is missing and counts as none; readers of RFC 7489 ignore the record without it";
                let issue = Issue::warning(Kind::Syntax, 0..self.text.len(), message);
                self.issues
                    .push(issue.help("write p=none, p=quarantine or p=reject after v=DMARC1;"));
            }
            Some(tag) if list.tags.get(1) != Some(tag) => {
                let message = "`p` does not stand second, where readers of RFC 7489 look for it (RFC 7489 §6.3)";
                self.issues.push(Issue::note(Kind::Unusual, tag.span.clone(), message));
            }
            Some(_) => {}
        }
    }

    fn request(&mut self, list: &TagList, name: &str) -> Option<Policy> {
        let tag = list.get(name)?;
        let policy = Policy::from_word(&tag.value);
        if policy.is_none() {
            self.has_bad_policy = true;
            let message = format!(
                "`{name}={}` is no policy: with a usable `rua` the record counts as p=none, without one as no record (RFC 9989 §4.10.1)",
                shown(&tag.value)
            );
            let near = text::nearest(&tag.value, ["none", "quarantine", "reject"]);
            let help = near.map_or("none, quarantine or reject".to_owned(), |near| {
                format!("did you mean {near}?")
            });
            self.syntax(tag.value_span.clone(), message, Some(help));
        }
        policy
    }

    fn modes(&mut self, list: &TagList) {
        self.is_testing = self.choice(list, "t", &[("y", true), ("n", false)], false);
        self.public_suffix = self.choice(
            list,
            "psd",
            &[
                ("y", PublicSuffix::Yes),
                ("n", PublicSuffix::No),
                ("u", PublicSuffix::Unsaid),
            ],
            PublicSuffix::Unsaid,
        );
        let alignments = [("r", Alignment::Relaxed), ("s", Alignment::Strict)];
        self.dkim = self.choice(list, "adkim", &alignments, Alignment::Relaxed);
        self.spf = self.choice(list, "aspf", &alignments, Alignment::Relaxed);
    }

    fn choice<T: Copy>(&mut self, list: &TagList, name: &str, choices: &[(&str, T)], default: T) -> T {
        let Some(tag) = list.get(name) else {
            return default;
        };
        if let Some((_, value)) = choices.iter().find(|(word, _)| tag.value.eq_ignore_ascii_case(word)) {
            return *value;
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let message = format!(
            "`{name}={}` has no meaning and counts as its default (RFC 9989 §4.8)",
            shown(&tag.value)
        );
        let issue = Issue::warning(Kind::Syntax, tag.value_span.clone(), message);
        self.issues
            .push(issue.help(format!("{name} is one of {}", text::list(&words))));
        default
    }

    /// `0` and `1` exclude each other, `d` and `s` stand once each, and all of it needs `ruf` (RFC 9989 §4.7).
    fn failure_options(&mut self, list: &TagList) {
        let Some(tag) = list.get("fo") else {
            return;
        };
        let mut options = Vec::new();
        let mut wrong = None;
        for (word, span) in split_list(&self.text, &tag.value_span, ':') {
            let option = word.to_ascii_lowercase().chars().next().filter(|_| word.len() == 1);
            match option {
                Some(option @ ('0' | '1' | 'd' | 's')) if !options.contains(&option) => options.push(option),
                _ => wrong = Some(span),
            }
        }
        if options.contains(&'0') && options.contains(&'1') {
            wrong = Some(tag.value_span.clone());
        }
        match wrong {
            Some(span) => {
                let message = "`fo` is a list of 0 or 1, d and s between colons, each once (RFC 9989 §4.7)";
                self.issues.push(Issue::warning(Kind::Syntax, span, message));
            }
            None => self.failure_options = options,
        }
        if list.get("ruf").is_none() {
            let message = "`fo` has no effect without `ruf` (RFC 9989 §4.7)";
            self.issues.push(Issue::note(Kind::Unusual, tag.span.clone(), message));
        }
    }

    fn addresses(&mut self, list: &TagList, name: &str) -> Vec<ReportUri> {
        let Some(tag) = list.get(name) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for (text, span) in split_list(&self.text, &tag.value_span, ',')
            .into_iter()
            .take(MOST_ADDRESSES)
        {
            let uri = ReportUri::parse(&text, span);
            for problem in &uri.problems {
                self.issues.push(address_issue(&uri, problem));
            }
            out.push(uri);
        }
        if out.len() > 2 {
            let message = format!(
                "`{name}` has {} addresses; old reporters may send to the first two only",
                out.len()
            );
            self.issues
                .push(Issue::warning(Kind::ReportAddress, tag.span.clone(), message));
        }
        out
    }

    /// `pct`, `rf` and `ri` are gone (RFC 9989 App. C.5).
    fn removed(&mut self, list: &TagList) {
        for name in ["pct", "rf", "ri"] {
            let Some(tag) = list.get(name) else {
                continue;
            };
            let message = format!("RFC 9989 has no `{name}`: new receivers ignore it, old ones obey it");
            let issue = Issue::warning(Kind::Removed, tag.span.clone(), message);
            let percent = tag.value.parse::<u8>().ok().filter(|percent| *percent <= 100);
            self.issues.push(match (name, percent) {
                ("pct", Some(0)) => issue.help("write t=y instead"),
                ("pct", Some(1..=99)) => issue.help("shares were never applied reliably: choose t=y or leave it out"),
                _ => issue.help("leave it out"),
            });
            if name == "pct" {
                self.percent = percent;
            }
        }
    }

    fn unknown(&mut self, list: &TagList) {
        let unknown: Vec<&Tag> = list
            .tags
            .iter()
            .filter(|tag| !KNOWN.iter().any(|known| tag.is(known)))
            .collect();
        for tag in unknown {
            let message = format!("receivers ignore `{}`: RFC 9989 has no such tag", shown(&tag.name));
            let issue = Issue::note(Kind::Unusual, tag.span.clone(), message);
            self.issues.push(match text::nearest(&tag.name, KNOWN) {
                Some(near) => issue.help(format!("did you mean {near}?")),
                None => issue,
            });
        }
    }
}

fn address_issue(uri: &ReportUri, problem: &UriProblem) -> Issue<Kind> {
    let address = shown(&uri.text);
    let span = uri.span.clone();
    match problem {
        UriProblem::NoScheme => {
            let issue = Issue::error(
                Kind::ReportAddress,
                span,
                format!("`{address}` is no URI: receivers ignore it"),
            );
            issue.help(format!("write mailto:{address}"))
        }
        UriProblem::Scheme(scheme) => {
            let message = format!(
                "reporters need not know `{}:`; only mailto is sure (RFC 9989 §4.7)",
                shown(scheme)
            );
            Issue::error(Kind::ReportAddress, span, message)
        }
        UriProblem::Address => Issue::error(Kind::ReportAddress, span, format!("`{address}` is no mail address")),
        UriProblem::Exclamation => Issue::error(
            Kind::ReportAddress,
            span,
            "a `!` in an address is written %21 (RFC 9989 §4.8)",
        ),
        UriProblem::Size(size) => {
            let message = format!("RFC 9989 ignores sizes in addresses: `!{}`", shown(size));
            Issue::warning(Kind::Removed, span, message).help(format!("write {address}"))
        }
    }
}

fn shown(value: &str) -> String {
    text::shorten(&text::sanitize(value), 80)
}
