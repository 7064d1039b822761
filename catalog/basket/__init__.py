"""Value of a customer's next basket."""
