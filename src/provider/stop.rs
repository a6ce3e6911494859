//! A wish to stop: heard between requests and in the pauses before them, never in the middle of one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Shared by whoever listens for an interrupt and whoever makes requests.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    is_asked: AtomicBool,
    asked: Notify,
}

impl Stop {
    /// Nobody wishes it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on no further request is begun.
    pub fn ask(&self) {
        self.0.is_asked.store(true, Ordering::SeqCst);
        self.0.asked.notify_waiters();
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        self.0.is_asked.load(Ordering::SeqCst)
    }

    /// Ends once it was asked for.
    pub async fn asked(&self) {
        // Listening begins before looking, or a wish between the two would go unheard.
        let asked = self.0.asked.notified();
        if !self.is_asked() {
            asked.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_hears_it_and_whoever_comes_later_too() {
        let stop = Stop::new();
        let heard = tokio::spawn({
            let stop = stop.clone();
            async move { stop.asked().await }
        });
        tokio::task::yield_now().await;
        assert!(!heard.is_finished() && !stop.is_asked());
        stop.ask();
        let both = async { (heard.await.is_ok(), stop.asked().await) };
        assert_eq!(tokio::time::timeout(Duration::from_secs(5), both).await, Ok((true, ())));
    }
}
