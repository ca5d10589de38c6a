using System.IO.Compression;
using System.Text;

namespace LangTrain.Training.Data;

/// <summary>Lines of a JSONL file, gzip or not, with their numbers; one line in memory at a time.</summary>
internal static class JsonLines
{
    /// <summary>Reads the lines that are not empty.</summary>
    /// <exception cref="TrainingDataException">The file is not UTF-8 or not gzip.</exception>
    public static IEnumerable<(long Number, string Text)> Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        using Stream stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true, 1 << 16);
        for (var number = 1L; Next(reader, number) is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line)) yield return (number, line);
        }
    }

    private static string? Next(StreamReader reader, long number)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (DecoderFallbackException e)
        {
            // The reader decodes ahead of the line, so the number says about where.
            throw new TrainingDataException("The file is not UTF-8 here or shortly behind.", number, e);
        }
        catch (InvalidDataException e)
        {
            throw new TrainingDataException("The file is not valid gzip.", number, e);
        }
    }
}
