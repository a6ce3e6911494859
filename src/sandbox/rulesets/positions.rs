//! Where a rule goes in its list (facts §5.2): `before` or `after` another one, or at an `index` from 1.

use serde_json::Value;

use super::super::envelope::Refusal;
use super::validate::invalid;

/// A place in a list of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// Before the rule with this id; at the top when it is empty.
    Before(String),
    /// After the rule with this id; at the bottom when it is empty.
    After(String),
    /// At this number, from 1.
    Index(usize),
}

impl Position {
    /// Exactly one of the three.
    pub(super) fn parse(value: &Value) -> Result<Self, Refusal> {
        let wrong = || invalid("/position", "position must hold exactly one of before, after and index");
        let fields = value.as_object().ok_or_else(wrong)?;
        let mut fields = fields.iter();
        let (Some((key, value)), None) = (fields.next(), fields.next()) else {
            return Err(wrong());
        };
        match (key.as_str(), value) {
            ("before", Value::String(id)) => Ok(Self::Before(id.clone())),
            ("after", Value::String(id)) => Ok(Self::After(id.clone())),
            ("index", Value::Number(number)) => {
                let number = number.as_u64().and_then(|number| usize::try_from(number).ok());
                let words = "index must be a number from 1";
                let number = number.filter(|number| *number > 0);
                number.map(Self::Index).ok_or_else(|| invalid("/position/index", words))
            }
            _ => Err(wrong()),
        }
    }

    /// The place in a list of these ids, from 0, at which the rule is put in.
    pub(super) fn among(&self, ids: &[&str]) -> Result<usize, Refusal> {
        let find = |id: &str, key: &str| {
            let found = ids.iter().position(|known| *known == id);
            found.ok_or_else(|| invalid(&format!("/position/{key}"), format!("could not find rule {id}")))
        };
        match self {
            Self::Before(id) if id.is_empty() => Ok(0),
            Self::After(id) if id.is_empty() => Ok(ids.len()),
            Self::Before(id) => find(id, "before"),
            Self::After(id) => Ok(find(id, "after")? + 1),
            Self::Index(number) if *number <= ids.len() + 1 => Ok(number - 1),
            Self::Index(number) => Err(invalid("/position/index", format!("index {number} is out of bounds"))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_position_is_one_of_three_and_must_exist() {
        let ids = ["a", "b"];
        for (value, expected) in [
            (json!({ "before": "" }), Some(0)),
            (json!({ "before": "b" }), Some(1)),
            (json!({ "after": "a" }), Some(1)),
            (json!({ "after": "" }), Some(2)),
            (json!({ "index": 1 }), Some(0)),
            (json!({ "index": 3 }), Some(2)),
            (json!({ "index": 4 }), None),
            (json!({ "index": 0 }), None),
            (json!({ "index": "1" }), None),
            (json!({ "before": "c" }), None),
            (json!({ "before": "a", "index": 1 }), None),
            (json!({}), None),
            (json!("top"), None),
        ] {
            let place = Position::parse(&value).and_then(|position| position.among(&ids));
            assert_eq!(place.clone().ok(), expected, "{value}");
            if let Err(refusal) = place {
                assert!(refusal.pointer.unwrap().starts_with("/position"), "{value}");
            }
        }
    }
}
