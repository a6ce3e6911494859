//! Level 0: what every room stands on. Knows nothing of records, providers or the terminal.
