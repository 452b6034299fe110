"""A batch of commands: decided in order on cached entities, with what was done before remembered by key. Pure."""
