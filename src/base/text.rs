//! Text that people read: made safe for a terminal, counted, compared with what was probably meant.
//! Knows no domain.

use std::borrow::Cow;

/// True for characters that can move a cursor, reverse the reading order or hide: C0 (newline and tab included),
/// DEL, C1, the bidirectional controls, the separators and the zero-width marks.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
        || ('\u{E0000}'..='\u{E007F}').contains(&c)
}

/// One line of outside text, with every control character shown as an escape instead of obeyed.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// [`sanitize`], but newlines stay newlines: for text of several lines that we compose from outside parts.
pub fn sanitize_lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\n' && is_unsafe(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split('\n').map(sanitize).collect::<Vec<_>>().join("\n"))
}

/// At most `limit` characters of `text`, with an ellipsis when something was cut.
pub fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(limit.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// `1 change`, `2 changes`.
pub fn count(number: usize, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (n, Some(stem)) if !stem.ends_with(['a', 'e', 'o']) => format!("{} {stem}ies", grouped(n)),
        (n, _) => format!("{} {noun}{}", grouped(n), if noun.ends_with('s') { "es" } else { "s" }),
    }
}

/// A number with its thousands apart: `10,000`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [head @ .., last] => {
            let head: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}

/// The candidate that was probably meant by `typed`: the nearest by edits, if it is near enough to be a slip.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let limit = (typed.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (edits(&typed, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            *distance <= limit || (typed.len() >= 3 && candidate.to_lowercase().starts_with(&typed))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

/// Whether `pattern` covers `text`: `*` stands for any run of characters, `?` for one, the rest for itself.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        // A star is tried before a literal: the text itself may hold one (a wildcard name).
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|c| *c == '?' || *c == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_at, matched)) = star {
            star = Some((star_at, matched + 1));
            p = star_at + 1;
            t = matched + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(
            sanitize("a\u{1b}[31mred\r\n\u{202e}x"),
            "a\\u{1b}[31mred\\r\\n\\u{202e}x"
        );
        assert_eq!(sanitize_lines("one\ntwo\u{7}"), "one\ntwo\\u{7}");
        assert!(matches!(sanitize("plain ü 漢"), Cow::Borrowed(_)));
    }

    #[test]
    fn slips_find_the_word_that_was_meant() {
        let keys = ["records", "redirects", "provider", "protect"];
        assert_eq!(nearest("record", keys), Some("records"));
        assert_eq!(nearest("porvider", keys), Some("provider"));
        assert_eq!(nearest("mail", keys), None);
    }

    #[test]
    fn globs_cover_names_that_hold_stars_themselves() {
        assert!(glob("acme.example/dns/*/www", "acme.example/dns/CNAME/www"));
        assert!(glob("*", ""));
        assert!(glob("a/*/*", "a/dns/*.dev"));
        assert!(!glob("*_acme", "_acme-challenge"));
        assert!(glob("*_acme-challenge*", "_acme-challenge.www"));
    }

    #[test]
    fn counts_read_as_english() {
        assert_eq!(count(1, "change"), "1 change");
        assert_eq!(count(10_000, "record"), "10,000 records");
        assert_eq!(count(2, "entry"), "2 entries");
        assert_eq!(count(0, "address"), "0 addresses");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
