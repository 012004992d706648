"""LeadPulse: real events in, right scores out."""
