"""One oracle of a quorum: evidence from independent sources, a verdict by a declared rule, signed once."""
