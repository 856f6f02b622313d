"""Cases as staff and auditors look at them: the list, its searches, the page of one case."""
