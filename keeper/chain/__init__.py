"""Talking to a chain: JSON-RPC with failover, finality, ABI codecs, contract reads and signers."""
