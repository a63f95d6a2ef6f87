//! Loads, ages and destroys token keys; the only reader and writer of keyring files.
