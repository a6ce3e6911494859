//! What the zone's provider can never hold, on any of its plans: types, proxying, TTLs, comments, tags, lengths.

use std::ops::Range;

use crate::base::diagnostic::Diagnostic;
use crate::base::text;
use crate::model::capability::{Capabilities, TagRules};
use crate::model::record::{RecordType, txt};
use crate::model::ttl::Ttl;
use crate::spec::lower::{DeclaredRecord, DeclaredZone, Findings};

pub(super) fn check(zone: &DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let Some(capabilities) = zone.capabilities else { return };
    for record in &zone.records {
        let mut check = Check {
            capabilities,
            record,
            findings,
        };
        check.kind();
        check.proxied();
        check.ttl();
        check.comment();
        check.tags();
        check.length();
    }
}

struct Check<'a, 'f> {
    capabilities: &'a Capabilities,
    record: &'a DeclaredRecord,
    findings: &'a mut Findings<'f>,
}

impl Check<'_, '_> {
    fn say(&mut self, finding: Diagnostic, range: &Range<usize>) {
        let finding = finding
            .at(self.findings.place(range))
            .about(self.record.address.as_str());
        self.findings.push(finding);
    }

    fn error(&mut self, code: &'static str, range: &Range<usize>, message: String) {
        self.say(Diagnostic::error(code, message), range);
    }

    fn kind(&mut self) {
        let (capabilities, kind) = (self.capabilities, self.record.kind());
        if !capabilities.kinds.contains(&kind) {
            let message = format!("{} keeps no {kind} records", capabilities.title);
            let mut finding = Diagnostic::error("unsupported-type", message);
            if kind == RecordType::Alias {
                finding = finding.help(if capabilities.flattens {
                    "write a CNAME: at the zone's own name it is flattened, and elsewhere it needs no flattening"
                } else {
                    "write the addresses of the target as A and AAAA records, or a CNAME below the zone's own name"
                });
            }
            self.say(finding, &self.record.key("type"));
        }
    }

    fn proxied(&mut self) {
        let (capabilities, kind) = (self.capabilities, self.record.kind());
        if !self.record.record.proxied {
            return;
        }
        let range = self.record.key("proxied");
        if !capabilities.proxies {
            self.error(
                "not-proxiable",
                &range,
                format!("{} has no edge to proxy with", capabilities.title),
            );
        } else if !kind.can_be_proxied() {
            self.error(
                "not-proxiable",
                &range,
                format!("{kind} records cannot be proxied: only A, AAAA and CNAME can"),
            );
        } else if self.record.keys.contains_key("ttl") && self.record.record.ttl != Ttl::Auto {
            let message = "a proxied record has the provider's own TTL: this one has no effect";
            self.say(Diagnostic::warning("ttl-of-proxied", message), &self.record.key("ttl"));
        }
    }

    fn ttl(&mut self) {
        let bounds = &self.capabilities.ttl;
        if let Ttl::Seconds(seconds) = self.record.record.ttl
            && !self.record.record.proxied
            && !bounds.contains(&seconds)
        {
            let message = format!(
                "a TTL of {} is outside what {} takes: auto, or {} to {}",
                Ttl::Seconds(seconds),
                self.capabilities.title,
                Ttl::Seconds(*bounds.start()),
                Ttl::Seconds(*bounds.end())
            );
            self.error("ttl-out-of-range", &self.record.key("ttl"), message);
        }
    }

    fn comment(&mut self) {
        let Some(comment) = self
            .record
            .record
            .comment
            .as_deref()
            .filter(|comment| !comment.is_empty())
        else {
            return;
        };
        let range = self.record.key("comment");
        let title = self.capabilities.title;
        let length = comment.chars().count();
        match self.capabilities.comment {
            None => self.error("no-comments", &range, format!("{title} keeps no comments with records")),
            Some(most) if length > most => {
                let message =
                    format!("the comment has {length} characters; {title} takes {most} at most, fewer on small plans");
                self.error("comment-too-long", &range, message);
            }
            Some(_) if comment.chars().any(char::is_control) => {
                self.error(
                    "bad-comment",
                    &range,
                    "a comment is one line, without control characters".to_owned(),
                );
            }
            Some(_) => {}
        }
    }

    fn tags(&mut self) {
        let Some(tags) = self.record.record.tags.as_ref().filter(|tags| !tags.is_empty()) else {
            return;
        };
        let range = self.record.key("tags");
        let title = self.capabilities.title;
        let Some(rules) = self.capabilities.tags else {
            self.error("no-tags", &range, format!("{title} keeps no tags with records"));
            return;
        };
        if tags.len() > rules.most {
            let message = format!(
                "the record has {} tags; {title} takes {} at most",
                tags.len(),
                rules.most
            );
            self.error("too-many-tags", &range, message);
        }
        for tag in tags {
            if let Some(why) = wrong_with_tag(tag, rules) {
                let shown = text::shorten(&text::sanitize(tag), 60);
                self.error("bad-tag", &range, format!("the tag `{shown}` is not taken: {why}"));
            }
        }
    }

    fn length(&mut self) {
        let longest = self.capabilities.longest_record;
        let Some(length) = self.record.record.data.txt().map(txt::wire_length) else {
            return;
        };
        if length > longest {
            let message = format!(
                "the text takes {} octets in DNS; {} takes {}",
                text::grouped(length),
                self.capabilities.title,
                text::grouped(longest)
            );
            self.error("text-too-long", &self.record.value.clone(), message);
        }
    }
}

fn wrong_with_tag(tag: &str, rules: TagRules) -> Option<String> {
    let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(is_name) {
        return Some("a name holds letters, digits, hyphens and underscores".to_owned());
    }
    if name.len() > rules.name {
        return Some(format!("a name has {} characters at most", rules.name));
    }
    if value.chars().count() > rules.value {
        return Some(format!("a value has {} characters at most", rules.value));
    }
    if value.chars().any(char::is_control) {
        return Some("it holds control characters".to_owned());
    }
    name.to_ascii_lowercase()
        .starts_with(rules.reserved)
        .then(|| format!("names that begin with `{}` are the provider's own", rules.reserved))
}
