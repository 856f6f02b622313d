"""The patient's side: the link in the mail, who are you, and the answer."""
