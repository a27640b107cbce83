"""What can be typed: one file per command, each a function from an `Ask` and a `Command` to an `Answer`."""
