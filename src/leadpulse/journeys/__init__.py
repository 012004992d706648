"""Believable journeys of made-up people, for the demo, sample data and loads."""
