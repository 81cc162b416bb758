//! Tests of what follows when a step fails.
