"""Agents for tasks: from camera pictures and numbers to motor commands, or to discrete actions."""
