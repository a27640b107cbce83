"""The `lucy` command."""
