"""What processes write of themselves: who lives, who leads, which slots and sessions each serves, its figures."""
