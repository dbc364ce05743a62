"""The craft of the local script writer: from a fan's notes to lines to be read aloud, by rules and phrases alone."""
