"""What answers calls: transports, identity, the type of an operation, a call and its services."""
