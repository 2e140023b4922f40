"""The explorer: one page, served on this machine, to play with a run.

`guard.py` decides who may ask, `asked.py` what may be asked, `jobs.py` how much at once, `model.py` draws, the `*_routes.py`
answer, `app.py` has the one table of routes, `server.py` opens the door. No path from a request ever touches the disk.
"""
