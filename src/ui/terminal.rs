//! Standard output and standard error, what they can show, and whether a person sits there.

use std::io::{self, IsTerminal as _, Write};

use anstream::ColorChoice;

use crate::base::secret::scrub;
use crate::ui::canvas::Look;

/// The narrowest and the widest that is drawn for, in columns.
const WIDTHS: (usize, usize) = (40, 120);

/// The two streams.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    choice: ColorChoice,
}

impl Terminal {
    /// `choice` is what the user said of colours; `NO_COLOR` and the like count when nothing was said.
    pub fn new(choice: ColorChoice) -> Self {
        Self { choice }
    }

    /// How things are to look on standard output.
    pub fn look(self) -> Look {
        let stream = io::stdout();
        let colour = self.has_colour(anstream::AutoStream::choice(&stream));
        if stream.is_terminal() {
            Look { width: width(), colour }
        } else {
            Look { colour, ..Look::PIPED }
        }
    }

    /// How things are to look on standard error.
    pub fn error_look(self) -> Look {
        let stream = io::stderr();
        let colour = self.has_colour(anstream::AutoStream::choice(&stream));
        if stream.is_terminal() {
            Look { width: width(), colour }
        } else {
            Look { colour, ..Look::PIPED }
        }
    }

    fn has_colour(self, found: ColorChoice) -> bool {
        match self.choice {
            ColorChoice::Auto => found != ColorChoice::Never,
            ColorChoice::Never => false,
            ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
        }
    }

    /// Writes to standard output. A reader that went away is no error.
    pub fn out(self, text: &str) -> io::Result<()> {
        write(&mut io::stdout().lock(), text)
    }

    /// Writes to standard error.
    pub fn error(self, text: &str) {
        // Where even this fails there is nobody left to tell.
        let _ = write(&mut io::stderr().lock(), text);
    }

    /// Whether a person can be asked.
    pub fn is_interactive(self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }
}

fn write(stream: &mut impl Write, text: &str) -> io::Result<()> {
    let result = stream.write_all(scrub(text).as_bytes()).and_then(|()| stream.flush());
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn width() -> usize {
    let stated = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse::<usize>().ok());
    let (narrowest, widest) = WIDTHS;
    stated.or_else(asked).unwrap_or(80).clamp(narrowest, widest)
}

#[cfg(unix)]
fn asked() -> Option<usize> {
    let sizes = [
        rustix::termios::tcgetwinsize(io::stdout()),
        rustix::termios::tcgetwinsize(io::stderr()),
    ];
    sizes
        .into_iter()
        .flatten()
        .map(|size| usize::from(size.ws_col))
        .find(|columns| *columns > 0)
}

#[cfg(not(unix))]
fn asked() -> Option<usize> {
    None
}
