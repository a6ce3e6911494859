//! Asking a person, on the terminal and nowhere else.

use std::io::{BufRead as _, BufReader, Read as _};

use crate::ui::terminal::Terminal;

/// The longest answer that is read, in bytes.
const LONGEST: u64 = 256;

/// Asks a question that only `yes` answers with yes. The answer is awaited on a thread of its own, so that an interrupt
/// is heard meanwhile.
pub async fn confirm(terminal: Terminal, question: &str) -> bool {
    terminal.error(&format!("{question} Only `yes` goes on: "));
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        let mut input = BufReader::new(std::io::stdin().take(LONGEST));
        input.read_line(&mut line).map(|_| line)
    });
    let answer = answer.await;
    // At the end of input nobody has ended the line.
    if !matches!(&answer, Ok(Ok(line)) if line.ends_with('\n')) {
        terminal.error("\n");
    }
    matches!(answer, Ok(Ok(line)) if line.trim() == "yes")
}
