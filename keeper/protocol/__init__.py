"""The agreement as pure values: the executable specification of docs/protocol.md, without any I/O."""
