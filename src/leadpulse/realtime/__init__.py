"""Live updates over Socket.IO: hints for pages that are open. Nothing depends on them."""
