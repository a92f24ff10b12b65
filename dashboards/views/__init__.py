"""One file a page, so that each can be opened and tested by itself."""
