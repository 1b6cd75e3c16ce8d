"""Cover pictures, drawn by rule: the same slug always gives the same picture, byte for byte."""
