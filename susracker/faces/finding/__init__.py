"""Finds the faces in cameras' pictures: on the thread that asks, or in other processes."""
