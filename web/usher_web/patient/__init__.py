"""The patient's side: the link in the mail, the identity check, and the answer."""
