//! `redirect_list`: a file of old URLs, each with its new one. The file is judged line by line, and whatever is wrong in
//! it is said with its own line and column.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::{DeclaredZone, Findings};
use crate::base::diagnostic::{Diagnostic, Place, Source};
use crate::base::text;
use crate::model::capability::RedirectLists;
use crate::model::redirect_list::{ListedRedirect, ListedUrl, Lookup, RedirectList};
use crate::spec::csv::{self, Field, Line};
use crate::spec::raw;
use crate::spec::raw_edge::RedirectFile;
use crate::spec::shape::one_of;
use crate::spec::{Inputs, lint};

/// The list of a zone as it is declared.
#[derive(Debug)]
pub(in crate::spec) struct DeclaredRedirectList {
    pub(in crate::spec) list: RedirectList,
    /// Where the spec names the file.
    pub(in crate::spec) at: Range<usize>,
    /// The file.
    pub(in crate::spec) source: Arc<Source>,
    /// Where each row is written, in the order of the list's rows.
    pub(in crate::spec) places: Vec<RowPlace>,
}

impl DeclaredRedirectList {
    /// A place in the file.
    pub(in crate::spec) fn place(&self, range: &Range<usize>) -> Place {
        Place::new(&self.source, range.clone())
    }
}

/// Where a row is written.
#[derive(Debug, Clone)]
pub(in crate::spec) struct RowPlace {
    pub(in crate::spec) from: Range<usize>,
    pub(in crate::spec) to: Range<usize>,
}

/// The columns that a file can have.
const COLUMNS: &[&str] = &[
    "from",
    "to",
    "status",
    "keep_query",
    "subdomains",
    "subpaths",
    "keep_path",
    "comment",
];
/// What other tools call them.
const SYNONYMS: &[(&str, &str)] = &[
    ("source", "from"),
    ("source_url", "from"),
    ("old", "from"),
    ("target", "to"),
    ("target_url", "to"),
    ("destination", "to"),
    ("new", "to"),
    ("status_code", "status"),
    ("preserve_query_string", "keep_query"),
    ("include_subdomains", "subdomains"),
    ("subpath_matching", "subpaths"),
    ("preserve_path_suffix", "keep_path"),
];

/// Lowers the list of a zone, if it has one.
pub(super) fn zone(raw: &raw::Zone, inputs: &Inputs<'_>, zone: &mut DeclaredZone<'_>, findings: &mut Findings<'_>) {
    let edge = zone.capabilities.and_then(|capabilities| capabilities.edge);
    let (Some(edge), Some(declared)) = (edge, &raw.redirect_list) else {
        return;
    };
    let declared = &declared.0;
    let Some(file) = &declared.file else { return };
    let source = match (inputs.files)(&file.value) {
        Ok(source) => source,
        Err(why) => {
            findings.error("redirect-file", &file.range, why);
            return;
        }
    };
    let mut reader = Rows {
        source: &source,
        rules: edge.redirect_lists,
        declared,
        zone,
        columns: BTreeMap::new(),
        width: 0,
        found: Vec::new(),
    };
    let rows = reader.read();
    let found = std::mem::take(&mut reader.found);
    let is_wrong = !found.is_empty();
    lint::few(found, "lines", findings);
    if is_wrong {
        return;
    }
    if rows.is_empty() || rows.len() > edge.redirect_lists.most {
        let words = format!(
            "the file holds {}; 1 to {} are taken",
            text::count(rows.len(), "redirect"),
            text::grouped(edge.redirect_lists.most)
        );
        findings.error("redirect-file", &file.range, words);
        return;
    }
    let mut rows = rows;
    rows.sort_by(|(a, _), (b, _)| a.from.cmp(&b.from));
    let (rows, places) = rows.into_iter().unzip();
    zone.redirect_list = Some(DeclaredRedirectList {
        list: RedirectList::new(zone.name.clone(), rows, Lookup::On),
        at: file.range.clone(),
        source,
        places,
    });
}

struct Rows<'a, 'z> {
    source: &'a Arc<Source>,
    rules: RedirectLists,
    declared: &'a RedirectFile,
    zone: &'a DeclaredZone<'z>,
    /// Where each column stands.
    columns: BTreeMap<&'static str, usize>,
    /// How many the first line names.
    width: usize,
    found: Vec<Diagnostic>,
}

impl Rows<'_, '_> {
    fn error(&mut self, range: &Range<usize>, message: impl Into<String>) {
        let finding = Diagnostic::error("redirect-row", message).at(Place::new(self.source, range.clone()));
        self.found.push(finding);
    }

    fn read(&mut self) -> Vec<(ListedRedirect, RowPlace)> {
        let lines = match csv::lines(&self.source.text) {
            Ok(lines) => lines,
            Err(range) => {
                self.error(
                    &range,
                    "a quote is opened here that does not close the value (RFC 4180)",
                );
                return Vec::new();
            }
        };
        let Some((head, lines)) = lines.split_first() else {
            self.error(
                &(0..0),
                "the file is empty: its first line names the columns, `from,to`",
            );
            return Vec::new();
        };
        self.head(head);
        if !self.found.is_empty() {
            return Vec::new();
        }
        let mut rows: Vec<(ListedRedirect, RowPlace)> = Vec::new();
        let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
        for line in lines {
            let Some((row, place)) = self.row(line) else { continue };
            if let Some(first) = seen.insert(row.from.clone(), place.from.clone()) {
                let shown = text::shorten(&row.from, 120);
                let finding = Diagnostic::error("redirect-row", format!("`{shown}` is redirected twice"))
                    .at(Place::new(self.source, place.from.clone()))
                    .label("the second time")
                    .related(Place::new(self.source, first), "the first time");
                self.found.push(finding);
                continue;
            }
            rows.push((row, place));
        }
        rows
    }

    /// The first line: which column is which.
    fn head(&mut self, head: &Line) {
        self.width = head.len();
        for (at, field) in head.iter().enumerate() {
            let name = field.text.to_ascii_lowercase();
            let shown = text::shorten(&text::sanitize(&field.text), 60);
            let place = Place::new(self.source, field.range.clone());
            let Some(known) = COLUMNS.iter().find(|known| **known == name) else {
                let meant = SYNONYMS.iter().find(|(word, _)| *word == name).map(|(_, meant)| *meant);
                let near = meant.or_else(|| text::nearest(&name, COLUMNS.iter().copied()));
                let finding = Diagnostic::error("redirect-column", format!("there is no column `{shown}`")).at(place);
                self.found.push(match near {
                    Some(near) => finding.label(format!("did you mean `{near}`?")),
                    None => finding.help(format!(
                        "the first line names the columns: `from` and `to`, and as wanted {}",
                        COLUMNS[2..].join(", ")
                    )),
                });
                continue;
            };
            if self.columns.insert(known, at).is_some() {
                let finding = Diagnostic::error("redirect-column", format!("the column `{known}` is named twice"));
                self.found.push(finding.at(place));
            }
        }
        let missing = ["from", "to"].into_iter().find(|name| !self.columns.contains_key(name));
        if let (Some(missing), true) = (missing, self.found.is_empty()) {
            let end = head.last().map_or(0, |field| field.range.end);
            let finding = Diagnostic::error("redirect-column", format!("the column `{missing}` is missing"))
                .at(Place::new(self.source, head[0].range.start..end));
            self.found.push(finding);
        }
    }

    fn row(&mut self, line: &Line) -> Option<(ListedRedirect, RowPlace)> {
        let end = line.last().map_or(0, |field| field.range.end);
        let whole = line.first().map_or(0, |field| field.range.start)..end;
        if line.len() > self.width {
            let words = format!(
                "this line has {}, the first line names {}: a value with the delimiter in it is written in quotes",
                text::count(line.len(), "value"),
                self.width
            );
            self.error(&whole, words);
            return None;
        }
        let errors = self.found.len();
        let from = self.from(line, &whole);
        let to = self.to(line, &whole);
        let status = self.status(line);
        let usual = self.declared.keep_query.as_ref().is_some_and(|keep| keep.value);
        let keep_query = self.flag(line, "keep_query", usual);
        let subdomains = self.flag(line, "subdomains", false);
        let subpaths = self.flag(line, "subpaths", false);
        let keep_path = self.flag(line, "keep_path", false);
        if keep_path && !subpaths {
            self.error(&whole, "`keep_path` is about paths below: it needs `subpaths` too");
        }
        let comment = self.comment(line);
        let ((from, from_at), (to, to_at)) = (from?, to?);
        let row = ListedRedirect {
            from: from.to_string(),
            to,
            status: status?,
            keep_query,
            subdomains,
            subpaths,
            keep_path,
            comment,
        };
        let place = RowPlace {
            from: from_at,
            to: to_at,
        };
        (self.found.len() == errors).then_some((row, place))
    }

    /// What a line says in a column; nothing where it is empty.
    fn value<'l>(&self, line: &'l Line, column: &str) -> Option<&'l Field> {
        let field = self.columns.get(column).and_then(|at| line.get(*at));
        field.filter(|field| !field.text.is_empty())
    }

    fn from(&mut self, line: &Line, whole: &Range<usize>) -> Option<(ListedUrl, Range<usize>)> {
        let Some(field) = self.value(line, "from") else {
            self.error(whole, "the line has no `from`");
            return None;
        };
        let longest = self.rules.longest_url;
        let shown = text::shorten(&text::sanitize(&field.text), 120);
        match ListedUrl::parse(&field.text) {
            Err(why) => self.error(
                &field.range,
                format!("`{shown}` is no URL that a list can start from: {why}"),
            ),
            Ok(url) if !url.host.is_within(&self.zone.name) => {
                let words = format!(
                    "`{}` is not in the zone {}: nobody asks it for that",
                    url.host, self.zone.name
                );
                self.error(&field.range, words);
            }
            Ok(url) if url.to_string().len() > longest => self.error(&field.range, too_long(longest)),
            Ok(url) => return Some((url, field.range.clone())),
        }
        None
    }

    fn to(&mut self, line: &Line, whole: &Range<usize>) -> Option<(String, Range<usize>)> {
        let Some(field) = self.value(line, "to") else {
            self.error(whole, "the line has no `to`");
            return None;
        };
        let longest = self.rules.longest_url;
        let is_absolute = ["https://", "http://"]
            .iter()
            .any(|scheme| field.text.starts_with(scheme));
        let is_plain = !field.text.chars().any(|c| c.is_whitespace() || c.is_control());
        if !is_absolute || !is_plain || url::Url::parse(&field.text).is_err() {
            let shown = text::shorten(&text::sanitize(&field.text), 120);
            let words = format!("`{shown}` is no URL to lead to: write https://HOST/PATH");
            self.error(&field.range, words);
            return None;
        }
        if field.text.len() > longest {
            self.error(&field.range, too_long(longest));
            return None;
        }
        Some((field.text.clone(), field.range.clone()))
    }

    fn status(&mut self, line: &Line) -> Option<u16> {
        let statuses = self.rules.statuses;
        let Some(field) = self.value(line, "status") else {
            return Some(self.declared.status.as_ref().map_or(301, |status| status.value.0));
        };
        let status = field.text.parse().ok().filter(|status| statuses.contains(status));
        if status.is_none() {
            let shown = text::shorten(&text::sanitize(&field.text), 40);
            let known: Vec<String> = statuses.iter().map(ToString::to_string).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let words = format!(
                "`{shown}` is no status of a listed redirect: {} can stand here",
                one_of(&known)
            );
            self.error(&field.range, words);
        }
        status
    }

    fn flag(&mut self, line: &Line, column: &str, usual: bool) -> bool {
        let Some(field) = self.value(line, column) else {
            return usual;
        };
        match field.text.to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            other => {
                let shown = text::shorten(&text::sanitize(other), 40);
                self.error(&field.range, format!("`{shown}` is neither true nor false"));
                usual
            }
        }
    }

    fn comment(&mut self, line: &Line) -> Option<String> {
        let longest = self.rules.longest_comment;
        let field = self.value(line, "comment")?;
        let length = field.text.chars().count();
        if length > longest {
            self.error(
                &field.range,
                format!("the comment has {length} characters; {longest} are taken"),
            );
        } else if field.text.chars().any(char::is_control) {
            self.error(&field.range, "a comment is one line, without control characters");
        }
        Some(field.text.clone())
    }
}

fn too_long(longest: usize) -> String {
    format!(
        "this URL is longer than the {} bytes that are taken",
        text::grouped(longest)
    )
}
