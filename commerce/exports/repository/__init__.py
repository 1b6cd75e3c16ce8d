"""Every line of SQL about exports: the list of them, and the rows that go into their files."""
