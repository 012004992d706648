"""The HTTP face: routes, schemas, authentication, error table."""
