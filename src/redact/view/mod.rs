//! Views: decoded readings of a record, each with a map from decoded bytes back to the bytes they came
//! from. One file an encoding, one row each in the table; the engine searches every view as it searches
//! the raw record and masks the raw bytes a hit maps to (for base64 and hex the whole run).

pub mod map;
