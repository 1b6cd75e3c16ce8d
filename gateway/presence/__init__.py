"""Who is here and who is writing: ephemeral state that every worker keeps and tells the others."""
