//! A list of redirects in a plan: how many rows come, go and change, and the first of each; a list can have thousands.

use crate::base::text::{self, sanitize};
use crate::model::redirect_list::{ListedRedirect, Lookup, RedirectList, RowPair, differences};
use crate::ui::canvas::{Words, style};
use crate::ui::record_view::{arrow, changed_value};

/// How many rows of one fate are listed before the rest is only counted.
const LISTED: usize = 5;

/// What a change of a list says, line by line.
pub fn lines(before: Option<&RedirectList>, after: Option<&RedirectList>, colour: bool) -> Vec<Words> {
    let rows = |list: Option<&'_ RedirectList>| list.map(|list| list.rows.clone()).unwrap_or_default();
    let (old, new) = (rows(before), rows(after));
    let pairs = differences(&old, &new);
    let mut lines = vec![Words::of(style::PLAIN, counted(&pairs, before, after, new.len()))];
    match (before, after) {
        (Some(_), None) => {}
        _ => {
            let of = |fate: Fate| pairs.iter().filter(move |pair| Fate::of(pair) == fate);
            let is_update = before.is_some();
            for fate in [Fate::Comes, Fate::Changes, Fate::Goes] {
                lines.extend(of(fate).take(LISTED).map(|pair| row(*pair, is_update, colour)));
                let more = of(fate).count().saturating_sub(LISTED);
                if more > 0 {
                    let words = format!("… and {} more (--json lists all)", text::grouped(more));
                    lines.push(Words::of(style::DIM, words));
                }
            }
        }
    }
    let (was, will) = (before.map(|list| &list.lookup), after.map(|list| &list.lookup));
    match (was, will) {
        (Some(was), Some(will)) if was != will => {
            lines.push(Words::of(style::DIM, "it is ").join(arrow(&lookup(was), &lookup(will))));
        }
        (None, Some(will)) if *will != Lookup::On => {
            lines.push(Words::of(style::DIM, "it is ").and(style::PLAIN, lookup(will)));
        }
        _ => {}
    }
    lines
}

/// A list in one line.
pub fn brief(list: &RedirectList) -> String {
    let rows = text::count(list.rows.len(), "row");
    match &list.lookup {
        Lookup::On => rows,
        other => format!("{rows}, {}", lookup(other)),
    }
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Comes,
    Changes,
    Goes,
}

impl Fate {
    fn of(pair: &RowPair<'_>) -> Self {
        match pair {
            (None, _) => Self::Comes,
            (Some(_), Some(_)) => Self::Changes,
            (Some(_), None) => Self::Goes,
        }
    }
}

fn counted(
    pairs: &[RowPair<'_>],
    before: Option<&RedirectList>,
    after: Option<&RedirectList>,
    will_be: usize,
) -> String {
    let (Some(before), Some(_)) = (before, after) else {
        let list = before.or(after);
        return text::count(list.map_or(0, |list| list.rows.len()), "row");
    };
    if pairs.is_empty() {
        return format!("{} unchanged", text::count(before.rows.len(), "row"));
    }
    let fates = [
        (Fate::Comes, "added"),
        (Fate::Changes, "changed"),
        (Fate::Goes, "removed"),
    ];
    let mut words: Vec<String> = fates
        .into_iter()
        .map(|(fate, word)| (pairs.iter().filter(|pair| Fate::of(pair) == fate).count(), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", text::grouped(number)))
        .collect();
    let touched = pairs.iter().filter(|(_, new)| new.is_some()).count();
    if will_be > touched {
        words.push(format!("{} unchanged", text::grouped(will_be - touched)));
    }
    format!("rows: {}", words.join(", "))
}

fn row((old, new): RowPair<'_>, is_update: bool, colour: bool) -> Words {
    match (old, new) {
        (Some(old), Some(new)) => {
            let mut words = Words::of(style::UPDATE, "~ ").and(style::PLAIN, format!("{}  ", sanitize(&old.from)));
            if old.to != new.to {
                words = words.join(changed_value(&sanitize(&old.to), &sanitize(&new.to), colour));
            }
            let (was, is) = (switches(old), switches(new));
            if was != is {
                let space = if old.to == new.to { "" } else { "  " };
                words = words.and(style::PLAIN, space).join(arrow(&was, &is));
            }
            words
        }
        (Some(row), None) => signed("- ", style::DELETE, row),
        (None, Some(row)) if is_update => signed("+ ", style::CREATE, row),
        (None, Some(row)) => signed("", style::PLAIN, row),
        (None, None) => Words::new(),
    }
}

fn signed(sign: &str, colour: anstyle::Style, row: &ListedRedirect) -> Words {
    Words::of(colour, sign)
        .and(style::PLAIN, sanitize(&row.from))
        .and(style::DIM, " → ")
        .and(style::PLAIN, format!("{}  {}", sanitize(&row.to), switches(row)))
}

/// The status of a row, and what it is about beyond its URL.
fn switches(row: &ListedRedirect) -> String {
    let mut words = vec![row.status.to_string()];
    for (is_on, word) in [
        (row.keep_query, "query kept"),
        (row.subdomains, "subdomains too"),
        (row.subpaths, "paths below too"),
        (row.keep_path, "path kept"),
    ] {
        if is_on {
            words.push(word.to_owned());
        }
    }
    words.extend(row.comment.iter().map(|comment| format!("\"{}\"", sanitize(comment))));
    words.join(", ")
}

fn lookup(lookup: &Lookup) -> String {
    match lookup {
        Lookup::On => "asked".to_owned(),
        Lookup::Off => "switched off".to_owned(),
        Lookup::Missing => "not asked".to_owned(),
        Lookup::Other(_) => "asked by a rule that somebody changed".to_owned(),
    }
}
