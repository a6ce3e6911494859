//! What a setting can hold, as data, and the one canonical form of each value: what a person writes, what a provider
//! was sent and what it returns come out equal when they mean the same.

use serde_json::{Map, Value, json};

use crate::base::text;

/// A setting and what it can hold.
#[derive(Debug, Clone, Copy)]
pub struct SettingForm {
    /// The provider's id.
    pub id: &'static str,
    /// What it can hold.
    pub values: Values,
}

/// What a setting can hold.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// `on` or `off`.
    Switch,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Words(&'static [&'static str]),
    /// One of these numbers, in ascending order.
    Numbers(&'static [u64]),
    /// A number from the first to the second.
    Range(u64, u64),
    /// Any text.
    Text,
    /// A list of texts, each once, in any order.
    List,
    /// These fields. One that is not said is `false`, 0, an empty text or an empty list.
    Object(&'static [(&'static str, Values)]),
    /// Nothing that a spec can wish for; why.
    NotManaged(&'static str),
}

impl SettingForm {
    /// The form of the setting called `id`.
    pub fn find<'a>(forms: &'a [Self], id: &str) -> Option<&'a Self> {
        forms.iter().find(|form| form.id == id)
    }
}

impl Values {
    /// The canonical form of a value; the error says what was expected.
    pub fn canonical(&self, value: &Value) -> Result<Value, String> {
        let word = || match value {
            Value::String(word) => Some(word.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        };
        let wrong = || format!("expected {}", self.expected());
        match self {
            Self::Switch => match word().as_deref() {
                Some("on" | "true") => Ok(json!("on")),
                Some("off" | "false") => Ok(json!("off")),
                _ => Err(wrong()),
            },
            Self::Flag => match word().as_deref() {
                Some("on" | "true") => Ok(json!(true)),
                Some("off" | "false") => Ok(json!(false)),
                _ => Err(wrong()),
            },
            Self::Words(words) => {
                let word = word().ok_or_else(wrong)?;
                // A word that stands for a switch is also written as one.
                let word = match word.as_str() {
                    "true" if words.contains(&"on") => "on",
                    "false" if words.contains(&"off") => "off",
                    word => word,
                };
                words
                    .iter()
                    .find(|known| **known == word)
                    .map(|known| json!(known))
                    .ok_or_else(wrong)
            }
            Self::Numbers(numbers) => {
                let number = word().and_then(|word| word.parse::<u64>().ok()).ok_or_else(wrong)?;
                if numbers.contains(&number) {
                    return Ok(json!(number));
                }
                let near = numbers.iter().min_by_key(|known| known.abs_diff(number));
                Err(match near {
                    Some(near) => format!("{number} is not among the values that it takes; the nearest is {near}"),
                    None => wrong(),
                })
            }
            Self::Range(least, most) => word()
                .and_then(|word| word.parse::<u64>().ok())
                .filter(|number| (*least..=*most).contains(number))
                .map(|number| json!(number))
                .ok_or_else(wrong),
            Self::Text => word().map(|word| json!(word)).ok_or_else(wrong),
            Self::List => {
                let items = value.as_array().ok_or_else(wrong)?;
                let mut all = Vec::new();
                for item in items {
                    all.push(item.as_str().ok_or_else(wrong)?.to_owned());
                }
                all.sort();
                all.dedup();
                Ok(json!(all))
            }
            Self::Object(fields) => object(fields, value.as_object().ok_or_else(wrong)?),
            Self::NotManaged(why) => Err((*why).to_owned()),
        }
    }

    /// What it holds when nothing is said.
    fn nothing(&self) -> Value {
        match self {
            Self::Switch => json!("off"),
            Self::Flag => json!(false),
            Self::Numbers(_) | Self::Range(..) => json!(0),
            Self::Words(_) | Self::Text | Self::NotManaged(_) => json!(""),
            Self::List => json!([]),
            Self::Object(fields) => {
                let empty = |(name, values): &(&str, Self)| ((*name).to_owned(), values.nothing());
                Value::Object(fields.iter().map(empty).collect())
            }
        }
    }

    /// What can be written, in a few words.
    pub fn expected(&self) -> String {
        match self {
            Self::Switch => "on or off".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Words(words) => {
                let (last, head) = words.split_last().map_or(("", &[][..]), |(last, head)| (*last, head));
                if head.is_empty() {
                    last.to_owned()
                } else {
                    format!("{} or {last}", head.join(", "))
                }
            }
            Self::Numbers(numbers) => {
                let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Range(least, most) => format!("a number from {least} to {most}"),
            Self::Text => "a text".to_owned(),
            Self::List => "a list of texts".to_owned(),
            Self::Object(fields) => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
                format!("keys such as {}", text::list(&names))
            }
            Self::NotManaged(why) => (*why).to_owned(),
        }
    }
}

/// The keys in the order of the table, and none but those.
fn object(fields: &[(&str, Values)], value: &Map<String, Value>) -> Result<Value, String> {
    if let Some(unknown) = value.keys().find(|key| !fields.iter().any(|(name, _)| name == key)) {
        let near = text::nearest(unknown, fields.iter().map(|(name, _)| *name));
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(format!("it has no `{}`{near}", text::sanitize(unknown)));
    }
    let mut all = Map::new();
    for (name, values) in fields {
        let said = match value.get(*name) {
            None | Some(Value::Null) => values.nothing(),
            Some(value) => values.canonical(value).map_err(|why| format!("`{name}`: {why}"))?,
        };
        all.insert((*name).to_owned(), said);
    }
    Ok(Value::Object(all))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn other_writings_of_one_value_come_out_equal() {
        let same = |values: Values, writings: &[Value], canonical: Value| {
            for writing in writings {
                assert_eq!(values.canonical(writing).unwrap(), canonical, "{writing}");
            }
        };
        same(Values::Switch, &[json!("on"), json!(true), json!("true")], json!("on"));
        same(
            Values::Words(&["1.0", "1.2"]),
            &[json!("1.2"), json!(1.2)],
            json!("1.2"),
        );
        same(
            Values::Numbers(&[0, 14_400]),
            &[json!("14400"), json!(14_400)],
            json!(14_400),
        );
        same(
            Values::List,
            &[json!(["b", "a", "b"]), json!(["a", "b"])],
            json!(["a", "b"]),
        );
        let object = Values::Object(&[("enabled", Values::Flag), ("max_age", Values::Range(0, 100))]);
        same(
            object,
            &[
                json!({"max_age": "5", "enabled": true}),
                json!({"enabled": "on", "max_age": 5}),
            ],
            json!({"enabled": true, "max_age": 5}),
        );
        same(
            object,
            &[json!({}), json!({"enabled": null})],
            json!({"enabled": false, "max_age": 0}),
        );
    }

    #[test]
    fn what_it_cannot_hold_is_said_with_what_it_can() {
        for (values, bad, why) in [
            (Values::Switch, json!("yes"), "on or off"),
            (Values::Numbers(&[30, 60]), json!(50), "the nearest is 60"),
            (Values::Range(1, 9), json!(10), "from 1 to 9"),
            (Values::Words(&["off", "full"]), json!("ful"), "off or full"),
            (
                Values::Object(&[("max_age", Values::Flag)]),
                json!({"max_agee": 1}),
                "did you mean `max_age`",
            ),
            (Values::NotManaged("it moves by itself"), json!("on"), "by itself"),
        ] {
            let error = values.canonical(&bad).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
