"""Milepost's off-chain side: the keeper, the attester and the command line."""
