"""A stand-in for the Bot Framework connector service of Teams, and the people who write to the bot."""
