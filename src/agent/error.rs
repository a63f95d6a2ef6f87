//! Why the agent could not start or had to end.

/// Why the agent could not start or had to end.
#[derive(Debug)]
pub struct AgentError {
    /// What was tried and on what.
    pub what: String,
    /// What went wrong.
    pub error: Box<dyn std::error::Error + Send + Sync>,
}

/// The error of what was tried.
pub(super) fn failed(what: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> AgentError {
    AgentError { what: what.to_owned(), error: error.into() }
}

impl std::fmt::Display for AgentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot {}: {}", self.what, self.error)
    }
}

impl std::error::Error for AgentError {}
