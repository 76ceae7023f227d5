"""The board's pages: a snapshot of the ledger, views of it, templates, and the router that serves them."""
