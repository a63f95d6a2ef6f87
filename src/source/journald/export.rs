//! The journal's export format, read as it arrives.
//!
//! An entry is a run of fields that ends with an empty line. A field is `NAME=TEXT\n`, or, where the value is not
//! plain text, `NAME\n`, its length as 64 bits little-endian, its bytes, `\n`.
//!
//! Invariants: however the bytes are cut into reads, the entries are the same; only wanted fields are kept, each
//! up to [`MAX_FIELD`] bytes; a longer one is noted as too long and its bytes are skipped.

/// Longest value that is kept, bytes.
pub const MAX_FIELD: usize = 16 << 20;
/// Longest name of a field that is looked at; journald allows 64.
const MAX_NAME: usize = 256;
/// Lengths beyond this are no lengths: journald never stores so much in a field.
const MAX_LENGTH: u64 = 1 << 40;

/// One entry: the wanted fields it has, in the order wanted. Without `Debug` outside of tests: it holds raw text.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Entry {
    values: Vec<Value>,
}

#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
enum Value {
    #[default]
    Missing,
    Bytes(Vec<u8>),
    TooLong,
}

/// The stream is not, or no longer, in the export format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken;

/// Reads one stream of entries.
pub struct Reader {
    wanted: Vec<String>,
    state: State,
    name: Vec<u8>,
    entry: Entry,
    fields: usize,
}

#[derive(Clone, Copy)]
enum State {
    /// Within a name.
    Name,
    /// Within a text; the number of the wanted field.
    Text(Option<usize>),
    /// So many bytes of a length are there, this is their value.
    Length(Option<usize>, u32, u64),
    /// So many bytes of a value follow.
    Bytes(Option<usize>, u64),
    /// The line end behind a value.
    End,
}

impl Reader {
    /// A reader that keeps the fields named `wanted`.
    pub fn new(wanted: Vec<String>) -> Reader {
        let entry = Entry::of(wanted.len());
        Reader { wanted, state: State::Name, name: Vec::new(), entry, fields: 0 }
    }

    /// Takes from the front of `input` until an entry is complete or the input is used up.
    ///
    /// # Errors
    /// [`Broken`]: nothing sensible can follow.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Entry>, Broken> {
        while let Some(&first) = input.first() {
            match self.state {
                State::Name if first == b'\n' && self.name.is_empty() => {
                    *input = &input[1..];
                    // An entry has fields; more than one empty line in a row is none.
                    if std::mem::take(&mut self.fields) > 0 {
                        return Ok(Some(std::mem::replace(&mut self.entry, Entry::of(self.wanted.len()))));
                    }
                }
                State::Name => self.read_name(input)?,
                State::Text(field) => {
                    let end = memchr::memchr(b'\n', input);
                    self.keep(field, &input[..end.unwrap_or(input.len())]);
                    *input = &input[end.map_or(input.len(), |end| end + 1)..];
                    if end.is_some() {
                        self.state = State::Name;
                    }
                }
                State::Length(field, count, value) => {
                    *input = &input[1..];
                    let value = value | u64::from(first) << (8 * count);
                    self.state = match count {
                        7 if value > MAX_LENGTH => return Err(Broken),
                        7 if value == 0 => State::End,
                        7 => State::Bytes(field, value),
                        _ => State::Length(field, count + 1, value),
                    };
                }
                State::Bytes(field, left) => {
                    let (bytes, rest) = input.split_at(left.min(input.len() as u64) as usize);
                    self.keep(field, bytes);
                    *input = rest;
                    let left = left - bytes.len() as u64;
                    self.state = if left == 0 { State::End } else { State::Bytes(field, left) };
                }
                State::End if first == b'\n' => {
                    *input = &input[1..];
                    self.state = State::Name;
                }
                State::End => return Err(Broken),
            }
        }
        Ok(None)
    }

    fn read_name(&mut self, input: &mut &[u8]) -> Result<(), Broken> {
        let end = memchr::memchr2(b'=', b'\n', input);
        self.name.extend_from_slice(&input[..end.unwrap_or(input.len()).min(MAX_NAME + 1)]);
        if self.name.len() > MAX_NAME {
            return Err(Broken);
        }
        let Some(end) = end else {
            *input = &[];
            return Ok(());
        };
        if !self.name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_') {
            return Err(Broken);
        }
        let binary = input[end] == b'\n';
        *input = &input[end + 1..];
        let field = self.wanted.iter().position(|wanted| wanted.as_bytes() == self.name);
        // Of a field that stands twice in an entry, the first counts.
        let field = field.filter(|&field| self.entry.values[field] == Value::Missing);
        if let Some(field) = field {
            self.entry.values[field] = Value::Bytes(Vec::new());
        }
        self.name.clear();
        self.fields += 1;
        self.state = if binary { State::Length(field, 0, 0) } else { State::Text(field) };
        Ok(())
    }

    fn keep(&mut self, field: Option<usize>, bytes: &[u8]) {
        let Some(value) = field.map(|field| &mut self.entry.values[field]) else { return };
        if let Value::Bytes(kept) = value {
            match kept.len() + bytes.len() <= MAX_FIELD {
                true => kept.extend_from_slice(bytes),
                false => *value = Value::TooLong,
            }
        }
    }
}

impl Entry {
    fn of(fields: usize) -> Entry {
        Entry { values: vec![Value::Missing; fields] }
    }

    /// The value of a wanted field, by its number.
    pub fn get(&self, field: usize) -> Option<&[u8]> {
        match self.values.get(field) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// True when the entry has the field, but longer than is kept.
    pub fn is_too_long(&self, field: usize) -> bool {
        self.values.get(field) == Some(&Value::TooLong)
    }
}

/// Any bytes in reads of any size give the entries of one read, or are broken in both.
#[doc(hidden)]
pub fn fuzz_journal_export(data: &[u8]) {
    let Some((&size, data)) = data.split_first() else { return };
    let run = |size: usize| {
        let mut reader = Reader::new(vec!["MESSAGE".into(), "A".into()]);
        let mut out = Vec::new();
        for mut read in data.chunks(size.max(1)) {
            loop {
                match reader.read(&mut read) {
                    Ok(Some(entry)) => out.push(Ok(entry)),
                    Ok(None) => break,
                    Err(broken) => {
                        out.push(Err(broken));
                        return out;
                    }
                }
            }
            assert!(read.is_empty());
        }
        out
    };
    assert!(run(usize::from(size)) == run(data.len()), "reads of {size} bytes give something else");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(mut input: &[u8]) -> Result<Vec<Entry>, Broken> {
        let mut reader = Reader::new(vec!["MESSAGE".into(), "PRIORITY".into()]);
        std::iter::from_fn(|| reader.read(&mut input).transpose()).collect()
    }

    fn binary(name: &str, value: &[u8]) -> Vec<u8> {
        [name.as_bytes(), b"\n", &(value.len() as u64).to_le_bytes(), value, b"\n"].concat()
    }

    #[test]
    fn text_and_binary_fields() {
        let stream = [
            &b"__CURSOR=s=1\nPRIORITY=6\nMESSAGE=a=b\n\n"[..],
            &binary("MESSAGE", b"one\ntwo\0\xff"),
            b"X=1\nMESSAGE=second\n\n\n",
            b"PRIORITY=\n",
            &binary("MESSAGE", b""),
            b"\nMESSAGE=unfinished\n",
        ]
        .concat();
        let found = entries(&stream).unwrap();
        let values: Vec<_> = found.iter().map(|entry| (entry.get(0), entry.get(1))).collect();
        let expected: Vec<(Option<&[u8]>, Option<&[u8]>)> =
            vec![(Some(b"a=b"), Some(b"6")), (Some(b"one\ntwo\0\xff"), None), (Some(b""), Some(b""))];
        assert_eq!(values, expected);
    }

    #[test]
    fn what_is_too_long_is_noted_and_skipped() {
        let stream = [&binary("MESSAGE", &vec![b'x'; MAX_FIELD + 1]), &b"PRIORITY=3\n\n"[..]].concat();
        let found = entries(&stream).unwrap();
        assert!(found[0].is_too_long(0) && found[0].get(0).is_none());
        assert_eq!(found[0].get(1), Some(&b"3"[..]));
        let just_fits = [&binary("MESSAGE", &vec![b'x'; MAX_FIELD]), &b"\n"[..]].concat();
        assert_eq!(entries(&just_fits).unwrap()[0].get(0).map(<[u8]>::len), Some(MAX_FIELD));
    }

    #[test]
    fn broken_streams_are_told() {
        let mut no_end = binary("MESSAGE", b"x");
        *no_end.last_mut().unwrap() = b'y';
        assert_eq!(entries(&no_end), Err(Broken));
        assert_eq!(entries(b"MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff"), Err(Broken));
        assert_eq!(entries(&[b'A'; MAX_NAME + 2]), Err(Broken));
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_entries(
            size in 1u8..30,
            fields in prop::collection::vec((any::<bool>(), "[A-B]|MESSAGE", "(?s).{0,20}", any::<bool>()), 0..20),
            noise in prop::collection::vec(any::<u8>(), 0..30),
        ) {
            let mut stream = vec![size];
            for (as_text, name, value, ends) in &fields {
                match *as_text && !value.contains('\n') {
                    true => stream.extend(format!("{name}={value}\n").bytes()),
                    false => stream.extend(binary(name, value.as_bytes())),
                }
                if *ends {
                    stream.push(b'\n');
                }
            }
            fuzz_journal_export(&stream);
            stream.extend(noise);
            fuzz_journal_export(&stream);
        }
    }
}
