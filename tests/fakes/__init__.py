"""Stand-ins for timing and failure tests only; everything else runs the real parts."""
