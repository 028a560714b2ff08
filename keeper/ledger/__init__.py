"""What happened on chain: follow it, repair reorgs, fold it into agreements (docs/keeper.md section 4)."""
