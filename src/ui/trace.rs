//! `-v` and `-vv`: what is done, line by line on standard error, without any credential.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::base::secret::scrub;

/// Begins to write traces: warnings at 0, what is done at 1, every request at 2 and more. Only our own: a library's
/// trace could hold what we would not write.
pub fn begin(verbosity: u8, colour: bool) {
    let level = match verbosity {
        0 => "launchctl=warn",
        1 => "launchctl=info",
        _ => "launchctl=debug",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_ansi(colour)
        .with_target(false)
        .with_writer(Scrubbed)
        .without_time()
        .compact()
        .finish();
    // Only the first of several subscribers in one process counts; tests start many.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Standard error, with every loaded credential taken out of what is written.
#[derive(Debug, Clone, Copy)]
struct Scrubbed;

impl Write for Scrubbed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let clean = scrub(&text);
        io::stderr().write_all(clean.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Scrubbed {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        *self
    }
}
