//! Counts the bytes that the engine's readers look at, in tests and fuzzing only, so that linear growth is asserted in
//! steps and never in time. Outside of tests nothing is counted and nothing is compiled.

#[cfg(any(test, fuzzing))]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// A reader looked at `bytes` bytes.
#[inline(always)]
#[cfg_attr(not(any(test, fuzzing)), allow(unused_variables))]
pub(super) fn add(bytes: usize) {
    #[cfg(any(test, fuzzing))]
    STEPS.with(|steps| steps.set(steps.get() + bytes as u64));
}

/// The steps that `work` takes on this thread.
#[cfg(any(test, fuzzing))]
pub(super) fn of(work: impl FnOnce()) -> u64 {
    let before = STEPS.with(std::cell::Cell::get);
    work();
    STEPS.with(std::cell::Cell::get) - before
}
