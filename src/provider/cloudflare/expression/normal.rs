//! The one form of an expression. Whoever writes rules by hand, or has a dashboard write them, sets parentheses, spaces
//! and operators as it comes; what means the same by its form alone comes out equal here. What cannot be read is taken
//! as it is. Pure.

use std::collections::BTreeSet;

/// Parentheses deeper than this are nobody's rule.
const DEEPEST: usize = 40;
/// Characters of an expression that Cloudflare takes; what is longer is not read.
const LONGEST: usize = 4_096;

/// An expression as far as its logic goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree {
    /// All of these hold.
    All(Vec<Tree>),
    /// One of these holds.
    Any(Vec<Tree>),
    /// This does not hold.
    Not(Box<Tree>),
    /// A comparison, a flag or a call.
    Term(String),
}

/// The one form of an expression.
pub(in crate::provider::cloudflare) fn canonical(expression: &str) -> String {
    match parse(expression) {
        Some(tree) => render(&tree),
        None => expression.trim().to_owned(),
    }
}

/// Reads an expression. `None` for what is not understood.
pub(super) fn parse(expression: &str) -> Option<Tree> {
    if expression.chars().nth(LONGEST).is_some() {
        return None;
    }
    let tokens = tokens(expression)?;
    let mut reader = Reader { tokens: &tokens, at: 0 };
    let tree = reader.any(0)?;
    (reader.at == tokens.len()).then(|| settled(tree))
}

/// Writes it as the compiler does.
pub(super) fn render(tree: &Tree) -> String {
    let joined = |parts: &[Tree], word: &str| {
        let parts: Vec<String> = parts.iter().map(render).collect();
        format!("({})", parts.join(word))
    };
    match tree {
        Tree::All(parts) => joined(parts, " and "),
        Tree::Any(parts) => joined(parts, " or "),
        Tree::Term(text) => text.clone(),
        Tree::Not(inner) => match &**inner {
            Tree::All(_) | Tree::Any(_) => format!("not {}", render(inner)),
            Tree::Term(text) if !text.contains(' ') => format!("not {text}"),
            inner => format!("not ({})", render(inner)),
        },
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

/// The words, texts and marks. Operators that have two writings have one here.
fn tokens(expression: &str) -> Option<Vec<Token>> {
    const DOUBLE: [(&str, &str); 8] = [
        ("==", "eq"),
        ("!=", "ne"),
        ("<=", "le"),
        (">=", "ge"),
        ("&&", "and"),
        ("||", "or"),
        ("^^", "xor"),
        ("..", ".."),
    ];
    const SINGLE: [(char, &str); 4] = [('!', "not"), ('<', "lt"), ('>', "gt"), ('~', "matches")];
    let mut out = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(c) = rest.chars().next() {
        let taken = if begins_a_text(rest) {
            let length = text_length(rest)?;
            out.push(Token::Text(rest[..length].to_owned()));
            length
        } else if "(){}[],".contains(c) {
            out.push(Token::Mark(c));
            c.len_utf8()
        } else if let Some((mark, word)) = DOUBLE.iter().find(|(mark, _)| rest.starts_with(mark)) {
            out.push(Token::Word((*word).to_owned()));
            mark.len()
        } else if let Some((mark, word)) = SINGLE.iter().find(|(mark, _)| *mark == c) {
            out.push(Token::Word((*word).to_owned()));
            mark.len_utf8()
        } else {
            let is_end = |(at, c): (usize, char)| {
                let ends = c.is_whitespace() || "(){}[],\"=!<>&|^~".contains(c) || rest[at..].starts_with("..");
                ends.then_some(at)
            };
            let length = rest.char_indices().find_map(is_end).unwrap_or(rest.len());
            if length == 0 {
                return None;
            }
            out.push(Token::Word(rest[..length].to_owned()));
            length
        };
        rest = rest[taken..].trim_start();
    }
    Some(out)
}

/// Whether a text begins here: `"…"` with escapes, `r"…"` or `r#"…"#` without.
fn begins_a_text(rest: &str) -> bool {
    let raw = rest.strip_prefix('r').map(|rest| rest.trim_start_matches('#'));
    raw.unwrap_or(rest).starts_with('"')
}

/// How long it is, if it ends.
fn text_length(rest: &str) -> Option<usize> {
    if let Some(hashes) = rest.strip_prefix('r') {
        let count = hashes.len() - hashes.trim_start_matches('#').len();
        let begin = 1 + count + 1;
        let end = format!("\"{}", "#".repeat(count));
        return rest.get(begin..)?.find(&end).map(|at| begin + at + end.len());
    }
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !is_escaped => return Some(at + 1),
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    None
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        self.at += usize::from(is_it);
        is_it
    }

    fn any(&mut self, depth: usize) -> Option<Tree> {
        let mut parts = vec![self.all(depth)?];
        while self.takes("or") {
            parts.push(self.all(depth)?);
        }
        Some(Tree::Any(parts))
    }

    fn all(&mut self, depth: usize) -> Option<Tree> {
        let mut parts = vec![self.one(depth)?];
        while self.takes("and") {
            parts.push(self.one(depth)?);
        }
        Some(Tree::All(parts))
    }

    fn one(&mut self, depth: usize) -> Option<Tree> {
        if depth > DEEPEST {
            return None;
        }
        if self.takes("not") {
            return Some(Tree::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.peek() != Some(&Token::Mark('(')) {
            return self.term();
        }
        self.at += 1;
        let inner = self.any(depth + 1)?;
        if self.peek() != Some(&Token::Mark(')')) {
            return None;
        }
        self.at += 1;
        Some(inner)
    }

    /// Everything up to the next word of logic, or to the end of what stands around it.
    fn term(&mut self) -> Option<Tree> {
        let mut open = Vec::new();
        let mut text = String::new();
        let mut before: Option<&Token> = None;
        while let Some(token) = self.tokens.get(self.at) {
            match token {
                Token::Word(word) if open.is_empty() && matches!(word.as_str(), "and" | "or" | "not") => break,
                // How it binds is another matter; nobody's rule is worth the risk.
                Token::Word(word) if word == "xor" => return None,
                Token::Mark(')') if open.is_empty() => break,
                Token::Mark(mark @ ('(' | '[' | '{')) => open.push(*mark),
                Token::Mark(mark @ (')' | ']' | '}')) => {
                    let fits = matches!((open.pop()?, mark), ('(', ')') | ('[', ']') | ('{', '}'));
                    if !fits {
                        return None;
                    }
                }
                _ => {}
            }
            if is_spaced(before, token) {
                text.push(' ');
            }
            match token {
                Token::Word(word) | Token::Text(word) => text.push_str(word),
                Token::Mark(mark) => text.push(*mark),
            }
            before = Some(token);
            self.at += 1;
        }
        (open.is_empty() && !text.is_empty()).then_some(Tree::Term(text))
    }
}

/// Whether a space stands between two tokens of a term.
fn is_spaced(before: Option<&Token>, token: &Token) -> bool {
    let dots = |token: &Token| matches!(token, Token::Word(word) if word == "..");
    match (before, token) {
        // A call; a list of values follows a word of its own.
        (None | Some(Token::Mark('(' | '[' | '{')), _)
        | (_, Token::Mark(')' | ']' | '}' | ',' | '['))
        | (Some(Token::Word(_)), Token::Mark('(')) => false,
        (Some(before), token) => !dots(before) && !dots(token),
    }
}

/// Groups in groups of the same kind are one; values that one field may have stand together; the order of what has to
/// hold is that of the compiler, which matters to nobody.
fn settled(tree: Tree) -> Tree {
    match tree {
        Tree::All(parts) => {
            let mut flat = Vec::new();
            for part in parts.into_iter().map(settled) {
                match part {
                    Tree::All(inner) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            flat.sort_by_key(rank);
            alone(flat, Tree::All)
        }
        Tree::Any(parts) => {
            let mut flat = Vec::new();
            for part in parts.into_iter().map(settled) {
                match part {
                    Tree::Any(inner) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            let mut parts = together(flat);
            // The compiler writes plain values before globs.
            parts.sort_by_key(|part| !matches!(part, Tree::Term(text) if values(text).is_some()));
            alone(parts, Tree::Any)
        }
        Tree::Not(inner) => Tree::Not(Box::new(settled(*inner))),
        Tree::Term(text) => match values(&text) {
            Some((field, values)) => Tree::Term(one_of(&field, &values)),
            None => Tree::Term(text),
        },
    }
}

fn alone(mut parts: Vec<Tree>, group: fn(Vec<Tree>) -> Tree) -> Tree {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            group(parts)
        }
    }
}

/// The order in which the compiler writes what has to hold.
fn rank(tree: &Tree) -> u8 {
    let text = match tree {
        Tree::Term(text) => text.as_str(),
        Tree::Any(parts) => match parts.first() {
            Some(Tree::Term(text)) if parts.iter().all(|part| rank(part) == rank(&parts[0])) => text.as_str(),
            _ => "",
        },
        Tree::Not(inner) => match &**inner {
            Tree::Term(text) if text == "ssl" => "ssl",
            _ => return 6,
        },
        Tree::All(_) => "",
    };
    let field = |name: &str| {
        let call = text
            .strip_prefix("starts_with(")
            .or_else(|| text.strip_prefix("ends_with("));
        let rest = call.unwrap_or(text).strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with([' ', ',']))
    };
    match text {
        "ssl" => 0,
        _ if field(super::HOST) => 1,
        _ if field(super::PATH) => 2,
        _ if field(super::QUERY) => 3,
        _ if field(super::METHOD) => 4,
        _ => 5,
    }
}

/// `F eq "a" or F in {"b"}` is `F in {"a" "b"}`, at the place of the first.
fn together(parts: Vec<Tree>) -> Vec<Tree> {
    let mut out: Vec<Tree> = Vec::new();
    let mut fields: Vec<(usize, String, Vec<String>)> = Vec::new();
    for part in parts {
        let found = match &part {
            Tree::Term(text) => values(text),
            _ => None,
        };
        let Some((field, more)) = found else {
            out.push(part);
            continue;
        };
        if let Some((_, _, known)) = fields.iter_mut().find(|(_, name, _)| *name == field) {
            known.extend(more);
        } else {
            fields.push((out.len(), field, more));
            out.push(part);
        }
    }
    for (at, field, values) in fields {
        out[at] = Tree::Term(one_of(&field, &values));
    }
    out
}

fn one_of(field: &str, values: &[String]) -> String {
    let mut known = BTreeSet::new();
    let once: Vec<&str> = values
        .iter()
        .map(String::as_str)
        .filter(|value| known.insert(*value))
        .collect();
    match once.as_slice() {
        [one] => format!("{field} eq {one}"),
        several => format!("{field} in {{{}}}", several.join(" ")),
    }
}

/// The field and the texts of `F eq "a"` and `F in {"a" "b"}`, each text as it is written.
pub(super) fn values(term: &str) -> Option<(String, Vec<String>)> {
    let tokens = tokens(term)?;
    let text = |token: &Token| match token {
        Token::Text(text) => Some(text.clone()),
        _ => None,
    };
    match tokens.as_slice() {
        [Token::Word(field), Token::Word(eq), value] if eq == "eq" => Some((field.clone(), vec![text(value)?])),
        [
            Token::Word(field),
            Token::Word(word),
            Token::Mark('{'),
            values @ ..,
            Token::Mark('}'),
        ] if word == "in" && !values.is_empty() => {
            Some((field.clone(), values.iter().map(text).collect::<Option<_>>()?))
        }
        _ => None,
    }
}

/// A call's name and its arguments, when those are words and texts.
pub(super) fn call(term: &str) -> Option<(String, Vec<String>)> {
    let tokens = tokens(term)?;
    let [Token::Word(name), Token::Mark('('), inner @ .., Token::Mark(')')] = tokens.as_slice() else {
        return None;
    };
    let mut arguments = Vec::new();
    for pair in inner.chunks(2) {
        match pair {
            [Token::Word(text) | Token::Text(text), Token::Mark(',')] | [Token::Word(text) | Token::Text(text)] => {
                arguments.push(text.clone());
            }
            _ => return None,
        }
    }
    Some((name.clone(), arguments))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_means_the_same_by_its_form_comes_out_equal() {
        for (one, other) in [
            (r#"(http.host eq "a.test")"#, r#"http.host == "a.test""#),
            (
                r#"(http.host eq "a.test" and starts_with(http.request.uri.path, "/x"))"#,
                r#"(starts_with(http.request.uri.path,"/x")) and (http.host eq "a.test")"#,
            ),
            (
                r#"(http.host eq "a.test") or (http.host eq "b.test")"#,
                r#"http.host in {"a.test"  "b.test"}"#,
            ),
            ("!ssl", "not ssl"),
            ("not (not ssl && ssl)", "not(!ssl and ssl)"),
            (
                "(ip.src in {192.0.2.0/24 198.51.100.1..198.51.100.9})",
                "ip.src in { 192.0.2.0/24 198.51.100.1 .. 198.51.100.9 }",
            ),
            (
                r#"any(http.request.headers["x-a"][*] == "1")"#,
                r#"any( http.request.headers["x-a"][*] eq "1" )"#,
            ),
        ] {
            assert_eq!(canonical(one), canonical(other), "{one}");
            assert!(parse(one).is_some(), "{one}");
        }
    }

    #[test]
    fn what_means_something_else_stays_apart() {
        for (one, other) in [
            ("a and b or c", "a and (b or c)"),
            ("not a and b", "not (a and b)"),
            (r#"http.host eq "a b""#, r#"http.host eq "a  b""#),
            (r#"http.host eq "a\" or \"""#, r#"http.host eq "a" or """#),
            (r#"http.host eq r"a\b""#, r#"http.host eq "a\b""#),
            ("ip.src eq 192.0.2.1", r#"ip.src eq "192.0.2.1""#),
        ] {
            assert_ne!(canonical(one), canonical(other), "{one}");
        }
    }

    #[test]
    fn what_is_not_understood_is_taken_as_it_is() {
        for odd in ["a xor b", "(a", "a)", r#"http.host eq "a"#, "a (b", "", "and", "f(a]"] {
            assert_eq!(canonical(odd), odd);
        }
        let deep = format!("{}a{}", "(".repeat(5_000), ")".repeat(5_000));
        assert_eq!(canonical(&deep), deep);
    }

    #[test]
    fn what_is_longer_than_any_expression_is_taken_as_it_is() {
        let of = |number: usize| {
            let parts: Vec<String> = (0..number).map(|at| format!(r#"a eq "{at:03}""#)).collect();
            parts.join(" or ")
        };
        assert!(canonical(&of(250)).starts_with(r#"a in {"000" "001" "#));
        assert_eq!(canonical(&of(500)), of(500));
    }

    proptest! {
        #[test]
        fn the_one_form_is_its_own(text in "([a-c]|ssl|http\\.host|and|or|not|eq|in|[(){},]|\"[a-z\\\\\"]{0,3}\"| ){0,25}") {
            let once = canonical(&text);
            prop_assert_eq!(canonical(&once), once);
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,60}") {
            canonical(&text);
        }
    }
}
