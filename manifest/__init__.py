"""The Teams app package: what an administrator uploads so that Lucy can be added to a team."""
