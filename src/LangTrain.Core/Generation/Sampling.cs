using System.Globalization;
using System.Text.Json;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;

namespace LangTrain.Core.Generation;

/// <summary>The parameters that all generation endpoints share, checked.</summary>
/// <remarks>The defaults are those of <see cref="GenerateWorkItem"/>, which says what each number means.</remarks>
public sealed record Sampling
{
    private const int MostStops = 16;
    private const int LongestStop = 256;
    private const int MostBiases = 1024;

    /// <summary>Temperature.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Nucleus.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Most likely tokens kept; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Least relative probability.</summary>
    public double MinP { get; init; }

    /// <summary>Frequency penalty.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Presence penalty.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Repetition penalty.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Biases of logits.</summary>
    public IReadOnlyDictionary<int, double>? LogitBias { get; init; }

    /// <summary>Texts that end an answer.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Answers a prompt.</summary>
    public int N { get; init; } = 1;

    /// <summary>Seed, or null.</summary>
    public long? Seed { get; init; }

    /// <summary>Reads the parameters; what is wrong is noted in the request's problems.</summary>
    public static Sampling FromRequest(RequestObject request)
    {
        ArgumentNullException.ThrowIfNull(request);

        // An id of an end user, for the owner's own books. It changes no answer.
        request.Text("user", 512);
        // What together-ai's client may ask for when the prompt is too long; the other way, to cut it, is not done behind anybody's back.
        request.OneOf("context_length_exceeded_behavior", "error");
        return new Sampling
        {
            Temperature = request.Number("temperature", 0, 2) ?? 1,
            TopP = request.Number("top_p", 0, 1, excludeMin: true) ?? 1,
            TopK = request.Int32("top_k", 0, 1_000_000) ?? 0,
            MinP = request.Number("min_p", 0, 1) ?? 0,
            FrequencyPenalty = request.Number("frequency_penalty", -2, 2) ?? 0,
            PresencePenalty = request.Number("presence_penalty", -2, 2) ?? 0,
            RepetitionPenalty = request.Number("repetition_penalty", 0, 10, excludeMin: true) ?? 1,
            LogitBias = ReadLogitBias(request),
            Stop = ReadStop(request),
            N = request.Int32("n", 1, 128) ?? 1,
            Seed = request.Integer("seed", long.MinValue, long.MaxValue),
        };
    }

    /// <summary>A work item with these parameters and no prompt yet.</summary>
    public GenerateWorkItem ToWorkItem(string requestId, string accountId, GenerationTarget target) => new()
    {
        RequestId = requestId,
        AccountId = accountId,
        Target = target,
        Temperature = Temperature,
        TopP = TopP,
        TopK = TopK,
        MinP = MinP,
        FrequencyPenalty = FrequencyPenalty,
        PresencePenalty = PresencePenalty,
        RepetitionPenalty = RepetitionPenalty,
        LogitBias = LogitBias,
        Stop = Stop,
        N = N,
        Seed = Seed,
    };

    private static IReadOnlyList<string> ReadStop(RequestObject request)
    {
        request.Takes("stop", $$"""{"anyOf":[{"type":"string","maxLength":{{LongestStop}} },{"type":"array","maxItems":{{MostStops}},"items":{"type":"string","minLength":1,"maxLength":{{LongestStop}} } }]}""");
        if (request.Find("stop") is not { } value)
        {
            return [];
        }

        var stops = value.ValueKind == JsonValueKind.String
            ? request.Text("stop", LongestStop) is { } one ? [one] : []
            : request.Texts("stop", MostStops, LongestStop) ?? [];
        if (stops.Contains(""))
        {
            request.Problems.Add("stop", "stop must not hold an empty text: every answer would end before it begins.");
        }

        return stops;
    }

    private static Dictionary<int, double>? ReadLogitBias(RequestObject request)
    {
        request.Takes("logit_bias", """{"type":"object","additionalProperties":{"type":"number","minimum":-100,"maximum":100}}""");
        if (request.Object("logit_bias") is not { } biases)
        {
            return null;
        }

        var read = new Dictionary<int, double>();
        foreach (var property in biases.Element.EnumerateObject())
        {
            if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            {
                request.Problems.Add("logit_bias", $"logit_bias maps token ids to numbers; '{ApiErrors.Shorten(property.Name)}' is no token id.");
            }
            else if (biases.Number(property.Name, -100, 100) is { } bias)
            {
                read[id] = bias;
            }
        }

        if (read.Count > MostBiases)
        {
            request.Problems.Add("logit_bias", $"logit_bias may have at most {MostBiases} entries, not {read.Count}.");
        }

        return read;
    }
}
