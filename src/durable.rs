//! Durable replacement of small files: temporary name, write, sync, rename, directory sync.
