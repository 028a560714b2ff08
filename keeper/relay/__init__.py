"""What was said off chain: attestations and documents, checked, kept, served, pulled and assembled into proofs."""
