"""What services send, through rules to alerts, across restarts."""
