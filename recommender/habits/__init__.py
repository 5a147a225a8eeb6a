"""One listener's habits: their plays as columns, what is known at each moment of decision, and models of what they finish."""
