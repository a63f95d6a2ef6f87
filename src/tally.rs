//! Plain integer counters, filled by one owner without sharing and merged at seal time.
