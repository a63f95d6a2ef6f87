//! Log search queries as index filters use them, evaluated over what is known of a record.
//!
//! Understood: `key:value` tag terms, `@path:value` attribute terms, `*` and the empty query, `AND`,
//! `OR`, `NOT`, `-`, parentheses, quotes, backslash escapes, wildcards `*` and `?`, value lists
//! `key:(a OR b)`. Free words, phrases, ranges and comparisons depend on message text or measures and
//! are *unknown*. Logic is Kleene's: unknown only where the answer really depends on it.

/// Answer of an evaluation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Truth {
    /// Matches every such record.
    Yes,
    /// Matches no such record.
    No,
    /// Depends on what is not known here.
    Unknown,
}

/// What is known of the records of one source.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Tags `key:value`, lower case; `service`, `source` and `host` are tags too.
    pub tags: Vec<String>,
    /// Tag keys whose value differs from record to record (`status`).
    pub varying: Vec<String>,
    /// Attributes with fixed values, by path without `@`.
    pub attributes: Vec<(String, String)>,
}

/// A parsed query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter(Node);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Node {
    Everything,
    Tag(String, String),
    Attribute(String, String),
    /// Cannot be decided from facts.
    Opaque,
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

impl Truth {
    /// Kleene negation.
    pub fn negated(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

impl Filter {
    /// Parses a query. `Err` says what could not be read; treat such a filter as unknown.
    ///
    /// # Errors
    /// On unbalanced parentheses or quotes and missing operands.
    pub fn parse(query: &str) -> Result<Filter, String> {
        let tokens = tokens(query)?;
        if tokens.is_empty() {
            return Ok(Filter(Node::Everything));
        }
        let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
        let node = parser.any()?;
        if parser.at < tokens.len() {
            return Err("a closing parenthesis without its opening one".to_owned());
        }
        Ok(Filter(node))
    }

    /// Whether records with these facts match.
    pub fn matches(&self, facts: &Facts) -> Truth {
        evaluate(&self.0, facts)
    }
}

fn evaluate(node: &Node, facts: &Facts) -> Truth {
    match node {
        Node::Everything => Truth::Yes,
        Node::Opaque => Truth::Unknown,
        Node::Tag(key, value) => tag(key, value, facts),
        Node::Attribute(path, value) => attribute(path, value, facts),
        Node::Not(inner) => evaluate(inner, facts).negated(),
        Node::And(parts) => all(parts.iter().map(|part| evaluate(part, facts))),
        Node::Or(parts) => all(parts.iter().map(|part| evaluate(part, facts).negated())).negated(),
    }
}

/// An attribute with several values (an array) matches when any of them does.
fn attribute(path: &str, value: &str, facts: &Facts) -> Truth {
    let mut known = facts.attributes.iter().filter(|(known, _)| known == path).peekable();
    if known.peek().is_none() {
        return Truth::Unknown;
    }
    if known.any(|(_, known)| wild(value, known)) { Truth::Yes } else { Truth::No }
}

fn all(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut answer = Truth::Yes;
    for truth in truths {
        match truth {
            Truth::No => return Truth::No,
            Truth::Unknown => answer = Truth::Unknown,
            Truth::Yes => {}
        }
    }
    answer
}

/// A tag we set decides; a tag we do not set may still be added by the site (host tags), so a miss on
/// a key we do not know is unknown.
fn tag(key: &str, value: &str, facts: &Facts) -> Truth {
    let key = key.to_lowercase();
    if facts.varying.contains(&key) {
        return Truth::Unknown;
    }
    let mut key_known = false;
    for (known_key, known_value) in facts.tags.iter().filter_map(|tag| tag.split_once(':')) {
        if known_key == key {
            key_known = true;
            if wild(&value.to_lowercase(), &known_value.to_lowercase()) {
                return Truth::Yes;
            }
        }
    }
    if key_known { Truth::No } else { Truth::Unknown }
}

/// Shell-like match: `*` any run, `?` any one character. Linear in practice: one retry point.
fn wild(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Tok {
    Open,
    Close,
    Minus,
    /// A bare word with escapes resolved; `true` when any part was quoted (then it is no operator).
    Word(String, bool),
    /// `key:` directly followed by a list in parentheses.
    List(String),
}

fn tokens(query: &str) -> Result<Vec<Tok>, String> {
    let mut out = Vec::new();
    let mut chars = query.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            c if c.is_whitespace() => {
                chars.next();
            }
            '(' => {
                chars.next();
                out.push(Tok::Open);
            }
            ')' => {
                chars.next();
                out.push(Tok::Close);
            }
            '-' | '!' => {
                chars.next();
                out.push(Tok::Minus);
            }
            _ => out.push(word(&mut chars)?),
        }
    }
    Ok(out)
}

fn word(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Tok, String> {
    let (mut text, mut quoted) = (String::new(), false);
    while let Some(&c) = chars.peek() {
        match c {
            c if c.is_whitespace() || c == ')' => break,
            '(' if text.ends_with(':') => return Ok(Tok::List(text[..text.len() - 1].to_owned())),
            '(' => break,
            '"' => {
                quoted = true;
                chars.next();
                loop {
                    match chars.next().ok_or("a quote without its end")? {
                        '"' => break,
                        '\\' => text.push(chars.next().ok_or("a backslash at the end")?),
                        inner => text.push(inner),
                    }
                }
            }
            '\\' => {
                chars.next();
                let escaped = chars.next().ok_or("a backslash at the end")?;
                // An escaped colon before any real one makes free text of the word, not a tag.
                text.push(if escaped == ':' && !text.contains(':') { '\u{e000}' } else { escaped });
                quoted = true;
            }
            '[' | '{' => {
                // A range; read to its end so that its `TO` is no word of its own.
                for inner in chars.by_ref() {
                    text.push(inner);
                    if inner == ']' || inner == '}' {
                        break;
                    }
                }
            }
            _ => {
                chars.next();
                text.push(c);
            }
        }
    }
    Ok(Tok::Word(text, quoted))
}

struct Parser<'t> {
    tokens: &'t [Tok],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    /// `a OR b`; the weakest operator.
    fn any(&mut self) -> Result<Node, String> {
        let mut parts = vec![self.every()?];
        while self.operator("OR") {
            parts.push(self.every()?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Node::Or(parts) })
    }

    /// `a AND b`, and `a b`.
    fn every(&mut self) -> Result<Node, String> {
        let mut parts = vec![self.one()?];
        loop {
            let explicit = self.operator("AND");
            let another = match self.tokens.get(self.at) {
                None | Some(Tok::Close) => false,
                Some(Tok::Word(word, false)) if word == "OR" => false,
                Some(_) => true,
            };
            if !another {
                if explicit {
                    return Err("AND without what follows it".to_owned());
                }
                break;
            }
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Node::And(parts) })
    }

    fn one(&mut self) -> Result<Node, String> {
        if self.operator("NOT") {
            return Ok(Node::Not(Box::new(self.one()?)));
        }
        let token = self.tokens.get(self.at).ok_or("an operator without what follows it")?;
        self.at += 1;
        match token {
            Tok::Minus => Ok(Node::Not(Box::new(self.one()?))),
            Tok::Open => self.group(),
            Tok::Close => Err("an empty pair of parentheses".to_owned()),
            Tok::Word(word, false) if word == "AND" || word == "OR" => {
                Err(format!("{word} without what stands before it"))
            }
            Tok::Word(word, quoted) => Ok(term(word, *quoted)),
            Tok::List(key) => self.list(key),
        }
    }

    fn group(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > 64 {
            return Err("parentheses nested more than 64 deep".to_owned());
        }
        let inner = self.any()?;
        self.depth -= 1;
        if self.tokens.get(self.at) != Some(&Tok::Close) {
            return Err("a parenthesis without its end".to_owned());
        }
        self.at += 1;
        Ok(inner)
    }

    /// `key:(a OR b)`: only plain alternatives are understood.
    fn list(&mut self, key: &str) -> Result<Node, String> {
        self.at += 1; // the opening parenthesis
        let (mut values, mut plain) = (Vec::new(), true);
        loop {
            let token = self.tokens.get(self.at).ok_or("a parenthesis without its end")?;
            self.at += 1;
            match token {
                Tok::Close => break,
                Tok::Word(word, false) if word == "OR" => {}
                Tok::Word(word, quoted) if word != "AND" && word != "NOT" => {
                    values.push(term(&format!("{key}:{word}"), *quoted));
                }
                _ => plain = false,
            }
        }
        Ok(if plain && !values.is_empty() { Node::Or(values) } else { Node::Opaque })
    }

    fn operator(&mut self, name: &str) -> bool {
        let here = matches!(self.tokens.get(self.at), Some(Tok::Word(word, false)) if word == name);
        self.at += usize::from(here);
        here
    }
}

fn term(word: &str, quoted: bool) -> Node {
    if word == "*" && !quoted {
        return Node::Everything;
    }
    let Some((key, value)) = word.split_once(':') else { return Node::Opaque };
    if value.starts_with(['>', '<', '[', '{']) && !quoted || key == "*" || key.is_empty() {
        return Node::Opaque;
    }
    match key.strip_prefix('@') {
        Some(path) => Node::Attribute(path.to_owned(), value.to_owned()),
        None => Node::Tag(key.to_owned(), value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts() -> Facts {
        Facts {
            tags: ["env:prod", "retention:90d", "service:workflow-engine", "source:logveil", "host:eu-1"]
                .map(str::to_owned)
                .to_vec(),
            varying: vec!["status".to_owned()],
            attributes: vec![("logveil.source".to_owned(), "workflows".to_owned())],
        }
    }

    #[test]
    fn queries_are_answered() {
        let cases = [
            ("", Truth::Yes),
            ("*", Truth::Yes),
            ("retention:90d", Truth::Yes),
            ("retention:30d", Truth::No),
            ("Service:WORKFLOW-engine", Truth::Yes),
            ("service:workflow-*", Truth::Yes),
            ("service:work?low*", Truth::Yes),
            ("service:web*", Truth::No),
            ("status:error", Truth::Unknown),
            ("team:platform", Truth::Unknown),
            ("env:prod AND retention:90d", Truth::Yes),
            ("env:prod retention:30d", Truth::No),
            ("env:dev OR retention:90d", Truth::Yes),
            ("NOT env:dev", Truth::Yes),
            ("-env:prod", Truth::No),
            ("env:prod -retention:30d", Truth::Yes),
            ("(env:dev OR env:prod) AND service:(web OR workflow-engine)", Truth::Yes),
            ("status:error AND env:dev", Truth::No),
            ("status:error OR env:prod", Truth::Yes),
            ("status:error env:prod", Truth::Unknown),
            ("@logveil.source:workflows", Truth::Yes),
            ("@logveil.source:host", Truth::No),
            ("@duration:>100", Truth::Unknown),
            ("@http.status_code:[400 TO 499]", Truth::Unknown),
            ("timeout", Truth::Unknown),
            ("\"two words\" env:dev", Truth::No),
            ("env:\"prod\"", Truth::Yes),
            ("env\\:prod", Truth::Unknown),
        ];
        for (query, truth) in cases {
            assert_eq!(Filter::parse(query).unwrap().matches(&facts()), truth, "{query}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for query in ["(env:prod", "env:prod)", "env:prod AND", "OR env:prod", "\"open", "service:(a OR b", "()", "NOT"]
        {
            assert!(Filter::parse(query).is_err(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(query in "[ a-z:@()*?\"\\\\\\[\\]<>=-]{0,60}") {
            if let Ok(filter) = Filter::parse(&query) {
                let _ = filter.matches(&facts());
            }
        }

        #[test]
        fn negation_is_an_involution(query in "(env|retention|team):[a-z0-9*]{1,5}( (AND|OR) (NOT )?(env|status):[a-z]{1,5}){0,3}") {
            let plain = Filter::parse(&query).unwrap().matches(&facts());
            let twice = Filter::parse(&format!("NOT (NOT ({query}))")).unwrap().matches(&facts());
            prop_assert_eq!(plain, twice);
        }
    }
}
