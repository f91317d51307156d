"""Baton on one machine: the embedded broker, `baton up` and the demonstration. Needs the extra
`local`; no worker imports it."""
