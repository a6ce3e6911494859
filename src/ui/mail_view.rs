//! A domain's mail as people read it: the SPF tree drawn, findings with what was seen and what to do, an evaluation step
//! by step, a new key. Everything that came out of DNS is made safe here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::base::diagnostic::Severity;
use crate::base::text::{self, sanitize};
use crate::mail::findings::Finding;
use crate::mail::spf::MOST_LOOKUPS;
use crate::mail::spf::analyse::{Analysis, Branch, State};
use crate::mail::spf::trace::{RecordTrace, Step};
use crate::mail::spf::{Evaluation, Outcome};
use crate::ops::dkim::{Keep, NewKey, item};
use crate::ops::mail::Checked;
use crate::ui::canvas::{Canvas, Look, Words, style};

/// More terms of one record than this are only counted.
const MOST_TERMS: usize = 60;
/// Deeper than this nothing is drawn: the limit of ten lookups is long passed.
const DEEPEST: usize = 12;

/// A check.
pub fn check(checked: &Checked, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    let by = if checked.is_declared { ", against the spec" } else { "" };
    let head = Words::of(style::BOLD, checked.domain.to_string()).and(
        style::DIM,
        format!(
            "  asked of {} at {}{by}",
            checked.resolver,
            checked.at.strftime("%Y-%m-%d %H:%M:%SZ")
        ),
    );
    canvas.line(&head, 2);
    for note in &checked.notes {
        canvas.line(&Words::of(style::WARN, "  note: ").and(style::PLAIN, sanitize(note)), 8);
    }
    for spf in &checked.facts.spf {
        canvas.gap();
        tree(spf.name.as_str(), &spf.analysis, &mut canvas);
    }
    if !checked.judgement.findings.is_empty() {
        canvas.gap();
        for one in &checked.judgement.findings {
            finding(one, checked.is_accepted(one), &mut canvas);
        }
    }
    if !checked.judgement.unknown.is_empty() {
        canvas.gap();
        canvas.line(&Words::of(style::BOLD, "Could not be judged"), 2);
        for (why, kinds) in by_reason(checked) {
            let words = Words::of(style::PLAIN, format!("  {}", sanitize(why)))
                .and(style::WARN, format!("  {}", kinds.join(" ")));
            canvas.line(&words, 6);
        }
    }
    canvas.gap();
    canvas.line(&last_line(checked), 2);
    if checked.is_declared && !checked.judgement.findings.is_empty() {
        let words = "What the spec declares, `launchctl apply` publishes: `launchctl plan` shows what is not live yet.";
        canvas.line(&Words::of(style::HELP, words), 2);
    }
    canvas.finish()
}

/// What could not be judged, by what was not answered: one answer that is missing leaves much open.
fn by_reason(checked: &Checked) -> Vec<(&str, Vec<&str>)> {
    let mut out: Vec<(&str, Vec<&str>)> = Vec::new();
    for unknown in &checked.judgement.unknown {
        match out.iter_mut().find(|(why, _)| *why == unknown.why) {
            Some((_, kinds)) => kinds.push(unknown.id),
            None => out.push((&unknown.why, vec![unknown.id])),
        }
    }
    out
}

fn last_line(checked: &Checked) -> Words {
    let counts: Vec<String> = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "note"),
    ]
    .into_iter()
    .map(|(severity, noun)| (checked.count(severity), noun))
    .filter(|(number, _)| *number > 0)
    .map(|(number, noun)| text::count(number, noun))
    .collect();
    let kinds: BTreeSet<&str> = checked.judgement.unknown.iter().map(|unknown| unknown.id).collect();
    let unknown = kinds.len();
    let open = match unknown {
        0 => String::new(),
        number => format!(" {} could not be judged.", text::count(number, "thing")),
    };
    let colour = match (checked.count(Severity::Error), unknown) {
        (0, 0) => style::GOOD,
        (0, _) => style::WARN,
        _ => style::BAD,
    };
    let line = if counts.is_empty() {
        "Nothing is wrong.".to_owned()
    } else {
        format!("{}.", text::list(&counts))
    };
    Words::of(colour, format!("{line}{open}"))
}

fn finding(one: &Finding, is_accepted: bool, canvas: &mut Canvas) {
    let (word, colour) = match one.severity {
        _ if is_accepted => ("meant  ", style::DIM),
        Severity::Error => ("error  ", style::BAD),
        Severity::Warning => ("warning", style::WARN),
        Severity::Info => ("note   ", style::HELP),
    };
    let words = Words::of(colour, word).and(style::BOLD, format!("  {}", one.id)).and(
        style::PLAIN,
        format!("  {}: {}", sanitize(&one.name), sanitize(&one.message)),
    );
    canvas.line(&words, 9);
    if is_accepted {
        return;
    }
    for seen in &one.evidence {
        canvas.line(&Words::of(style::DIM, format!("         seen  {}", sanitize(seen))), 15);
    }
    if !one.fix.instruction.is_empty() {
        canvas.line(
            &Words::of(
                style::HELP,
                format!("         fix   {}", sanitize(&one.fix.instruction)),
            ),
            15,
        );
    }
    if let Some((path, value)) = &one.fix.spec {
        canvas.line(
            &Words::of(style::HELP, format!("         spec  {path}: {}", sanitize(value))),
            15,
        );
    }
}

/// The SPF tree: what each record leads to, and what each term costs.
fn tree(name: &str, analysis: &Analysis, canvas: &mut Canvas) {
    let at_least = if analysis.unknown.is_empty() { "" } else { "at least " };
    let voids = analysis.voids.ip4.max(analysis.voids.ip6);
    let cost = format!(
        "{at_least}{} of {MOST_LOOKUPS} lookups, {} void, {} IPv4 addresses may send",
        analysis.lookups,
        voids,
        text::grouped(usize::try_from(analysis.ip4_addresses()).unwrap_or(usize::MAX)),
    );
    let head = Words::of(style::BOLD, format!("SPF of {}", sanitize(name)));
    match analysis.tree.state {
        State::Record(_) => canvas.line(&head.and(style::DIM, format!("  {cost}")), 2),
        _ => canvas.line(&head.and(style::WARN, format!("  {}", state(&analysis.tree))), 2),
    }
    branch(&analysis.tree, "", 0, canvas);
}

fn branch(record: &Branch, rail: &str, depth: usize, canvas: &mut Canvas) {
    let terms = record.terms.len().min(MOST_TERMS);
    for (at, term) in record.terms.iter().take(terms).enumerate() {
        let is_last = at + 1 == terms && record.terms.len() <= MOST_TERMS;
        let mark = if is_last { "└ " } else { "├ " };
        let shown = text::shorten(&sanitize(&term.term), 100);
        let colour = if term.is_dead { style::DIM } else { style::PLAIN };
        let mut words = Words::of(style::DIM, format!("  {rail}{mark}")).and(colour, shown);
        if term.lookups > 0 {
            words = words.and(style::DIM, format!("  {}", text::count(term.lookups, "lookup")));
        }
        if term.is_dead {
            words = words.and(style::DIM, "  never reached");
        }
        match (term.voids.ip4, term.voids.ip6) {
            (0, 0) => {}
            (0, _) => words = words.and(style::DIM, "  nothing for IPv6"),
            (_, 0) => words = words.and(style::DIM, "  nothing for IPv4"),
            _ => words = words.and(style::WARN, "  finds nothing"),
        }
        let nested = term.nested.as_deref();
        if let Some(below) = nested.filter(|below| !matches!(below.state, State::Record(_))) {
            words = words.and(style::WARN, format!("  {}", state(below)));
        }
        canvas.line(&words, 4);
        if let Some(below) = nested.filter(|_| depth < DEEPEST) {
            let more = if is_last { "  " } else { "│ " };
            branch(below, &format!("{rail}{more}"), depth + 1, canvas);
        }
    }
    if record.terms.len() > terms {
        let left = text::count(record.terms.len() - terms, "term");
        canvas.line(&Words::of(style::DIM, format!("  {rail}└ … and {left} more")), 4);
    }
}

fn state(record: &Branch) -> String {
    match &record.state {
        State::Record(text) => sanitize(text).into_owned(),
        State::Missing => "no SPF record".to_owned(),
        State::Several(all) => format!("{} SPF records", all.len()),
        State::Malformed(text, _) => format!("cannot be read: {}", text::shorten(&sanitize(text), 200)),
        State::Unknown(why) => format!("not known: {}", text::shorten(&sanitize(why), 200)),
        State::Loop => "leads back to itself".to_owned(),
        State::Depends => "depends on the message".to_owned(),
        State::Cut => "too large to go on".to_owned(),
    }
}

/// What an evaluation was asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who sends.
    pub ip: IpAddr,
    /// As whom.
    pub sender: &'a str,
    /// The name in HELO, when one was given.
    pub helo: Option<&'a str>,
    /// Who was asked.
    pub resolver: &'a str,
}

/// One evaluation, term by term.
pub fn trace(asked: &Asked<'_>, evaluation: &Evaluation, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    let helo = asked
        .helo
        .map(|name| format!(", HELO {}", sanitize(name)))
        .unwrap_or_default();
    let head = Words::of(style::BOLD, format!("{} as {}", asked.ip, sanitize(asked.sender)))
        .and(style::DIM, format!("{helo}  asked of {}", asked.resolver));
    canvas.line(&head, 2);
    record(&evaluation.trace, 1, &mut canvas);
    canvas.gap();
    let mut words = outcome(evaluation.outcome).and(
        style::PLAIN,
        format!(
            "  after {}, {} void",
            text::count(evaluation.lookups, "lookup"),
            evaluation.voids
        ),
    );
    if let Some(problem) = &evaluation.problem {
        words = words.and(style::PLAIN, format!(": {}", sanitize(problem)));
    }
    canvas.line(&words, 2);
    if let Some(words) = &evaluation.explanation {
        canvas.line(
            &Words::of(style::DIM, format!("The domain says: {}", sanitize(words))),
            2,
        );
    }
    canvas.finish()
}

fn outcome(outcome: Outcome) -> Words {
    let colour = match outcome {
        Outcome::Pass => style::GOOD,
        Outcome::Fail | Outcome::PermError => style::BAD,
        _ => style::WARN,
    };
    Words::of(colour, outcome.as_str())
}

fn record(trace: &RecordTrace, depth: usize, canvas: &mut Canvas) {
    let indent = "  ".repeat(depth);
    let text = trace.record.as_deref().map_or("no record", |record| record);
    let words = Words::of(style::BOLD, format!("{indent}{}", sanitize(&trace.domain)))
        .and(style::DIM, format!("  {}", text::shorten(&sanitize(text), 400)));
    canvas.line(&words, 2 * depth + 2);
    for term in &trace.terms {
        let what = match &term.step {
            Step::Matched(found) => Words::of(style::BOLD, "matches: ").join(outcome(*found)),
            Step::NotMatched => Words::of(style::DIM, "no match"),
            Step::Redirected(found) => Words::of(style::DIM, "decides: ").join(outcome(*found)),
            Step::Stopped(found, why) => outcome(*found).and(style::PLAIN, format!(": {}", sanitize(why))),
        };
        let words = Words::of(
            style::PLAIN,
            format!("{indent}  {}  ", text::shorten(&sanitize(&term.term), 100)),
        );
        canvas.line(&words.join(what), 2 * depth + 4);
        for asked in &term.asked {
            let line = format!("{indent}    {} {}: ", asked.question.as_str(), sanitize(&asked.name));
            let answer = text::shorten(&sanitize(&asked.answer), 200);
            canvas.line(&Words::of(style::DIM, line).and(style::DIM, answer), 2 * depth + 6);
        }
        if let Some(nested) = &term.nested {
            record(nested, depth + 2, canvas);
        }
    }
}

/// A new key: what to write where, and where its private half is.
pub fn new_key(key: &NewKey, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    let kept = match &key.kept {
        Keep::File(path) => format!(
            "{} (its owner alone can read it; not for version control)",
            path.display()
        ),
        keyring @ Keep::Keyring(_) => keyring.in_words(),
    };
    canvas.line(
        &Words::of(style::BOLD, "Private key  ").and(style::PLAIN, sanitize(&kept)),
        13,
    );
    canvas.line(
        &Words::of(style::BOLD, "Fingerprint  ").and(style::PLAIN, key.fingerprint.clone()),
        13,
    );
    canvas.gap();
    let mut out = canvas.finish();
    match &key.zone {
        Some(zone) => out.push_str(&format!("The spec declares its record, under `email` of {zone}.\n")),
        // What is to be copied stands on one line, however narrow the terminal.
        None => out.push_str(&format!(
            "In the spec, under `email` of the zone:\n\n  dkim:\n    - {}\n",
            item(&key.selector, &key.record)
        )),
    }
    out.push_str("\nPublish it with `launchctl apply` first; then let the mail server sign with it.\n");
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeSet;

    use futures_util::FutureExt as _;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;
    use crate::mail::dns::{MemoryZone, QueryName, Stored};
    use crate::mail::findings::facts::{Declared, PolicyFetch};
    use crate::mail::findings::{gather::gather, judge};
    use crate::mail::spf::{Client, check_host};

    fn name(text: &str) -> QueryName {
        QueryName::parse(text).unwrap()
    }

    /// A domain of which DNS says whatever it likes.
    fn hostile(values: &[(usize, String)]) -> MemoryZone {
        const OWNERS: [(&str, &str); 6] = [
            ("acme.example", "v=spf1 "),
            ("acme.example", ""),
            ("_spf.acme.example", "v=spf1 "),
            ("_dmarc.acme.example", "v=DMARC1; "),
            ("_mta-sts.acme.example", "v=STSv1; "),
            ("default._bimi.acme.example", "v=BIMI1; "),
        ];
        let mut zone = MemoryZone::default();
        for (at, value) in values {
            let (owner, head) = OWNERS[*at];
            zone.add(&name(owner), Stored::Txt(format!("{head}{value}").into_bytes()));
        }
        zone
    }

    fn checked(zone: &MemoryZone, body: &str) -> Checked {
        let mut declared = Declared::new(name("acme.example"));
        declared.policy = Some(PolicyFetch::Answer {
            status: 200,
            media_type: body.to_owned(),
            body: body.to_owned(),
        });
        let facts = gather(zone, declared).now_or_never().unwrap();
        Checked {
            domain: name("acme.example"),
            resolver: "192.0.2.53:53".into(),
            at: Timestamp::UNIX_EPOCH,
            is_declared: true,
            notes: Vec::new(),
            judgement: judge(&facts),
            facts,
            accepted: BTreeSet::new(),
        }
    }

    /// Only line breaks, and no line wider than the window.
    fn is_safe(text: &str, width: usize) -> Result<(), TestCaseError> {
        for line in text.lines() {
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            prop_assert!(line.width() <= width, "{} columns: {line:?}", line.width());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn nothing_out_of_dns_breaks_a_screen(
            values in prop::collection::vec((0_usize..6, "((include:_spf.acme.example|a:|ip4:|p=|id=|rua=|-all|\u{202e}|\u{1b}\\[2J|[ -~é漢\\x00-\\x1f]{0,40}) ?){0,6}"), 0..8),
            width in 30_usize..130,
        ) {
            let zone = hostile(&values);
            let body: String = values.iter().map(|(_, value)| value.as_str()).collect();
            let look = Look { width, colour: false };
            is_safe(&check(&checked(&zone, &body), look), width)?;
            let client = Client::new("192.0.2.1".parse().unwrap(), &body, "mail.acme.example");
            let evaluation = check_host(&zone, &client).now_or_never().unwrap();
            let asked = Asked { ip: client.ip, sender: &body, helo: Some(&body), resolver: "192.0.2.53:53" };
            is_safe(&trace(&asked, &evaluation, look), width)?;
            let own = Client::new(client.ip, "jo@acme.example", "mail.acme.example");
            let evaluation = check_host(&zone, &own).now_or_never().unwrap();
            is_safe(&trace(&asked, &evaluation, look), width)?;
        }
    }
}
