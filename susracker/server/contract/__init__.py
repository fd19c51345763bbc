"""The API as a contract: what each route and event takes and gives, for programs to read."""
