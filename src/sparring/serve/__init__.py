"""The explorer: one web page, served on this machine, to look at a run, its latent space and its training.

`security.py` checks every request, `http.py` parses parameters and builds responses, `worker.py` runs one
task at a time, `model.py` holds the generator, `routes/` answers, `app.py` has the one table of routes,
`server.py` opens the socket. No path from a request ever reaches the disk.
"""
