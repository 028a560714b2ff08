"""The settings tree: read once, checked whole, every mistake named with its mend."""
