"""Tables as text: for terminals, documents and programs. A format is a record in :mod:`sepcalc.render.formats`."""
