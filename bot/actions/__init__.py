"""What can be pressed on a card."""
