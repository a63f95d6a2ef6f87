//! Reads rule files from a folder; the only place where rules touch the file system.
