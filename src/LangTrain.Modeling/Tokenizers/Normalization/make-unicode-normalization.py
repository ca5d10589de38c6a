"""Writes unicode-normalization.txt from Python's own copy of the Unicode Character Database.

    python3 make-unicode-normalization.py > unicode-normalization.txt

One line a code point: its number, then `+` (canonical and recomposed by NFC), `=` (canonical, never recomposed)
or `~` (compatibility) and what it decomposes to, or `:` and its canonical combining class. All but the class in hex.
"""
import unicodedata

print(f"# Unicode {unicodedata.unidata_version}")
for code in range(0x110000):
    if 0xD800 <= code <= 0xDFFF or 0xAC00 <= code <= 0xD7A3:
        continue  # surrogates have none, Hangul syllables are computed
    char = chr(code)
    decomposition = unicodedata.decomposition(char)
    if decomposition.startswith("<"):
        print(f"{code:X}~" + " ".join(f"{int(x, 16):X}" for x in decomposition.split()[1:]))
    elif decomposition:
        parts = [f"{int(x, 16):X}" for x in decomposition.split()]
        recomposed = len(parts) == 2 and unicodedata.normalize("NFC", char) == char
        print(f"{code:X}" + ("+" if recomposed else "=") + " ".join(parts))
    if combining := unicodedata.combining(char):
        print(f"{code:X}:{combining}")
