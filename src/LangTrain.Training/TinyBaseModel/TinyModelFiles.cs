using System.Text;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Training.TinyBaseModel;

/// <summary>Everything of the tiny base model but its weights: shape, tokenizer, chat template, settings.</summary>
public static class TinyModelFiles
{
    /// <summary>Begins a text.</summary>
    public const string BeginOfText = "<|begin_of_text|>";

    /// <summary>Ends a text.</summary>
    public const string EndOfText = "<|end_of_text|>";

    /// <summary>Begins a turn of a conversation.</summary>
    public const string TurnStart = "<|im_start|>";

    /// <summary>Ends a turn of a conversation.</summary>
    public const string TurnEnd = "<|im_end|>";

    private const int VocabularySize = 1792;
    // More documents change no merge that matters.
    private const int DocumentsForVocabulary = 20_000;

    // Llama's architecture at 1.1 million parameters. RoPE's base is low because the context is short.
    private const string Config = """
        {
          "architectures": ["LlamaForCausalLM"],
          "model_type": "llama",
          "vocab_size": 1792,
          "hidden_size": 128,
          "intermediate_size": 384,
          "num_hidden_layers": 4,
          "num_attention_heads": 4,
          "num_key_value_heads": 4,
          "head_dim": 32,
          "hidden_act": "silu",
          "max_position_embeddings": 512,
          "rms_norm_eps": 1e-05,
          "rope_theta": 10000.0,
          "rope_scaling": null,
          "attention_bias": false,
          "mlp_bias": false,
          "tie_word_embeddings": true,
          "initializer_range": 0.02,
          "bos_token_id": 0,
          "eos_token_id": [1, 3],
          "torch_dtype": "float32"
        }
        """;

    private const string GenerationConfig = """
        {
          "bos_token_id": 0,
          "eos_token_id": [1, 3]
        }
        """;

    private const string TokenizerConfig = """
        {
          "add_bos_token": true,
          "add_eos_token": false,
          "bos_token": "<|begin_of_text|>",
          "eos_token": "<|end_of_text|>",
          "model_max_length": 512,
          "clean_up_tokenization_spaces": false,
          "tokenizer_class": "PreTrainedTokenizerFast"
        }
        """;

    private const string ChatTemplate = """
        {{- bos_token }}
        {%- if tools %}
            {{- '<|im_start|>system\nTools, one a line:\n' }}
            {%- for tool in tools %}
                {{- tool | tojson + '\n' }}
            {%- endfor %}
            {{- 'A call is written <tool_call>{"name": ..., "arguments": {...}}</tool_call><|im_end|>\n' }}
        {%- endif %}
        {%- for message in messages %}
            {%- if message.role not in ['system', 'user', 'assistant', 'tool'] %}
                {{- raise_exception('This model knows the roles system, user, assistant and tool.') }}
            {%- endif %}
            {{- '<|im_start|>' + ('user' if message.role == 'tool' else message.role) + '\n' }}
            {%- if message.role == 'tool' %}
                {{- '<tool_response>' }}
            {%- endif %}
            {%- if message.content is string %}
                {{- message.content | trim }}
            {%- elif message.content is iterable %}
                {%- for part in message.content %}
                    {%- if part.type == 'text' %}
                        {{- part.text | trim }}
                    {%- else %}
                        {{- raise_exception('This model reads text only.') }}
                    {%- endif %}
                {%- endfor %}
            {%- endif %}
            {%- if message.role == 'tool' %}
                {{- '</tool_response>' }}
            {%- endif %}
            {%- if message.tool_calls %}
                {%- for call in message.tool_calls %}
                    {{- '<tool_call>{"name": "' + call.function.name + '", "arguments": ' }}
                    {{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}
                    {{- '}</tool_call>' }}
                {%- endfor %}
            {%- endif %}
            {{- '<|im_end|>\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|im_start|>assistant\n' }}
        {%- endif %}
        """;

    /// <summary>Writes the files into a folder, which is made: with weights beside them it is a model in Hugging Face's layout.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="seed">Seed of the corpus from which the vocabulary is learned.</param>
    public static void Write(string folder, long seed)
    {
        Directory.CreateDirectory(folder);
        var trainer = new BpeTrainer();
        foreach (var text in TinyCorpus.TextsForVocabulary(seed).Take(DocumentsForVocabulary)) trainer.Add(text);
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.json"), [.. trainer.Train(VocabularySize, [BeginOfText, EndOfText, TurnStart, TurnEnd], BeginOfText), (byte)'\n']);
        foreach (var (name, text) in (ReadOnlySpan<(string, string)>)
        [
            ("config.json", Config), ("generation_config.json", GenerationConfig), ("tokenizer_config.json", TokenizerConfig), ("chat_template.jinja", ChatTemplate),
        ])
        {
            File.WriteAllText(Path.Combine(folder, name), text + "\n", new UTF8Encoding(false));
        }
    }

    /// <summary>A document as the model is trained on it: begin of text, the document with its marks as tokens, end of text.</summary>
    /// <param name="tokenizer">The tokenizer that <see cref="Write"/> wrote.</param>
    /// <param name="document">One of <see cref="TinyCorpus.Documents"/>.</param>
    public static IReadOnlyList<int> Encode(Tokenizer tokenizer, string document)
    {
        var ids = new List<int> { tokenizer.BosTokenId!.Value };
        tokenizer.EncodeTo(ids, document, parseSpecialTokens: true);
        ids.Add(tokenizer.EosTokenId!.Value);
        return ids;
    }
}
