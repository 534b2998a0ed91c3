"""The commands, by what a person wants to do."""
