"""A trial of the whole site: many orders through real processes and pretended vendors, with trouble on the way."""
