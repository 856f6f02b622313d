"""Pages of the front desk: the inbox, the open task, and the templates in which the trigger is selected."""
