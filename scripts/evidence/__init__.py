"""Stand-ins for the world's evidence: two services in two published formats, each a process of its own."""
