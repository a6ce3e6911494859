//! What is being done and how long is left, on standard error and only on a terminal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::apply::Progress;
use crate::base::text::{sanitize, shorten};

/// A line that moves while we wait. Invisible where standard error is no terminal.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    done: AtomicUsize,
}

impl Bar {
    /// While something is read whose length is not known.
    pub fn waiting(visible: bool, words: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, target(visible));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(words.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self {
            bar,
            done: AtomicUsize::new(0),
        }
    }

    /// While requests are made.
    pub fn counting(visible: bool, requests: usize) -> Self {
        let length = u64::try_from(requests).unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(length), target(visible));
        // How long is left is not known before something is done.
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self {
            bar,
            done: AtomicUsize::new(0),
        }
    }

    /// Hears what an apply does.
    pub fn hear(&self, progress: Progress<'_>) {
        match progress {
            Progress::Started(step) => self.bar.set_message(words(&step.summary)),
            Progress::Looking(step) => {
                self.bar
                    .set_message(words(&format!("looking what became of: {}", step.summary)));
            }
            Progress::Ended(_) => {
                if self.done.fetch_add(1, Ordering::Relaxed) == 0
                    && let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}, {eta} left")
                {
                    self.bar.set_style(style);
                }
                self.bar.inc(1);
            }
        }
    }

    /// Says what is being done now.
    pub fn say(&self, text: &str) {
        self.bar.set_message(words(text));
    }

    /// Takes the line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Bar {
    /// An interrupt drops everything: no line stays behind.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn words(text: &str) -> String {
    shorten(&sanitize(text), 60)
}

fn target(visible: bool) -> ProgressDrawTarget {
    if visible {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}
