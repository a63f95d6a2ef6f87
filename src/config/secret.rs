//! References to secrets: the configuration names where a secret is, never the secret itself.

use crate::sink::key::{ApiKey, KeySource};
use std::path::PathBuf;

/// Where a secret is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretRef {
    /// A file, absolute.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A credential that systemd puts into `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

impl SecretRef {
    /// Reads a reference as written.
    ///
    /// # Errors
    /// What is wrong with it; the text itself is not repeated, it could be the secret.
    pub fn parse(text: &str) -> Result<SecretRef, String> {
        let (kind, rest) = text.split_once(':').unwrap_or(("", text));
        match kind {
            "file" if rest.starts_with('/') => Ok(SecretRef::File(PathBuf::from(rest))),
            "file" => Err("the path after 'file:' must be absolute".to_owned()),
            "env" if is_name(rest, false) => Ok(SecretRef::Env(rest.to_owned())),
            "env" => Err("expected the name of a variable after 'env:'".to_owned()),
            "credential" if is_name(rest, true) => Ok(SecretRef::Credential(rest.to_owned())),
            "credential" => Err("expected a credential's name after 'credential:'".to_owned()),
            _ => Err("a secret is never written here; expected a reference: file:/path, env:NAME or credential:NAME"
                .to_owned()),
        }
    }

    /// The file behind the reference, where there is one. `var` reads an environment variable.
    ///
    /// # Errors
    /// A credential without the directory that systemd provides.
    pub fn path(&self, var: &dyn Fn(&str) -> Option<String>) -> Result<Option<PathBuf>, String> {
        match self {
            SecretRef::File(path) => Ok(Some(path.clone())),
            SecretRef::Env(_) => Ok(None),
            SecretRef::Credential(name) => match var("CREDENTIALS_DIRECTORY") {
                Some(folder) => Ok(Some(PathBuf::from(folder).join(name))),
                None => Err("CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with LoadCredential=, \
                             elsewhere use file:"
                    .to_owned()),
            },
        }
    }

    /// The reference as a source of the API key.
    ///
    /// # Errors
    /// A variable or directory that is not set, or a variable that holds no usable key.
    pub fn key_source(&self, var: &dyn Fn(&str) -> Option<String>) -> Result<KeySource, String> {
        match (self, self.path(var)?) {
            (_, Some(path)) => Ok(KeySource::File(path)),
            (SecretRef::Env(name), None) => {
                let value = var(name).ok_or_else(|| format!("the variable {name} is not set"))?;
                let key = ApiKey::new(value).ok_or_else(|| format!("the variable {name} holds no usable key"))?;
                Ok(KeySource::Fixed(key))
            }
            (_, None) => Err("the reference names no file".to_owned()),
        }
    }
}

fn is_name(text: &str, more: bool) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || (more && matches!(b, b'-' | b'.'));
    !text.is_empty() && text.len() <= 255 && text != "." && text != ".." && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_are_read() {
        assert_eq!(SecretRef::parse("file:/etc/key"), Ok(SecretRef::File("/etc/key".into())));
        assert_eq!(SecretRef::parse("env:DD_KEY"), Ok(SecretRef::Env("DD_KEY".into())));
        assert_eq!(SecretRef::parse("credential:dd_api-key"), Ok(SecretRef::Credential("dd_api-key".into())));
        for text in ["", "abcdef0123", "file:key", "env:", "env:A B", "credential:../x", "credential:..", "vault:x"] {
            let error = SecretRef::parse(text).expect_err(text);
            assert!(text.len() < 6 || !error.contains(text), "{error}");
        }
    }

    #[test]
    fn credentials_come_from_systemds_folder() {
        let var = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| "/run/credentials/x".to_owned());
        let reference = SecretRef::Credential("key".into());
        assert_eq!(reference.path(&var), Ok(Some("/run/credentials/x/key".into())));
        assert!(reference.path(&|_| None).expect_err("not set").contains("LoadCredential"));
    }
}
