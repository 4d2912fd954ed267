"""Which data, how much and how hard: pre-training, SFT and outcome supervision of linear self-attention."""
