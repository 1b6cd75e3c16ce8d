"""`rialto bench commerce`: how fast a running shop answers its REST interface."""
