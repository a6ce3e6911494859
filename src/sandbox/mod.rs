//! Embedded stand-ins for the providers. Uses base and model, never provider: wire shapes are written twice on purpose.
