"""What may be done: a short, versioned list of rules over plain values (docs/keeper.md section 6)."""
