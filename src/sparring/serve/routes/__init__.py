"""The routes of the explorer, one file for each view of the page."""
