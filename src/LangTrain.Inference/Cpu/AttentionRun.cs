namespace LangTrain.Inference.Cpu;

/// <summary>
/// Some tokens of a sequence, one behind the other, attending with one head: keys and values are read once for several of them. What a token gets is
/// the same to the last bit alone.
/// </summary>
internal readonly unsafe struct AttentionRun
{
    private const int Together = 3, Lanes = 8;

    /// <summary>[tokens, D], one head's from the sequence's start.</summary>
    public required float* Keys { get; init; }

    /// <summary>[tokens, D], alike.</summary>
    public required float* Values { get; init; }

    /// <summary>Scratch, [<see cref="Count"/>, tokens].</summary>
    public required float* Scores { get; init; }

    /// <summary>D.</summary>
    public required int Size { get; init; }

    /// <summary>Floats from one token's query to the next, and from result to result.</summary>
    public required int Step { get; init; }

    /// <summary>Tokens that attend.</summary>
    public required int Count { get; init; }

    /// <summary>Tokens that the first attends to, itself included; the next one more, unless the window is full.</summary>
    public required int Tokens { get; init; }

    /// <summary>Most tokens that one attends to.</summary>
    public required int Window { get; init; }

    /// <summary>Factor on q · k.</summary>
    public required float Scale { get; init; }

    /// <summary>Cap on the scaled scores; 0 for none.</summary>
    public required float Cap { get; init; }

    /// <param name="queries">[Count, Step], D of each.</param>
    /// <param name="results">[Count, Step], D of each; written.</param>
    public void Attend(float* queries, float* results)
    {
        // What any of them attends to.
        int begin = Math.Max(0, Tokens - Window), width = Tokens + Count - 1 - begin;
        var keys = Keys + (long)begin * Size;
        CpuProduct.Multiply<Float32Row>(CpuMatrix.Of(keys, width, Size), queries, Step, Scores, Count, width, 0, width);
        var totals = stackalloc float[Count];
        for (var i = 0; i < Count; i++)
        {
            var scores = Scores + (long)i * width;
            int own = Tokens + i, first = Math.Max(0, own - Window) - begin, end = own - begin;
            new Span<float>(scores, first).Clear();
            new Span<float>(scores + end, width - end).Clear(); // A product with 0 changes no sum.
            CpuKernels.Scale(scores + first, Scale, end - first);
            if (Cap > 0)
                CpuKernels.SoftCap(scores + first, Cap, end - first);
            totals[i] = CpuKernels.Exponentials(scores + first, end - first);
            new Span<float>(results + (long)i * Step, Size).Clear();
        }

        var values = Values + (long)begin * Size;
        var done = 0;
        for (; Size % Lanes == 0 && done + Together <= Count; done += Together)
            CpuKernels.AddRowsToThree(results + (long)done * Step, Step, values, Scores + (long)done * width, width, width, Size);
        for (; done < Count; done++)
            CpuKernels.AddRows(results + (long)done * Step, values, Size, Scores + (long)done * width, width, Size);
        for (var i = 0; i < Count; i++)
            CpuKernels.Scale(results + (long)i * Step, 1f / totals[i], Size);
    }
}
