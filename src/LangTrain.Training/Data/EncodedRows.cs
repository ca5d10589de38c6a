using System.Runtime.InteropServices;
using LangTrain.Training.Batches;

namespace LangTrain.Training.Data;

/// <summary>The examples of some rows in the form in which they are stored. Used again and again, so that memory does not grow with the data.</summary>
internal sealed class EncodedRows
{
    private readonly List<uint> _tokens = [];
    private readonly List<(int Length, int Trained)> _examples = [];

    /// <summary>Tokens of all examples, behind one another; the highest bit of each says whether it is learned.</summary>
    public ReadOnlySpan<uint> Tokens => CollectionsMarshal.AsSpan(_tokens);

    /// <summary>Tokens of each example, and how many of them are learned.</summary>
    public ReadOnlySpan<(int Length, int Trained)> Examples => CollectionsMarshal.AsSpan(_examples);

    /// <summary>The shape of the rows; null where there is none.</summary>
    public RowShape? Shape { get; set; }

    /// <summary>The line of the first row.</summary>
    public long FirstLine { get; set; }

    /// <summary>Why the rows end early: the first row that cannot be used.</summary>
    public TrainingDataException? Error { get; set; }

    /// <summary>What there was to count in the rows, but for the examples and their tokens.</summary>
    public LengthStatistics Statistics { get; set; } = new();

    /// <summary>Makes it as it was at first, for other rows.</summary>
    public void Clear()
    {
        _tokens.Clear();
        _examples.Clear();
        (Shape, FirstLine, Error, Statistics) = (null, 0, null, new LengthStatistics());
    }

    /// <summary>Adds a stretch of an example as an example of its own, unless nothing of it is learned.</summary>
    /// <returns>Whether it was added.</returns>
    public bool Add(TokenizedExample example, int start, int length)
    {
        var trained = TrainedTokens(example, start, length);
        if (trained == 0) return false;
        var at = _tokens.Count;
        CollectionsMarshal.SetCount(_tokens, at + length);
        var stored = CollectionsMarshal.AsSpan(_tokens)[at..];
        var ids = example.Ids.AsSpan(start, length);
        var isTrained = example.IsTrained.AsSpan(start, length);
        for (var i = 0; i < stored.Length; i++) stored[i] = (uint)ids[i] | (isTrained[i] ? TokenizedFile.TrainedBit : 0);
        _examples.Add((length, trained));
        return true;
    }

    /// <summary>How many tokens of a stretch are learned; its first one is never predicted.</summary>
    public static int TrainedTokens(TokenizedExample example, int start, int length) => length < 2 ? 0 : example.IsTrained.AsSpan(start + 1, length - 1).Count(true);
}
