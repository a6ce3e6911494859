//! A plan as a review reads: by zone and kind, aligned, what is new, changed and gone, what is left alone, what to know,
//! and a last line that counts.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::text::{self, sanitize};
use crate::model::address::Address;
use crate::model::record_set::{RecordSet, pair};
use crate::model::redirect_list;
use crate::model::rule::{Place, RuleKind};
use crate::model::scope::ScopeName;
use crate::ops::{Basis, Planned};
use crate::plan::{Action, Change, Plan, Refusal, Warning, order};
use crate::provider::{Reading, UptimeFacts};
use crate::ui::canvas::{Canvas, Look, Words, pad, style};
use crate::ui::{edge_view, record_view, uptime_view};

/// How many unmanaged resources are listed before the rest is only counted.
const LISTED: usize = 12;
/// The widest that the column of names becomes.
const NAMES: usize = 32;

/// A whole plan.
pub fn plan(planned: &Planned, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    changes(&planned.plan.changes, &planned.reading, &mut canvas);
    newly_owned(planned, &mut canvas);
    unmanaged(&planned.plan, &mut canvas);
    elsewhere(planned, &mut canvas);
    warnings(&planned.plan.warnings, &mut canvas);
    refusals(&planned.plan.refusals, &mut canvas);
    canvas.gap();
    canvas.line(&summary(planned), 2);
    canvas.finish()
}

/// The changes, by zone and kind.
pub fn changes(changes: &[Change], reading: &Reading, canvas: &mut Canvas) {
    let mut zones: BTreeMap<&str, BTreeMap<&str, Vec<&Change>>> = BTreeMap::new();
    for change in changes {
        let kinds = zones.entry(change.address.scope()).or_default();
        kinds.entry(change.address.kind()).or_default().push(change);
    }
    for (zone, kinds) in zones {
        canvas.gap();
        canvas.line(&heading(zone, reading), 2);
        for (kind, changes) in kinds {
            canvas.line(&Words::of(style::DIM, format!("  {}", kind_title(kind))), 2);
            let changes = in_order(changes);
            let widths = Widths::of(&changes, canvas.look());
            for change in changes {
                one(change, widths, canvas);
            }
        }
    }
}

/// Rules that come to stand somewhere in the order in which they will stand; the rest by address.
fn in_order(changes: Vec<&Change>) -> Vec<&Change> {
    let placed: Vec<(Address, Place)> = changes
        .iter()
        .filter_map(|change| {
            let rule = change.after.as_ref()?.as_rule()?;
            Some((change.address.clone(), rule.place.clone()?))
        })
        .collect();
    let order = order::arrange(&[], &BTreeSet::new(), &placed);
    let mut changes = changes;
    changes.sort_by_key(|change| order.iter().position(|address| *address == change.address));
    changes
}

fn heading(zone: &str, reading: &Reading) -> Words {
    let words = Words::of(style::BOLD, sanitize(zone));
    let facts = reading.zones.iter().find(|(name, _)| name.as_str() == zone);
    let Some((name, facts)) = facts else {
        let account = reading.uptime.as_ref().filter(|_| zone == ScopeName::Uptime.as_str());
        return match account {
            Some(facts) => {
                let elsewhere = facts.elsewhere.as_ref().map(|place| format!(", {}", sanitize(place)));
                words
                    .and(style::DIM, account_of(facts))
                    .and(style::WARN, elsewhere.unwrap_or_default())
            }
            None => words,
        };
    };
    let unicode = name.to_unicode();
    let spelled = if unicode == zone {
        String::new()
    } else {
        format!(" ({})", sanitize(&unicode))
    };
    let certificate = match facts.certificate.as_deref() {
        None => String::new(),
        Some(status) => format!(", certificate {status}"),
    };
    let paid = match facts.plan.as_str() {
        "" => String::new(),
        plan => format!("{plan} plan, "),
    };
    let words = words.and(style::DIM, format!("{spelled}  {paid}{}{certificate}", facts.status));
    match &facts.elsewhere {
        Some(elsewhere) => words.and(style::WARN, format!(", {}", sanitize(elsewhere))),
        None => words,
    }
}

fn account_of(facts: &UptimeFacts) -> String {
    let plan = if facts.plan.is_empty() {
        String::new()
    } else {
        format!(", {} plan", sanitize(&facts.plan))
    };
    let most = facts
        .most
        .map_or_else(String::new, |most| format!(" of {}", text::grouped(most)));
    format!(
        "  {}{plan}, {}{most} monitors",
        facts.provider,
        text::grouped(facts.monitors)
    )
}

fn kind_title(kind: &str) -> String {
    match kind {
        "dns" => "DNS".to_owned(),
        "monitor" => "Monitors".to_owned(),
        "contact" => "Contacts".to_owned(),
        "maintenance" => "Maintenance".to_owned(),
        "zone" => "Zone".to_owned(),
        "setting" => "Settings".to_owned(),
        redirect_list::KIND => "Redirect list".to_owned(),
        other => match RuleKind::ALL.iter().find(|kind| kind.as_str() == other) {
            Some(kind) => {
                let plural = format!("{}s", kind.noun());
                let mut letters = plural.chars();
                letters
                    .next()
                    .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
            }
            None => sanitize(other).into_owned(),
        },
    }
}

/// What a change is called in its block: a type and a name, or a name alone.
fn label(change: &Change) -> (&str, &str) {
    match set_of(change) {
        Some(set) => (set.kind.as_str(), set.name.relative_to(&set.zone)),
        None => ("", change.address.key()),
    }
}

/// The columns of a block.
#[derive(Debug, Clone, Copy)]
struct Widths {
    kind: usize,
    name: usize,
}

impl Widths {
    fn of(changes: &[&Change], look: Look) -> Self {
        let labels = || changes.iter().map(|change| label(change));
        let kind = labels().map(|(kind, _)| kind.len()).max().unwrap_or(0);
        let longest = labels().map(|(_, name)| name.len()).max().unwrap_or(0);
        // Values get half of the window at least.
        let room = (look.width / 2).saturating_sub(Self { kind, name: 0 }.value());
        Self {
            kind,
            name: longest.min(NAMES).min(room),
        }
    }

    /// Where values begin: sign, kind and name, each with its space.
    fn value(self) -> usize {
        4 + 2 + self.kind + self.gap() + self.name + 2
    }

    /// Between the type and the name, where there are types.
    fn gap(self) -> usize {
        if self.kind == 0 { 0 } else { 2 }
    }
}

fn set_of(change: &Change) -> Option<&RecordSet> {
    change
        .after
        .as_ref()
        .or(change.before.as_ref())
        .and_then(|resource| resource.as_record_set())
}

fn sign(action: Action) -> (&'static str, anstyle::Style) {
    match action {
        Action::Create => ("+", style::CREATE),
        Action::Update => ("~", style::UPDATE),
        Action::Delete => ("-", style::DELETE),
    }
}

fn one(change: &Change, widths: Widths, canvas: &mut Canvas) {
    let (mark, colour) = sign(change.action());
    let sign = Words::of(colour, format!("    {mark} "));
    if let Some(lines) = uptime_view::lines(change, canvas.look().colour) {
        canvas.line(&sign.and(style::BOLD, sanitize(change.address.key())), 8);
        for line in lines {
            canvas.line(&Words::of(style::PLAIN, " ".repeat(8)).join(line), 8);
        }
        return;
    }
    let (kind, name) = label(change);
    let name = &*sanitize(name);
    let head = sign
        .and(style::PLAIN, pad(kind, widths.kind + widths.gap()))
        .and(style::BOLD, pad(name, widths.name));
    let lines = match set_of(change) {
        Some(_) => lines_of(change, canvas.look().colour),
        None => edge_view::lines(change, canvas.look().colour),
    };
    let indent = widths.value();
    let fits = name.len() <= widths.name;
    let mut lines = lines.into_iter();
    match lines.next() {
        Some(first) if fits => canvas.line(&head.and(style::PLAIN, "  ").join(first), indent),
        Some(first) => {
            canvas.line(&head, indent);
            canvas.line(&Words::of(style::PLAIN, " ".repeat(indent)).join(first), indent);
        }
        None => canvas.line(&head, indent),
    }
    for line in lines {
        canvas.line(&Words::of(style::PLAIN, " ".repeat(indent)).join(line), indent);
    }
}

fn lines_of(change: &Change, colour: bool) -> Vec<Words> {
    let empty = [];
    let records = |side: &'_ Option<crate::model::resource::Resource>| {
        side.as_ref()
            .and_then(|resource| resource.as_record_set())
            .map(|set| set.records.clone())
    };
    let (before, after) = (records(&change.before), records(&change.after));
    let (before, after) = (before.as_deref().unwrap_or(&empty), after.as_deref().unwrap_or(&empty));
    let mut lines = Vec::new();
    let is_update = change.action() == Action::Update;
    let mut unchanged = 0;
    for pair in pair(before, after) {
        match (pair.before, pair.after) {
            (Some(old), Some(new)) if old == new => unchanged += 1,
            (Some(old), Some(new)) => lines.extend(record_view::changes(old, new, colour)),
            (None, Some(new)) if is_update => {
                lines.push(Words::of(style::CREATE, "+ ").join(record_view::whole(new, style::CREATE)));
            }
            (Some(old), None) if is_update => {
                lines.push(Words::of(style::DELETE, "- ").join(record_view::whole(old, style::DELETE)));
            }
            (Some(record), None) | (None, Some(record)) => lines.push(record_view::whole(record, style::PLAIN)),
            (None, None) => {}
        }
    }
    if unchanged > 0 {
        lines.push(Words::of(
            style::DIM,
            format!("{} unchanged", text::count(unchanged, "value")),
        ));
    }
    if change.action() != Action::Create {
        lines.push(Words::of(style::DIM, format!("({})", sanitize(&change.reason))));
    }
    lines
}

fn unmanaged(plan: &Plan, canvas: &mut Canvas) {
    let be = if plan.unmanaged.len() == 1 { "is" } else { "are" };
    let all: Vec<&Address> = plan.unmanaged.iter().collect();
    addresses(&all, &format!("{be} live and not in the spec: left alone"), canvas);
}

/// What an apply takes over without changing it: from then on it goes when the spec no longer names it.
fn newly_owned(planned: &Planned, canvas: &mut Canvas) {
    if planned.basis != Basis::Spec {
        return;
    }
    let all: Vec<&Address> = planned.newly_owned().collect();
    let be = if all.len() == 1 {
        "is as declared and belongs"
    } else {
        "are as declared and belong"
    };
    addresses(&all, &format!("{be} to this spec from the next apply on"), canvas);
}

fn addresses(all: &[&Address], words: &str, canvas: &mut Canvas) {
    if all.is_empty() {
        return;
    }
    canvas.gap();
    let count = text::count(all.len(), "resource");
    canvas.line(&Words::of(style::DIM, format!("{count} {words}")), 2);
    for address in all.iter().take(LISTED) {
        canvas.line(&Words::of(style::DIM, format!("    {}", sanitize(address.as_str()))), 6);
    }
    if all.len() > LISTED {
        let more = text::grouped(all.len() - LISTED);
        canvas.line(
            &Words::of(style::DIM, format!("    … and {more} more (--json lists all)")),
            6,
        );
    }
}

/// Zones without a change have no heading that would say it.
fn elsewhere(planned: &Planned, canvas: &mut Canvas) {
    let has_heading = |zone: &str| planned.plan.changes.iter().any(|change| change.address.scope() == zone);
    let zones = planned
        .reading
        .zones
        .iter()
        .filter(|(zone, _)| !has_heading(zone.as_str()));
    for (zone, elsewhere) in zones.filter_map(|(zone, facts)| Some((zone, facts.elsewhere.as_ref()?))) {
        canvas.gap();
        let words =
            Words::of(style::BOLD, sanitize(zone.as_str())).and(style::WARN, format!("  {}", sanitize(elsewhere)));
        canvas.line(&words, 2);
    }
}

/// What there is to know.
pub fn warnings(warnings: &[Warning], canvas: &mut Canvas) {
    if !warnings.is_empty() {
        canvas.gap();
    }
    for warning in warnings {
        let words = Words::of(style::WARN, "! ");
        let words = match &warning.address {
            Some(address) => words
                .and(style::BOLD, sanitize(address.as_str()))
                .and(style::PLAIN, " "),
            None => words,
        };
        canvas.line(&words.and(style::PLAIN, sanitize(&warning.message)), 2);
    }
}

/// Why a plan must not be carried out.
pub fn refusals(refusals: &[Refusal], canvas: &mut Canvas) {
    for refusal in refusals {
        canvas.gap();
        let words = Words::of(style::BAD, "refused ");
        let words = match &refusal.address {
            Some(address) => words
                .and(style::BOLD, sanitize(address.as_str()))
                .and(style::PLAIN, ": "),
            None => words.and(style::PLAIN, ""),
        };
        canvas.line(&words.and(style::PLAIN, sanitize(&refusal.message)), 8);
        canvas.line(
            &Words::of(style::HELP, "        ").and(style::HELP, sanitize(&refusal.help)),
            8,
        );
    }
}

/// The last line.
fn summary(planned: &Planned) -> Words {
    let plan = &planned.plan;
    if !plan.refusals.is_empty() {
        let words = format!(
            "Refused: {}, nothing will be changed.",
            text::count(plan.refusals.len(), "objection")
        );
        return Words::of(style::BAD, words);
    }
    if plan.is_empty() {
        let why = match &planned.basis {
            Basis::Spec => "what is live is what the spec declares.".to_owned(),
            Basis::Saved(0) => "the saved plan holds no changes.".to_owned(),
            Basis::Saved(_) => "what was reviewed is live already.".to_owned(),
            Basis::Undo(run) => format!("everything is as it was before run {run}."),
        };
        return Words::of(style::GOOD, "Nothing to change: ").and(style::PLAIN, why);
    }
    let mut words = Words::of(style::BOLD, "Plan: ");
    let counts = [
        (Action::Create, "to create", style::CREATE),
        (Action::Update, "to change", style::UPDATE),
        (Action::Delete, "to delete", style::DELETE),
    ];
    for (at, (action, what, colour)) in counts.into_iter().enumerate() {
        let number = plan.count(action);
        let style = if number == 0 { style::DIM } else { colour };
        words = words.and(
            style,
            format!("{}{} {what}", if at == 0 { "" } else { ", " }, text::grouped(number)),
        );
    }
    let removed = values_removed(plan);
    if removed > 0 {
        words = words.and(
            style::DELETE,
            format!(" ({} removed from sets that stay)", text::count(removed, "value")),
        );
    }
    words.and(
        style::PLAIN,
        format!(
            "; {} to write.",
            text::count(planned.steps.iter().filter(|step| step.is_write()).count(), "request")
        ),
    )
}

/// Values that go though their set stays: no deletion of a resource, and a loss all the same.
fn values_removed(plan: &Plan) -> usize {
    let records = |side: &'_ Option<crate::model::resource::Resource>| {
        side.as_ref()
            .and_then(|resource| resource.as_record_set())
            .map_or(0, |set| set.records.len())
    };
    let rows = |side: &'_ Option<crate::model::resource::Resource>| {
        side.as_ref()
            .and_then(|resource| resource.as_redirect_list())
            .map(|list| list.rows.clone())
            .unwrap_or_default()
    };
    let updates = plan.changes.iter().filter(|change| change.action() == Action::Update);
    updates
        .map(|change| {
            let (old, new) = (rows(&change.before), rows(&change.after));
            let gone = redirect_list::differences(&old, &new);
            let gone = gone.iter().filter(|(_, new)| new.is_none()).count();
            records(&change.before).saturating_sub(records(&change.after)) + gone
        })
        .sum()
}
