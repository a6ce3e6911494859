//! What stands after the question mark: pages, and the text operators of filters.

use serde_json::Value;

use super::envelope::{Answer, Cursors, GENERAL, Page, Refusal};

/// The parameters of a request in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

/// How large the pages of a list may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    pub(super) usual: usize,
    pub(super) least: usize,
    pub(super) most: usize,
}

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether one filter that fits is enough.
    pub(super) fn any_is_enough(&self) -> bool {
        self.get("match") == Some("any")
    }

    /// Whether the order is turned round.
    pub(super) fn is_descending(&self) -> bool {
        self.get("direction") == Some("desc")
    }

    /// The page of a list whose pages have no numbers; a cursor says where it begins.
    pub(super) fn cursor(&self, paging: Paging, all: Vec<Value>) -> Result<Answer, Refusal> {
        let sized = self.page(paging, all.len())?;
        let invalid = || Refusal::bad(GENERAL, "cursor is invalid");
        let start = match self.get("cursor") {
            None => 0,
            Some(text) => {
                let digits = text.strip_prefix("at-").ok_or_else(invalid)?;
                usize::from_str_radix(digits, 16).map_err(|_| invalid())?
            }
        };
        let (size, total) = (sized.size, all.len());
        let cursor = |at: usize| format!("at-{at:x}");
        let cursors = Cursors {
            before: (start > 0).then(|| cursor(start.saturating_sub(size))),
            after: (start.saturating_add(size) < total).then(|| cursor(start + size)),
        };
        Ok(Answer::Cursor(
            all.into_iter().skip(start).take(size).collect(),
            cursors,
        ))
    }

    /// The page of `total` entries that is asked for; one past the end is empty and no error.
    pub(super) fn page(&self, paging: Paging, total: usize) -> Result<Page, Refusal> {
        let number = |key: &str, usual: usize| match self.get(key) {
            None => Ok(usual),
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| Refusal::bad(GENERAL, format!("{key} must be a number"))),
        };
        let page = number("page", 1)?;
        let per_page = number("per_page", paging.usual)?;
        if page == 0 {
            return Err(Refusal::bad(GENERAL, "page must be at least 1"));
        }
        if !(paging.least..=paging.most).contains(&per_page) {
            let words = format!("per_page must be between {} and {}", paging.least, paging.most);
            return Err(Refusal::bad(GENERAL, words));
        }
        Ok(Page {
            number: page,
            size: per_page,
            total,
        })
    }
}

impl Page {
    /// The entries on this page.
    pub(super) fn cut<T>(self, all: impl Iterator<Item = T>) -> Vec<T> {
        let skipped = (self.number - 1).saturating_mul(self.size);
        all.skip(skipped).take(self.size).collect()
    }
}

/// Whether a text fits a filter's operator; case makes no difference anywhere.
pub(super) fn fits(operator: &str, text: &str, wanted: &str) -> Option<bool> {
    let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    Some(match operator {
        "" | "exact" | "equal" => text == wanted,
        "not_equal" => text != wanted,
        "contains" => text.contains(&wanted),
        "startswith" | "starts_with" => text.starts_with(&wanted),
        "endswith" | "ends_with" => text.ends_with(&wanted),
        _ => return None,
    })
}
