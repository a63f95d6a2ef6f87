//! Cuts a stream of bytes into syslog messages.
//!
//! A message is either counted, `LEN SP MSG` (RFC 6587, RFC 5425), or ends with LF or NUL. The first byte of
//! each message tells: a counted one begins with a digit 1 to 9, any other with `<`, as every syslog message
//! does. A number that is no count (`2025-11-23 …`, or too large) is the text of a line.
//!
//! Invariants: however the bytes are cut into reads, the messages are the same; at most [`MAX_MESSAGE`] bytes
//! are kept, a longer message is given as [`Framed::TooLong`] once, and its bytes are skipped.

/// Longest message, bytes.
pub const MAX_MESSAGE: usize = 8 << 20;
/// Most digits of a count.
const MAX_DIGITS: usize = 8;

/// What a stream holds next. Without `Debug` outside of tests: it holds raw text.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Framed<'a> {
    /// A message, without its count or end.
    Message(&'a [u8]),
    /// A message that was too long; its first bytes.
    TooLong(&'a [u8]),
}

/// One connection's bytes.
#[derive(Default)]
pub struct Framer {
    bytes: Vec<u8>,
    /// Start of what was not given out.
    at: usize,
    /// Bytes behind `at` that hold no end.
    searched: usize,
    skip: Option<Skip>,
}

/// Within a message that was too long.
#[derive(Clone, Copy)]
enum Skip {
    /// So many more bytes.
    Count(usize),
    /// Up to the next end.
    Line,
}

/// How the next message is delimited.
enum Kind {
    /// The first byte and the byte after the last one.
    Counted(usize, usize),
    /// Ends with LF or NUL.
    Line,
    /// More bytes are needed to tell.
    Unknown,
}

impl Framer {
    /// Takes in what was read.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.at > 0 && self.at * 2 >= self.bytes.len() {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes taken in and not given out.
    pub fn waiting(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next whole message.
    pub fn next_frame(&mut self) -> Option<Framed<'_>> {
        if !self.skipped() {
            return None;
        }
        let (start, end, after) = loop {
            match self.kind() {
                Kind::Unknown => return None,
                Kind::Counted(start, end) if end - start > MAX_MESSAGE => return Some(self.too_long(start, end)),
                Kind::Counted(start, end) if end <= self.waiting() => break (start, end, end),
                Kind::Counted(..) => return None,
                Kind::Line => match self.line_end()? {
                    Ok(0) => self.take(1),
                    Ok(end) => break (0, end, end + 1),
                    Err(()) => return Some(self.too_long(0, usize::MAX)),
                },
            }
        };
        let base = self.at;
        self.take(after);
        Some(Framed::Message(&self.bytes[base + start..base + end]))
    }

    /// What is left when the connection has ended: a last line without its end, or a message cut short.
    pub fn finish(&mut self) -> Option<&[u8]> {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        (self.skip.is_none() && !rest.is_empty()).then_some(rest)
    }

    fn take(&mut self, count: usize) {
        self.at += count;
        self.searched = 0;
    }

    fn kind(&self) -> Kind {
        let text = &self.bytes[self.at..];
        match text.first() {
            None => return Kind::Unknown,
            Some(b'1'..=b'9') => {}
            Some(_) => return Kind::Line,
        }
        let digits = text.iter().take(MAX_DIGITS + 1).take_while(|b| b.is_ascii_digit()).count();
        match text.get(digits) {
            _ if digits > MAX_DIGITS => Kind::Line,
            None => Kind::Unknown,
            Some(b' ') => {
                let count = text[..digits].iter().fold(0, |n, &b| n * 10 + usize::from(b - b'0'));
                // A counted message begins with its priority; anything else is a line that begins with a number.
                match text.get(digits + 1) {
                    None => Kind::Unknown,
                    Some(b'<') => Kind::Counted(digits + 1, digits + 1 + count),
                    Some(_) => Kind::Line,
                }
            }
            Some(_) => Kind::Line,
        }
    }

    /// Length of the line at hand; an error when it is too long, none when its end has not come.
    fn line_end(&mut self) -> Option<Result<usize, ()>> {
        let text = &self.bytes[self.at..];
        match memchr::memchr2(b'\n', 0, &text[self.searched..]) {
            Some(end) if self.searched + end <= MAX_MESSAGE => Some(Ok(self.searched + end)),
            Some(_) => Some(Err(())),
            None if text.len() > MAX_MESSAGE => Some(Err(())),
            None => {
                self.searched = text.len();
                None
            }
        }
    }

    fn too_long(&mut self, start: usize, end: usize) -> Framed<'_> {
        let base = self.at;
        self.skip = Some(if end == usize::MAX { Skip::Line } else { Skip::Count(end) });
        let shown = self.waiting().min(start + 64);
        // What is shown stays in the buffer until more is fed in.
        self.skipped();
        Framed::TooLong(&self.bytes[base + start.min(shown)..base + shown])
    }

    /// Goes on skipping; true when there is nothing left to skip.
    fn skipped(&mut self) -> bool {
        let waiting = self.waiting();
        match self.skip {
            None => return true,
            Some(Skip::Count(left)) => {
                self.take(left.min(waiting));
                self.skip = (left > waiting).then(|| Skip::Count(left - waiting));
            }
            Some(Skip::Line) => match memchr::memchr2(b'\n', 0, &self.bytes[self.at..]) {
                Some(end) => {
                    self.take(end + 1);
                    self.skip = None;
                }
                None => self.take(waiting),
            },
        }
        self.skip.is_none()
    }
}

/// Any bytes in reads of any size: the messages are those of one read, and stay within the limit.
#[doc(hidden)]
pub fn fuzz_syslog_frame(data: &[u8]) {
    let Some((&size, data)) = data.split_first() else { return };
    let run = |size: usize| {
        let (mut framer, mut out) = (Framer::default(), Vec::new());
        for read in data.chunks(size.max(1)) {
            framer.feed(read);
            while let Some(framed) = framer.next_frame() {
                match framed {
                    Framed::Message(message) => {
                        assert!(message.len() <= MAX_MESSAGE);
                        out.push(Some(message.to_vec()));
                    }
                    Framed::TooLong(_) => out.push(None),
                }
            }
        }
        out.push(framer.finish().map(<[u8]>::to_vec));
        out
    };
    assert!(run(usize::from(size)) == run(data.len()), "reads of {size} bytes give something else");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn messages(input: &[u8]) -> (Vec<String>, Option<String>) {
        let mut framer = Framer::default();
        framer.feed(input);
        let mut out = Vec::new();
        while let Some(framed) = framer.next_frame() {
            out.push(match framed {
                Framed::Message(message) => String::from_utf8_lossy(message).into_owned(),
                Framed::TooLong(_) => "too long".into(),
            });
        }
        (out, framer.finish().map(|rest| String::from_utf8_lossy(rest).into_owned()))
    }

    #[test]
    fn both_framings_in_one_stream() {
        for (input, expected, rest) in [
            ("<1>a\n<2>b\n", vec!["<1>a", "<2>b"], None),
            ("4 <1>a5 <2>bc", vec!["<1>a", "<2>bc"], None),
            ("6 <1>a\nb4 <2>c", vec!["<1>a\nb", "<2>c"], None),
            ("4 <1>a<2>line\n4 <3>b\n\n", vec!["<1>a", "<2>line", "<3>b"], None),
            ("<1>a\0<2>b\r\n", vec!["<1>a", "<2>b\r"], None),
            ("2025-11-23 plain\n12 monkeys\n", vec!["2025-11-23 plain", "12 monkeys"], None),
            ("999999999 <1>a\n", vec!["999999999 <1>a"], None),
            ("0 <1>a\n", vec!["0 <1>a"], None),
            ("20 <1>short", vec![], Some("20 <1>short")),
            ("<1>no end", vec![], Some("<1>no end")),
        ] {
            let expected: Vec<String> = expected.into_iter().map(String::from).collect();
            assert_eq!(messages(input.as_bytes()), (expected, rest.map(String::from)), "{input:?}");
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_told_once_and_skipped() {
        let long = "x".repeat(MAX_MESSAGE);
        let counted = format!("{} <1>{long}4 <2>b", long.len() + 3);
        assert_eq!(messages(counted.as_bytes()).0, ["too long", "<2>b"]);
        let line = format!("<1>{long}\n<2>b\n");
        let mut framer = Framer::default();
        let mut out = Vec::new();
        for read in line.as_bytes().chunks(70_000) {
            framer.feed(read);
            while let Some(framed) = framer.next_frame() {
                out.push(match framed {
                    Framed::Message(message) => message.len(),
                    Framed::TooLong(_) => 0,
                });
            }
            assert!(framer.waiting() <= MAX_MESSAGE + 70_000);
        }
        assert_eq!(out, [0, 4]);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_messages(
            parts in prop::collection::vec((any::<bool>(), "[a-c\n ]{0,12}"), 0..20),
            noise in prop::collection::vec(any::<u8>(), 0..20),
            size in 1u8..40,
        ) {
            let mut input = vec![size];
            for (counted, text) in &parts {
                match counted {
                    true => input.extend(format!("{} <1>{text}", text.len() + 3).bytes()),
                    false => input.extend(format!("<1>{text}\n").bytes()),
                }
            }
            input.extend(&noise);
            fuzz_syslog_frame(&input);
        }

        #[test]
        fn counted_messages_come_out_as_they_went_in(texts in prop::collection::vec("(?s).{0,40}", 0..20)) {
            let sent: Vec<String> = texts.iter().map(|text| format!("<13>{text}")).collect();
            let stream: String = sent.iter().map(|message| format!("{} {message}", message.len())).collect();
            prop_assert_eq!(messages(stream.as_bytes()), (sent, None));
        }
    }
}
