//! The fuzz properties over a fixed number of drawn inputs.

use super::fuzz::*;
use proptest::prelude::*;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// Texts in which something is to be found more often than in plain noise.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "ghp_",
        "glpat-",
        "abcdefgh01234567",
        "password",
        "=",
        ":",
        "\"",
        "\\\"",
        "jan@example.com",
        "%40",
        "%67hp_",
        "{",
        "}",
        "\\u0067hp_",
        "&#103;",
        "4111111111111111",
        " ",
        ",",
        "\n",
        "Z2hwX2FiY2RlZmdoMDEyMzQ1Njc4OQ",
        "\u{200b}",
        "\x1b[1m",
        "6768705f6162636465666768303132333435363738",
        "\\",
        "[password]",
        "token",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----",
        "[",
        "]",
        "\\n",
        "é",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_masks_what_the_oracle_finds(data in texts()) {
        fuzz_redact_vs_naive(data.as_bytes());
    }

    #[test]
    fn json_stays_json(data in bytes()) {
        fuzz_json_validity(&data);
    }

    #[test]
    fn a_second_pass_changes_nothing(data in texts()) {
        fuzz_idempotence(data.as_bytes());
    }

    #[test]
    fn blocks_do_not_matter(data in texts()) {
        fuzz_split_invariance(data.as_bytes());
    }

    #[test]
    fn key_blocks_do_not_survive(data in bytes()) {
        fuzz_multiline(&data);
    }

    #[test]
    fn planted_secrets_do_not_survive(data in bytes()) {
        fuzz_planted_secret(&data);
    }
}
