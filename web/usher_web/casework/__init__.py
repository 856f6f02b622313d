"""Cases as staff and auditors see them: the list, its searches, the page of one case."""
