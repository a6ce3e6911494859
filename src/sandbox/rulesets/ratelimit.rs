//! What stands beside the action of a rate limit (facts §5.4, §5.6): what is counted by, how long, and what a plan allows
//! of it.

use serde_json::{Map, Value, json};

use super::super::envelope::Refusal;
use super::super::plan::Plan;
use super::expression::{Goal, Uses};
use super::validate::{Context, Part, invalid};

/// The periods that exist, in seconds.
const PERIODS: &[i64] = &[
    10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240, 300, 480, 600, 900, 1_200, 1_800, 2_400, 3_600, 65_535, 86_400,
];
/// What a filter may look at on the smallest plan.
const FIELDS_OF_FREE: &[&str] = &[
    "http.request.uri.path",
    "cf.bot_management.verified_bot",
    "cf.client.bot",
];

/// The longest period and the longest timeout, in seconds.
fn longest(plan: Plan) -> (i64, i64) {
    match plan {
        Plan::Free => (10, 10),
        Plan::Pro => (60, 3_600),
        Plan::Business => (600, 86_400),
        Plan::Enterprise => (86_400, 86_400),
    }
}

/// The limit, with its defaults.
pub(super) fn check(limit: &Part<'_>, uses: &Uses, context: Context<'_>) -> Result<Map<String, Value>, Refusal> {
    limit.only(&[
        "characteristics",
        "period",
        "requests_per_period",
        "mitigation_timeout",
        "counting_expression",
        "requests_to_origin",
        "mitigation_expression",
    ])?;
    let plan = context.plan;
    let names = characteristics(limit, plan)?;
    let required = |key: &str| invalid(&limit.place(key), format!("{key} is required"));
    let period = limit.number("period")?.ok_or_else(|| required("period"))?;
    let (longest_period, longest_timeout) = longest(plan);
    if !PERIODS.contains(&period) {
        return Err(limit.not_valid("period", &period.to_string()));
    }
    let entitled = |key: &str, value: i64, most: i64| {
        let words = format!("not entitled to use the {key} {value}, it can only be up to {most} on this plan");
        if value > most {
            Err(invalid(&limit.place(key), words))
        } else {
            Ok(())
        }
    };
    entitled("period", period, longest_period)?;
    let requests = limit.between("requests_per_period", 1, i64::MAX)?;
    let requests = requests.ok_or_else(|| required("requests_per_period"))?;
    let timeout = limit.between("mitigation_timeout", 0, i64::MAX)?;
    let timeout = timeout.ok_or_else(|| required("mitigation_timeout"))?;
    entitled("mitigation_timeout", timeout, longest_timeout)?;
    if plan == Plan::Free {
        if timeout != 10 {
            return Err(limit.not_valid("mitigation_timeout", &timeout.to_string()));
        }
        if let Some(field) = uses
            .fields
            .iter()
            .find(|field| !FIELDS_OF_FREE.contains(&field.as_str()))
        {
            let rule = limit.at.trim_end_matches("/ratelimit");
            let words = format!("not entitled to use the field {field} in rate limiting rules on this plan");
            return Err(invalid(&format!("{rule}/expression"), words));
        }
    }
    let counting = limit.text("counting_expression")?.unwrap_or_default();
    if !counting.is_empty() {
        limit.expression("counting_expression", counting, Goal::Filter, context)?;
    }
    let mut whole = Map::new();
    whole.insert("characteristics".to_owned(), json!(names));
    whole.insert("period".to_owned(), json!(period));
    whole.insert("requests_per_period".to_owned(), json!(requests));
    whole.insert("mitigation_timeout".to_owned(), json!(timeout));
    if !counting.is_empty() {
        whole.insert("counting_expression".to_owned(), json!(counting));
    }
    let to_origin = limit.flag("requests_to_origin")?.unwrap_or(false);
    whole.insert("requests_to_origin".to_owned(), json!(to_origin));
    // Old and read-only; recordings still have it.
    whole.insert("mitigation_expression".to_owned(), json!(""));
    Ok(whole)
}

/// A set of names that holds `cf.colo.id`.
fn characteristics<'a>(limit: &Part<'a>, plan: Plan) -> Result<Vec<&'a str>, Refusal> {
    let key = "characteristics";
    let wrong = |words: String| invalid(&limit.place(key), words);
    let list = limit
        .list(key)?
        .ok_or_else(|| wrong("characteristics is required".to_owned()))?;
    let names: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    let names = names.ok_or_else(|| wrong("characteristics must be strings".to_owned()))?;
    if !names.contains(&"cf.colo.id") {
        return Err(wrong("characteristics must contain cf.colo.id".to_owned()));
    }
    if let Some(twice) = names
        .iter()
        .find(|name| names.iter().filter(|other| other == name).count() > 1)
    {
        return Err(wrong(format!("'{twice}' stands twice in characteristics")));
    }
    let other = names.iter().find(|name| !matches!(**name, "cf.colo.id" | "ip.src"));
    match other {
        Some(name) if plan == Plan::Free => Err(wrong(format!(
            "not entitled to use the characteristic {name}, only ip.src can be used on this plan"
        ))),
        _ => Ok(names),
    }
}
