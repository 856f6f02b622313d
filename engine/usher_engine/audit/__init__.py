"""The log of what people did beside the steps of cases: who signed in, looked, tried, set or exported what."""
