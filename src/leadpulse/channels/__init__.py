"""Ways to the world outside: mail, and who vouches for people."""
