//! What became of a request, told by what is live now. Pure.

use crate::model::inventory::Inventory;
use crate::model::resource::Resource;
use crate::plan::Change;

/// What is live, compared with what a request was to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// Everything is as it was to be.
    Done,
    /// Everything is as it was before.
    NotDone,
    /// Neither: somebody else was there, or only a part was done.
    Neither,
}

/// Compares what is live with one change.
pub(super) fn sight(change: &Change, live: &Inventory) -> Sight {
    let now = live.get(&change.address);
    if now == change.before.as_ref() {
        Sight::NotDone
    } else if is_met(change, now) {
        Sight::Done
    } else {
        Sight::Neither
    }
}

fn is_met(change: &Change, now: Option<&Resource>) -> bool {
    match (&change.after, now) {
        (Some(after), Some(now)) => after.is_met_by(now),
        (after, now) => after.as_ref() == now,
    }
}

/// Compares what is live with several changes at once.
pub(super) fn sight_of_all<'a>(changes: impl IntoIterator<Item = &'a Change>, live: &Inventory) -> Sight {
    let mut whole: Option<Sight> = None;
    for change in changes {
        // A rule that moves along with the one before it looks the same before and after: the other one tells.
        if is_met(change, change.before.as_ref()) {
            continue;
        }
        let one = sight(change, live);
        match whole {
            None => whole = Some(one),
            Some(seen) if seen == one => {}
            Some(_) => return Sight::Neither,
        }
    }
    whole.unwrap_or(Sight::Done)
}
