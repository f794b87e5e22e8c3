"""How pictures become what the network sees, and how a heading is searched."""
