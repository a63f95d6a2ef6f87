//! Keyed tokens: classes, normalisation and the token form `em_k792de85ak3fev`.
