"""Runs another program's own checks over an exchange folder; each file is a process of its own.

They run in environments that hold the other program alone, so they import nothing of ours: what
a driver does itself is to read files and to split lines, and every judgement is the program's.
"""
