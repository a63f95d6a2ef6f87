//! The agent's own log (redacted, rate-limited) and the contained APM hook.
