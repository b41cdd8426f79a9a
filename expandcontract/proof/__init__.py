"""Running steps on a scratch server and watching what they do."""
