//! What a service or its plan cannot hold of what is declared: named by the key in the spec, with the nearest that it
//! can. Shared by all that keep checks. Pure.

use crate::model::inventory::{Desired, Unsupported};
use crate::model::resource::Resource;
use crate::plan::{Change, Refusal, Warning};
use crate::provider::Review;

/// Something that cannot be held as it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The key in the spec.
    pub field: &'static str,
    /// What cannot be held, and why.
    pub words: String,
    /// The nearest that can be; none when there is nothing near.
    pub nearest: Option<String>,
    /// What to write, where the spec says nothing and has to.
    pub write: Option<&'static str>,
}

impl Lack {
    /// Something with the nearest that can be held, if there is such.
    pub fn new(field: &'static str, words: impl Into<String>, nearest: Option<&str>) -> Self {
        Self {
            field,
            words: words.into(),
            nearest: nearest.map(str::to_owned),
            write: None,
        }
    }
}

/// Brings a resource to the nearest that can be held, and says what was given up. What has nothing near stays.
pub type Fit<'a> = dyn Fn(&mut Resource) -> Vec<Lack> + 'a;

/// Takes the nearest where the spec says that it will do, and says so.
pub fn adapt(desired: &mut Desired, provider: &str, fit: &Fit<'_>) -> Review {
    let mut review = Review::default();
    let is_lenient = desired
        .uptime
        .as_ref()
        .is_some_and(|policy| policy.provider == provider && policy.unsupported == Unsupported::Warn);
    if !is_lenient {
        return review;
    }
    for (address, resource) in &mut desired.inventory {
        for lack in fit(resource) {
            // What has no nearest is refused by the review all the same.
            if let Some(nearest) = lack.nearest {
                let message = format!("`{}`: {}; taken instead: {nearest}", lack.field, lack.words);
                review.warnings.push(Warning::about(address, "unsupported", message));
            }
        }
    }
    review
}

/// Refuses what `change` asks for and cannot be held.
pub fn refusals(change: &Change, title: &str, fit: &Fit<'_>) -> Vec<Refusal> {
    let Some(after) = &change.after else { return Vec::new() };
    let refuse = |lack: Lack| Refusal {
        address: Some(change.address.clone()),
        code: "unsupported".to_owned(),
        message: match lack.write {
            Some(_) => format!("{title} needs `{}`: {}", lack.field, lack.words),
            None => format!("{title} cannot hold `{}`: {}", lack.field, lack.words),
        },
        help: match (lack.write, &lack.nearest) {
            (Some(write), _) => format!("write `{write}`"),
            (None, Some(nearest)) => {
                format!("the nearest that it can hold: {nearest}; `on_unsupported: warn` takes that")
            }
            (None, None) => "nothing near it can be held".to_owned(),
        },
    };
    fit(&mut after.clone()).into_iter().map(refuse).collect()
}

/// Refuses to restore what is known to nobody here.
pub fn hidden(change: &Change) -> Option<Refusal> {
    let is_hidden = change.after.as_ref().is_some_and(Resource::hides_something);
    is_hidden.then(|| Refusal {
        address: Some(change.address.clone()),
        code: "not-restorable".to_owned(),
        message: "a value that is kept nowhere here would have to be restored".to_owned(),
        help: "leave it out with --target, and set it by hand".to_owned(),
    })
}
