"""What everything alive is made of: mailboxes, supervision, and the actor of one user."""
