using System.Threading.Channels;
using LangTrain.Inference.Sampling;

namespace LangTrain.Inference.Engine;

/// <summary>
/// State of one sequence from its submission to its last token. The loop thread owns every field except <see cref="IsCancelled"/> and the
/// channel, which the reader shares; the queue holds a row before the loop thread does.
/// </summary>
internal sealed class GenerationRow
{
    private readonly Channel<GeneratedToken> _tokens =
        Channel.CreateUnbounded<GeneratedToken>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = false });

    private int[] _ids;
    private volatile bool _cancelled;

    public GenerationRow(GenerationRequest request, int maxNewTokens)
    {
        Request = request;
        MaxNewTokens = maxNewTokens;
        PromptLength = Count = request.PromptTokens.Count;
        _ids = new int[PromptLength + Math.Min(maxNewTokens, 256)];
        for (var i = 0; i < PromptLength; i++)
            _ids[i] = request.PromptTokens[i];
        Sampler = new Sampler(request.Sampling, Tokens);
        Step = new StepRow { Owner = this };
    }

    public GenerationRequest Request { get; }

    /// <summary>Whose turn in the queue the row takes.</summary>
    public string FairnessKey => Request.FairnessKey ?? "";

    public int PromptLength { get; }

    public int MaxNewTokens { get; }

    public Sampler Sampler { get; }

    /// <summary>The row's part in the step being made.</summary>
    public StepRow Step { get; }

    /// <summary>Prompt and generated tokens.</summary>
    public ReadOnlySpan<int> Tokens => _ids.AsSpan(0, Count);

    public int Count { get; private set; }

    public int Generated => Count - PromptLength;

    /// <summary>The cache slot, -1 while the row waits.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Tokens that the slot holds; the rest of <see cref="Tokens"/> is still to be fed.</summary>
    public int Cached { get; set; }

    /// <summary>Tokens of the prompt that were found in the cache; set before the first token is reported.</summary>
    public int Reused { get; set; }

    /// <summary>True once the first chunk is on its way, so that a shared prefix is looked for only once.</summary>
    public bool Started { get; set; }

    public int Pending => Count - Cached;

    /// <summary>Prompt tokens whose log-probabilities were reported; a row that was set aside does not report them twice.</summary>
    public int PromptReported { get; set; }

    /// <summary>Set when the row ends by itself, before the channel completes.</summary>
    public FinishReason? Finish { get; private set; }

    /// <summary>True when the channel is complete and the slot can go.</summary>
    public bool IsEnded { get; private set; }

    public bool IsCancelled => _cancelled;

    public long SubmittedAt { get; init; }

    public long AdmittedAt { get; set; }

    public long LastTokenAt { get; set; }

    public ChannelReader<GeneratedToken> Reader => _tokens.Reader;

    /// <summary>Asks the loop to drop the row; from any thread.</summary>
    public void Cancel() => _cancelled = true;

    public void Append(int id)
    {
        if (Count == _ids.Length)
            Array.Resize(ref _ids, _ids.Length * 2);
        _ids[Count++] = id;
    }

    public void Report(in GeneratedToken token) => _tokens.Writer.TryWrite(token);

    public void End(FinishReason reason)
    {
        Finish = reason;
        IsEnded = true;
        _tokens.Writer.TryComplete();
    }

    public void Fail(Exception error)
    {
        IsEnded = true;
        _tokens.Writer.TryComplete(error);
    }

    /// <summary>The row is in no step any more: what it used may go.</summary>
    public void Leave() => Request.Left?.Invoke();
}
