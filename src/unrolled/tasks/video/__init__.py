"""The video task: to label clips, or every frame of a stream."""
