//! A stream that can be told to write one byte at a time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The pause before each byte, shared between a connection and its stream; zero: no pause.
#[derive(Clone, Default)]
pub struct Pace(Arc<AtomicU64>);

impl Pace {
    /// Sets the pause for what is written from now on.
    pub fn set(&self, pause: Duration) {
        self.0.store(pause.as_millis() as u64, Ordering::Relaxed);
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// The stream.
pub struct Drip<S> {
    inner: S,
    pace: Pace,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Drip<S> {
    /// Writes to `inner` at `pace`.
    pub fn new(inner: S, pace: Pace) -> Drip<S> {
        Drip { inner, pace, waiting: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Drip<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Drip<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        let pause = self.pace.pause();
        if pause.is_zero() || buf.is_empty() {
            return Pin::new(&mut self.inner).poll_write(cx, buf);
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(pause)));
        ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Pin::new(&mut self.inner).poll_write(cx, &buf[..1])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
