"""Licence keys, the machines they run on, and files that prove a licence without a network.

Owns the tables `license_policies`, `licenses`, `license_activations` and `license_steps`. Tells
`LicenseChanged` on the holder's topic. Hears `GrantChanged`: issues what
was bought, and stops and restores it with the grant it came by.
"""
