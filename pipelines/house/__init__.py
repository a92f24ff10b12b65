"""The whole house at once: the demo that shows the ring turn, and the four servers side by side.

It drives the other planes as a person would, by their commands and over HTTP, and imports none of them.
"""
