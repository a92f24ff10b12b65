"""What the pages share: the snapshot's reader, queries, charts, exports, log-in."""
