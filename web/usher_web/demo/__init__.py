"""Only for the demonstration: sample patients, their invented past, and a mail catcher."""
