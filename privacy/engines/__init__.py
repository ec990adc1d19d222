"""Engines that carry out a policy: the local one, and Google's Cloud DLP."""
