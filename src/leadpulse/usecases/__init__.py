"""One coroutine per intention; the only place where a transaction begins and ends."""
