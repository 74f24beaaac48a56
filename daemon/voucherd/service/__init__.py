"""The use cases, one module a verb; they reach the outside through the ports in `ports.py`."""
