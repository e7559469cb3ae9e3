"""What time obliges us to do, on a simulated clock."""
