"""Durable promises: something that must be done at a time, by exactly one worker, and retried when it fails."""
