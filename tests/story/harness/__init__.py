"""What the stories share: a daemon of their own, and ways to ask it."""
