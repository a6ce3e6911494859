//! An expression cut into tokens: strings with their escapes resolved, raw strings, words, lists and signs.

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A string, quoted or raw.
    Text(String),
    /// A name, a number, an address, or an operator in letters.
    Word(String),
    /// `$name`.
    List(String),
    /// A bracket, a comma, or an operator in signs.
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "^^", "(", ")", "[", "]", "{", "}", ",", "<", ">", "~", "!", "*",
];

/// The tokens, or what is wrong.
pub(super) fn cut(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, left) = match first {
            '"' => quoted(&rest[1..])?,
            'r' if is_raw(rest) => raw(&rest[1..])?,
            '$' => {
                let (name, left) = word(&rest[1..]);
                if name.is_empty() {
                    return Err("expected the name of a list after `$`".to_owned());
                }
                (Token::List(name.to_owned()), left)
            }
            first if is_word(first) => {
                let (name, left) = word(rest);
                (Token::Word(name.to_owned()), left)
            }
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| format!("unexpected character `{first}`"))?;
                (Token::Sign(sign), &rest[sign.len()..])
            }
        };
        tokens.push(token);
        rest = left.trim_start();
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '/' | '-')
}

fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn is_raw(text: &str) -> bool {
    text[1..].trim_start_matches('#').starts_with('"')
}

/// `#"…"#` or `"…"`, with as many signs at the end as at the beginning.
fn raw(text: &str) -> Result<(Token, &str), String> {
    let inner = text.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(text.len() - inner.len()));
    let (content, left) = inner[1..].split_once(&end).ok_or("missing the end of a raw string")?;
    Ok((Token::Text(content.to_owned()), left))
}

fn quoted(text: &str) -> Result<(Token, &str), String> {
    let mut content = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((Token::Text(content), &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, c @ ('"' | '\\'))) => content.push(c),
                Some((_, 'x')) => {
                    let digits: String = chars.by_ref().take(2).map(|(_, c)| c).collect();
                    let byte = u8::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 2);
                    content.push(char::from(byte.ok_or_else(|| format!("invalid escape `\\x{digits}`"))?));
                }
                Some((_, c)) => return Err(format!("invalid escape `\\{c}`")),
                None => break,
            },
            c => content.push(c),
        }
    }
    Err("missing the end of a quoted string".to_owned())
}
