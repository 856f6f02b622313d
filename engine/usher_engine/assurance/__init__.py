"""What people rely on: checks, proof of one case, activity reports, log review, retention."""
