using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.Modeling;

/// <summary>The nonlinearity of the feed-forward block.</summary>
public enum Activation
{
    /// <summary>x · sigmoid(x).</summary>
    Silu,

    /// <summary>Gelu by its tanh approximation.</summary>
    GeluTanh,

    /// <summary>Gelu by the error function.</summary>
    Gelu,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>tanh(x), a choice of GPT-2.</summary>
    Tanh,
}

/// <summary>Where the norms of a block are.</summary>
public enum NormPlacement
{
    /// <summary>Before attention and before the feed-forward part.</summary>
    Before,

    /// <summary>Before and after each (Gemma 2, 3).</summary>
    Around,

    /// <summary>After each (OLMo 2).</summary>
    After,
}

/// <summary>
/// A decoder's architecture, read from a Hugging Face <c>config.json</c> (both generations of spelling) joined with <c>generation_config.json</c>.
/// First thing that loading, estimating and exporting look at.
/// </summary>
/// <remarks>Immutable and thread-safe. Every key that changes the arithmetic is either in here or refused.</remarks>
public sealed record ModelConfig
{
    /// <summary><c>model_type</c> of the text model, such as <c>llama</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>Most tokens that one sequence may hold.</summary>
    public required int ContextLength { get; init; }

    /// <summary>V: rows of the embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>C: width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>L: number of blocks.</summary>
    public required int LayerCount { get; init; }

    /// <summary>H: query heads.</summary>
    public required int QueryHeads { get; init; }

    /// <summary>K: key/value heads; divides H.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>D: size of one head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>F: inner width of the feed-forward block.</summary>
    public required int FeedForwardSize { get; init; }

    /// <summary>Tokens that end a generation: config.json's and generation_config.json's together.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <summary>The token that starts a text, where the model has one.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>The padding token, where the model names one.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>The output projection is the embedding.</summary>
    public bool TieEmbeddings { get; init; }

    /// <summary>Epsilon of the norms.</summary>
    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Rotary settings of full-attention layers; null where positions are learned.</summary>
    public RopeSettings? Rope { get; init; }

    /// <summary>Rotary settings of sliding-window layers where they differ (Gemma 3).</summary>
    public RopeSettings? LocalRope { get; init; }

    /// <summary>The query, key and value projections have biases.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>The attention's output projection has a bias.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>The feed-forward projections have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Which layers turn queries and keys by position (not all of SmolLM3's); empty means all.</summary>
    public IReadOnlyList<bool> RotaryLayers { get; init; } = [];

    /// <summary>Queries and keys are normed: each head (Qwen3, Gemma 3), or with <see cref="NormsHeadsTogether"/> all heads of a token as one (OLMo 2).</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>See <see cref="QueryKeyNorm"/>.</summary>
    public bool NormsHeadsTogether { get; init; }

    /// <summary>Query, key and value, and gate and up, are one matrix each (Phi-3).</summary>
    public bool FusedProjections { get; init; }

    /// <summary>The feed-forward nonlinearity.</summary>
    public Activation Activation { get; init; }

    /// <summary>Window in tokens of the layers in <see cref="SlidingLayers"/>: a token attends itself and the window - 1 before it.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Which layers attend only to the window; empty means none.</summary>
    public IReadOnlyList<bool> SlidingLayers { get; init; } = [];

    /// <summary>Factor on q·k.</summary>
    public required double AttentionScale { get; init; }

    /// <summary>The factor on q·k is also divided by the layer's number, counted from 1 (an option of GPT-2).</summary>
    public bool ScalesAttentionByLayer { get; init; }

    /// <summary>Cap c on attention scores, c·tanh(s/c) (Gemma 2).</summary>
    public double? AttentionSoftCap { get; init; }

    /// <summary>Cap on the output logits (Gemma 2).</summary>
    public double? LogitSoftCap { get; init; }

    /// <summary>Factor on the embeddings (Gemma, Granite).</summary>
    public double EmbeddingScale { get; init; } = 1;

    /// <summary>Factor on what attention and the feed-forward part add to the residual stream (Granite).</summary>
    public double ResidualScale { get; init; } = 1;

    /// <summary>Factor on the last norm's output, and so on the logits (Granite).</summary>
    public double OutputScale { get; init; } = 1;

    /// <summary>Norm weights are stored as w - 1 (Gemma).</summary>
    public bool NormAddsOne { get; init; }

    /// <summary>Where the norms of a block are.</summary>
    public NormPlacement Norms { get; init; }

    /// <summary>The folder's model has vision as well: what others make for it, such as adapters, names the text model's parts one level down.</summary>
    public bool IsTextPart { get; init; }

    /// <summary>Standard deviation of random initial weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>The config.json that this was read from, as written back by <see cref="DecoderModel.Save"/>.</summary>
    public required string Json { get; init; }

    /// <summary>The generation_config.json beside it, if there was one.</summary>
    public string? GenerationJson { get; init; }

    /// <summary>Whether the layer attends only to the sliding window.</summary>
    /// <param name="layer">Layer, from 0.</param>
    public bool IsSliding(int layer) => SlidingWindow is not null && SlidingLayers.Count > layer && SlidingLayers[layer];

    /// <summary>Whether the layer turns queries and keys by position.</summary>
    /// <param name="layer">Layer, from 0.</param>
    public bool IsRotary(int layer) => Rope is not null && (RotaryLayers.Count == 0 || RotaryLayers[layer]);

    /// <summary>Reads <c>config.json</c> and, where present, <c>generation_config.json</c>.</summary>
    /// <param name="folder">A model folder in Hugging Face layout.</param>
    /// <exception cref="FileNotFoundException">The folder has no config.json.</exception>
    /// <exception cref="InvalidDataException">A file is not valid JSON, or a needed key is absent or of the wrong kind.</exception>
    /// <exception cref="UnsupportedModelException">An architecture or a key that is not honoured; names it.</exception>
    public static ModelConfig Read(string folder)
    {
        string path = Path.Combine(folder, "config.json");
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"'{folder}' has no config.json.", path);
        }

        string generation = Path.Combine(folder, "generation_config.json");
        return Parse(File.ReadAllText(path), File.Exists(generation) ? File.ReadAllText(generation) : null);
    }

    /// <summary>Reads the two files' contents.</summary>
    /// <param name="json">Content of config.json.</param>
    /// <param name="generationJson">Content of generation_config.json, or null.</param>
    /// <exception cref="InvalidDataException">Not valid JSON, or a needed key is absent or of the wrong kind.</exception>
    /// <exception cref="UnsupportedModelException">An architecture or a key that is not honoured; names it.</exception>
    public static ModelConfig Parse(string json, string? generationJson = null) => ModelConfigReader.Read(json, generationJson);

    /// <summary>The config of a new Llama, for pre-training.</summary>
    /// <param name="vocabularySize">V.</param>
    /// <param name="hiddenSize">C; a multiple of <paramref name="queryHeads"/>.</param>
    /// <param name="layerCount">L.</param>
    /// <param name="queryHeads">H.</param>
    /// <param name="keyValueHeads">K.</param>
    /// <param name="feedForwardSize">F.</param>
    /// <param name="contextLength">Most tokens of a sequence.</param>
    /// <param name="tieEmbeddings">One matrix for embedding and output.</param>
    /// <param name="bosTokenId">Token that starts a text.</param>
    /// <param name="eosTokenId">Token that ends a text.</param>
    /// <param name="ropeTheta">Base of the rotary frequencies.</param>
    public static ModelConfig ForLlama(
        int vocabularySize, int hiddenSize, int layerCount, int queryHeads, int keyValueHeads, int feedForwardSize, int contextLength,
        bool tieEmbeddings = true, int bosTokenId = 1, int eosTokenId = 2, double ropeTheta = 10000)
    {
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["model_type"] = "llama",
            ["vocab_size"] = vocabularySize,
            ["hidden_size"] = hiddenSize,
            ["intermediate_size"] = feedForwardSize,
            ["num_hidden_layers"] = layerCount,
            ["num_attention_heads"] = queryHeads,
            ["num_key_value_heads"] = keyValueHeads,
            ["hidden_act"] = "silu",
            ["max_position_embeddings"] = contextLength,
            ["initializer_range"] = 0.02,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = ropeTheta,
            ["rope_scaling"] = null,
            ["attention_bias"] = false,
            ["mlp_bias"] = false,
            ["tie_word_embeddings"] = tieEmbeddings,
            ["bos_token_id"] = bosTokenId,
            ["eos_token_id"] = eosTokenId,
            ["torch_dtype"] = "float32",
        };
        return Parse(json.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }
}
