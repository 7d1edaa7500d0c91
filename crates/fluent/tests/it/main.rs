//! Tests of the public API, by subject.

mod compare;
mod corpus;
mod effective;
mod includes;
mod lossless;
mod reach;
mod reading;
mod redact;
mod refusals;
mod service;
mod support;
