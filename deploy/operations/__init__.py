"""Looking at a running shop from outside, and acting on its connections, as operators do."""
