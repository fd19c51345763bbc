"""Matchers: who on the watch-list is most like a probe. `base.Matcher` says what one must do."""
