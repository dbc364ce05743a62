"""Who writes, reads and films: one file per vendor, and the local twins."""
