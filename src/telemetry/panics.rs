//! What is said of a panic: where, never what. A panic's message could hold the text that caused it.

/// Replaces the process's panic hook by one that names the place alone.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write;
        let (file, line) = panic.location().map_or(("?", 0), |place| (place.file(), place.line()));
        // A message on a closed standard error has no reader.
        let _ = writeln!(std::io::stderr(), "logveil: internal error at {file}:{line}; the line at hand is withheld");
    }));
}
