"""The protocol of connections without I/O: commands, frames in two codecs, the session's rules."""
