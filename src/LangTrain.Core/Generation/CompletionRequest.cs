using LangTrain.Contracts.Generation;
using LangTrain.Core.Http;

namespace LangTrain.Core.Generation;

/// <summary>A request of <c>POST /completions</c> or <c>/batch/completions</c>, checked.</summary>
public sealed record CompletionRequest
{
    /// <summary>OpenAI's default of <c>max_tokens</c> here.</summary>
    private const int DefaultMaxTokens = 16;

    /// <summary>Most answers (prompts × n) of one request.</summary>
    private const int MostChoices = 512;

    /// <summary>The model as named.</summary>
    public required string Model { get; init; }

    /// <summary>Prompts, at least one.</summary>
    public required IReadOnlyList<PromptText> Prompts { get; init; }

    /// <summary>Prompts that are worked on at once.</summary>
    public int AtOnce { get; init; } = 32;

    /// <summary>Sampling.</summary>
    public required Sampling Sampling { get; init; }

    /// <summary>Most new tokens a choice; 0 only with echo.</summary>
    public int MaxTokens { get; init; } = DefaultMaxTokens;

    /// <summary>Whether the prompt comes back before the text.</summary>
    public bool Echo { get; init; }

    /// <summary>Alternatives a token; null when no log-probabilities are wanted.</summary>
    public int? Logprobs { get; init; }

    /// <summary>One of <see cref="GenerateWorkItem"/>'s priorities.</summary>
    public string Priority { get; init; } = GenerateWorkItem.Interactive;

    /// <summary>In pieces or whole.</summary>
    public StreamWish Streaming { get; init; } = new(false, false);

    /// <summary>Reads a request of <c>/completions</c>.</summary>
    /// <exception cref="Errors.ApiException">400 with every problem.</exception>
    public static CompletionRequest FromRequest(RequestObject request)
    {
        var read = ReadShared(request) with
        {
            Prompts = PromptText.FromRequest(request, "prompt"),
            Streaming = StreamWish.FromRequest(request),
        };
        if (read.Prompts.Count * read.Sampling.N > MostChoices)
        {
            request.Problems.Add("n", $"A request may ask for at most {MostChoices} texts; {read.Prompts.Count} prompts with n = {read.Sampling.N} are more.");
        }

        return Finished(request, read);
    }

    /// <summary>Reads a request of <c>/batch/completions</c>.</summary>
    /// <exception cref="Errors.ApiException">400 with every problem.</exception>
    public static CompletionRequest FromBatchRequest(RequestObject request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var read = ReadShared(request) with
        {
            Prompts = PromptText.ManyFromRequest(request, "prompts"),
            AtOnce = request.Int32("batch_size", 1, PromptText.MostPrompts) ?? 32,
            Priority = GenerateWorkItem.Batch,
        };
        if (request.Flag("stream") == true)
        {
            request.Problems.Add("stream", "stream is not possible for a batch; use /completions.", "unsupported_parameter");
        }

        if (read.Sampling.N != 1)
        {
            request.Problems.Add("n", "n must be 1 in a batch: each prompt has one choice.", "unsupported_parameter");
        }

        return Finished(request, read);
    }

    private static CompletionRequest ReadShared(RequestObject request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var echo = request.Flag("echo") ?? false;
        var read = new CompletionRequest
        {
            Model = request.RequireText("model", 512),
            Prompts = [],
            Sampling = Sampling.FromRequest(request),
            MaxTokens = request.Int32("max_tokens", echo ? 0 : 1, 1_000_000) ?? DefaultMaxTokens,
            Echo = echo,
            Logprobs = request.Int32("logprobs", 0, 20),
        };
        if (request.Has("suffix"))
        {
            request.Problems.Add("suffix", "suffix is not supported: these models continue a text, they do not fill gaps.", "unsupported_parameter");
        }

        if (request.Int32("best_of", 1, 128) is { } best && best != read.Sampling.N)
        {
            request.Problems.Add("best_of", "best_of is supported only where it equals n.", "unsupported_parameter");
        }

        return read;
    }

    private static CompletionRequest Finished(RequestObject request, CompletionRequest read)
    {
        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        return read;
    }
}
