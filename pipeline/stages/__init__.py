"""The stages of a session, one file each, in the order in which a word passes them."""
