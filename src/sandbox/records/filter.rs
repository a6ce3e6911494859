//! Records listed: filtered, ordered, cut into pages (facts §1.3, §3.1).

use super::super::envelope::{Answer, Refusal};
use super::super::query::{Paging, Query, fits};
use super::super::world::World;
use super::{Record, View};

/// The largest page, unless the world says otherwise.
const LARGEST: usize = 50_000;

/// `GET …/dns_records`.
pub(in crate::sandbox) fn list(world: &World, at: usize, query: &Query) -> Result<Answer, Refusal> {
    let zone = &world.zones[at];
    let paging = Paging {
        usual: 100,
        least: 1,
        most: world.largest_page.unwrap_or(LARGEST),
    };
    let filters: Vec<(&str, &str)> = query.iter().filter(|(key, _)| is_filter(key)).collect();
    let is_wanted = |record: &&Record| {
        if query.any_is_enough() && !filters.is_empty() {
            filters.iter().any(|filter| passes(record, *filter))
        } else {
            filters.iter().all(|filter| passes(record, *filter))
        }
    };
    let mut found: Vec<&Record> = zone.records.iter().filter(is_wanted).collect();
    match query.get("order") {
        Some("name") => found.sort_by(|a, b| a.body.name.cmp(&b.body.name)),
        Some("type") => found.sort_by(|a, b| a.body.kind.cmp(&b.body.kind)),
        Some("content") => found.sort_by(|a, b| a.body.content.cmp(&b.body.content)),
        Some("ttl") => found.sort_by_key(|record| record.body.ttl),
        Some("proxied") => found.sort_by_key(|record| record.body.proxied),
        _ => {}
    }
    if query.is_descending() {
        found.reverse();
    }
    let page = query.page(paging, found.len())?;
    let records = page.cut(found.into_iter()).into_iter();
    let view = View::Read(world.turn);
    Ok(Answer::List(
        records.map(|record| record.to_value(view)).collect(),
        page,
    ))
}

fn is_filter(key: &str) -> bool {
    let head = key.split('.').next().unwrap_or_default();
    matches!(
        head,
        "name" | "content" | "comment" | "tag" | "type" | "proxied" | "search"
    )
}

/// Whether a record passes one filter; a filter that cannot be read lets everything pass, as any unknown parameter.
fn passes(record: &Record, (key, wanted): (&str, &str)) -> bool {
    let body = &record.body;
    let comment = body.comment.as_deref().unwrap_or_default();
    let (field, operator) = key.split_once('.').unwrap_or((key, ""));
    let text = match (field, operator) {
        ("comment", "present") => return body.comment.is_some(),
        ("comment", "absent") => return body.comment.is_none(),
        ("tag", operator) => return has_tag(&body.tags, operator, wanted),
        ("type", _) => return body.kind.eq_ignore_ascii_case(wanted),
        ("proxied", _) => return body.proxied.to_string() == wanted,
        ("search", _) => {
            let all = [body.name.as_str(), body.content.as_str(), comment];
            return all.iter().any(|text| fits("contains", text, wanted) == Some(true));
        }
        ("name", _) => &body.name,
        ("content", _) => &body.content,
        _ => comment,
    };
    fits(operator, text, wanted).unwrap_or(true)
}

fn has_tag(tags: &[String], operator: &str, wanted: &str) -> bool {
    let is_named = |tag: &String| {
        let name = tag.split(':').next().unwrap_or_default();
        name.eq_ignore_ascii_case(wanted)
    };
    match operator {
        "present" => tags.iter().any(is_named),
        "absent" => !tags.iter().any(is_named),
        _ => tags.iter().any(|tag| tag.eq_ignore_ascii_case(wanted)),
    }
}
