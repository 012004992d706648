"""All SQL, the migrations and the embedded server."""
