"""The explorer: a local web page that shows a run, its latent space and its training.

`security.py` checks every request, `http.py` parses parameters and builds responses, `worker.py` runs one
task at a time, `model.py` holds the generator, `routes/` has the handlers, `app.py` the table of routes, and
`server.py` opens the socket. No path from a request ever reaches the disk.
"""
