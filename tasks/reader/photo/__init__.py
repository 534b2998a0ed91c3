"""What a picture's file says beside its pixels: camera, place, time, software, hidden extras.

All of it is claimed by the file and easily forged; it is noted, never believed.
"""
