//! The content of TXT records: kept as it came, but for quoted strings that are too long for one string on the wire.

/// Octets in one string on the wire (RFC 1035 §3.3).
const STRING: usize = 255;

/// One octet or one character as it was written, and how many octets it stands for.
struct Token<'a> {
    text: &'a str,
    octets: Vec<u8>,
}

/// What is kept of a content: verbatim, with quoted strings over 255 octets split. None when its quotes do not close.
pub(super) fn normalise(content: &str) -> Option<String> {
    if !is_quoted(content) {
        return Some(content.to_owned());
    }
    let strings = strings(content)?;
    let fits = |string: &Vec<Token<'_>>| string.iter().map(|token| token.octets.len()).sum::<usize>() <= STRING;
    if strings.iter().all(fits) {
        return Some(content.to_owned());
    }
    let mut all: Vec<String> = Vec::new();
    for string in strings {
        let (mut current, mut length) = (String::new(), 0);
        for token in string {
            if length + token.octets.len() > STRING {
                all.push(std::mem::take(&mut current));
                length = 0;
            }
            current.push_str(token.text);
            length += token.octets.len();
        }
        all.push(current);
    }
    Some(
        all.iter()
            .map(|string| format!("\"{string}\""))
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// The octets that the content stands for, strings joined.
pub(super) fn joined(content: &str) -> Vec<u8> {
    let strings = if is_quoted(content) { strings(content) } else { None };
    match strings {
        Some(strings) => strings.into_iter().flatten().flat_map(|token| token.octets).collect(),
        None => content.as_bytes().to_vec(),
    }
}

/// Octets on the wire: one more for each string.
pub(super) fn wire_length(content: &str) -> usize {
    let split = |length: usize| length + length.div_ceil(STRING).max(1);
    let strings = if is_quoted(content) { strings(content) } else { None };
    match strings {
        Some(strings) => strings
            .iter()
            .map(|string| split(string.iter().map(|token| token.octets.len()).sum()))
            .sum(),
        None => split(content.len()),
    }
}

fn is_quoted(content: &str) -> bool {
    content.len() >= 2 && content.starts_with('"') && content.ends_with('"')
}

/// Quoted strings with nothing but spaces between them.
fn strings(content: &str) -> Option<Vec<Vec<Token<'_>>>> {
    let mut all = Vec::new();
    let mut rest = content;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            return Some(all);
        }
        rest = rest.strip_prefix('"')?;
        let mut string = Vec::new();
        loop {
            let first = rest.chars().next()?;
            if first == '"' {
                rest = &rest[1..];
                break;
            }
            let token = token(rest, first)?;
            rest = &rest[token.text.len()..];
            string.push(token);
        }
        all.push(string);
    }
}

fn token(rest: &str, first: char) -> Option<Token<'_>> {
    if first != '\\' {
        let text = &rest[..first.len_utf8()];
        return Some(Token {
            text,
            octets: text.as_bytes().to_vec(),
        });
    }
    if let Some(digits) = rest
        .get(1..4)
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
    {
        return Some(Token {
            text: &rest[..4],
            octets: vec![digits.parse().ok()?],
        });
    }
    let second = rest[1..].chars().next()?;
    let text = &rest[..=second.len_utf8()];
    Some(Token {
        text,
        octets: text.as_bytes()[1..].to_vec(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_quoted_strings_that_are_too_long_are_split_again() {
        for verbatim in [
            "v=spf1 -all",
            "\"a \\\" b\"",
            "\"one\" \"two\"",
            "say \"hi\"",
            &"x".repeat(600),
            "\"\"",
        ] {
            assert_eq!(normalise(verbatim).as_deref(), Some(verbatim));
        }
        let long = format!("\"{}\"", "a".repeat(600));
        let split = normalise(&long).unwrap();
        assert_eq!(
            split,
            format!("\"{0}\" \"{0}\" \"{1}\"", "a".repeat(255), "a".repeat(90))
        );
        assert_eq!(normalise(&split).unwrap(), split);
        assert_eq!(joined(&split), "a".repeat(600).into_bytes());
        // An escape is one octet and stays whole; a character is not cut.
        let escaped = format!("\"{}\\\"{}\"", "a".repeat(254), "b".repeat(10));
        assert_eq!(
            normalise(&escaped).unwrap(),
            format!("\"{}\\\"\" \"{}\"", "a".repeat(254), "b".repeat(10))
        );
        let wide = format!("\"{}\"", "é".repeat(200));
        assert_eq!(joined(&normalise(&wide).unwrap()), "é".repeat(200).into_bytes());
        assert_eq!(joined("\"\\065\\\\\" \"b\""), b"A\\b");
        for open in ["\"a\" b\"", "\"a\\\"", "\"\\999\""] {
            assert_eq!(normalise(open), None, "{open}");
        }
        assert_eq!(
            (
                wire_length("abc"),
                wire_length("\"a\" \"b\""),
                wire_length(&"x".repeat(256))
            ),
            (4, 4, 258)
        );
    }
}
