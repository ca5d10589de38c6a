namespace LangTrain.Modeling;

/// <summary>What a clone of a model's repository holds in place of its large files where Git LFS did not fetch them: about 130 bytes of text.</summary>
internal static class LfsPointer
{
    /// <summary>Bytes that tell one.</summary>
    public const int Length = 40;

    /// <param name="start">The file's first bytes, <see cref="Length"/> where it has as many.</param>
    /// <param name="file">Its name, for the error.</param>
    /// <exception cref="InvalidDataException">It is one.</exception>
    public static void Refuse(ReadOnlySpan<byte> start, string file)
    {
        if (start.StartsWith("version https://git-lfs.github.com/spec/"u8))
        {
            throw new InvalidDataException($"{file} is only a Git LFS pointer to the file that belongs there. Fetch the file itself, for example with 'git lfs pull'.");
        }
    }
}
