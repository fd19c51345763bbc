"""Matchers find the people on the watch-list who are most like a probe. See `base.Matcher`."""
