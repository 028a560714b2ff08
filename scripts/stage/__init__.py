"""What the demo is played on: processes, a local chain, the parties, the account of what happened."""
