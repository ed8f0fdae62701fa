"""What the operator chose: settings and the voice catalogue. Sees no other package of Dragoman."""
