"""Threads, batches and budgets: how many photos are worked on at once."""
