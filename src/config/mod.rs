//! Configuration: the schema as written, the strict loader with carets, the settings as checked.
