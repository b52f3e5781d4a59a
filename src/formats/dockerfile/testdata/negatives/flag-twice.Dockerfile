FROM --platform=a --platform=b scratch
