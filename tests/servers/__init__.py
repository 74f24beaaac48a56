"""Real servers for the tests: throw-away instances on loopback, each in a folder of its own."""
