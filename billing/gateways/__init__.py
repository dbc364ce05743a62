"""Where fans pay: one file per gateway."""
