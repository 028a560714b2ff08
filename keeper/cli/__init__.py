"""The command line `milepost`: a door for people over keeper.commands."""
