"""Deploying, verifying and showing Milepost; nothing here is needed to run a keeper."""
