"""The long-running programs: observe, repair, decide, act, record (docs/keeper.md section 3)."""
