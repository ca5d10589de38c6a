using System.Text;

namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>The printable character by which byte-level vocabularies write each byte (GPT-2's table).</summary>
internal static class ByteAlphabet
{
    private static readonly char[] CharOfByte = Build();
    private static readonly short[] ByteOfChar = Invert();

    public static char CharOf(byte value) => CharOfByte[value];

    /// <summary>The byte that a character stands for, or -1.</summary>
    public static int ByteOf(char c) => c < ByteOfChar.Length ? ByteOfChar[c] : -1;

    /// <summary>A text's UTF-8 bytes, each as its character.</summary>
    public static string Write(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return string.Create(bytes.Length, bytes, static (to, from) =>
        {
            for (var i = 0; i < to.Length; i++) to[i] = CharOf(from[i]);
        });
    }

    /// <summary>The bytes of a vocabulary entry; null where a character stands for none (as in some added tokens).</summary>
    public static byte[]? BytesOf(string entry)
    {
        var bytes = new byte[entry.Length];
        for (var i = 0; i < entry.Length; i++)
        {
            var value = ByteOf(entry[i]);
            if (value < 0) return null;
            bytes[i] = (byte)value;
        }
        return bytes;
    }

    private static char[] Build()
    {
        // Printable Latin-1 characters stand for themselves, the other 68 for the characters from U+0100 on.
        var table = new char[256];
        var extra = 0;
        for (var b = 0; b < 256; b++)
        {
            table[b] = b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? (char)b : (char)(256 + extra++);
        }
        return table;
    }

    private static short[] Invert()
    {
        var inverse = new short[256 + 68];
        Array.Fill(inverse, (short)-1);
        for (var b = 0; b < 256; b++) inverse[CharOfByte[b]] = (short)b;
        return inverse;
    }
}
