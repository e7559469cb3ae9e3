"""What time and events oblige us to do; pure."""
