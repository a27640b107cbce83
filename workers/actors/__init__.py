"""What each nudge does. Actors carry ids only, read again, and are safe to run twice; the sweeper repeats lost ones."""
