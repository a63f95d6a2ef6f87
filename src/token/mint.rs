//! The mint: normalised values in, tokens out, under one epoch's key.
//!
//! Subkeys are HMAC-SHA-256 of the epoch key over a label that names purpose, class, region and epoch,
//! so a token depends on all four and no subkey tells anything of another. Keying a value copies a
//! prepared HMAC state on the stack: no allocation per token.

use super::class::TokenClass;
use super::form::{EpochId, Token};
use super::normalise::{Country, normalise};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The random key of one epoch and region. Wiped when dropped; cannot be printed.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

/// Makes tokens of one epoch.
pub struct Minter {
    epoch: EpochId,
    country: Option<Country>,
    /// One prepared state per class, in the order of `TokenClass::ALL`.
    states: [Hmac<Sha256>; 9],
    scratch: Vec<u8>,
}

impl Key {
    /// Takes over 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(Zeroizing::new(bytes))
    }

    /// The bytes, for the keyring file alone.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Minter {
    /// A mint for `epoch` under `key`. `country` turns national phone numbers into international ones.
    pub fn new(key: &Key, region: &str, epoch: EpochId, country: Option<Country>) -> Minter {
        let states = TokenClass::ALL.map(|class| {
            let mut derive = keyed(key.expose());
            for part in ["logveil token v1", class.short(), region, &epoch.to_string()] {
                derive.update(&[part.len() as u8]);
                derive.update(part.as_bytes());
            }
            let subkey = Zeroizing::new(<[u8; 32]>::from(derive.finalize().into_bytes()));
            keyed(&subkey)
        });
        Minter { epoch, country, states, scratch: Vec::with_capacity(256) }
    }

    /// The epoch whose tokens this mint makes.
    pub fn epoch(&self) -> EpochId {
        self.epoch
    }

    /// The token of `value` as found (any spelling), or `None` where the value has no normal form of
    /// that class (a broken address, an empty name): the caller then uses the label.
    pub fn mint(&mut self, class: TokenClass, value: &[u8]) -> Option<Token> {
        self.scratch.clear();
        normalise(class, value, self.country, &mut self.scratch)?;
        let place = TokenClass::ALL.iter().position(|known| *known == class)?;
        let mut state = self.states[place].clone();
        state.update(&self.scratch);
        let mac = state.finalize().into_bytes();
        zeroize::Zeroize::zeroize(&mut self.scratch[..]);
        let mut head = [0u8; 8];
        head.copy_from_slice(&mac[..8]);
        Some(Token::new(class, self.epoch, &head))
    }
}

/// HMAC takes keys of any length, so this cannot fail for 32 bytes.
fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    match Hmac::new_from_slice(key) {
        Ok(state) => state,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mint(byte: u8, region: &str, epoch: u64) -> Minter {
        Minter::new(&Key::new([byte; 32]), region, EpochId::from_number(epoch), Some(Country::Poland))
    }

    fn body(minter: &mut Minter, class: TokenClass, value: &str) -> String {
        let token = minter.mint(class, value.as_bytes()).unwrap();
        let text = token.as_str();
        text[class.short().len() + 3..text.len() - 1].to_string()
    }

    #[test]
    fn body_depends_on_key_class_region_and_epoch() {
        let base = body(&mut mint(1, "eu", 7), TokenClass::Account, "4711");
        assert_eq!(base, body(&mut mint(1, "eu", 7), TokenClass::Account, "4711"));
        for other in [
            body(&mut mint(2, "eu", 7), TokenClass::Account, "4711"),
            body(&mut mint(1, "eu", 7), TokenClass::NationalId, "4711"),
            body(&mut mint(1, "us", 7), TokenClass::Account, "4711"),
            body(&mut mint(1, "eu", 8), TokenClass::Account, "4711"),
            body(&mut mint(1, "eu", 7), TokenClass::Account, "4712"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_network_has_its_own_token() {
        let mut mint = mint(3, "eu", 1);
        let host = mint.mint(TokenClass::Ip, b"203.0.113.77").unwrap();
        let near = mint.mint(TokenClass::Ip, b"203.0.113.78").unwrap();
        assert_ne!(host.as_str(), near.as_str());
        let network = mint.mint(TokenClass::IpNetwork, b"203.0.113.77").unwrap();
        assert_eq!(network.as_str(), mint.mint(TokenClass::IpNetwork, b"203.0.113.78").unwrap().as_str());
        assert_ne!(network.as_str(), mint.mint(TokenClass::IpNetwork, b"203.0.114.78").unwrap().as_str());
    }

    #[test]
    fn what_has_no_normal_form_has_no_token() {
        let mut mint = mint(3, "eu", 1);
        assert!(mint.mint(TokenClass::Ip, b"300.1.1.1").is_none());
        assert!(mint.mint(TokenClass::Email, b"no at-sign").is_none());
        assert!(mint.mint(TokenClass::Name, b"  ").is_none());
    }
}
