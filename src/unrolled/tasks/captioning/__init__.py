"""The captioning task: to say in a sentence what a picture shows, or what happens in a film."""
