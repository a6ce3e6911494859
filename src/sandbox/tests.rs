//! What the stand-in is held to.
