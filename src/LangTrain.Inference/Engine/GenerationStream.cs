using System.Runtime.CompilerServices;
using LangTrain.Inference.Engine;

namespace LangTrain.Inference;

/// <summary>
/// The tokens of one submitted request, as they are made. Read by one reader, once; a reader that leaves early frees the row within one step.
/// </summary>
public sealed class GenerationStream : IDisposable
{
    private readonly GenerationRow _row;
    private readonly Action<GenerationRow> _cancel;
    private readonly CancellationTokenRegistration _registration;

    internal GenerationStream(GenerationRow row, Action<GenerationRow> cancel, CancellationToken cancellationToken)
    {
        _row = row;
        _cancel = cancel;
        _registration = cancellationToken.UnsafeRegister(static s => ((GenerationStream)s!).Cancel(), this);
    }

    /// <summary>Why the row ended; null before the last token was read, and where it was cancelled or failed.</summary>
    public FinishReason? FinishReason => _row.Reader.Completion.IsCompleted ? _row.Finish : null;

    /// <summary>Tokens of the prompt that were found in the cache; known once a token was read or the row has ended.</summary>
    public int ReusedTokens => _row.Reused;

    /// <summary>Most tokens that the row may generate, after the context's end was taken into account.</summary>
    public int MaxNewTokens => _row.MaxNewTokens;

    /// <summary>Drops the row within one step. Harmless when it has ended. From any thread.</summary>
    public void Cancel() => _cancel(_row);

    /// <summary>Cancels the row if it runs still, and lets go of the cancellation token.</summary>
    public void Dispose()
    {
        _registration.Dispose();
        Cancel();
    }

    /// <summary>The row's tokens; ends after its last one.</summary>
    /// <param name="cancellationToken">Ends the reading, and the row with it.</param>
    /// <exception cref="OperationCanceledException">The row was cancelled, or its engine was shut down.</exception>
    public async IAsyncEnumerable<GeneratedToken> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            while (await _row.Reader.WaitToReadAsync(cancellationToken))
            {
                while (_row.Reader.TryRead(out var token))
                    yield return token;
            }
        }
        finally
        {
            Dispose();
        }
    }
}
