using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Inference.Tests;

/// <summary>Builders and readers that the tests share.</summary>
internal static class Some
{
    public const int TinyVocabulary = 97;

    /// <summary>The real weights beside the repository, or null where they are not.</summary>
    public static string? Stories260K { get; } = FindStories();

    public static GenerationRequest Request(IReadOnlyList<int> prompt, int? maxNewTokens) =>
        new() { PromptTokens = prompt, MaxNewTokens = maxNewTokens, Sampling = SamplingOptions.Greedy };

    public static async Task<List<int>> IdsAsync(this IAsyncEnumerable<GeneratedToken> tokens) => [.. (await tokens.ListAsync()).Select(t => t.TokenId)];

    public static async Task<List<T>> ListAsync<T>(this IAsyncEnumerable<T> items)
    {
        var list = new List<T>();
        await foreach (var item in items)
            list.Add(item);
        return list;
    }

    /// <summary>A small model with random weights, large enough in their spread that logits differ clearly.</summary>
    public static DecoderModel TinyModel(ScalarType dtype = ScalarType.Float64, int contextLength = 128) =>
        DecoderModel.Create(
            ModelConfig.Parse($$"""
                {"architectures":["LlamaForCausalLM"],"model_type":"llama","vocab_size":{{TinyVocabulary}},"hidden_size":32,"intermediate_size":48,
                 "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"hidden_act":"silu","max_position_embeddings":{{contextLength}},
                 "rms_norm_eps":1e-5,"rope_theta":10000.0,"attention_bias":false,"mlp_bias":false,"tie_word_embeddings":false,"initializer_range":0.3,
                 "bos_token_id":1,"eos_token_id":2}
                """),
            seed: 11,
            new ModelLoadOptions { Dtype = dtype });

    /// <summary>An adapter that changes what the model says.</summary>
    public static LoraAdapter Adapter(DecoderModel model, int rank, long seed, params IReadOnlyList<string> targets)
    {
        var adapter = LoraAdapter.Create(model, new LoraOptions { Rank = rank, Alpha = 2 * rank, TargetModules = targets }, seed);
        using var frozen = no_grad();
        using var generator = new Generator((ulong)seed, CPU);
        foreach (var parameter in adapter.parameters())
            parameter.normal_(0, 0.3, generator);
        return adapter;
    }

    /// <summary>The root of the repository in which the tests run.</summary>
    public static string Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LangTrain.Functions.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("The tests do not run inside the repository.");
    }

    private static string? FindStories()
    {
        var path = Path.Combine(Path.GetDirectoryName(Repository())!, "shared", "models", "stories260K");
        return Directory.Exists(path) ? path : null;
    }
}
