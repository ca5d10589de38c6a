using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using LangTrain.Training.Batches;

namespace LangTrain.Training.Data;

/// <summary>A file of rows, tokenized once and read in any order; tokens and index are files, so that memory does not grow with the data.</summary>
/// <remarks>
/// The folder is reused when it was made from the same rows, tokenizer, template and options; it is complete once its manifest is there, which is written last.
/// Examples keep the order of the rows, so that the same file gives the same examples whatever the number of threads. Dispose it when the run ends.
/// </remarks>
public sealed class TokenizedFile : ITokenizedExamples, IDisposable
{
    internal const string TokensName = "tokens.bin", IndexName = "index.bin", ManifestName = "manifest.json";

    /// <summary>A token's highest bit says whether it is learned.</summary>
    internal const uint TrainedBit = 0x8000_0000;

    private readonly TokenizedFileManifest _manifest;
    private readonly MemoryMappedFile _tokens;
    private readonly MemoryMappedViewAccessor _tokenView;
    private readonly MemoryMappedFile _index;
    private readonly MemoryMappedViewAccessor _indexView;

    private TokenizedFile(string folder, TokenizedFileManifest manifest)
    {
        _manifest = manifest;
        (_tokens, _tokenView) = Map(Path.Combine(folder, TokensName));
        (_index, _indexView) = Map(Path.Combine(folder, IndexName));
    }

    /// <summary>What tokenizing found.</summary>
    public LengthStatistics Statistics => _manifest.Statistics;

    /// <summary>The shape of the rows. Of preference rows example 2n is the chosen answer, example 2n + 1 the rejected one.</summary>
    public RowShape Shape => _manifest.Shape;

    /// <inheritdoc/>
    public int Count => _manifest.Statistics.Examples;

    /// <inheritdoc/>
    public string ContentHash => _manifest.ContentHash;

    /// <summary>Opens the tokens of a file, making them first where they are not there yet.</summary>
    /// <param name="path">Canonical rows, JSONL, <c>.gz</c> or not.</param>
    /// <param name="modelFolder">The base model, for its tokenizer and chat template.</param>
    /// <param name="options">Longest sequence, and what becomes of longer rows.</param>
    /// <param name="folder">Where tokens and index are kept; it is made.</param>
    /// <param name="cancellation">Ends tokenizing; what is made so far is made anew the next time.</param>
    /// <exception cref="TrainingDataException">A row cannot be used, or nothing is left to train on.</exception>
    public static TokenizedFile Open(string path, string modelFolder, TokenizingOptions options, string folder, CancellationToken cancellation = default)
    {
        var source = TokenizedFileManifest.SourceOf(path, modelFolder, options);
        var manifest = TokenizedFileManifest.Read(folder);
        if (manifest is null || manifest.Source != source)
        {
            Directory.CreateDirectory(folder);
            File.Delete(Path.Combine(folder, ManifestName));
            manifest = new TokenizedFileWriter(modelFolder, options).Write(path, folder, source, cancellation);
        }
        return new TokenizedFile(folder, manifest);
    }

    /// <inheritdoc/>
    public int LengthOf(int index) => Entry(index).Length;

    /// <inheritdoc/>
    public int TrainedTokensOf(int index) => Entry(index).Trained;

    /// <inheritdoc/>
    public TokenizedExample Read(int index)
    {
        var entry = Entry(index);
        var stored = new uint[entry.Length];
        _tokenView.ReadArray(entry.Start * sizeof(uint), stored, 0, stored.Length);
        var (ids, isTrained) = (new int[stored.Length], new bool[stored.Length]);
        for (var i = 0; i < stored.Length; i++) (ids[i], isTrained[i]) = ((int)(stored[i] & ~TrainedBit), (stored[i] & TrainedBit) != 0);
        return new TokenizedExample(ids, isTrained);
    }

    /// <summary>Closes the files; they stay for the next run.</summary>
    public void Dispose()
    {
        _tokenView.Dispose();
        _tokens.Dispose();
        _indexView.Dispose();
        _index.Dispose();
    }

    private IndexEntry Entry(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        _indexView.Read((long)index * Marshal.SizeOf<IndexEntry>(), out IndexEntry entry);
        return entry;
    }

    private static (MemoryMappedFile File, MemoryMappedViewAccessor View) Map(string path)
    {
        var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, capacity: 0, MemoryMappedFileAccess.Read);
        return (file, file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read));
    }

    /// <summary>Where an example's tokens are.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 8)]
    internal readonly record struct IndexEntry(long Start, int Length, int Trained);
}
