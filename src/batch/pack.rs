//! The compressor behind the encoder: one zstd frame, one gzip member or plain bytes per body.
//!
//! Contexts are made once and reset; the output of a step goes through a fixed window into the body.

use super::sealed::Encoding;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use zstd::stream::raw::{Decoder, Encoder, InBuffer, Operation, OutBuffer};

/// zstd 1 compresses better than gzip 6 at six times the speed; higher levels cost more than they save.
const ZSTD_LEVEL: i32 = 1;
/// Speed over size for the fallback too: it runs on every host of an intake that refuses zstd.
const GZIP_LEVEL: Compression = Compression::new(1);
/// 32 KiB window, the largest gzip knows.
const GZIP_WINDOW: u8 = 15;
/// Output handed on at a time.
const WINDOW: usize = 1 << 16;

/// Compresses one body at a time.
pub(super) struct Packer {
    engine: Engine,
    window: Vec<u8>,
}

enum Engine {
    Zstd(Encoder<'static>),
    Gzip(Box<Compress>),
    Plain,
}

impl Packer {
    /// A compressor of the given kind.
    pub(super) fn new(encoding: Encoding) -> Packer {
        let engine = match encoding {
            Encoding::Zstd => Engine::Zstd(Encoder::new(ZSTD_LEVEL).expect("zstd knows its own levels")),
            Encoding::Gzip => Engine::Gzip(Box::new(Compress::new_gzip(GZIP_LEVEL, GZIP_WINDOW))),
            Encoding::None => Engine::Plain,
        };
        Packer { engine, window: vec![0; WINDOW] }
    }

    /// Adds `input` to the body.
    pub(super) fn write(&mut self, mut input: &[u8], body: &mut Vec<u8>) {
        match &mut self.engine {
            Engine::Plain => body.extend_from_slice(input),
            Engine::Zstd(zstd) => {
                let mut input = InBuffer::around(input);
                while input.pos() < input.src.len() {
                    let mut output = OutBuffer::around(&mut self.window[..]);
                    zstd.run(&mut input, &mut output).expect("zstd compresses memory to memory");
                    body.extend_from_slice(output.as_slice());
                }
            }
            Engine::Gzip(gzip) => {
                while !input.is_empty() {
                    let (read, _) = gzip_step(gzip, input, &mut self.window, FlushCompress::None, body);
                    input = &input[read..];
                }
            }
        }
    }

    /// Ends the body; the next [`Packer::write`] begins another.
    pub(super) fn finish(&mut self, body: &mut Vec<u8>) {
        match &mut self.engine {
            Engine::Plain => {}
            Engine::Zstd(zstd) => loop {
                let mut output = OutBuffer::around(&mut self.window[..]);
                let left = zstd.finish(&mut output, true).expect("zstd ends a frame in memory");
                body.extend_from_slice(output.as_slice());
                if left == 0 {
                    zstd.reinit().expect("zstd resets its context");
                    return;
                }
            },
            Engine::Gzip(gzip) => {
                while gzip_step(gzip, &[], &mut self.window, FlushCompress::Finish, body).1 != Status::StreamEnd {}
                gzip.reset();
            }
        }
    }
}

fn gzip_step(
    gzip: &mut Compress,
    input: &[u8],
    window: &mut [u8],
    flush: FlushCompress,
    body: &mut Vec<u8>,
) -> (usize, Status) {
    let (read, written) = (gzip.total_in(), gzip.total_out());
    let status = gzip.compress(input, window, flush).expect("deflate compresses memory to memory");
    body.extend_from_slice(&window[..(gzip.total_out() - written) as usize]);
    ((gzip.total_in() - read) as usize, status)
}

/// Why a body could not be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// The compressed stream is broken or cut.
    Stream,
    /// It holds more than the header says.
    Length,
    /// It is not the JSON the encoder writes.
    Json,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unreadable::Stream => "the compressed body is broken or cut",
            Unreadable::Length => "the body is longer than its header says",
            Unreadable::Json => "the body is not the JSON that was sealed",
        })
    }
}

impl std::error::Error for Unreadable {}

/// Opens a body that holds at most `limit` bytes.
pub(super) fn unpack(encoding: Encoding, body: &[u8], limit: usize) -> Result<Vec<u8>, Unreadable> {
    match encoding {
        Encoding::None if body.len() > limit => Err(Unreadable::Length),
        Encoding::None => Ok(body.to_vec()),
        Encoding::Zstd => unpack_zstd(body, limit),
        Encoding::Gzip => unpack_gzip(body, limit),
    }
}

fn unpack_zstd(body: &[u8], limit: usize) -> Result<Vec<u8>, Unreadable> {
    let mut zstd = Decoder::new().map_err(|_| Unreadable::Stream)?;
    let mut window = vec![0; WINDOW];
    let mut input = InBuffer::around(body);
    let mut out = Vec::new();
    loop {
        let before = input.pos();
        let mut output = OutBuffer::around(&mut window[..]);
        let hint = zstd.run(&mut input, &mut output).map_err(|_| Unreadable::Stream)?;
        let written = output.pos();
        out.extend_from_slice(output.as_slice());
        match hint {
            _ if out.len() > limit => return Err(Unreadable::Length),
            0 => return Ok(out),
            _ if written == 0 && input.pos() == before => return Err(Unreadable::Stream),
            _ => {}
        }
    }
}

fn unpack_gzip(body: &[u8], limit: usize) -> Result<Vec<u8>, Unreadable> {
    let mut gzip = Decompress::new_gzip(GZIP_WINDOW);
    let mut window = vec![0; WINDOW];
    let mut out = Vec::new();
    loop {
        let (read, written) = (gzip.total_in(), gzip.total_out());
        let input = &body[read as usize..];
        let status = gzip.decompress(input, &mut window, FlushDecompress::None).map_err(|_| Unreadable::Stream)?;
        out.extend_from_slice(&window[..(gzip.total_out() - written) as usize]);
        match status {
            _ if out.len() > limit => return Err(Unreadable::Length),
            Status::StreamEnd => return Ok(out),
            _ if gzip.total_in() == read && gzip.total_out() == written => return Err(Unreadable::Stream),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [Encoding; 3] = [Encoding::Zstd, Encoding::Gzip, Encoding::None];

    proptest! {
        #[test]
        fn bodies_open_again_and_contexts_are_reused(pieces: Vec<Vec<u8>>, again: Vec<u8>) {
            for kind in KINDS {
                let mut packer = Packer::new(kind);
                for pieces in [pieces.clone(), vec![again.clone()]] {
                    let mut body = Vec::new();
                    pieces.iter().for_each(|piece| packer.write(piece, &mut body));
                    packer.finish(&mut body);
                    let whole = pieces.concat();
                    prop_assert_eq!(unpack(kind, &body, whole.len()), Ok(whole.clone()));
                    if !whole.is_empty() {
                        prop_assert_eq!(unpack(kind, &body, whole.len() - 1), Err(Unreadable::Length));
                    }
                }
            }
        }
    }

    #[test]
    fn output_longer_than_the_window_and_cut_bodies() {
        let mut noise = vec![0; 400_000];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        for kind in [Encoding::Zstd, Encoding::Gzip] {
            let mut packer = Packer::new(kind);
            let mut body = Vec::new();
            packer.write(&noise, &mut body);
            packer.finish(&mut body);
            assert!(body.len() > WINDOW);
            assert_eq!(unpack(kind, &body, noise.len()).as_deref(), Ok(&noise[..]));
            assert_eq!(unpack(kind, &body[..body.len() - 9], noise.len()), Err(Unreadable::Stream));
        }
    }
}
