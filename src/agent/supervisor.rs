//! Start and stop of everything.
//!
//! Stop: sources end at a record, workers seal what is open, the spooler makes it durable, and only then the
//! agent is done; all of it within [`STOP`]. What the spool cannot take in that time was never counted as
//! read and is read again at the next start.

use super::error::{AgentError, failed};
use super::feeder::Feeder;
use super::lane::Lane;
use super::live_rules::LiveRules;
use super::mint::LiveKeys;
use super::progress::Progress;
use super::selftest;
use super::settings::{Output, Settings};
use super::shipper::Shipper;
use super::sources;
use super::spooler::Spooler;
use super::traced::Traced;
use super::worker::{Channels, Worker};
use crate::batch::Batch;
use crate::sink::backoff::Backoff;
use crate::sink::datadog::Datadog;
use crate::sink::stdout::Stdout;
use crate::sink::{Outcome, Sink};
use crate::source::{Chunk, Durable, Source};
use crate::spool::{Spool, StateDir};
use crate::telemetry::apm::{self, Apm};
use crossbeam_channel::{Sender, bounded};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Time within which a stop is done.
const STOP: Duration = Duration::from_secs(9);
/// Chunks that wait for a worker.
const CHUNKS: usize = 4;
/// Sealed batches that wait for the spool.
const BATCHES: usize = 4;
/// Most workers chosen by the number of cores.
const MAX_WORKERS: usize = 4;

/// Everything that runs beside the shipper.
struct Crew {
    stop: Arc<AtomicBool>,
    abandon: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Runs the agent until `stop` resolves, then stops it: sources end at a record, everything read is
/// redacted, sealed and made durable. To be called on a current-thread tokio runtime with all drivers
/// enabled.
///
/// # Errors
/// [`AgentError`] when the state directory, a source or the output cannot be used, or when one of the
/// agent's threads has failed.
pub async fn run(
    settings: Settings,
    rules: impl Into<LiveRules>,
    progress: Arc<Progress>,
    stop: impl Future<Output = ()>,
) -> Result<(), AgentError> {
    let (settings, rules) = (Arc::new(settings), rules.into());
    let sinks = sinks(&settings, &progress)?;
    progress.meet(&settings);
    let open = |error| failed("use the state directory", error);
    let state = StateDir::open(&settings.state_dir).map_err(open)?;
    if state.was_tightened() {
        tracing::warn!("others could look into the state directory; its mode is now 0700");
    }
    let host_key = state.host_key().map_err(|e| failed("read host.key of the state directory", e))?;
    let (spool, recovered) = Spool::open(state, settings.spool.clone()).map_err(open)?;
    if recovered.quarantined > 0 {
        tracing::error!(
            code = "LV0405",
            files = recovered.quarantined,
            "damaged files were put into quarantine; their ranges are read again"
        );
    }
    Progress::add(&progress.quarantined, recovered.quarantined as u64);
    let keys = LiveKeys::open(settings.tokens.clone(), &progress);
    let (spool, durable, stored) = (Arc::new(spool), Durable::default(), Arc::new(Notify::new()));
    let sources = sources::build(&settings, spool.state().path(), &host_key, &recovered, &durable)?;
    let crew = Crew::start(&settings, &rules, &keys, &host_key, sources, &spool, &durable, &progress, &stored)?;
    progress.started.notify_one();
    let (stop_shipper, stopped) = watch::channel(false);
    let apm = match &settings.apm {
        Some(settings) => start_apm(settings, &progress).await,
        None => None,
    };
    rules.shadow().resume(&settings.state_dir);
    let shadow = rules.shadow().clone();
    let beside = [
        tokio::spawn(keys.clone().follow(progress.clone())),
        tokio::spawn(selftest::follow(rules.clone(), progress.clone())),
        tokio::spawn(rules.clone().follow_days()),
        tokio::spawn(shadow.clone().keep(settings.state_dir.clone())),
    ];
    let lane = |sink| Lane {
        sink,
        spool: spool.clone(),
        rules: rules.clone(),
        keys: keys.clone(),
        progress: progress.clone(),
        stop: stopped.clone(),
        max_age: settings.spool.max_age,
        backoff: Backoff::default(),
        again: None,
        apm: apm.clone(),
        traced: Traced::default(),
    };
    let lanes = sinks.into_iter().map(lane).collect();
    let shipper = Shipper { lanes, spool: spool.clone(), durable, progress, stored, stop: stopped.clone() };
    let ended = crew.accompany(shipper, stop_shipper, stop).await;
    if let Some(apm) = apm {
        apm.settle().await;
    }
    beside.iter().for_each(tokio::task::JoinHandle::abort);
    shadow.save(&settings.state_dir);
    ended
}

/// Spans are a help, never a condition: without them the agent runs all the same.
async fn start_apm(settings: &apm::Settings, progress: &Progress) -> Option<Apm> {
    let started = Apm::start(settings, progress.apm.clone()).await;
    started.inspect_err(|error| tracing::warn!(code = "LV0602", %error, "no spans are made; shipping goes on")).ok()
}

/// Resolves at the first SIGTERM or SIGINT; a second one ends the process at once, with status 1.
///
/// # Errors
/// The signals cannot be watched.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        tokio::spawn(async move {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            std::process::exit(1);
        });
    })
}

impl Crew {
    #[allow(clippy::too_many_arguments)]
    fn start(
        settings: &Arc<Settings>,
        rules: &LiveRules,
        keys: &LiveKeys,
        host_key: &[u8; 32],
        sources: Vec<(String, Box<dyn Source>)>,
        spool: &Arc<Spool>,
        durable: &Durable,
        progress: &Arc<Progress>,
        stored: &Arc<Notify>,
    ) -> Result<Crew, AgentError> {
        let mut crew = Crew { stop: Arc::default(), abandon: Arc::default(), threads: Vec::new() };
        let (batches, to_spool) = bounded::<Batch>(BATCHES);
        let count = worker_count(settings.workers);
        let (give_back, buffers) = bounded::<Vec<u8>>(count * CHUNKS);
        let mut workers: Vec<Sender<Chunk>> = Vec::new();
        for number in 0..count {
            let (to_worker, chunks) = bounded(CHUNKS);
            let channels = Channels { chunks, buffers: give_back.clone(), batches: batches.clone() };
            let worker =
                Worker::new(settings.clone(), rules.clone(), keys.clone(), host_key, progress.clone(), channels);
            crew.spawn(format!("redact-{number}"), move || worker.run())?;
            workers.push(to_worker);
        }
        let counters = progress.clone();
        let (spool, durable, progress) = (spool.clone(), durable.clone(), progress.clone());
        let (stored, abandon) = (stored.clone(), crew.abandon.clone());
        let pulse = progress.pulse();
        let spooler = Spooler { batches: to_spool, spool, durable, progress, pulse, stored, abandon };
        crew.spawn("spool".into(), move || spooler.run())?;
        for (number, (name, source)) in sources.into_iter().enumerate() {
            let (workers, buffers, stop) = (workers.clone(), buffers.clone(), crew.stop.clone());
            let progress = counters.clone();
            let feeder = Feeder {
                name: name.clone(),
                number,
                source,
                workers,
                buffers,
                stop,
                progress,
                streams: 0,
                behind: false,
            };
            crew.spawn(format!("read-{name}"), move || feeder.run())?;
        }
        Ok(crew)
    }

    fn spawn(&mut self, name: String, work: impl FnOnce() + Send + 'static) -> Result<(), AgentError> {
        let short: String = name.chars().take(15).collect();
        let thread = std::thread::Builder::new().name(short).spawn(work);
        self.threads.push(thread.map_err(|e| failed(&format!("start the thread {name}"), e))?);
        Ok(())
    }

    /// Ships until `stop`, or until a thread has failed; then ends the threads in their order.
    async fn accompany<S: Sink + Send + 'static>(
        self,
        shipper: Shipper<S>,
        stop_shipper: watch::Sender<bool>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), AgentError> {
        let mut shipping = std::pin::pin!(shipper.run());
        let failed_early = tokio::select! {
            () = stop => false,
            () = self.until_failed() => true,
            () = &mut shipping => true,
        };
        let deadline = Instant::now() + STOP;
        self.stop.store(true, Ordering::Relaxed);
        let _ = stop_shipper.send(true);
        let landing = async {
            while self.threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let in_flight = async {
            if !failed_early {
                let _ = tokio::time::timeout(STOP, &mut shipping).await;
            }
        };
        tokio::join!(landing, in_flight);
        self.abandon.store(true, Ordering::Relaxed);
        self.verdict()
    }

    /// Resolves when a thread has panicked. One that ended because its source has is no failure.
    async fn until_failed(&self) {
        let essential = |thread: &JoinHandle<()>| {
            let name = thread.thread().name().unwrap_or_default();
            thread.is_finished() && !name.starts_with("read-")
        };
        while !self.threads.iter().any(essential) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    fn verdict(self) -> Result<(), AgentError> {
        for thread in self.threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if !thread.is_finished() {
                tracing::warn!(thread = name, "not done in time; what it held is read again at the next start");
            } else if thread.join().is_err() {
                return Err(failed(&format!("go on: the thread {name}"), io::Error::other("it panicked")));
            }
        }
        Ok(())
    }
}

fn worker_count(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, |n| n.get().div_ceil(2)).min(MAX_WORKERS),
        asked => asked,
    }
}

/// The configured sink.
enum AnySink {
    Datadog(Box<Datadog>),
    Stdout(Stdout<io::Stdout>),
}

/// One for each request that may be in flight.
fn sinks(settings: &Settings, progress: &Progress) -> Result<Vec<AnySink>, AgentError> {
    match &settings.output {
        Output::Datadog(datadog) => match Datadog::new(datadog.as_ref().clone()) {
            Ok(sink) => {
                let sink = sink.counting(progress.requests.clone());
                Ok(vec![sink; settings.in_flight.max(1)].into_iter().map(|s| AnySink::Datadog(Box::new(s))).collect())
            }
            Err(error) => Err(failed("prepare the connection to Datadog", error)),
        },
        Output::Stdout => Ok(vec![AnySink::Stdout(Stdout::new())]),
    }
}

impl Sink for AnySink {
    async fn deliver(&mut self, batch: &Batch) -> Outcome {
        match self {
            AnySink::Datadog(sink) => sink.deliver(batch).await,
            AnySink::Stdout(sink) => sink.deliver(batch).await,
        }
    }

    async fn probe(&mut self) -> Outcome {
        match self {
            AnySink::Datadog(sink) => sink.probe().await,
            AnySink::Stdout(sink) => sink.probe().await,
        }
    }

    fn prefers_gzip(&self) -> bool {
        match self {
            AnySink::Datadog(sink) => sink.prefers_gzip(),
            AnySink::Stdout(sink) => sink.prefers_gzip(),
        }
    }

    fn last_error(&self) -> Option<&str> {
        match self {
            AnySink::Datadog(sink) => sink.last_error(),
            AnySink::Stdout(sink) => sink.last_error(),
        }
    }
}
