using System.Text.Json;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Http;

namespace LangTrain.Core.Generation;

/// <summary>A request of <c>POST /chat/completions</c>, checked.</summary>
public sealed record ChatRequest
{
    private static readonly string[] Unsupported =
        ["audio", "functions", "function_call", "prediction", "reasoning_effort", "verbosity", "web_search_options", "moderation"];

    /// <summary>The model as named.</summary>
    public required string Model { get; init; }

    /// <summary>Messages in one plain shape: <c>role</c>, text <c>content</c>, <c>name</c>, <c>tool_calls</c>, <c>tool_call_id</c>.</summary>
    public required JsonElement Messages { get; init; }

    /// <summary>Tools, or null.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Choice of tool, or null.</summary>
    public JsonElement? ToolChoice { get; init; }

    /// <summary>Whether an answer may make several tool calls.</summary>
    public bool ParallelToolCalls { get; init; } = true;

    /// <summary>Format of the answer, or null for text.</summary>
    public JsonElement? ResponseFormat { get; init; }

    /// <summary>Sampling.</summary>
    public required Sampling Sampling { get; init; }

    /// <summary>Most new tokens a choice; null is as many as the context has room for.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Whether log-probabilities are wanted.</summary>
    public bool Logprobs { get; init; }

    /// <summary>Alternatives a token.</summary>
    public int TopLogprobs { get; init; }

    /// <summary>One of <see cref="GenerateWorkItem"/>'s priorities.</summary>
    public string Priority { get; init; } = GenerateWorkItem.Interactive;

    /// <summary>In pieces or whole.</summary>
    public StreamWish Streaming { get; init; } = new(false, false);

    /// <summary>Reads a request.</summary>
    /// <param name="request">The body.</param>
    /// <param name="countsLogprobs">Whether <c>logprobs</c> may be a number of alternatives, as the together-ai client has it.</param>
    /// <exception cref="Errors.ApiException">400 with every problem.</exception>
    public static ChatRequest FromRequest(RequestObject request, bool countsLogprobs = false)
    {
        ArgumentNullException.ThrowIfNull(request);
        var counted = countsLogprobs && request.Find("logprobs") is { ValueKind: JsonValueKind.Number } ? request.Int32("logprobs", 0, 20) ?? 0 : (int?)null;
        var logprobs = counted is { } count ? count > 0 : request.Flag("logprobs") ?? false;
        var top = request.Int32("top_logprobs", 0, 20) ?? (counted > 0 ? counted : null);
        if (top is not null && !logprobs)
        {
            request.Problems.Add("top_logprobs", "top_logprobs is allowed with logprobs: true only.");
        }

        var tools = ChatTools.ReadTools(request);
        var read = new ChatRequest
        {
            Model = request.RequireText("model", 512),
            Messages = ChatMessages.FromRequest(request, "messages"),
            Tools = tools,
            ToolChoice = ChatTools.ReadChoice(request, tools),
            ParallelToolCalls = request.Flag("parallel_tool_calls") ?? true,
            ResponseFormat = ChatTools.ReadResponseFormat(request),
            Sampling = Sampling.FromRequest(request),
            MaxTokens = ReadMaxTokens(request),
            Logprobs = logprobs,
            TopLogprobs = top ?? 0,
            Streaming = StreamWish.FromRequest(request),
        };
        RefuseUnsupported(request);
        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        return read;
    }

    private static int? ReadMaxTokens(RequestObject request)
    {
        var older = request.Int32("max_tokens", 1, 1_000_000);
        var newer = request.Int32("max_completion_tokens", 1, 1_000_000);
        if (older is not null && newer is not null && older != newer)
        {
            request.Problems.Add("max_tokens", "max_tokens is the older name of max_completion_tokens; give one of them.");
        }

        return newer ?? older;
    }

    private static void RefuseUnsupported(RequestObject request)
    {
        foreach (var key in Unsupported.Where(request.Has))
        {
            request.Problems.Add(key, $"{key} is not supported.", "unsupported_parameter");
        }

        if (request.Flag("store") == true)
        {
            request.Problems.Add("store", "store is not supported: answers are not kept.", "unsupported_parameter");
        }

        request.OneOf("service_tier", "auto", "default");
        foreach (var modality in request.Texts("modalities", 4) ?? [])
        {
            if (modality != "text")
            {
                request.Problems.Add("modalities", "modalities may hold 'text' only.", "unsupported_parameter");
            }
        }

        // The client's own notes and hints. They change no answer.
        request.Object("metadata");
        request.Text("safety_identifier", 512);
        request.Text("prompt_cache_key", 512);
        request.OneOf("prompt_cache_retention", "in_memory", "in-memory", "24h");
    }
}
