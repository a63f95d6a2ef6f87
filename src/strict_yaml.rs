//! The one strict YAML loader: unknown and duplicate keys fail with line, column and the nearest name, all mistakes in one run.
