//! Expressions, read far enough to refuse what the real parser refuses: brackets and quotes that do not close, names and
//! operators that do not exist, values that do not fit, and what the plan does not allow (facts §5.5). Pure.

#[cfg(test)]
mod tests;
mod tokens;
mod vocabulary;

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::super::plan::Plan;
use tokens::Token;
use vocabulary::{Kind, Operator, Wants};

/// Characters in an expression.
pub(super) const LONGEST: usize = 4_096;
/// Brackets within brackets: more is too complex.
const DEEPEST: usize = 64;

/// What an expression has to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// True or false: whether the rule applies.
    Filter,
    /// A text: what is put in.
    Value,
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) goal: Goal,
    pub(super) plan: Plan,
    pub(super) has_response: bool,
}

/// What an expression uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Uses {
    pub(super) fields: BTreeSet<String>,
    pub(super) lists: BTreeSet<String>,
}

/// What an expression uses, or why it is none.
pub(super) fn check(text: &str, setting: Setting) -> Result<Uses, String> {
    if text.chars().count() > LONGEST {
        return Err(format!("the expression is longer than {LONGEST} characters"));
    }
    let tokens = tokens::cut(text)?;
    if tokens.is_empty() {
        return Err("the expression is empty".to_owned());
    }
    let mut parser = Parser {
        tokens: &tokens,
        setting,
        uses: Uses::default(),
        depth: 0,
        rewrites: 0,
    };
    let value = parser.either()?;
    if let Some(token) = parser.peek() {
        return Err(format!("unexpected {}", named(token)));
    }
    match (setting.goal, value.kind, value.is_many) {
        (Goal::Filter, Kind::Flag, false) | (Goal::Value, Kind::Text, false) => Ok(parser.uses),
        (Goal::Filter, ..) => Err("expected a boolean value".to_owned()),
        (Goal::Value, ..) => Err("expected a string value".to_owned()),
    }
}

#[derive(Debug, Clone, Copy)]
struct Typed {
    kind: Kind,
    /// One for each element of a list.
    is_many: bool,
    is_literal: bool,
}

impl Typed {
    fn of(kind: Kind) -> Self {
        Self {
            kind,
            is_many: false,
            is_literal: false,
        }
    }

    fn literal(kind: Kind) -> Self {
        Self {
            is_literal: true,
            ..Self::of(kind)
        }
    }

    fn one_flag(self) -> bool {
        self.kind == Kind::Flag && !self.is_many
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    setting: Setting,
    uses: Uses,
    depth: usize,
    rewrites: usize,
}

fn named(token: &Token) -> String {
    match token {
        Token::Text(text) => format!("string \"{text}\""),
        Token::Word(word) => format!("`{word}`"),
        Token::List(name) => format!("`${name}`"),
        Token::Sign(sign) => format!("`{sign}`"),
    }
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.first()
    }

    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    /// Takes a token that is one of these words or signs.
    fn take(&mut self, any_of: &[&str]) -> bool {
        let is_there = match self.peek() {
            Some(Token::Word(word)) => any_of.contains(&word.as_str()),
            Some(Token::Sign(sign)) => any_of.contains(sign),
            _ => false,
        };
        if is_there {
            self.tokens = &self.tokens[1..];
        }
        is_there
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(&[sign]) {
            return Ok(());
        }
        let found = self.peek().map_or("the end".to_owned(), named);
        Err(format!("expected `{sign}`, found {found}"))
    }

    /// One level of operators that join flags.
    fn joined(&mut self, words: &[&str], inner: impl Fn(&mut Self) -> Result<Typed, String>) -> Result<Typed, String> {
        let first = inner(self)?;
        let mut is_joined = false;
        while self.take(words) {
            let second = inner(self)?;
            if !first.one_flag() || !second.one_flag() {
                return Err(format!("`{}` joins boolean values only", words[0]));
            }
            is_joined = true;
        }
        Ok(if is_joined { Typed::of(Kind::Flag) } else { first })
    }

    fn either(&mut self) -> Result<Typed, String> {
        self.joined(&["or", "||"], |parser| {
            parser.joined(&["xor", "^^"], |parser| parser.joined(&["and", "&&"], Self::negated))
        })
    }

    fn negated(&mut self) -> Result<Typed, String> {
        let mut is_negated = false;
        while self.take(&["not", "!"]) {
            is_negated = true;
        }
        let value = self.comparison()?;
        if is_negated && value.kind != Kind::Flag {
            return Err("`not` turns boolean values only".to_owned());
        }
        Ok(value)
    }

    fn comparison(&mut self) -> Result<Typed, String> {
        let left = self.value()?;
        let is_strict = self.take(&["strict"]);
        let found = match self.peek() {
            Some(Token::Word(word)) => vocabulary::operator(word),
            Some(Token::Sign(sign)) => vocabulary::operator(sign),
            _ => None,
        };
        if is_strict && found != Some(Operator::Wildcard) {
            return Err("expected `wildcard` after `strict`".to_owned());
        }
        let Some(operator) = found else {
            return match self.peek() {
                Some(Token::Word(word)) if !matches!(word.as_str(), "and" | "or" | "xor") => {
                    Err(format!("unknown operator `{word}`"))
                }
                _ => Ok(left),
            };
        };
        if left.is_literal {
            return Err("a literal cannot stand before an operator".to_owned());
        }
        self.tokens = &self.tokens[1..];
        self.right(operator, left.kind)?;
        Ok(Typed {
            is_many: left.is_many,
            ..Typed::of(Kind::Flag)
        })
    }

    /// What stands after an operator.
    fn right(&mut self, operator: Operator, kind: Kind) -> Result<(), String> {
        if operator == Operator::Matches && self.setting.plan < Plan::Business {
            let words = "not entitled to use the operator Matches, a Business plan or a WAF Advanced plan is required";
            return Err(words.to_owned());
        }
        match (operator, kind) {
            (Operator::In, Kind::Text | Kind::Number | Kind::Address) => return self.set(kind),
            (Operator::Equal | Operator::Order, Kind::Text | Kind::Number | Kind::Address)
            | (Operator::Contains | Operator::Matches | Operator::Wildcard, Kind::Text) => {}
            _ => return Err("the operator does not fit the value before it".to_owned()),
        }
        match self.next() {
            Some(Token::Text(text)) if kind == Kind::Text => {
                if operator == Operator::Wildcard && text.contains("**") {
                    return Err("a wildcard pattern cannot hold two asterisks in a row".to_owned());
                }
                Ok(())
            }
            Some(Token::Word(word)) if fits(&word, kind) => Ok(()),
            Some(token) => Err(format!("{} does not fit the value before it", named(&token))),
            None => Err("expected a value after the operator".to_owned()),
        }
    }

    /// `{…}`, or the name of a list.
    fn set(&mut self, kind: Kind) -> Result<(), String> {
        if let Some(Token::List(name)) = self.peek() {
            self.uses.lists.insert(name.clone());
            self.tokens = &self.tokens[1..];
            return Ok(());
        }
        self.expect("{")?;
        let mut count = 0;
        while !self.take(&["}"]) {
            count += 1;
            match self.next() {
                Some(Token::Text(_)) if kind == Kind::Text => {}
                Some(Token::Word(word)) if fits(&word, kind) || is_range(&word, kind) => {}
                Some(token) => return Err(format!("{} does not fit in this set", named(&token))),
                None => return Err("expected `}`, found the end".to_owned()),
            }
        }
        if count == 0 {
            return Err("a set cannot be empty".to_owned());
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Typed, String> {
        match self.next() {
            Some(Token::Sign("(")) => {
                self.deeper()?;
                let value = self.either()?;
                self.expect(")")?;
                self.depth -= 1;
                if value.is_literal {
                    return Err("a literal cannot stand in brackets".to_owned());
                }
                Ok(value)
            }
            Some(Token::Text(_)) => Ok(Typed::literal(Kind::Text)),
            Some(Token::Word(word)) => match word.as_str() {
                "true" | "false" => Ok(Typed::of(Kind::Flag)),
                number if fits(number, Kind::Number) => Ok(Typed::literal(Kind::Number)),
                name if self.take(&["("]) => self.call(name),
                name => self.field(name),
            },
            Some(token) => Err(format!("expected a value, found {}", named(&token))),
            None => Err("expected a value, found the end".to_owned()),
        }
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("ruleset exceeds complexity constraints".to_owned());
        }
        Ok(())
    }

    fn field(&mut self, name: &str) -> Result<Typed, String> {
        let (kind, is_of_response) = vocabulary::field(name).ok_or_else(|| format!("unknown identifier `{name}`"))?;
        if is_of_response && !self.setting.has_response {
            return Err(format!("the field {name} is not available in this phase"));
        }
        self.uses.fields.insert(name.to_owned());
        let mut value = Typed::of(kind);
        while self.take(&["["]) {
            value = match (value.kind, value.is_many, self.next()) {
                (Kind::Map, false, Some(Token::Text(_))) => Typed::of(Kind::Texts),
                (Kind::Texts, false, Some(Token::Word(number))) if number.parse::<u32>().is_ok() => {
                    Typed::of(Kind::Text)
                }
                (Kind::Texts, false, Some(Token::Sign("*"))) => Typed {
                    is_many: true,
                    ..Typed::of(Kind::Text)
                },
                _ => return Err(format!("`{name}` cannot be looked into like this")),
            };
            self.expect("]")?;
        }
        Ok(value)
    }

    fn call(&mut self, name: &str) -> Result<Typed, String> {
        let function = vocabulary::function(name).ok_or_else(|| format!("unknown function `{name}`"))?;
        if function.is_regex && self.setting.plan < Plan::Business {
            return Err(format!(
                "not entitled to use the function {name}, a Business plan is required"
            ));
        }
        if function.is_rewrite {
            self.rewrites += 1;
            if self.setting.goal != Goal::Value {
                return Err(format!("the function {name} can only be used where a value is made"));
            }
            if self.rewrites > 1 {
                return Err(format!("the function {name} can only be used once"));
            }
        }
        self.deeper()?;
        let (mut count, mut is_many) = (0, false);
        while !self.take(&[")"]) {
            if count > 0 {
                self.expect(",")?;
            }
            let wants = function.wants.get(count).copied().or(function.more);
            count += 1;
            let wants = wants.filter(|_| count <= function.most);
            let wants = wants.ok_or_else(|| format!("too many arguments for {name}"))?;
            let value = self.either()?;
            if !accepts(wants, value) {
                return Err(format!("argument {count} of {name} does not fit"));
            }
            is_many |= value.is_many && wants != Wants::Flags;
        }
        self.depth -= 1;
        if count < function.wants.len() {
            return Err(format!("too few arguments for {name}"));
        }
        Ok(Typed {
            is_many,
            ..Typed::of(function.gives)
        })
    }
}

fn accepts(wants: Wants, value: Typed) -> bool {
    match wants {
        Wants::Text => value.kind == Kind::Text,
        Wants::Literal => value.kind == Kind::Text && value.is_literal,
        Wants::Integer => value.kind == Kind::Number && value.is_literal,
        Wants::Scalar => matches!(value.kind, Kind::Number | Kind::Flag | Kind::Address) && !value.is_literal,
        Wants::Flags => value.kind == Kind::Flag && value.is_many,
        Wants::Collection => matches!(value.kind, Kind::Map | Kind::Texts),
        Wants::Texts => value.kind == Kind::Texts,
    }
}

/// Whether a bare word is a value of this kind.
fn fits(word: &str, kind: Kind) -> bool {
    match kind {
        Kind::Number => word.parse::<i64>().is_ok(),
        Kind::Address => {
            let (address, bits) = word.split_once('/').unwrap_or((word, "0"));
            let most = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
            let is_bits = |address| bits.parse::<u8>().is_ok_and(|bits| bits <= most(address));
            address.parse::<IpAddr>().is_ok_and(is_bits)
        }
        _ => false,
    }
}

/// `1..5`, or two addresses.
fn is_range(word: &str, kind: Kind) -> bool {
    word.split_once("..")
        .is_some_and(|(low, high)| fits(low, kind) && fits(high, kind))
}
