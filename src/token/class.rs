//! The kinds of values that have tokens. The short name is the token's prefix and never changes.

/// A class of token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum TokenClass {
    /// E-mail address.
    Email,
    /// One IP address.
    Ip,
    /// The network of an IP address: /24 of IPv4, /56 of IPv6.
    IpNetwork,
    /// Phone number.
    Phone,
    /// Payment card number.
    Card,
    /// International or domestic bank account number.
    Iban,
    /// National identity, tax or social security number.
    NationalId,
    /// Account or customer identifier.
    Account,
    /// Name of a person or company.
    Name,
}

impl TokenClass {
    /// Every class, in the order of the documentation.
    pub const ALL: [TokenClass; 9] = [
        TokenClass::Email,
        TokenClass::Ip,
        TokenClass::IpNetwork,
        TokenClass::Phone,
        TokenClass::Card,
        TokenClass::Iban,
        TokenClass::NationalId,
        TokenClass::Account,
        TokenClass::Name,
    ];

    /// The token's prefix, without the underscore.
    pub fn short(self) -> &'static str {
        match self {
            TokenClass::Email => "em",
            TokenClass::Ip => "ip",
            TokenClass::IpNetwork => "ipn",
            TokenClass::Phone => "ph",
            TokenClass::Card => "cd",
            TokenClass::Iban => "ib",
            TokenClass::NationalId => "id",
            TokenClass::Account => "ac",
            TokenClass::Name => "nm",
        }
    }

    /// The name people type.
    pub fn long(self) -> &'static str {
        match self {
            TokenClass::Email => "email",
            TokenClass::Ip => "ip",
            TokenClass::IpNetwork => "ip-network",
            TokenClass::Phone => "phone",
            TokenClass::Card => "card",
            TokenClass::Iban => "iban",
            TokenClass::NationalId => "national-id",
            TokenClass::Account => "account",
            TokenClass::Name => "name",
        }
    }

    /// The class of that short or long name.
    pub fn by_name(name: &str) -> Option<TokenClass> {
        TokenClass::ALL.into_iter().find(|class| class.short() == name || class.long() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_lead_to_the_class() {
        for class in TokenClass::ALL {
            assert_eq!(TokenClass::by_name(class.short()), Some(class));
            assert_eq!(TokenClass::by_name(class.long()), Some(class));
        }
        assert_eq!(TokenClass::by_name("e-mail"), None);
    }
}
