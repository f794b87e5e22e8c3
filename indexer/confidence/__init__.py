"""How sure an answer is: features, calibration, its fit and its worth."""
