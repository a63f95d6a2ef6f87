//! Command lines: the secret flags of known programs, which mean something else everywhere else.
//!
//! `-p` is a password behind `sshpass`, a port behind `docker run`. A program's name opens a command; its
//! arguments are read up to the command's end, written out in a line or as a list of quoted texts.

use super::bare;
use super::kind;
use super::quoted;
use super::reader::Reader;
use super::scope::Scope;
use std::ops::Range;

/// How a flag carries its secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// `-a x` and `-ax`: all of it.
    Whole,
    /// `-px`: only glued on (`-p` alone asks for it).
    Glued,
    /// `-u user:x`: what follows the first colon.
    User,
    /// `-U user%x`.
    Percent,
    /// `-passin pass:x`.
    Source,
    /// `-u user,x`.
    Comma,
    /// `user/x@service`.
    Slash,
}

/// A program, as its name's letters, and its secret flags.
type Program = (&'static [&'static str], &'static [(&'static str, Form)]);

const PROGRAMS: &[Program] = &[
    (&["curl"], &[("-u", Form::User), ("--user", Form::User), ("-U", Form::User), ("--proxy-user", Form::User)]),
    (&["wget"], &[("--user", Form::User)]),
    (&["http", "https", "xh", "httpie"], &[("-a", Form::User), ("--auth", Form::User)]),
    (
        &["mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlcheck", "mariadb", "mariadbdump"],
        &[("-p", Form::Glued)],
    ),
    (&["sshpass"], &[("-p", Form::Whole)]),
    (&["rediscli", "valkeycli"], &[("-a", Form::Whole)]),
    (
        &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami", "ldappasswd", "ldapcompare"],
        &[("-w", Form::Whole), ("-s", Form::Whole), ("-a", Form::Whole)],
    ),
    (
        &[
            "dockerlogin",
            "podmanlogin",
            "helmregistrylogin",
            "azlogin",
            "azacrlogin",
            "oclogin",
            "skopeologin",
            "buildahlogin",
        ],
        &[("-p", Form::Whole), ("-u", Form::User)],
    ),
    (&["mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"], &[("-p", Form::Whole)]),
    (&["sqlcmd", "bcp", "tsql", "sqsh", "isql"], &[("-P", Form::Whole)]),
    (&["smbclient", "rpcclient", "smbget"], &[("-U", Form::Percent), ("--user", Form::Percent)]),
    (
        &["openssl"],
        &[("-passin", Form::Source), ("-passout", Form::Source), ("-pass", Form::Source), ("-k", Form::Whole)],
    ),
    (&["psexec", "psexec64", "expologin"], &[("-p", Form::Whole)]),
    (&["sshkeygen"], &[("-N", Form::Whole), ("-P", Form::Whole)]),
    (&["lftp"], &[("-u", Form::Comma)]),
    (&["zip", "unzip"], &[("-P", Form::Whole)]),
    (&["7z", "7za", "unrar", "rar"], &[("-p", Form::Glued), ("-hp", Form::Glued)]),
    (&["cqlsh", "nodetool", "impalashell", "beeline"], &[("-p", Form::Whole), ("-pw", Form::Whole)]),
    (&["plink", "pscp", "psftp"], &[("-pw", Form::Whole)]),
    (
        &["keytool", "jarsigner", "apksigner"],
        &[
            ("-storepass", Form::Whole),
            ("-keypass", Form::Whole),
            ("-srcstorepass", Form::Whole),
            ("-deststorepass", Form::Whole),
            ("-destkeypass", Form::Whole),
            ("-new", Form::Whole),
        ],
    ),
    (&["putparameter", "keyvaultsecretset"], &[("--value", Form::Whole)]),
    (&["secretset", "secretsset"], &[("--body", Form::Whole), ("-b", Form::Whole)]),
    (&["htpasswd"], &[("@3", Form::Whole)]),
    (&["twiliologin"], &[("@2", Form::Whole)]),
    (&["doctlauth"], &[("-t", Form::Whole)]),
    (&["useradd", "usermod", "adduser"], &[("-p", Form::Whole), ("--password", Form::Whole)]),
    (&["netuser", "wpapassphrase", "radtest"], &[("@2", Form::Whole)]),
    (&["netuse"], &[("@3", Form::Whole), ("@4", Form::Whole)]),
    (&["rabbitmqctl", "composerconfig"], &[("@3", Form::Whole)]),
    (&["mosquittopub", "mosquittosub", "ipmitool", "impacket"], &[("-P", Form::Whole)]),
    (&["cmdkey", "wmic", "schtasks"], &[("/pass:", Form::Glued), ("/password:", Form::Glued), ("/rp", Form::Whole)]),
    (&["rdesktop", "evilwinrm"], &[("-p", Form::Whole)]),
    (&["xfreerdp", "wfreerdp"], &[("/p:", Form::Glued)]),
    (
        &["snmpwalk", "snmpget", "snmpset", "snmptrap", "snmpbulkwalk", "snmptrapd"],
        &[("-A", Form::Whole), ("-X", Form::Whole), ("-c", Form::Whole)],
    ),
    (&["mcaliasset"], &[("@3", Form::Whole), ("@4", Form::Whole)]),
    (&["sqlplus", "expdp", "impdp", "rman", "sqlldr"], &[("@1", Form::Slash)]),
    (&["imapsync"], &[("--password1", Form::Whole), ("--password2", Form::Whole)]),
    (&["influx", "etcdctl", "rclone", "kafkacat"], &[("-password", Form::Whole), ("--user", Form::User)]),
];

/// Bytes and arguments of a command that are read.
const LONGEST: usize = 1024;
const MOST: usize = 40;

/// Reads the arguments of the program whose name stands at `name`; false when it is none we know.
pub(crate) fn read(reader: &mut Reader<'_>, scope: Scope<'_>, name: Range<usize>) -> bool {
    // The end of a clock (`12:10:07Z`) is no archiver, and `curl/8.5.0` is what a client calls itself.
    let glued = name.start > scope.floor && scope.text[name.start - 1].is_ascii_alphanumeric();
    if glued || matches!(scope.byte(name.end), None | Some(b'/' | b':' | b'=')) {
        return false;
    }
    let Some((program, flags)) = flags_of(&scope.text[name.clone()]) else { return false };
    if matches!(scope.byte(name.end), Some(b'=' | b':')) {
        return false;
    }
    if reader.cursor.command_read(program, name.start) {
        return true;
    }
    let mut bounds = Scope { limit: scope.limit.min(name.end + LONGEST), ..scope };
    // Inside a list every argument is a text of its own; else the command stays within its quotes.
    let listed = quoted::open(bounds, name.end).is_some_and(|quote| list_joint(bounds, quote.content).is_some());
    let mut at = name.end;
    if listed {
        at = quoted::open(bounds, at).map_or(at, |quote| quote.content);
    } else {
        bounds.limit = bounds.limit.min(quote_end(bounds, &name));
    }
    let (mut waiting, mut place): (Option<Form>, u8) = (None, 0);
    for _ in 0..MOST {
        let Some(argument) = next_argument(bounds, at, listed) else { break };
        at = argument.after;
        let text = &bounds.text[argument.range.clone()];
        if let Some(form) = waiting.take() {
            claim(reader, bounds, argument.range, form);
        } else if let Some((form, glued)) = flag(text, flags) {
            match glued {
                Some(skip) => claim(reader, bounds, argument.range.start + skip..argument.range.end, form),
                None => waiting = (form != Form::Glued).then_some(form),
            }
        } else if !text.starts_with(b"-") {
            place += 1;
            let placed = flags.iter().find(|(name, _)| is_place(name, place));
            if let Some((_, form)) = placed.filter(|_| kind::looks_secret(text)) {
                claim(reader, bounds, argument.range, *form);
            }
        }
    }
    reader.cursor.set_command(program, at);
    reader.paid(name.end, at);
    true
}

/// Whether a flag's name, written `@2`, means the argument at `place` among those that are no flags.
fn is_place(name: &str, place: u8) -> bool {
    place < 10 && name.as_bytes() == [b'@', b'0' + place]
}

/// The number of the program of that name, and its flags.
fn flags_of(name: &[u8]) -> Option<(usize, &'static [(&'static str, Form)])> {
    let same = |known: &&str| {
        let mut letters = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
        known.bytes().all(|wanted| letters.next().is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted)))
            && letters.next().is_none()
    };
    let program = PROGRAMS.iter().position(|(names, _)| names.iter().any(same))?;
    Some((program, PROGRAMS[program].1))
}

/// Where a command ends that stands in single quotes: `sh -c 'mysql -px'`.
fn quote_end(scope: Scope<'_>, name: &Range<usize>) -> usize {
    match name.start.checked_sub(1).filter(|at| *at >= scope.floor).map(|at| scope.text[at]) {
        Some(quote @ (b'\'' | b'`')) => {
            memchr::memchr(quote, &scope.text[name.end..scope.limit]).map_or(scope.limit, |at| name.end + at)
        }
        _ => scope.limit,
    }
}

/// The next text of a list: behind a comma, or behind the number of an argument, ` a1="-p"`, as audit writes it.
fn list_joint(scope: Scope<'_>, at: usize) -> Option<usize> {
    let from = scope.skip_blank(at);
    if scope.byte(from) == Some(b',') {
        return Some(scope.skip_space(from + 1));
    }
    let number = scope.text[from.min(scope.limit)..scope.limit].strip_prefix(b"a")?;
    let digits = number.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    (from > at && digits > 0 && number.get(digits) == Some(&b'=')).then_some(from + digits + 2)
}

/// An argument without its quotes.
struct Argument {
    range: Range<usize>,
    after: usize,
}

fn next_argument(scope: Scope<'_>, at: usize, listed: bool) -> Option<Argument> {
    let mut from = scope.skip_blank(at);
    if listed {
        from = list_joint(scope, at)?;
        let inner = quoted::read(scope, quoted::open(scope, from)?);
        return Some(Argument { range: inner.start..inner.end, after: inner.after });
    }
    if from == at || matches!(scope.byte(from)?, b';' | b'|' | b'&' | b'\n' | b'\r' | b')' | b'`') {
        return None;
    }
    if let Some(quote) = quoted::open(scope, from) {
        let inner = quoted::read(scope, quote);
        return Some(Argument { range: inner.start..inner.end, after: inner.after });
    }
    let mut end = from;
    while let Some(byte) = scope.byte(end) {
        if byte.is_ascii_whitespace() || byte == 0 || ends_around(scope, end) {
            break;
        }
        // `--user="a:b"`, `-p'x y'`: quotes may begin inside an argument.
        match quoted::open(scope, end) {
            Some(quote) if scope.text[end] != b'\\' => end = quoted::read(scope, quote).after,
            _ => end += 1,
        }
    }
    let closed = scope.text[from..end].iter().rev().take_while(|byte| b";)".contains(byte)).count();
    let quotes = trailing_quote(&scope.text[from..end - closed]);
    Some(Argument { range: from..end - closed - quotes, after: end })
}

/// Whether what is around the command ends at `at`: `\",` of a string in a string, `</note>`, `&n=7`.
fn ends_around(scope: Scope<'_>, at: usize) -> bool {
    match scope.text[at] {
        b'\\' | b'"' => {
            let quote = at + scope.backslashes(at);
            let closes = |byte: Option<u8>| byte.is_none_or(|byte| matches!(byte, b',' | b'}' | b']' | b':'));
            scope.byte(quote) == Some(b'"') && closes(scope.byte(quote + 1))
        }
        b'<' => scope.byte(at + 1) == Some(b'/'),
        b'&' => bare::pair_begins(scope, at + 1),
        _ => false,
    }
}

/// The bytes of an escaped quote at the end of an argument, which closes what is around the command.
fn trailing_quote(argument: &[u8]) -> usize {
    match argument {
        [rest @ .., b'"' | b'\''] => {
            let slashes = rest.iter().rev().take_while(|byte| **byte == b'\\').count();
            if slashes > 0 { slashes + 1 } else { 0 }
        }
        _ => 0,
    }
}

/// The secret flag that an argument is, and where a value glued to it begins.
fn flag(argument: &[u8], flags: &[(&str, Form)]) -> Option<(Form, Option<usize>)> {
    flags.iter().find_map(|(name, form)| {
        let rest = argument.strip_prefix(name.as_bytes())?;
        match rest {
            [] => Some((*form, None)),
            [b'=', ..] => Some((*form, Some(name.len() + 1))),
            _ if name.len() == 2 || *form == Form::Glued => Some((*form, Some(name.len()))),
            _ => None,
        }
    })
}

fn claim(reader: &mut Reader<'_>, scope: Scope<'_>, argument: Range<usize>, form: Form) {
    let range = unquoted(scope, argument);
    let text = &scope.text[range.clone()];
    let after = |sign: u8| memchr::memchr(sign, text).map(|at| range.start + at + 1);
    let start = match form {
        Form::Whole | Form::Glued => Some(range.start),
        // `-u KEY:X`, as services that know no user want it.
        Form::User => after(b':').map(|start| if range.end <= start + 1 { range.start } else { start }),
        Form::Percent => after(b'%'),
        Form::Comma => after(b','),
        Form::Slash => after(b'/'),
        Form::Source => text.starts_with(b"pass:").then_some(range.start + 5),
    };
    if let Some(start) = start {
        let service = (form == Form::Slash).then(|| memchr::memrchr(b'@', &scope.text[start..range.end])).flatten();
        reader.claim(scope, start..service.map_or(range.end, |at| start + at), true);
    }
}

/// Quotes that begin inside an argument stay.
fn unquoted(scope: Scope<'_>, argument: Range<usize>) -> Range<usize> {
    match &scope.text[argument.clone()] {
        [b'"', .., b'"'] | [b'\'', .., b'\''] => argument.start + 1..argument.end - 1,
        _ => argument,
    }
}
