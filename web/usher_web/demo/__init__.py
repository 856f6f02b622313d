"""What only the demonstration needs: sample patients, their invented past, and a mail catcher."""
