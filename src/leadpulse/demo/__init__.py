"""Believable journeys and a sender for them: the demo, and the load of the benchmarks."""
