"""Topics as this worker hears them: who subscribed, where each stands, who is told what."""
