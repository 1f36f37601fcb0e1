"""Python 2 as old scripts knew it: their language, their modules, and the runner that brings both."""
