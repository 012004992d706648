"""The pure core: facts, models and time in, scores out; standard library only."""
